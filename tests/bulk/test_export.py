"""Exports: every value comes out as it went in, in each format."""

from __future__ import annotations

import csv
import json
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import psycopg
import pyarrow.parquet as pq
import pytest

from sojourn.bulk import Audience, ExportArguments, export_task
from sojourn.bulk.export import SubscriptionColumns, prepared
from sojourn.cli.wiring import connect_rooms
from sojourn.kernel import Settings, SojournError, VirtualClock, public_id
from sojourn.kernel.files import FileStore
from sojourn.kernel.tasks import create_task, get_task
from sojourn.profiles import (
    Database,
    FileOptions,
    Options,
    Record,
    Resource,
    SubscriptionInput,
    import_csv,
    import_records,
)
from sojourn.scenarios import Catalogue

Connection = psycopg.Connection[Any]
FULL: dict[str, Any] = {
    "email": "ada@example.com", "phones": ["+79001234567"], "_fname": "=1+1", "_lname": "O'Neil; \"Ada\"\nB", "_bdate": "1990-02-28", "_sex": "female",
    "bonus": -5, "weight": 1.5, "vip": True, "level": "gold", "likes": ["tea, green", "cats"], "car": {"make": "Ж"}, "orders": [{"sum": 1}], "seen": "2026-01-02T03:04:05Z",
}  # fmt: skip


@pytest.fixture
def people(connection: Connection, clock: VirtualClock, shop: Database, news: Resource) -> list[int]:
    connect_rooms()
    records = [Record({}, FULL, [SubscriptionInput(news.id, "email", "letters@example.com", "unconfirmed")])]
    records += [Record({}, {"email": f"p{n}@example.com"}) for n in range(20)]
    return [
        outcome.profile_id
        for outcome in import_records(connection, clock, shop, records, Options())
        if outcome.profile_id
    ]


def export(
    connection: Connection, clock: VirtualClock, settings: Settings, given: ExportArguments
) -> tuple[dict[str, Any], Path]:
    ready = prepared(connection, given, Catalogue(connection))
    task = get_task(
        connection, create_task(connection, clock, "profile_export", "x", ready.model_dump(mode="json"), queued=False)
    )
    result = export_task(settings)(connection, clock, task, lambda done, total=None: None)
    assert result
    return result, FileStore.of(settings).path(result["file"])


def test_csv_can_be_imported_again_and_changes_nothing(
    connection: Connection, clock: VirtualClock, settings: Settings, shop: Database, people: list[int], tmp_path: Path
) -> None:
    result, path = export(
        connection,
        clock,
        settings,
        ExportArguments(audience=Audience(database_id=shop.id), safe=False, name="Все / люди"),
    )
    assert result["rows"] == 21 and result["name"] == "Все _ люди.csv" and result["bytes"] == path.stat().st_size
    report = import_csv(connection, clock, shop, path, FileOptions())
    changed = connection.execute("SELECT old, new FROM change WHERE kind = 2").fetchall()
    assert changed == []
    assert (report.total, report.unchanged, report.rejected) == (21, 21, 0)


def test_a_text_that_a_spreadsheet_would_run_is_defused(
    connection: Connection, clock: VirtualClock, settings: Settings, shop: Database, people: list[int]
) -> None:
    _, path = export(
        connection,
        clock,
        settings,
        ExportArguments(audience=Audience(database_id=shop.id), fields=["_fname", "phones", "bonus"]),
    )
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    ada = next(row for row in rows if row["profile_id"] == public_id(people[0]))
    assert (ada["_fname"], ada["phones"], ada["bonus"]) == ("'=1+1", "+79001234567", "-5")


def test_xlsx_has_typed_cells_and_no_formulas(
    connection: Connection, clock: VirtualClock, settings: Settings, shop: Database, people: list[int]
) -> None:
    _, path = export(
        connection, clock, settings, ExportArguments(audience=Audience(database_id=shop.id), format="xlsx")
    )
    rows = list(openpyxl.load_workbook(path).active.iter_rows())
    names = [cell.value for cell in rows[0]]
    ada = next(
        dict(zip(names, row, strict=True)) for row in rows[1:] if row[names.index("email")].value == "ada@example.com"
    )
    assert ada["_fname"].value == "=1+1" and ada["_fname"].data_type == "s"
    assert (ada["bonus"].value, ada["weight"].value, ada["vip"].value, ada["_sex"].value) == (-5, 1.5, True, "female")
    assert ada["_bdate"].value.date() == date(1990, 2, 28)


def test_parquet_is_typed(
    connection: Connection, clock: VirtualClock, settings: Settings, shop: Database, news: Resource, people: list[int]
) -> None:
    columns = [SubscriptionColumns(resource_id=news.id)]
    _, path = export(
        connection,
        clock,
        settings,
        ExportArguments(audience=Audience(database_id=shop.id), format="parquet", subscriptions=columns),
    )
    ada = next(row for row in pq.read_table(path).to_pylist() if row["email"] == "ada@example.com")
    assert (
        ada["likes"] == ["tea, green", "cats"]
        and ada["_bdate"] == date(1990, 2, 28)
        and json.loads(ada["car"]) == {"make": "Ж"}
    )
    assert (ada["News: email"], ada["News: email status"]) == ("letters@example.com", "unconfirmed")


def test_json_leaves_out_what_is_empty(
    connection: Connection, clock: VirtualClock, settings: Settings, shop: Database, people: list[int]
) -> None:
    chosen = Audience(database_id=shop.id, profiles=[public_id(people[0]), public_id(people[3])])
    result, path = export(
        connection,
        clock,
        settings,
        ExportArguments(audience=chosen, format="json", fields=["email", "orders", "seen", "level"]),
    )
    ada, other = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    assert result["rows"] == 2
    assert ada["orders"] == [{"sum": 1}] and ada["seen"] == "2026-01-02T03:04:05.000Z" and ada["level"] == "gold"
    assert set(other) == {"profile_id", "created_at", "updated_at", "email"}


def test_what_is_unknown_is_refused_beforehand(connection: Connection, shop: Database) -> None:
    for given in (
        ExportArguments(audience=Audience(database_id=shop.id), fields=["nothing"]),
        ExportArguments(audience=Audience(database_id=shop.id, rules={"rule": "no"})),
        ExportArguments(audience=Audience(database_id=77)),
        ExportArguments(audience=Audience(database_id=shop.id), subscriptions=[SubscriptionColumns(resource_id=7)]),
    ):
        with pytest.raises(SojournError):
            prepared(connection, given, Catalogue(connection))
