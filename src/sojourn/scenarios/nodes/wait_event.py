"""Wait for an event: an open, a click, a goal, …; each has an output of its own, and so has the end of the wait."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from sojourn.kernel.errors import Problem
from sojourn.scenarios.awaited import MOST_EVENTS, Awaited, check_awaited
from sojourn.scenarios.durations import Duration, to_timedelta
from sojourn.scenarios.node_type import BaseNode, Category, Language, NodeContext, Port, Settings, Surroundings, Text
from sojourn.scenarios.stage import Awaits, Flow, Stage

TIME_OUT = Port("time_out", {"en": "Time is up", "ru": "Время вышло"}, "no")


class WaitEventSettings(Settings):
    """What is waited for, and how long."""

    events: list[Awaited] = Field(
        default_factory=lambda: [Awaited()],
        title="Events",
        description="Whichever comes first decides the way.",
        min_length=1,
        max_length=MOST_EVENTS,
        json_schema_extra={"x-widget": "awaited"},
    )
    time_out: Duration = Field("3d", title="Wait at most", validate_default=True)


class WaitEvent(BaseNode):
    """The wait counts from the moment the step before ended, so that an event that came a moment earlier is not missed. An event at the very
    end of the wait counts."""

    code: ClassVar[str] = "wait_event"
    category: ClassVar[Category] = "operator"
    icon: ClassVar[str] = "hourglass"
    title: ClassVar[Text] = {"en": "Wait for an event", "ru": "Ждать события"}
    description: ClassVar[Text] = {
        "en": "Waits until something happens, or until the time is up.",
        "ru": "Ждёт, пока что-то произойдёт или выйдет время.",
    }
    settings: ClassVar[type[Settings]] = WaitEventSettings

    def ports(self, settings: Any) -> list[Port]:
        events = getattr(settings, "events", [])
        return [*(Port(f"e{number}", one.title, "yes") for number, one in enumerate(events, 1)), TIME_OUT]

    def check(self, settings: WaitEventSettings, around: Surroundings) -> list[Problem]:
        return check_awaited(settings.events, "events", around)

    def summary(self, settings: WaitEventSettings, language: Language, around: Surroundings) -> list[str]:
        events = {"en": " or ", "ru": " или "}[language].join(one.title[language] for one in settings.events)
        return [events, f"{'At most' if language == 'en' else 'Не дольше'} {settings.time_out}"]

    def takes_time(self, settings: WaitEventSettings) -> bool:
        """Each event lets a person on once only."""
        return True

    def waits_for(self, settings: WaitEventSettings) -> list[int]:
        """The kinds of events for which people rest here."""
        return sorted({int(one.kind) for one in settings.events})

    def reads(self, node: NodeContext) -> frozenset[str]:
        return frozenset({"event"})

    def arrive(self, stage: Stage, node: NodeContext, flow: Flow) -> dict[str, Flow]:
        return self._ask(stage, node, flow, f"n{node.node_id}", "f.at", "false")

    def leave(self, stage: Stage, node: NodeContext, flow: Flow) -> dict[str, Flow]:
        # Who was let on by hand does not await the event any more.
        return self._ask(stage, node, flow, f"n{node.node_id}_out", "coalesce(f.waits_since, f.at)", "f.awaits IS NULL")

    def _ask(self, stage: Stage, node: NodeContext, flow: Flow, name: str, since: str, forced: str) -> dict[str, Flow]:
        settings = node.settings
        until = f"{since} + {stage.bind(to_timedelta(settings.time_out), 'interval')}"
        first = " UNION ALL ".join(
            f"(SELECT e.recorded_at AS at, {number} AS n FROM event e WHERE {one.condition(stage.bindings)}"
            f" AND e.recorded_at >= {since} AND e.recorded_at <= {until} ORDER BY e.recorded_at LIMIT 1)"
            for number, one in enumerate(settings.events)
        )
        join = f"LEFT JOIN LATERAL (SELECT x.at, x.n FROM ({first}) x ORDER BY x.at, x.n LIMIT 1) w ON true"
        over = f"({forced} OR f.at >= {until})"
        # A moment later than the event: in a loop the next wait begins after it.
        at = "coalesce(w.at + interval '1 microsecond', f.at)"
        extra = f"CASE WHEN w.n IS NOT NULL THEN w.n WHEN {over} THEN {len(settings.events)} END AS way, {since} AS since, {until} AS until"
        asked = stage.derive(name, flow, extra, join, at)
        stage.rest(node.node_id, asked.only("way IS NULL"), "f.until", Awaits.EVENT, "f.since")
        outputs = {f"e{number + 1}": number for number in range(len(settings.events))} | {
            TIME_OUT.id: len(settings.events)
        }
        return {port: asked.only(f"way = {way}").visited(node.node_id, way) for port, way in outputs.items()}
