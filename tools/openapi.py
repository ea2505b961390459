"""Writes ui/openapi.json from the routes, and the types of the web application from that: `python tools/openapi.py`."""

from __future__ import annotations

import json
from typing import Any, cast

from sojourn.cli.wiring import connect_rooms
from sojourn.web.api.application import json_api
from tools.ui import UI, Npm


def main() -> None:
    """No server and no database are needed: the description follows from the code."""
    connect_rooms()
    description = json_api(cast(Any, None)).openapi()
    description["servers"] = [{"url": "/api/v2"}]
    (UI / "openapi.json").write_text(json.dumps(description, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    Npm().ready().run("run", "generate-api", "--silent")


if __name__ == "__main__":
    main()
