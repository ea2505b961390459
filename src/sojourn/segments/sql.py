"""SQL builders: parts of compiled statements that let profiles enter and leave a static segment, with the rows of history that belong to them."""

from __future__ import annotations

from sojourn.events.touching import touch

Part = tuple[str, str]
"""Name and body of a common table expression."""


def add(name: str, source: str, *, segment: str, lane: str, at: str, cause: str, cause_id: str) -> list[Part]:
    """The profiles of the set `source` (profile_id) enter; the part `name` gives (profile_id, lane) of those who were not in. All else is SQL."""
    came = f"""INSERT INTO segment_member (profile_id, entered_at, segment_id, lane) SELECT DISTINCT x.profile_id, {at}, {segment}, {lane} FROM {source} x
    ON CONFLICT DO NOTHING RETURNING profile_id, lane"""
    return [(name, came), *_noted(name, segment, at, cause, cause_id, entered=True)]


def remove(name: str, source: str, *, segment: str, lane: str, at: str, cause: str, cause_id: str) -> list[Part]:
    """The profiles of the set `source` (profile_id) leave; the part `name` gives (profile_id, lane) of those who were in. All else is SQL."""
    went = f"""DELETE FROM segment_member m USING {source} x WHERE m.lane = {lane} AND m.segment_id = {segment} AND m.profile_id = x.profile_id
    RETURNING m.profile_id, m.lane"""
    return [(name, went), *_noted(name, segment, at, cause, cause_id, entered=False)]


def _noted(name: str, segment: str, at: str, cause: str, cause_id: str, *, entered: bool) -> list[Part]:
    word = "true" if entered else "false"
    columns = "profile_id, at, segment_id, lane, entered, cause, cause_id"
    row = f"x.profile_id, {at}, {segment}, x.lane, {word}, {cause}, {cause_id}"
    return [
        (f"{name}_history", f"INSERT INTO segment_history ({columns}) SELECT {row} FROM {name} x"),
        (f"{name}_touched", touch(name, "member")),
    ]
