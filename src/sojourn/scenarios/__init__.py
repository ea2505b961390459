"""Scenarios: graphs that lead each profile from step to step, compiled to SQL and run set by set."""

from sojourn.scenarios.checks import check_document, unreachable
from sojourn.scenarios.clearing import count_inside, remove_everybody
from sojourn.scenarios.graph import ScenarioDocument, parse_document, read_document
from sojourn.scenarios.node_type import Surroundings
from sojourn.scenarios.palette import describe_document, describe_node, palette
from sojourn.scenarios.passages import Passage, Person, Step, passages_of, people_at
from sojourn.scenarios.references import Catalogue
from sojourn.scenarios.statistics import Overview, Statistics, overview, statistics
from sojourn.scenarios.versions import (
    Scenario,
    activate,
    create_scenario,
    get_scenario,
    list_scenarios,
    publish,
    save_draft,
    stop,
)

__all__ = [
    "Catalogue", "Overview", "Passage", "Person", "Scenario", "ScenarioDocument", "Statistics", "Step", "Surroundings", "activate", "check_document", "count_inside",
    "create_scenario", "describe_document", "describe_node", "get_scenario", "list_scenarios", "overview", "palette", "parse_document", "passages_of", "people_at",
    "publish", "read_document", "remove_everybody", "save_draft", "statistics", "stop", "unreachable",
]  # fmt: skip
