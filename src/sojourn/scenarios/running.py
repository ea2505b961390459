"""Which versions run: of active scenarios, the published one and older ones with people inside."""

from __future__ import annotations

from typing import Any

import psycopg

from sojourn.profiles import database
from sojourn.scenarios.compiler import CompiledVersion, compile_version
from sojourn.scenarios.due import Place
from sojourn.scenarios.graph import ScenarioDocument
from sojourn.scenarios.references import Catalogue

_VERSIONS = """
SELECT s.id, v.id, s.published_version_id = v.id, s.database_id FROM scenario s JOIN scenario_version v ON v.scenario_id = s.id
 WHERE s.active AND NOT v.drained ORDER BY s.id, v.id
"""
# What compiled statements were made from besides the graphs: rules of segments, and the columns behind fields.
_MARK = """
SELECT (SELECT coalesce(sum(revision), 0) FROM segment), (SELECT count(*) FROM segment),
       (SELECT md5(coalesce(string_agg(concat_ws('/', id, name, type, column_name), ',' ORDER BY id), '')) FROM profile_field)
"""


class RunningVersions:
    """Keeps the compiled versions up to date with the tables."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        self.compiled: dict[int, CompiledVersion] = {}
        self.places: list[Place] = []
        self._mark: tuple[Any, ...] | None = None

    def refresh(self) -> list[CompiledVersion]:
        """Look at the tables again; tells which versions are new to this process."""
        mark = self._connection.execute(_MARK).fetchone()
        if mark != self._mark:
            self.compiled.clear()
            self._mark = mark
        rows = self._connection.execute(_VERSIONS).fetchall()
        wanted = {version_id for _, version_id, _, _ in rows}
        for gone in self.compiled.keys() - wanted:
            del self.compiled[gone]
        fresh = []
        for scenario_id, version_id, _, database_id in rows:
            if version_id not in self.compiled:
                self.compiled[version_id] = load_version(self._connection, scenario_id, version_id, database_id)
                fresh.append(self.compiled[version_id])
        held = {
            (version_id, node_id)
            for version_id, node_id in self._connection.execute("SELECT version_id, node_id FROM node_held")
        }
        self.places = []
        for scenario_id, version_id, published, _ in rows:
            compiled = self.compiled[version_id]
            if published:
                self.places += [
                    Place(scenario_id, version_id, node, True)
                    for node in compiled.captures
                    if (version_id, node) not in held
                ]
            self.places += [
                Place(scenario_id, version_id, node, False) for node in compiled.wakes if (version_id, node) not in held
            ]
        return fresh


def load_version(
    connection: psycopg.Connection[Any], scenario_id: int, version_id: int, database_id: int
) -> CompiledVersion:
    """Compile a published version from its stored graph."""
    row = connection.execute("SELECT graph, doors FROM scenario_version WHERE id = %s", (version_id,)).fetchone()
    assert row
    return compile_version(
        scenario_id,
        version_id,
        ScenarioDocument.model_validate(row[0]),
        database(connection, database_id),
        Catalogue(connection),
        tuple(row[1]),
    )
