"""One person is forgotten in all rooms; nothing else is touched; a restored database forgets them again."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from sojourn.cli.wiring import connect_rooms
from sojourn.delivery.receipts import Receipt, record_receipts
from sojourn.delivery.worker import Worker
from sojourn.events import EventKind
from sojourn.kernel import Settings, VirtualClock
from sojourn.kernel.database import connect
from sojourn.kernel.errors import NotFound
from sojourn.kernel.tokens import installation_key
from sojourn.profiles import Options, Record, SubscriptionInput, import_records
from sojourn.profiles.erasure import erase, journal, preview, replay
from sojourn.profiles.keyed_digest import keyed_digest
from sojourn.profiles.personal_data import personal_data
from tests.scenarios.world import World

Connection = psycopg.Connection[Any]
ADA, BOB = "ada.lovelace@example.com", "bob@example.com"
PHONE = "+79001234567"


def person(world: World, email: str, name: str) -> int:
    """Somebody who came by the API, with a subscription."""
    record = Record(
        {}, {"email": email, "_fname": name, "phones": [PHONE] if email == ADA else []}, [SubscriptionInput(world.resource.id, "email", email)]
    )  # fmt: skip
    outcome = import_records(world.connection, world.clock, world.database, [record], Options(cause=3))[0]
    assert outcome.profile_id
    return outcome.profile_id


@pytest.fixture
def world(connection: Connection, clock: VirtualClock, settings: Settings) -> World:
    connect_rooms()
    return World(connection, clock)


def lived(world: World, settings: Settings, *people: int) -> None:
    """They go through a scenario: a letter that is sent and opened, a code, an end, and once more a pause in which they rest."""
    nodes = [
        {"id": 0, "type": "start", "links": {"next": 1}},
        {
            "id": 1,
            "type": "email",
            "settings": {"template": "Welcome letter", "resource": "Newsletter"},
            "links": {"next": 2},
        },
        {"id": 2, "type": "promo_code", "settings": {"pool": "WELCOME"}, "links": {"next": 3}},
        {"id": 3, "type": "pause", "settings": {"length": "1h"}},
    ]
    scenario = world.scenario(nodes, mode="after_exit")
    for number in people:
        world.enter(scenario, number, context={"note": f"content of {number}"})
    world.run()
    with connect(world.connection.info.dsn, "worker") as own:
        worker = Worker(settings, world.clock, own)
        while worker.step():
            pass
        worker._http.close()
    ledger = world.all("SELECT lane, passage_id, hop FROM message WHERE profile_id = ANY(%s)", list(people))
    record_receipts(
        world.connection, world.clock, [Receipt(EventKind.OPENED, *key, world.clock.now()) for key in ledger]
    )
    world.later(hours=2)
    for number in people:
        world.enter(scenario, number)
    world.run()


def mentions(connection: Connection, text: str) -> dict[str, int]:
    """In how many rows of which table a text stands."""
    tables = connection.execute(
        "SELECT c.relname FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace"
    ).fetchall()
    found = {}
    for (table,) in tables:
        row = connection.execute(f'SELECT count(*) FROM "{table}" t WHERE t::text ILIKE %s', (f"%{text}%",)).fetchone()
        if row and row[0]:
            found[table] = row[0]
    return found


@pytest.fixture
def two(world: World, settings: Settings) -> tuple[int, int]:
    """Ada and Bob, who lived the same life."""
    ada, bob = person(world, ADA, "Ada-Augusta"), person(world, BOB, "Bob")
    lived(world, settings, ada, bob)
    world.connection.execute(
        "INSERT INTO background_task (created_at, kind, title) VALUES (now(), 'profile_import', 'x')"
    )
    world.connection.execute(
        "INSERT INTO import_rejection (task_id, line, reason, row_text) SELECT id, 7, 'bad', %s FROM background_task",
        (f"{ADA.upper()};x",),
    )
    return ada, bob


def test_nothing_in_any_table_names_an_erased_person(world: World, settings: Settings, two: tuple[int, int]) -> None:
    ada, _ = two
    assert set(mentions(world.connection, ADA)) >= {
        "profile_1",
        "subscription",
        "identity",
        "sandbox_message",
        "import_rejection",
    }
    assert erase(world.connection, world.clock, settings, world.database, ada) > 10
    for text in (ADA, PHONE, "Ada-Augusta", f"content of {ada}"):
        assert mentions(world.connection, text) == {}
    with_number = {
        table for (table,) in world.all("SELECT table_name FROM information_schema.columns WHERE column_name = 'profile_id' AND table_schema = 'public'")
        if world.all(f'SELECT 1 FROM "{table}" WHERE profile_id = %s', ada)
    }  # fmt: skip
    assert {name.split("_2")[0] for name in with_number} == {"change", "erasure"}
    assert world.all("SELECT DISTINCT kind FROM change WHERE profile_id = %s", ada) == [(5,)]


def test_everybody_else_and_all_sums_stay(world: World, settings: Settings, two: tuple[int, int]) -> None:
    ada, bob = two
    tables = (
        "subscription",
        "event",
        "passage_ended",
        "resting",
        "message",
        "sandbox_message",
        "promo_assignment",
        "change",
        "trail",
    )
    counts = {table: world.all(f"SELECT count(*) FROM {table}")[0][0] for table in tables}
    sums = world.all("SELECT scenario_id, kind, sum(n) FROM message_counter GROUP BY 1, 2 ORDER BY 1, 2")
    erase(world.connection, world.clock, settings, world.database, ada)
    left = {table: world.all(f"SELECT count(*) FROM {table}")[0][0] for table in tables}
    assert {table: counts[table] // 2 for table in ("subscription", "event", "message", "sandbox_message")} == {
        table: left[table] for table in ("subscription", "event", "message", "sandbox_message")
    }
    assert left["promo_assignment"] == counts["promo_assignment"], "a code that was given is never given again"
    assert world.all("SELECT scenario_id, kind, sum(n) FROM message_counter GROUP BY 1, 2 ORDER BY 1, 2") == sums
    assert mentions(world.connection, BOB)
    assert preview(world.connection, world.database, bob)


def test_the_preview_tells_what_will_go(world: World, settings: Settings, two: tuple[int, int]) -> None:
    ada, bob = two
    parts = {part.code: part.count for part in preview(world.connection, world.database, ada)}
    assert parts["subscriptions"] == 1 and parts["passages"] == 2 and parts["refused_rows"] == 1
    assert parts["letters"] >= 1 and parts["events"] >= 2 and parts["promo_codes"] >= 1
    assert "refused_rows" not in {part.code for part in preview(world.connection, world.database, bob)}


def test_of_the_contacts_keyed_digests_stay_in_the_global_suppression_list(
    world: World, settings: Settings, two: tuple[int, int]
) -> None:
    erase(world.connection, world.clock, settings, world.database, two[0])
    kept = {bytes(row[0]) for row in world.all("SELECT digest FROM suppression_entry WHERE kind = 5")}
    key = installation_key(settings.data)
    assert kept == {keyed_digest(key, ADA), keyed_digest(key, PHONE)}


def test_who_is_unknown_is_not_erased(world: World, settings: Settings) -> None:
    with pytest.raises(NotFound):
        erase(world.connection, world.clock, settings, world.database, 4711)
    assert not journal(settings).exists()


def test_a_restored_database_forgets_the_person_again(world: World, settings: Settings, two: tuple[int, int]) -> None:
    ada, bob = two
    before = world.all("SELECT email, fname FROM profile_1 WHERE id = %s", ada)[0]
    erase(world.connection, world.clock, settings, world.database, ada)
    assert replay(world.connection, world.clock, settings) == 0
    # The backup is older than the erasure: the person is there again, and nothing tells of the erasure.
    world.connection.execute("DELETE FROM erasure")
    world.connection.execute(
        "INSERT INTO profile_1 (id, lane, created_at, updated_at, email, fname) VALUES (%s, %s, now(), now(), %s, %s)",
        (ada, ada & 63, *before),
    )
    world.clock.advance(timedelta(days=1))
    assert replay(world.connection, world.clock, settings) == 1
    assert mentions(world.connection, ADA) == {}
    assert replay(world.connection, world.clock, settings) == 0
    assert world.all("SELECT 1 FROM profile_1 WHERE id = %s", bob)


def test_a_number_that_was_drawn_again_is_not_mistaken_for_the_erased_person(
    world: World, settings: Settings, two: tuple[int, int]
) -> None:
    ada = two[0]
    erase(world.connection, world.clock, settings, world.database, ada)
    world.connection.execute("DELETE FROM erasure")
    world.connection.execute(
        "INSERT INTO profile_1 (id, lane, created_at, updated_at, email) VALUES (%s, %s, now(), now(), 'somebody@else.example')",
        (ada, ada & 63),
    )
    assert replay(world.connection, world.clock, settings) == 0
    assert world.all("SELECT 1 FROM profile_1 WHERE id = %s", ada)


def test_personal_data_are_one_json_text_with_everything(
    world: World, settings: Settings, two: tuple[int, int]
) -> None:
    found = json.loads("".join(personal_data(world.connection, world.database, two[0])))
    assert found["profile"]["email"] == ADA and found["database"] == "Customers"
    assert [s["contact"] for s in found["subscriptions"]] == [ADA]
    assert found["letters"][0]["recipient"] == ADA
    assert {passage["scenario"] for passage in found["passages"]} == {"Test"}
    assert found["promo_codes"][0]["pool"] == "Welcome codes"
    assert BOB not in json.dumps(found)
