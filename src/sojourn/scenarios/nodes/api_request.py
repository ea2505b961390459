"""API request: calls another system and goes on by its answer."""

from __future__ import annotations

import re
from typing import ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import Field

from sojourn.delivery.codes import State
from sojourn.delivery.sql import PlannedRequests, cancel_requests
from sojourn.kernel.errors import Problem
from sojourn.scenarios.durations import Duration, to_timedelta
from sojourn.scenarios.node_type import BaseNode, Category, Language, NodeContext, Port, Settings, Surroundings, Text
from sojourn.scenarios.stage import LANE, Awaits, Flow, Stage
from sojourn.templates import validate_text

SUCCESS = Port("success", {"en": "Success", "ru": "Успех"}, "yes")
FAILURE = Port("failure", {"en": "Failure", "ru": "Ошибка"}, "no")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_OWN_HEADERS = frozenset({"host", "content-length", "transfer-encoding", "connection", "idempotency-key"})


class ApiRequestSettings(Settings):
    """What is called, and how the answer counts. URL, headers and body are Liquid texts."""

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = Field(
        "POST", title="Method", json_schema_extra={"x-widget": "segmented"}
    )
    url: str = Field(title="Address", max_length=2000, json_schema_extra={"x-widget": "personalized"})
    headers: dict[str, str] = Field(default_factory=dict, title="Headers", max_length=30)
    body: str | None = Field(None, title="Body", max_length=100_000, json_schema_extra={"x-widget": "code"})
    content_type: str = Field("application/json", title="Type of the body", max_length=100)
    timeout: float = Field(10, title="Time-out", description="Seconds for one attempt.", gt=0, le=120)
    attempts: int = Field(
        5,
        title="Attempts",
        description="At most so many calls when the other side cannot be reached or is overloaded.",
        ge=1,
        le=20,
    )
    give_up_after: Duration = Field("1h", title="Give up after", validate_default=True)
    repeat_in_doubt: bool = Field(
        False,
        title="Repeat when in doubt",
        description="After a crash nobody may know whether the call arrived: call again, or hold it.",
    )
    save: dict[str, str] = Field(
        default_factory=dict, title="Keep from the answer", description="Name and JSONPath.", max_length=20
    )
    definition: int | None = Field(None, description="Set by publishing.", json_schema_extra={"x-hidden": True})


class ApiRequest(BaseNode):
    """Plans a request and rests until the answer, or until it gives up."""

    code: ClassVar[str] = "api_request"
    category: ClassVar[Category] = "action"
    icon: ClassVar[str] = "api"
    title: ClassVar[Text] = {"en": "API request", "ru": "API-запрос"}
    description: ClassVar[Text] = {
        "en": "Calls another system, such as a call centre.",
        "ru": "Вызывает другую систему, например колл-центр.",
    }
    settings: ClassVar[type[Settings]] = ApiRequestSettings

    def ports(self, settings: ApiRequestSettings) -> list[Port]:
        return [SUCCESS, FAILURE]

    def check(self, settings: ApiRequestSettings, around: Surroundings) -> list[Problem]:
        problems = []
        parts = urlsplit(settings.url)
        if parts.scheme not in ("http", "https") or not parts.hostname or "{" in parts.netloc:
            problems.append(
                Problem(
                    "bad_address",
                    "The address begins with http:// or https:// and a host that holds no variables.",
                    "url",
                )
            )
        for place, text in (
            ("url", settings.url),
            ("body", settings.body or ""),
            *((f"headers.{name}", value) for name, value in settings.headers.items()),
        ):
            problems += [
                Problem(p.code, p.message, f"{place}: {p.place}" if p.place else place) for p in validate_text(text)
            ]
        for name in settings.headers:
            if not _HEADER.fullmatch(name) or name.lower() in _OWN_HEADERS:
                problems.append(Problem("bad_header", f"“{name}” cannot be used as a header.", f"headers.{name}"))
        return problems

    def summary(self, settings: ApiRequestSettings, language: Language, around: Surroundings) -> list[str]:
        parts = urlsplit(settings.url)
        return [f"{settings.method} {parts.netloc}{parts.path}"]

    def takes_time(self, settings: ApiRequestSettings) -> bool:
        return True

    def writes(self, node: NodeContext) -> frozenset[str]:
        return frozenset({"request"})

    def arrive(self, stage: Stage, node: NodeContext, flow: Flow) -> dict[str, Flow]:
        asked = stage.derive(f"n{node.node_id}", flow, "1 AS asks")
        definition = node.settings.definition
        stage.requests.append(
            PlannedRequests(asked.source, "f.hop", node.scenario_id, node.node_id, definition, stage.priority)
        )
        stage.rest(
            node.node_id,
            asked,
            f"f.at + {stage.bind(to_timedelta(node.settings.give_up_after), 'interval')}",
            Awaits.ANSWER,
        )
        return {}

    def leave(self, stage: Stage, node: NodeContext, flow: Flow) -> dict[str, Flow]:
        join = f"LEFT JOIN LATERAL (SELECT q.state FROM request q WHERE q.lane = {LANE} AND q.passage_id = f.passage_id AND q.hop = f.hop LIMIT 1) q ON true"
        asked = stage.derive(
            f"n{node.node_id}_out", flow, f"(q.state = {int(State.ACCEPTED)}) IS TRUE AS answered", join
        )
        for name, body in cancel_requests(f"n{node.node_id}_given_up", asked.only("NOT answered").rows, LANE):
            stage.part(name, body)
        return {
            "success": asked.only("answered").visited(node.node_id, 0),
            "failure": asked.only("NOT answered").visited(node.node_id, 1),
        }
