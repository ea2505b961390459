"""The ways in which clients speak to the integration API."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from sojourn.web.v1.xml_text import read_xml, write_xml
from tests.web.v1.integration import OK, Integration


def post(client: TestClient, path: str, body: str | bytes = b"", **headers: str) -> httpx.Response:
    return client.post(path, content=body, headers={name.replace("_", "-"): value for name, value in headers.items()})


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1.1/databases/list",
        "/api/v1.1/databases/list/",
        "/api/v1.1//databases/list",
        "//api//v1.1///databases//list//",
    ],
)
def test_slashes_do_not_matter(api: Integration, path: str) -> None:
    answer = post(api.client, f"http://sojourn.test{path}", f'{{"token": "{api.token}"}}')
    assert answer.status_code == 200
    assert answer.json()["data"] == [{"id": 1, "name": "Customers", "ui_tags": [], "Groups": []}]


def test_the_token_is_taken_from_body_header_and_address(api: Integration) -> None:
    path = "/api/v1.1/resources/list"
    told = {**OK, "data": [{"id": 1, "name": "News", "groups": []}], "next_from_id": 2, "total_count": 1}
    assert post(api.client, path, f'{{"token": "{api.token}"}}').json() == told
    assert post(api.client, path, "{}", authorization=f"Bearer {api.token}").json() == told
    assert post(api.client, f"{path}?token={api.token}").json() == told


def test_without_a_known_token_nothing_is_done(api: Integration) -> None:
    for body in ("{}", '{"token": ""}', '{"token": "unknown"}', '{"token": 5}', '{"token": {"a": 1}}'):
        answer = post(api.client, "/api/v1.1/databases/list", body)
        assert answer.status_code == 200
        assert answer.json()["error"] == 401


def test_a_token_that_may_only_read_writes_nothing(reader: Integration) -> None:
    assert reader.failed("profiles/import", db_id=1, email="a@example.com", data={})[0] == 403
    assert reader.failed("workflows/activate", id=1)[0] == 403
    assert len(reader.done("databases/list")["data"]) == 1


def test_unknown_paths_and_other_verbs_have_statuses_and_envelopes(api: Integration) -> None:
    for path in ("/api/v1.1/profiles/frobnicate", "/api/v1.1/", "/api/v1.1"):
        answer = post(api.client, path, "{}")
        assert (answer.status_code, answer.json()["error"]) == (404, 404)
    answer = api.client.get(f"/api/v1.1/databases/list?token={api.token}")
    assert (answer.status_code, answer.json()["error"], answer.headers["allow"]) == (405, 405, "POST")


def test_a_body_that_is_too_long_is_refused_whether_its_length_is_told_or_not(api: Integration) -> None:
    big = b'{"data": "' + b"x" * (11 << 20) + b'"}'
    for content in (big, iter([big[: 6 << 20], big[6 << 20 :]])):
        answer = api.client.post("/api/v1.1/profiles/import", content=content)
        assert (answer.status_code, answer.json()["error"]) == (413, 413)


@pytest.mark.parametrize(
    "body", ["{", "[1, 2]", '"text"', "\xff\xfe", "{'a': 1}", '{"a": 1}}', "[" * 100_000, "<xml><a></xml>", "<xml", "<"]
)
def test_a_body_that_cannot_be_read_is_error_400(api: Integration, body: str) -> None:
    answer = post(api.client, f"/api/v1.1/databases/list?token={api.token}", body.encode("latin-1"))
    assert answer.status_code == 200
    assert answer.json()["error"] == 400


def test_xml_means_the_same_as_json(api: Integration) -> None:
    body = f"""<?xml version="1.0"?><xml><token>{api.token}</token><format>xml</format><db_id>1</db_id><matching>email</matching><email>x@example.com</email>
      <data><_fname>Анна &amp; Co</_fname><points>7</points><labels array='true'>vip</labels><phones>+79001234567</phones><phones>+79001234568</phones>
      <subscriptions array='true'><channel>email</channel><resource_id>1</resource_id><email>x@example.com</email></subscriptions></data></xml>"""
    answer = post(api.client, "/api/v1.1/profiles/import", body.encode(), content_type="application/xml")
    assert answer.headers["content-type"].startswith("application/xml")
    envelope: Any = read_xml(answer.content)
    assert envelope["error"] == "0"
    kept = api.profile(1, "x@example.com")
    assert kept["_id"] == envelope["profile_id"]
    assert (kept["_fname"], kept["points"], kept["labels"]) == ("Анна & Co", 7, ["vip"])
    assert kept["phones"] == ["+79001234567", "+79001234568"]
    assert [s["email"] for s in kept["subscriptions"]] == ["x@example.com"]


def test_xml_is_answered_where_the_header_asks_for_it(api: Integration) -> None:
    answer = post(api.client, f"/api/v1.1/databases/list?token={api.token}", accept="application/xml")
    assert b'<data array="true"><id>1</id><name>Customers</name><ui_tags array="true"/>' in answer.content
    failed = post(api.client, "/api/v1.1/databases/list?format=xml", "{")
    assert read_xml(failed.content)["error"] == "400"


def test_what_is_written_as_xml_reads_the_same() -> None:
    value = {"a": [{"b": "1"}], "list": ["x", "y"], "empty": [], "odd key": {"<&>": "]]>"}, "text": "a < b & c"}
    assert read_xml(write_xml(value)) == value


def test_xml_with_a_document_type_is_refused(api: Integration) -> None:
    bomb = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><xml><token>&b;</token></xml>'
    for body in (bomb.encode(), bomb.replace("1.0", "1.0").encode("utf-16")):
        envelope = post(api.client, "/api/v1.1/databases/list", body).json()
        assert envelope["error"] == 400
    deep = "<a>" * 1000 + "</a>" * 1000
    assert post(api.client, "/api/v1.1/databases/list", f"<xml>{deep}</xml>").json()["error"] == 400


def test_a_crash_is_a_500_with_an_envelope(api: Integration, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*given: Any) -> Any:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("sojourn.web.v1.lists.success", broken)
    answer = api.send("databases/list", {})
    assert (answer.status_code, answer.json()) == (500, {"error": 500, "error_text": "Internal error."})
