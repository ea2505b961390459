"""A profile with a subscription, and a letter that was sent to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from psycopg_pool import ConnectionPool
from starlette.applications import Starlette
from starlette.testclient import TestClient

from sojourn.kernel import Settings, VirtualClock
from sojourn.kernel.tokens import installation_key
from sojourn.profiles.databases import create_database
from sojourn.profiles.resources import create_resource
from sojourn.templates import LinkFactory, MessageLinks, TemplateContent, save_template
from sojourn.web.public import Recorder, public_routes

HTML = """<p>Hi {{ profile.first_name }}, {{ subscription.contact }}, {{ promo.code }}, {{ api.order }}</p>
<a href="https://shop.test/?utm_source=mail&amp;utm_campaign=a%20b">Shop</a> <a href="https://shop.test/me?name={{ profile.first_name }}&amp;x=1">Me</a>
<a href="{{ api.link }}">It</a> <a href="{{ opt_in_url }}">Yes</a> <a href="{{ unsubscribe_url }}">Stop</a>"""
PROFILE, SUBSCRIPTION, PASSAGE, HOP = 64 * 5 + 7, 11, 500, 3
LANE = PROFILE & 63


@dataclass
class Site:
    """The public pages and the links of the one letter."""

    client: TestClient
    links: MessageLinks
    recorder: Recorder
    factory: LinkFactory

    def path(self, url: str) -> str:
        return url.removeprefix("http://sojourn.test")


@pytest.fixture
def letter(connection: psycopg.Connection[Any], clock: VirtualClock) -> None:
    database = create_database(connection, clock, "Customers")
    resource = create_resource(connection, clock, "Shop <news>", database_ids=[database.id])
    connection.execute(
        f'INSERT INTO "{database.table}" (id, lane, created_at, updated_at, email, fname) VALUES (%s, %s, %s, %s, %s, %s)',
        (PROFILE, LANE, clock.now(), clock.now(), "anna@example.test", "Анна & co"),
    )
    connection.execute(
        "INSERT INTO identity (profile_id, database_id, lane, kind, value) VALUES (%s, %s, %s, 3, 'anna@example.test')",
        (PROFILE, database.id, LANE),
    )
    connection.execute(
        """INSERT INTO subscription (id, profile_id, created_at, resource_id, lane, channel, status, effective, contact)
           VALUES (%s, %s, %s, %s, %s, 1, 4, 4, 'anna@example.test')""",
        (SUBSCRIPTION, PROFILE, clock.now(), resource.id, LANE),
    )
    template_id, version = save_template(connection, clock, "news", 1, TemplateContent(subject="Hi", html=HTML))
    connection.execute(
        """INSERT INTO message (passage_id, profile_id, subscription_id, created_at, handed_at, scenario_id, template_id, template_version, node_id, hop, resource_id, lane, channel, state)
           VALUES (%s, %s, %s, %s, %s, 3, %s, %s, 4, %s, %s, %s, 1, 2)""",
        (PASSAGE, PROFILE, SUBSCRIPTION, clock.now(), clock.now(), template_id, version, HOP, resource.id, LANE),
    )


@pytest.fixture
def site(settings: Settings, clock: VirtualClock, database_url: str, letter: None) -> Iterator[Site]:
    recorder = Recorder(database_url, clock)
    recorder.start()
    with ConnectionPool(database_url, kwargs={"autocommit": True}, min_size=1, max_size=4, open=True) as pool:
        app = Starlette(routes=public_routes(settings, clock, pool, recorder))
        factory = LinkFactory(settings.base_url, installation_key(settings.data))
        with TestClient(app, base_url="http://sojourn.test", follow_redirects=False) as client:
            yield Site(client, factory.of(LANE, PASSAGE, HOP), recorder, factory)
    recorder.stop()
