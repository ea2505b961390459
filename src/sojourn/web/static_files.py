"""The built web application: files with a hash in their name are kept for ever, the page itself is asked for anew each time."""

from __future__ import annotations

from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

BUILT = Path(__file__).parent / "static"
_FOR_EVER, _ANEW = "public, max-age=31536000, immutable", "no-cache"
_NOT_BUILT = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Sojourn</title></head>
<body><h1>The web application is not built</h1><p>The server runs. In a source checkout <code>make ui</code> builds the application; reload this page then.</p>
</body></html>"""


class _Assets(StaticFiles):
    async def get_response(self, path: str, scope: Scope) -> Response:
        answer = await super().get_response(path, scope)
        if answer.status_code in (200, 304):
            answer.headers["cache-control"] = _FOR_EVER
        return answer


def static_routes(folder: Path = BUILT) -> list[Route | Mount]:
    """Routes of the application; any path that is no file leads to its page, which knows its own addresses."""

    async def page(request: Request) -> Response:
        path = request.path_params["path"]
        if path == "api" or path.startswith("api/"):
            raise HTTPException(404)
        file = folder / path
        if path and "/" not in path and not path.startswith(".") and "\x00" not in path and file.is_file():
            return FileResponse(file, headers={"cache-control": _ANEW})
        index = folder / "index.html"
        if not index.is_file():
            return HTMLResponse(_NOT_BUILT, 503, {"cache-control": "no-store"})
        return FileResponse(index, headers={"cache-control": _ANEW})

    return [
        Mount(
            "/assets",
            _Assets(directory=folder / "assets", check_dir=False),
            middleware=[Middleware(GZipMiddleware, minimum_size=2_000)],
        ),
        Route("/{path:path}", page, methods=["GET"]),
    ]
