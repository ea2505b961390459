"""The small JSONPath."""

import pytest

from sojourn.delivery.json_path import parse_path, value_at
from sojourn.kernel import SojournError

DOCUMENT = {"a": {"b": [{"c": 1}, {"c": 2}], "odd name": None, "x.y": 5}, "": 0}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("$", DOCUMENT), ("", DOCUMENT), ("$.a.b[0].c", 1), ("a.b[-1].c", 2), ("$.a.b[9].c", None), ("$.a['x.y']", 5), ('$["a"]["x.y"]', 5),
        ("$.a['odd name']", None), ("$.a.b.c", None), ("$.a[0]", None), ("$['']", 0),
    ],
)  # fmt: skip
def test_a_path_leads_to_its_value(path, value):
    assert value_at(DOCUMENT, parse_path(path)) == value


@pytest.mark.parametrize("path", ["$..a", "$.a[*]", "$.a[?(@.b)]", "$.a[", "$.", "a b", "$.a[1:2]"])
def test_what_is_no_path_is_refused(path):
    with pytest.raises(SojournError) as error:
        parse_path(path)
    assert error.value.code == "bad_json_path"
