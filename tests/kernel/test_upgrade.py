"""An installation of the release before, with people in it, is brought to this one and goes on working."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from alembic import command
from psycopg import sql

from sojourn.kernel import VirtualClock
from sojourn.kernel.database import DatabaseServer, connect, ensure_partitions, migrate, with_database
from sojourn.kernel.database.migrate import _config, _engine, pending
from sojourn.profiles import Options, Record, SubscriptionInput, database, get_profile, import_records, of_profile
from sojourn.profiles.history import history
from tests.conftest import START

_numbers = itertools.count(1)
_PROFILES = """
CREATE TABLE profile_1 (lane smallint NOT NULL, id bigint NOT NULL, created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL, regdate timestamptz, bdate date,
  status smallint, sex smallint, is_test boolean, email text, phones text[], fname text, lname text, city text, country text, region text,
  postal_code text, tz text, ip text, vendor text, regip text, regcity text, regcountry text, regurl text, f1 bigint, PRIMARY KEY (lane, id));
INSERT INTO profile_database (created_at, name, manager_title, manager_language) VALUES (now(), 'Customers', 'Shop', 'en');
INSERT INTO profile_field (id, database_id, name, title, type) OVERRIDING SYSTEM VALUE VALUES (1, 1, 'points', 'Points', 'integer');
INSERT INTO resource (created_at, name, channels, database_ids) VALUES (now(), 'News', '{1}', '{}');
INSERT INTO profile_1 (lane, id, created_at, updated_at, email, fname, f1) VALUES (7, 71, now(), now(), 'ann@x.test', 'Ann', 5);
INSERT INTO identity (profile_id, database_id, lane, kind, value) VALUES (71, 1, 7, 1, 'ann@x.test'), (71, 1, 7, 3, 'ann@x.test');
INSERT INTO subscription (profile_id, created_at, resource_id, lane, channel, status, effective, contact) VALUES (71, now(), 1, 7, 1, 1, 1, 'ann@x.test');
SELECT setval('profile_id_seq', 1000);
"""


@pytest.fixture
def old(server: DatabaseServer) -> Iterator[str]:
    """A database of the first release, with one person."""
    name = f"upgrade_{next(_numbers)}"
    admin = with_database(server.url, "postgres")
    with connect(admin, "test") as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    url = with_database(server.url, name)
    config = _config()
    with _engine(url).begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    with connect(url, "test") as connection:
        connection.execute(_PROFILES)
    yield url
    with connect(admin, "test") as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def test_people_fields_and_refusals_survive_the_upgrade(old: str, clock: VirtualClock) -> None:
    assert pending(old)
    migrate(old)
    assert not pending(old)
    migrate(old)  # a second time there is nothing to do
    with connect(old, "test") as connection:
        ensure_partitions(connection, START)
        _check(connection, clock)


def _check(connection: psycopg.Connection[Any], clock: VirtualClock) -> None:
    base = database(connection, 1)
    assert base.manager_fields == ("_fname", "_lname", "email", "phones")
    assert get_profile(connection, base, 71)["points"] == 5
    assert [(one.contact, one.status) for one in of_profile(connection, 71)] == [("ann@x.test", 1)]
    letters = SubscriptionInput(1, "email", "ann@x.test", cats=["sale"])
    record = Record({"email": "ann@x.test"}, {"points": 6, "_no_tracking": True}, [letters])
    [changed] = import_records(connection, clock, base, [record], Options())
    assert (changed.profile_id, changed.action) == (71, "updated")
    assert of_profile(connection, 71)[0].status == 1 and of_profile(connection, 71)[0].cats == ["sale"]
    assert {one.kind for one in history(connection, base, 71).happenings} == {"updated", "changed"}
    assert connection.execute("SELECT name FROM suppression_list WHERE is_global").fetchone() == ("Global",)
