"""`workflows/…`: scenarios, under the name that integrations know."""

from __future__ import annotations

import json
from typing import Any

from sojourn.access import note
from sojourn.bulk.audience import Audience, chosen, select
from sojourn.kernel import lane_of, public_id
from sojourn.kernel.errors import Conflict, NotFound, SojournError, TooLarge
from sojourn.kernel.tasks import create_task
from sojourn.profiles import Database, database, import_records
from sojourn.profiles.importing import in_transaction
from sojourn.scenarios import Catalogue, Scenario, activate, get_scenario, list_scenarios, stop
from sojourn.scenarios.graph import NodeDocument
from sojourn.segments import check
from sojourn.triggers import enter
from sojourn.web.installation import Connection
from sojourn.web.profile_rows import find_profile
from sojourn.web.v1.answers import BAD, envelope_of, envelope_of_problem, failure, success
from sojourn.web.v1.custom_request import rules_of
from sojourn.web.v1.lists import PageAsked
from sojourn.web.v1.method import V1Call
from sojourn.web.v1.parameters import Parameters
from sojourn.web.v1.profile_input import import_options, keys_of_call, single_record

START_MANY = "import_and_start"
"""The kind of the task of `workflows/import_and_start_batch_task`."""
MOST_ELEMENTS = 10_000
LARGEST_CONTENT = 100_000
"""Characters of `content`, as JSON."""
_MODES = {"never": "skip_in_any_case", "after_exit": "skip", "restart": "restart", "parallel": "parallel"}
_TYPES = {
    "pause": "delay",
    "email": "campaign",
    "sms": "campaign",
    "update_profile": "update",
    "api_request": "feedback",
    "promo_code": "promo_attach",
}
_NOT_OFFERED = ("subscription_filter", "attach")


def start(call: V1Call, given: Parameters) -> dict[str, Any]:
    """`workflows/start`: a profile enters through the default start."""
    given.refuse(*_NOT_OFFERED)
    scenario, content = _active(call.connection, given.integer("id", "workflow_id")), _content(given)
    base = database(call.connection, scenario.database_id)
    profile_id = _wanted(call, base, given)

    def work() -> dict[str, Any]:
        started = _may_enter(call.connection, scenario, profile_id)
        enter(call.connection, call.clock, scenario.id, [profile_id], context=content)
        return _started(profile_id, started)

    return in_transaction(call.connection, work)


def _wanted(call: V1Call, base: Database, given: Parameters) -> int:
    """The profile that the call names, by keys or, without them, by a query: of several the oldest."""
    query = given.mapping("custom_request")
    if not query or given.get("matching"):
        return find_profile(call.connection, base, import_options(given, "update"), keys_of_call(given))
    rules = rules_of(query)
    if problems := check(rules, base, Catalogue(call.connection), "custom_request") if rules else ():
        raise SojournError("bad_custom_request", problems[0].message, problems[0].place)
    selection = select(call.connection, base, Audience(database_id=base.id, rules=rules), call.clock.now())
    row = call.connection.execute(
        f"SELECT min(x.id) FROM ({chosen(selection, base, 'p.id')}) x", selection.values
    ).fetchone()
    if row is None or row[0] is None:
        raise NotFound("unknown_profile", "No profile matches.", "custom_request")
    return int(row[0])


def import_and_start(call: V1Call, given: Parameters) -> dict[str, Any]:
    """`workflows/import_and_start`: a profile is imported and enters, both or neither."""
    given.refuse("custom_request", *_NOT_OFFERED)
    scenario, content = _active(call.connection, given.integer("workflow_id", "id")), _content(given)
    base = database(call.connection, given.integer("db_id", "list_id", default=scenario.database_id))
    if base.id != scenario.database_id:
        raise SojournError("wrong_database", f"The scenario belongs to the database {scenario.database_id}.", "db_id")
    options, record = import_options(given, "create_update"), single_record(_with_data(given))

    def work() -> dict[str, Any]:
        outcome = import_records(call.connection, call.clock, base, [record], options)[0]
        if outcome.problem or outcome.profile_id is None:
            assert outcome.problem
            return envelope_of_problem(outcome.problem)
        started = _may_enter(call.connection, scenario, outcome.profile_id)
        enter(call.connection, call.clock, scenario.id, [outcome.profile_id], context=content)
        return _started(outcome.profile_id, started)

    return in_transaction(call.connection, work)


def import_and_start_batch(call: V1Call, given: Parameters) -> dict[str, Any]:
    """`workflows/import_and_start_batch`: the same for many; one result for each element, in order. One's failure stops no other."""
    elements = _elements(given)
    common = {name: value for name, value in given.values.items() if name != "data"}
    results = []
    for element in elements:
        if not isinstance(element, dict):
            results.append(failure(BAD, "An element of data is an object."))
            continue
        try:
            results.append(import_and_start(call, Parameters({**common, **element})))
        except SojournError as error:
            results.append(envelope_of(error))
    return success(result=results)


def import_and_start_batch_task(call: V1Call, given: Parameters) -> dict[str, Any]:
    """`workflows/import_and_start_batch_task`: the same in the background; answers with the task at once."""
    _elements(given)
    scenario = _active(call.connection, given.integer("workflow_id", "id"))
    kept = {name: value for name, value in given.values.items() if name != "token"}
    task_id = create_task(
        call.connection, call.clock, START_MANY, scenario.name, {"call": kept, "token": call.caller.token_id}
    )
    return success(data={"task_id": task_id})


def _elements(given: Parameters) -> list[Any]:
    elements = given.sequence("data")
    if len(elements) > MOST_ELEMENTS:
        raise TooLarge("batch_too_large", f"A batch has {MOST_ELEMENTS} elements at most.", "data")
    return elements


def _with_data(given: Parameters) -> Parameters:
    """`data` may be absent here."""
    return given if given.get("data") is not None else Parameters({**keys_of_call(given), "data": {}})


def _started(profile_id: int, started: bool) -> dict[str, Any]:
    if started:
        return success(profile_id=public_id(profile_id), data={"started": True})
    return success(profile_id=public_id(profile_id), data={"started": False, "reason": "reentry"})


_REENTRY = """
SELECT v.graph -> 'reentry' ->> 'mode',
       EXISTS (SELECT FROM resting r WHERE r.lane = %(lane)s AND r.scenario_id = s.id AND r.profile_id = %(profile)s AND r.key = ''),
       EXISTS (SELECT FROM entered e WHERE e.lane = %(lane)s AND e.scenario_id = s.id AND e.profile_id = %(profile)s AND e.key = '')
  FROM scenario s JOIN scenario_version v ON v.id = s.published_version_id WHERE s.id = %(scenario)s
"""


def _may_enter(connection: Connection, scenario: Scenario, profile_id: int) -> bool:
    """What re-entry says at this moment. The engine decides when it comes to it, and notes a refusal for the profile's history."""
    values = {"lane": lane_of(profile_id), "profile": profile_id, "scenario": scenario.id}
    row = connection.execute(_REENTRY, values).fetchone()
    assert row
    mode, inside, before = row
    return not (inside or before) if mode == "never" else not inside if mode == "after_exit" else True


def _scenario(connection: Connection, number: int) -> Scenario:
    if not 0 < number < 1 << 31:
        raise NotFound("unknown_scenario", f"There is no scenario {number}.", "id")
    return get_scenario(connection, number)


def _active(connection: Connection, number: int) -> Scenario:
    found = _scenario(connection, number)
    if not found.active:
        raise Conflict("scenario_inactive", f"Scenario {found.id} is not active.", "id")
    return found


def _content(given: Parameters) -> dict[str, Any] | None:
    content = given.mapping("content")
    if len(json.dumps(content)) > LARGEST_CONTENT:
        raise SojournError(
            "content_too_large", f"The content has at most {LARGEST_CONTENT} characters as JSON.", "content"
        )
    return content or None


def activate_one(call: V1Call, given: Parameters) -> dict[str, Any]:
    """`workflows/activate`; with `skip_profiles` whoever is inside is taken out first."""
    number, clear = _scenario(call.connection, given.integer("id", "workflow_id")).id, given.boolean("skip_profiles")
    activate(call.connection, call.clock, number, clear=clear)
    note(
        call.connection, call.clock, call.caller, "activate", kind="scenario", object_id=number, detail={"clear": clear}
    )
    return success(data=None)


def deactivate_one(call: V1Call, given: Parameters) -> dict[str, Any]:
    """`workflows/deactivate`: who is inside keeps his place."""
    number = _scenario(call.connection, given.integer("id", "workflow_id")).id
    stop(call.connection, call.clock, number)
    note(call.connection, call.clock, call.caller, "stop", kind="scenario", object_id=number)
    return success(data=None)


def list_all(call: V1Call, given: Parameters) -> dict[str, Any]:
    """`workflows/list`."""
    page = PageAsked.of(given)
    found = list_scenarios(call.connection, after=page.from_id - 1, limit=page.limit)
    total = page.count(call.connection, "scenario")
    items = [_listed(scenario) for scenario in found if page.wants(scenario.document.tags)]
    return success(data=items, next_from_id=page.next(found[-1].id if found else None), total=total, total_count=total)


def _listed(scenario: Scenario) -> dict[str, Any]:
    document = scenario.document
    return {
        "id": scenario.id, "name": scenario.name, "list_id": scenario.database_id, "is_active": scenario.active, "ui_tags": document.tags,
        "mode": _MODES[document.reentry.mode], "groups": [], "nodes": [_node(node) for node in document.nodes],
    }  # fmt: skip


def _node(node: NodeDocument) -> dict[str, Any]:
    kind = "start" if node.type.startswith("start") else _TYPES.get(node.type, node.type)
    told: dict[str, Any] = {"name": node.title, "type": kind, "node_id": node.id}
    if kind == "campaign" and node.settings.get("template") is not None:
        told["templates"] = [node.settings["template"]]
    return told
