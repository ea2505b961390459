"""Merging, splitting and relating profiles as integrations do it."""

from __future__ import annotations

from sojourn.cli.wiring import connect_rooms
from sojourn.profiles.relations import Property, create_type
from sojourn.scenarios import Catalogue
from sojourn.segments.store import SegmentDraft, create_segment


def person(api, email, **data):
    return api.done("profiles/import", db_id=1, email=email, data={"_fname": email, **data})["profile_id"]


def test_profiles_are_merged_all_or_none_and_found_by_the_old_id(api):
    connect_rooms()
    one, two, three = (person(api, f"p{n}@a.test", points=n) for n in range(3))
    assert api.failed("profiles/merge", db_id=1, profile_id=one, merge_ids=[two, one])[0] == 400
    assert api.profile(1, "p1@a.test")["points"] == 1
    assert (
        api.done("profiles/merge", db_id=1, profile_id=one, merge_ids=[two, three], fields={"points": "merged"})[
            "profile_id"
        ]
        == one
    )
    found = api.done("profiles/get", db_id=1, matching="profile_id", profile_id=three)["data"]
    assert (found["_id"], found["points"]) == (one, 2)


def test_parts_are_split_off(api):
    one = person(api, "a@a.test", card="7", phones=["+12015550100", "+12015550101"])
    made = api.done(
        "profiles/split", db_id=1, profile_id=one, parts=[{"fields": ["card"]}, {"phones": ["+12015550101"]}]
    )
    assert len(made["profiles"]) == 2
    assert (
        api.done("profiles/get", db_id=1, matching="custom", field_name="card", field_value="7")["data"]["_id"]
        == made["profiles"][0]
    )
    assert api.failed("profiles/split", db_id=1, profile_id=one, parts=[{"fields": ["none"]}])[0] in (400, 404)


def test_relations_are_edited_modified_read_and_ended(api, connection, clock):
    kind = create_type(connection, clock, "Gave", 1, 1, [Property("times", "Times", "number")]).id
    person(api, "a@a.test"), person(api, "b@a.test")
    ends = {"rel_id": kind, "profile_a": {"email": "a@a.test"}, "profile_b": {"email": "b@a.test"}}
    assert api.done("relations/edit", **ends, weights={"times": 2})["data"] == {"weights": {"times": 2}}
    assert api.done("relations/modify", **ends, weights={"times": -5})["data"] == {"weights": {"times": -3}}
    [told] = api.done("relations/get", rel_id=kind, email="a@a.test")["data"]
    assert (told["times"], told["db_b"]) == (-3, 1)
    assert api.done("relations/delete", **ends)["deleted"] == 1
    assert api.failed("relations/edit", **ends | {"rel_id": 99})[0] == 404
    assert api.failed("relations/edit", **ends | {"profile_a": {"email": "nobody@a.test"}})[0] == 404


def test_imports_put_people_into_static_segments(api, connection, clock):
    connect_rooms()
    segment = create_segment(connection, clock, 1, "static", SegmentDraft(name="VIP"), Catalogue(connection)).id
    api.done("profiles/import", db_id=1, email="a@a.test", data={"points": 1}, add_to_segments=[segment])
    assert connection.execute("SELECT count(*) FROM segment_member WHERE segment_id = %s", (segment,)).fetchone() == (
        1,
    )
    api.done("profiles/import", db_id=1, email="a@a.test", data={"points": 1}, remove_from_segments=[segment])
    assert connection.execute("SELECT count(*) FROM segment_member WHERE segment_id = %s", (segment,)).fetchone() == (
        0,
    )
    assert api.failed("profiles/import", db_id=1, email="b@a.test", data={}, add_to_segments=[99])[0] == 404
