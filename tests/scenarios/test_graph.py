"""The graph document: reading, places of errors, back links."""

import pytest

from sojourn.kernel.errors import SojournError
from sojourn.scenarios.durations import format_duration, parse_duration, to_timedelta
from sojourn.scenarios.graph import Links, parse_document, read_document

MINIMAL = {
    "format": "sojourn/scenario@1",
    "name": "A",
    "database": "Customers",
    "nodes": [{"id": 0, "type": "start", "links": {"next": 1}}, {"id": 1, "type": "pause"}],
}


def test_yaml_and_json_give_the_same_document() -> None:
    import json

    import yaml

    assert read_document(json.dumps(MINIMAL)) == read_document(yaml.safe_dump(MINIMAL))


@pytest.mark.parametrize(
    ("text", "place"),
    [("{\n  oops", "line 2, column 3"), ("name: [1, 2\nother: x", "line 2, column 6")],
)
def test_a_broken_file_names_line_and_column(text: str, place: str) -> None:
    with pytest.raises(SojournError) as caught:
        read_document(text)
    assert caught.value.code == "bad_file"
    assert caught.value.place == place


def test_a_wrong_value_names_its_node() -> None:
    with pytest.raises(SojournError) as caught:
        parse_document({**MINIMAL, "nodes": [{"id": 4, "type": "pause", "links": {"next": "soon"}, "colour": "red"}]})
    assert {p.place for p in caught.value.problems} == {"node 4.links.next", "node 4.colour"}


def test_an_unknown_key_is_refused_and_not_ignored() -> None:
    with pytest.raises(SojournError):
        parse_document({**MINIMAL, "nods": []})


@pytest.mark.parametrize(
    ("text", "normal"), [("90m", "1h 30m"), ("1d 2h 30m 10s", "1d 2h 30m 10s"), ("2W", "14d"), ("36h", "1d 12h")]
)
def test_durations_have_a_normal_form(text: str, normal: str) -> None:
    assert parse_duration(text) == normal
    assert format_duration(to_timedelta(normal)) == normal


@pytest.mark.parametrize("text", ["", "1", "1x", "0s", "1d apart", "99999999d", 5, None])
def test_what_is_no_duration_is_refused(text: object) -> None:
    with pytest.raises(ValueError):
        parse_duration(text)


def test_the_welcome_graph_has_one_back_link() -> None:
    links = {
        0: {"next": 2},
        2: {"next": 3},
        3: {"next": 4},
        4: {"yes": 5, "no": 8},
        5: {},
        8: {"yes": 9, "no": 10},
        9: {},
        10: {"next": 11},
        11: {"next": 4},
    }
    ports = {node: list(out) or ["next"] for node, out in links.items()}
    graph = Links([0], ports, links)
    assert graph.back == {(11, "next")}
    assert graph.doors == [4]
    rank = {node: index for index, node in enumerate(graph.order)}
    assert all(
        rank[node] < rank[target]
        for node, out in links.items()
        for port, target in out.items()
        if (node, port) not in graph.back
    )
