"""What a call says, whatever way it says it: JSON or XML, parameters in the body or in the address, the token in three places."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from starlette.types import Scope

from sojourn.kernel.errors import SojournError
from sojourn.web.v1.xml_text import read_xml

_decode = msgspec.json.Decoder().decode
_HEADERS = {
    b"authorization": "authorization",
    b"accept": "accept",
    b"content-type": "content_type",
    b"request-id": "request_id",
    b"x-request-id": "x_request_id",
}
_LONGEST_REQUEST_ID = 200


@dataclass(slots=True)
class Heading:
    """The headers of a call that matter here, and its query."""

    authorization: str = ""
    accept: str = ""
    content_type: str = ""
    request_id: str = ""
    x_request_id: str = ""
    query: str = ""

    @classmethod
    def of(cls, scope: Scope) -> Heading:
        """The heading of a call."""
        found = cls(query=scope["query_string"].decode("latin-1"))
        for name, value in scope["headers"]:
            attribute = _HEADERS.get(name)
            if attribute:
                setattr(found, attribute, value.decode("latin-1"))
        return found

    def parameters_of_query(self) -> dict[str, str]:
        """What stands in the address."""
        try:
            return dict(parse_qsl(self.query, keep_blank_values=True, max_num_fields=100)) if self.query else {}
        except ValueError:
            raise SojournError("bad_query", "The query has too many parameters.") from None

    def form(self, values: dict[str, Any]) -> str:
        """In which form the answer is wanted: `json` or `xml`."""
        wanted = values.get("format")
        if isinstance(wanted, str) and wanted.lower() in ("json", "xml"):
            return wanted.lower()
        return "xml" if "xml" in self.accept and "json" not in self.accept and "html" not in self.accept else "json"

    def token(self, body: dict[str, Any], query: dict[str, str]) -> str:
        """The token: of the body, else of the header, else of the address; empty if there is none."""
        own = body.get("token")
        if isinstance(own, str) and own:
            return own
        bearer = self.authorization[7:].strip() if self.authorization[:7].lower() == "bearer " else ""
        return bearer or query.get("token", "")

    def repeat_id(self) -> tuple[str, bool]:
        """The Request-ID, empty if there is none, and whether it came in the older form of the header.

        Raises:
            SojournError: `bad_request_id`.
        """
        found = self.request_id or self.x_request_id
        if len(found) > _LONGEST_REQUEST_ID:
            raise SojournError(
                "bad_request_id", f"A Request-ID has {_LONGEST_REQUEST_ID} characters at most.", "Request-ID"
            )
        return found, not self.request_id


def read_body(body: bytes) -> dict[str, Any]:
    """What the body says. Which language it speaks is seen by its first character: clients announce it wrongly.

    Raises:
        SojournError: `bad_json`, `bad_xml`, `bad_body`.
    """
    if not body or body.isspace():
        return {}
    if body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        value = read_xml(body)
    else:
        try:
            value = _decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise SojournError("bad_json", f"The body is not JSON: {error}.", "body") from None
    if not isinstance(value, dict):
        if value == "":
            return {}
        raise SojournError("bad_body", "The body is an object.", "body")
    return value
