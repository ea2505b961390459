"""The node types. A new one is one file here, or a package's entry point in the group `sojourn.node_types`."""

from __future__ import annotations

from functools import cache
from importlib.metadata import entry_points

from sojourn.scenarios.node_type import NodeType


@cache
def node_types() -> dict[str, NodeType]:
    """All node types by their code, in the order of the palette."""
    from sojourn.scenarios.nodes import (
        api_filter,
        api_request,
        condition,
        email,
        exit,
        goal,
        jump,
        pause,
        promo_code,
        segment_update,
        sms,
        split,
        start,
        start_clock,
        start_events,
        update_profile,
        wait_event,
        window,
    )

    own: list[NodeType] = [
        start.DefaultStart(), start.AnyImport(), start.ManualImport(), start.ApiImport(), start.FileImport(), start_events.ProfileUpdated(), start_events.SubscriptionChanged(), start_events.MessageEvent(), start_events.GoalReached(), start_events.SegmentMove(), start_clock.ScheduleStart(), start_clock.DateStart(), email.Email(), sms.Sms(), pause.Pause(), wait_event.WaitEvent(), window.Window(), condition.Condition(), api_filter.ApiFilter(), split.Split(), jump.Jump(), exit.Exit(), update_profile.UpdateProfile(), promo_code.PromoCode(),
        segment_update.SegmentUpdate(), goal.Goal(), api_request.ApiRequest(),
    ]  # fmt: skip
    added = [point.load()() for point in entry_points(group="sojourn.node_types")]
    return {node_type.code: node_type for node_type in [*own, *added]}
