"""Fields and databases change while they are in use: nothing is lost, what refers to them is asked, and people wait for a moment only."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from sojourn.cli.wiring import connect_rooms
from sojourn.kernel import VirtualClock
from sojourn.kernel.database import connect
from sojourn.kernel.errors import Conflict, NotFound, SojournError
from sojourn.kernel.tasks import Task, create_task, perform
from sojourn.profiles import Database, Options, Record, Resource, SubscriptionInput, add_field, database, import_records
from sojourn.profiles.conversion import CONVERT, Conversion, convert_task
from sojourn.profiles.database_changes import change_database, delete_database
from sojourn.profiles.database_statistics import statistics
from sojourn.profiles.field_changes import change_field, delete_field, stop_matching, uses_of_field
from sojourn.profiles.profile import delete_profile
from sojourn.profiles.statuses import CAUSE_MANUAL

Connection = psycopg.Connection[Any]


def fill(connection: Connection, clock: VirtualClock, shop: Database, rows: list[dict[str, Any]]) -> list[int]:
    shop = database(connection, shop.id)
    records = [Record(fields={"email": f"p{number}@example.com", **row}) for number, row in enumerate(rows)]
    outcomes = import_records(connection, clock, shop, records, Options(matching="email"))
    assert all(outcome.problem is None for outcome in outcomes), outcomes
    return [outcome.profile_id or 0 for outcome in outcomes]


def values(connection: Connection, shop: Database, field: str) -> dict[str, Any]:
    return dict(connection.execute(f'SELECT email, "{field}" FROM profiles_{shop.id} ORDER BY email').fetchall())


Convert = Callable[..., Task]


@pytest.fixture
def converted(connection: Connection, clock: VirtualClock, shop: Database, database_url: str) -> Convert:
    """Converts a field of the shop and gives the ended task."""

    def convert(field: str, kind: str, misfits: str = "refuse") -> Task:
        arguments = {"database": shop.id, "field": field, "type": kind, "options": None, "misfits": misfits}
        task_id = create_task(connection, clock, CONVERT, field, arguments, queued=False)
        return perform(database_url, clock, task_id, function=convert_task())

    return convert


@pytest.mark.parametrize(
    ("field", "given", "kind", "expected"),
    [
        ("bonus", 5, "line", "5"), ("bonus", 5, "float", 5.0), ("bonus", 1, "boolean", True), ("weight", 2.0, "integer", 2),
        ("weight", 2.5, "line", "2.5"), ("vip", True, "line", "true"), ("vip", False, "integer", None), ("level", "gold", "line", "gold"),
        ("level", "gold", "tags", ["gold"]), ("likes", ["a, b", "c"], "line", '"a, b",c'), ("host", "10.0.0.1", "line", "10.0.0.1"),
        ("seen", "2026-01-02T03:04:05Z", "line", "2026-01-02T03:04:05+00:00"), ("car", {"a": "Ж"}, "line", '{"a": "Ж"}'), ("car", {"a": 1}, "objects", None),
    ],
)  # fmt: skip
def test_a_value_converts_as_an_import_of_its_text_would_read_it(
    connection: Connection,
    clock: VirtualClock,
    shop: Database,
    converted: Convert,
    field: str,
    given: Any,
    kind: str,
    expected: Any,
) -> None:
    if field in ("likes",):
        stop_matching(connection, shop.id, field)
    fill(connection, clock, shop, [{field: given}, {}])
    preview = Conversion(connection, shop.id, field, kind, None).preview()
    assert (preview.fits, preview.misfits, preview.exact) == (expected is not None, expected is None, True)
    task = converted(field, kind, "clear")
    assert (task.state, task.error) == ("completed", None)
    assert values(connection, shop, field) == {"p0@example.com": expected, "p1@example.com": None}
    after = database(connection, shop.id).field(field)
    assert after.type == kind
    new = {"line": "new", "float": 1.5, "boolean": True, "integer": 7, "tags": ["x"], "objects": [{"a": 1}]}[kind]
    fill(connection, clock, shop, [{field: new}])
    assert values(connection, shop, field)["p0@example.com"] == new


def test_what_does_not_convert_is_shown_and_refuses_the_whole_or_is_cleared(
    connection: Connection, clock: VirtualClock, shop: Database, converted: Convert
) -> None:
    stop_matching(connection, shop.id, "card")
    fill(connection, clock, shop, [{"card": "12"}, {"card": "twelve"}, {"card": "13.0"}, {}])
    preview = Conversion(connection, shop.id, "card", "integer", None).preview()
    assert (preview.fits, preview.misfits) == (2, 1)
    assert [example.value for example in preview.examples] == ["twelve"] and preview.examples[0].reason
    failed = converted("card", "integer")
    assert failed.state == "failed" and "twelve" in (failed.error or "")
    assert values(connection, shop, "card")["p1@example.com"] == "twelve"
    columns = connection.execute(
        "SELECT count(*) FROM pg_attribute WHERE attrelid = %s::regclass AND attname LIKE 'f%%\\_%%' AND NOT attisdropped",
        (shop.table,),
    ).fetchone()
    assert columns == (0,)
    done = converted("card", "integer", "clear")
    assert (done.state, done.result) == ("completed", {"cleared": 1})
    assert list(values(connection, shop, "card").values()) == [12, None, 13, None]
    assert converted("card", "line").state == "completed"
    assert list(values(connection, shop, "card").values()) == ["12", None, "13", None]


def test_writers_beside_a_conversion_lose_nothing(
    connection: Connection, clock: VirtualClock, shop: Database, converted: Convert, database_url: str
) -> None:
    count = 40_000
    connection.execute(
        f"INSERT INTO {shop.table} (lane, id, created_at, updated_at, email, {shop.field('bonus').column}) SELECT n & 63, n, now(), now(), 'x' || n, n FROM generate_series(1, {count}) n"
    )
    stop = threading.Event()
    wrote: dict[int, int] = {}
    trouble: list[psycopg.Error] = []
    number = shop.field("bonus").column

    def write() -> None:
        # The old column is written as engines with a compiled statement do, until it is gone.
        with connect(database_url, "test") as own:
            value = count
            while not stop.is_set():
                value += 1
                who = value * 7919 % count + 1
                try:
                    own.execute(
                        f"UPDATE {shop.table} SET {number} = %s WHERE lane = %s AND id = %s", (value, who & 63, who)
                    )
                except psycopg.errors.UndefinedColumn:
                    return
                except psycopg.Error as error:
                    trouble.append(error)
                    return
                wrote[who] = value

    writer = threading.Thread(target=write)
    writer.start()
    while not wrote and not trouble:
        time.sleep(0.01)
    try:
        task = converted("bonus", "line")
    finally:
        stop.set()
        writer.join()
    assert task.state == "completed" and not trouble and len(wrote) > 100
    kept = dict(connection.execute(f"SELECT id, bonus FROM profiles_{shop.id}").fetchall())
    assert kept == {who: str(wrote.get(who, who)) for who in range(1, count + 1)}
    assert not connection.execute("SELECT 1 FROM pg_trigger WHERE tgrelid = %s::regclass", (shop.table,)).fetchone()


def test_a_field_is_renamed_hidden_and_described_where_it_is(
    connection: Connection, clock: VirtualClock, shop: Database
) -> None:
    fill(connection, clock, shop, [{"bonus": 5}])
    changed = change_field(connection, shop.id, "bonus", new_name="points", title="Points", description="Earned", hidden=True)  # fmt: skip
    assert (changed.name, changed.title, changed.description, changed.hidden) == ("points", "Points", "Earned", True)
    assert changed.column == shop.field("bonus").column
    assert values(connection, shop, "points") == {"p0@example.com": 5}
    with pytest.raises(Conflict, match="card"):
        change_field(connection, shop.id, "points", new_name="card")
    with pytest.raises(SojournError):
        change_field(connection, shop.id, "points", new_name='x"; DROP TABLE account; --')
    with pytest.raises(NotFound):
        change_field(connection, shop.id, "email", title="Mail")


def test_an_option_that_profiles_have_stays(connection: Connection, clock: VirtualClock, shop: Database) -> None:
    fill(connection, clock, shop, [{"level": "gold"}])
    with pytest.raises(Conflict, match="gold”: 1"):
        change_field(connection, shop.id, "level", options=["bronze", "silver"])
    assert change_field(connection, shop.id, "level", options=["gold", "platinum"]).options == ("gold", "platinum")


def test_what_refers_to_a_field_keeps_it(connection: Connection, clock: VirtualClock, shop: Database) -> None:
    connect_rooms()
    connection.execute(
        "INSERT INTO segment (name, database_id, kind, rules, created_at, updated_at) VALUES ('Rich', %s, 'dynamic', %s::jsonb, now(), now())",
        (shop.id, '{"all": [{"rule": "field", "field": "bonus", "operator": "gt", "value": 5}]}'),
    )
    assert [(use.kind, use.name) for use in uses_of_field(connection, shop.id, "bonus")] == [("segment", "Rich")]
    for refused in (
        lambda: delete_field(connection, shop.id, "bonus"),
        lambda: change_field(connection, shop.id, "bonus", new_name="points"),
        lambda: Conversion(connection, shop.id, "bonus", "line", None),
    ):
        with pytest.raises(Conflict, match="Rich"):
            refused()
    change_field(connection, shop.id, "bonus", title="Points")


def test_a_deleted_field_is_gone_with_what_was_looked_for(
    connection: Connection, clock: VirtualClock, shop: Database
) -> None:
    fill(connection, clock, shop, [{"card": "A1", "likes": ["x"]}])
    before = connection.execute("SELECT count(*) FROM identity").fetchone()
    delete_field(connection, shop.id, "card")
    assert "card" not in database(connection, shop.id).fields
    after = connection.execute("SELECT count(*) FROM identity").fetchone()
    assert before and after and before[0] - after[0] == 1
    add_field(connection, clock, shop.id, "card", "Card", "line")
    assert values(connection, shop, "card") == {"p0@example.com": None}


def test_fields_do_not_change_under_a_task_that_writes(
    connection: Connection, clock: VirtualClock, shop: Database, converted: Convert
) -> None:
    task = create_task(connection, clock, "profile_import", "people.csv", {"database_id": shop.id}, queued=False)
    connection.execute("UPDATE background_task SET state = 'running' WHERE id = %s", (task,))
    with pytest.raises(Conflict, match=r"people\.csv"):
        delete_field(connection, shop.id, "bonus")
    with pytest.raises(Conflict):
        change_field(connection, shop.id, "bonus", new_name="points")
    assert converted("bonus", "line").state == "failed"
    assert database(connection, shop.id).field("bonus").type == "integer"


def test_readers_wait_for_a_moment_only(
    connection: Connection, clock: VirtualClock, shop: Database, converted: Convert, database_url: str
) -> None:
    connection.execute(
        f"INSERT INTO {shop.table} (lane, id, created_at, updated_at, {shop.field('bonus').column}) SELECT n & 63, n, now(), now(), n FROM generate_series(1, 30000) n"
    )
    stop, longest = threading.Event(), [0.0]

    def read() -> None:
        with connect(database_url, "test") as own:
            while not stop.is_set():
                began = time.monotonic()
                own.execute(f"SELECT email FROM {shop.table} WHERE lane = 5 AND id = 5").fetchone()
                longest[0] = max(longest[0], time.monotonic() - began)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        assert converted("bonus", "float").state == "completed"
        delete_field(connection, shop.id, "weight")
        add_field(connection, clock, shop.id, "height", "Height", "float")
    finally:
        stop.set()
        reader.join()
    assert longest[0] < 1.5


def test_a_database_changes_and_goes_when_nothing_needs_it(
    connection: Connection, clock: VirtualClock, shop: Database, news: Resource
) -> None:
    changed = change_database(
        connection, shop.id, name="Store", description="All", manager_title="Our shop", manager_language="ru", manager_fields=["email", "bonus"]
    )  # fmt: skip
    assert (changed.name, changed.manager_language, changed.manager_fields) == ("Store", "ru", ("email", "bonus"))
    change_field(connection, shop.id, "bonus", new_name="points")
    assert database(connection, shop.id).manager_fields == ("email", "points")
    with pytest.raises(SojournError):
        change_database(
            connection, shop.id, name="Store", description="", manager_title="", manager_language="en", manager_fields=["nothing"]
        )  # fmt: skip
    with pytest.raises(Conflict, match="News"):
        delete_database(connection, shop.id)
    connection.execute("DELETE FROM resource WHERE id = %s", (news.id,))
    [somebody] = fill(connection, clock, shop, [{}])
    with pytest.raises(Conflict, match="wipe"):
        delete_database(connection, shop.id)
    delete_profile(connection, clock, database(connection, shop.id), somebody, cause=CAUSE_MANUAL)
    delete_database(connection, shop.id)
    with pytest.raises(NotFound):
        database(connection, shop.id)


def test_statistics_tell_who_is_there(
    connection: Connection, clock: VirtualClock, shop: Database, news: Resource
) -> None:
    ids = fill(connection, clock, shop, [{}, {"_status": "unsubscribed"}, {}])
    import_records(
        connection, clock, shop, [Record(keys={"profile_id": ids[0]}, subscriptions=[SubscriptionInput(news.id, "email", "p0@example.com")])],
        Options(mode="update", matching="profile_id"),
    )  # fmt: skip
    told = statistics(connection, clock, shop.id)
    assert told and told.profiles == 3 and told.by_status == {"subscribed": 2, "unsubscribed": 1}
    assert [(row.resource, row.channel, row.status, row.count) for row in told.subscriptions] == [("News", "email", "subscribed", 1)]  # fmt: skip
    assert sum(day.count for day in told.growth) == 3
