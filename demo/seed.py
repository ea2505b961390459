"""What the demo's installation holds before its life begins: a database of customers, a resource, templates, codes, and the first customers.

Each step looks first whether it is done, so a start that was interrupted is simply done again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg

from demo.customers import TASTES, Customer, promo_codes, write_csv
from sojourn.kernel import Clock
from sojourn.kernel.errors import NotFound
from sojourn.loyalty import create_pool, find_pool, load_codes
from sojourn.profiles import (
    Database,
    Options,
    Resource,
    add_field,
    create_database,
    create_resource,
    database,
    resource,
)
from sojourn.profiles.csv_import import FileOptions, Report, SubscribeAll, import_csv
from sojourn.profiles.statuses import CAUSE_FILE, EMAIL, SMS, SUBSCRIBED, UNCONFIRMED
from sojourn.scenarios import list_scenarios
from sojourn.templates import TemplateContent, save_template

Connection = psycopg.Connection[Any]
DATABASE, RESOURCE, POOL, SCENARIO = "Customers", "Newsletter", "WELCOME", "Welcome series"
CODES = 30_000
_TEMPLATES = Path(__file__).parent / "templates"
_FIELDS = (
    ("bonus_points", "Bonus points", "integer", None),
    ("purchases", "Purchases", "integer", None),
    ("total_spent", "Total spent", "float", None),
    ("last_purchase", "Last purchase", "date", None),
    ("favourite", "Favourite music", "enum", TASTES),
)


@dataclass(frozen=True, slots=True)
class Shop:
    """What was seeded."""

    database: Database
    resource: Resource


def seed(connection: Connection, clock: Clock, *, codes: int = CODES) -> Shop:
    """Make everything that the welcome scenario names."""
    base = _database(connection, clock)
    news = _resource(connection, clock, base)
    _templates(connection, clock)
    _codes(connection, clock, codes)
    return Shop(base, news)


def _database(connection: Connection, clock: Clock) -> Database:
    try:
        base = database(connection, DATABASE)
    except NotFound:
        base = create_database(
            connection,
            clock,
            DATABASE,
            description="Everybody who bought a record.",
            manager_title="Little Record Shop",
        )
    for name, title, kind, options in _FIELDS:
        if name not in base.fields:
            add_field(connection, clock, base.id, name, title, kind, options=options)
    return database(connection, DATABASE)


def _resource(connection: Connection, clock: Clock, base: Database) -> Resource:
    try:
        return resource(connection, RESOURCE)
    except NotFound:
        return create_resource(
            connection, clock, RESOURCE, channels=[EMAIL, SMS], database_ids=[base.id], description="News and gifts of the shop.",
            url="https://example.com/records", from_name="Little Record Shop", from_email="news@example.com",
        )  # fmt: skip


def _templates(connection: Connection, clock: Clock) -> None:
    def text(name: str) -> str:
        return (_TEMPLATES / name).read_text(encoding="utf-8").strip()

    welcome = TemplateContent(
        subject="{{ profile.first_name | default: 'Hello' }}, one click and you are in", mjml=text("welcome.mjml")
    )
    gift = TemplateContent(subject="Your gift: code {{ promo.code }}", mjml=text("gift.mjml"))
    save_template(connection, clock, "Welcome letter", EMAIL, welcome, confirmation=True)
    save_template(connection, clock, "Gift letter", EMAIL, gift)
    save_template(connection, clock, "Confirmation reminder", SMS, TemplateContent(text=text("reminder.txt")))


def _codes(connection: Connection, clock: Clock, count: int) -> None:
    try:
        pool = find_pool(connection, POOL)
    except NotFound:
        pool = create_pool(connection, clock, "Welcome codes", POOL, lifetime=timedelta(days=30))
    if pool.codes < count:
        load_codes(connection, pool.id, promo_codes(count))


def import_first(connection: Connection, clock: Clock, shop: Shop, people: Sequence[Customer], path: Path) -> Report:
    """Write customers to a CSV file and import it: who is new gets an unconfirmed e-mail subscription, and an SMS subscription at once.

    A file gives all its rows one status, so it is read twice; only the first reading starts scenarios.
    """
    write_csv(people, path)
    options = Options(matching="email", cause=CAUSE_FILE, source="file")
    emails = SubscribeAll(shop.resource.id, (EMAIL,), status=UNCONFIRMED)
    report = import_csv(connection, clock, shop.database, path, FileOptions(options, subscribe=emails))
    again = Options(mode="update", matching="email", cause=CAUSE_FILE, source="file", skip_triggers=True)
    phones = SubscribeAll(shop.resource.id, (SMS,), status=SUBSCRIBED)
    mapping = {"email": "email", "phone": "phones"}
    import_csv(connection, clock, shop.database, path, FileOptions(again, mapping=mapping, subscribe=phones))
    return report


def scenario_exists(connection: Connection) -> bool:
    """Whether the welcome scenario is there; whoever changed it keeps the change."""
    return bool(list_scenarios(connection, search=SCENARIO, limit=1))
