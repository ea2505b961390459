"""The demo's data and what is made of them."""

from __future__ import annotations

import csv
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import psycopg

from demo.customers import COLUMNS, customers, promo_codes, write_csv
from demo.seed import DATABASE, POOL, Shop, import_first, seed
from sojourn.kernel import Settings, VirtualClock
from sojourn.kernel.tokens import installation_key
from sojourn.loyalty import find_pool
from sojourn.profiles import database
from sojourn.profiles.contacts import parse_email, parse_phone
from sojourn.scenarios import files
from sojourn.scenarios.engine_loop import EngineLoop
from sojourn.templates import LinkFactory, find, load
from sojourn.triggers import register_import_triggers

WELCOME = Path(__file__).parents[2] / "demo" / "welcome.yaml"


def test_every_customer_has_contacts_that_the_product_takes_and_that_reach_nobody() -> None:
    people = customers()
    assert len(people) == 23_570
    assert len({person.email for person in people}) == len({person.phone for person in people}) == len(people)
    for person in people:
        assert parse_email(person.email) == person.email
        assert person.email.endswith("@example.com")
        assert parse_phone(person.phone) == person.phone
        assert person.phone[5:10] == "55501"


def test_customers_carry_the_figures_of_the_purchase_records_in_order_of_registration() -> None:
    people = customers()
    assert sum(person.purchases for person in people) == 69_659
    second = next(person for person in people if person.email == "customer00002@example.com")
    assert (second.purchases, second.total_spent) == (2, 89.0)
    assert second.registration_date == second.last_purchase == date(1997, 1, 12)
    days = [person.registration_date for person in people]
    assert days == sorted(days)
    assert customers()[:100] == people[:100]


def test_the_csv_file_has_one_line_for_each_customer(tmp_path: Path) -> None:
    write_csv(customers()[:50], tmp_path / "customers.csv")
    with (tmp_path / "customers.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 50
    assert tuple(rows[0]) == COLUMNS
    assert all(all(row.values()) for row in rows)


def test_promo_codes_differ() -> None:
    codes = list(promo_codes(5_000))
    assert len(set(codes)) == 5_000


def test_seeding_twice_changes_nothing(connection: psycopg.Connection[Any], clock: VirtualClock, shop: Shop) -> None:
    assert seed(connection, clock, codes=200) == shop
    assert find_pool(connection, POOL).codes == 200
    assert {"bonus_points", "purchases", "total_spent", "last_purchase", "favourite"} <= set(
        database(connection, DATABASE).fields
    )


def test_letters_say_what_they_should(
    connection: psycopg.Connection[Any], clock: VirtualClock, shop: Shop, tmp_path: Path
) -> None:
    links = LinkFactory("http://sojourn.test", installation_key(tmp_path)).of(1, 2, 3)
    person = {"first_name": "Ada & Co", "favourite": "jazz", "bonus_points": 100}
    data = {
        "profile": person, "subscription": {"contact": "ada@example.com"}, "resource": {"name": "Newsletter"},
        "promo": {"code": "HELLO-23456789", "expires_at": (clock.now() + timedelta(days=30)).isoformat()}, "now": clock.now(),
    }  # fmt: skip
    letters = {
        name: load(connection, find(connection, name) or 0).render(data, links)
        for name in ("Welcome letter", "Gift letter", "Confirmation reminder")
    }
    assert links.opt_in_url in letters["Welcome letter"].html.decode()
    assert "Ada &amp; Co" in letters["Welcome letter"].html.decode()
    gift = letters["Gift letter"].html.decode()
    assert "HELLO-23456789" in gift and ">100<" in gift and links.unsubscribe_url in gift and "02.12.2026" in gift


def test_the_scenario_file_is_in_order(connection: psycopg.Connection[Any], shop: Shop) -> None:
    assert files.validate(connection, WELCOME) == []


def test_the_first_customers_enter_the_welcome_scenario_once(
    connection: psycopg.Connection[Any], clock: VirtualClock, settings: Settings, shop: Shop, tmp_path: Path
) -> None:
    register_import_triggers()
    files.apply(connection, clock, WELCOME, settings=settings, publish_it=True, activate_it=True, accept_sandbox=True)
    report = import_first(connection, clock, shop, customers()[:40], tmp_path / "customers.csv")
    assert (report.created, report.rejected) == (40, 0)
    statuses = connection.execute(
        "SELECT channel, status, count(*) FROM subscription GROUP BY 1, 2 ORDER BY 1"
    ).fetchall()
    assert statuses == [(1, 4, 40), (2, 0, 40)]
    loop = EngineLoop(connection, clock)
    while loop.step():
        pass
    assert connection.execute("SELECT count(*) FROM resting").fetchone() == (40,)
    assert connection.execute("SELECT count(*) FROM message WHERE state = 0 AND channel = 1").fetchone() == (40,)
