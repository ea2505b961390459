"""`/session`: log in, who am I, log out."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from sojourn.access import SESSION_LIFE, Caller, Role, log_in, log_out, session_caller, set_language
from sojourn.kernel.errors import Forbidden
from sojourn.web.api.call import Reading, client_address
from sojourn.web.api.guard import COOKIE, session_token
from sojourn.web.installation import Installation

router = APIRouter(tags=["session"])
LanguageWord = Literal["en", "ru"]


class UserShape(BaseModel):
    """Who is logged in."""

    id: int
    email: str
    name: str
    role: Role
    language: LanguageWord


class SessionShape(BaseModel):
    """A session; `csrf_token` goes into the header `X-CSRF-Token` of every call that changes something."""

    user: UserShape
    csrf_token: str


class LogIn(BaseModel):
    """E-mail address and password."""

    email: Annotated[str, Field(max_length=254)]
    password: Annotated[str, Field(max_length=1_000)]


class SessionChange(BaseModel):
    """What a user chooses."""

    language: LanguageWord


def _shape(caller: Caller) -> SessionShape:
    assert caller.user_id is not None
    user = UserShape.model_validate(
        {
            "id": caller.user_id,
            "email": caller.email,
            "name": caller.name,
            "role": caller.role,
            "language": caller.language,
        }
    )
    return SessionShape(user=user, csrf_token=caller.csrf)


def _set_cookie(response: Response, token: str, installation: Installation) -> None:
    response.headers["cache-control"] = "no-store"
    response.set_cookie(
        COOKIE, token, max_age=int(SESSION_LIFE.total_seconds()), path="/", httponly=True, samesite="lax",
        secure=installation.settings.base_url.startswith("https://"),
    )  # fmt: skip


@router.post("/session", status_code=201)
def open_session(request: Request, response: Response, given: LogIn) -> SessionShape:
    """Log in. After five failures the address waits up to 15 minutes (429 with `Retry-After`)."""
    installation: Installation = request.app.state.installation
    with installation.connection() as connection:
        opened = log_in(connection, installation.clock, given.email, given.password, client_address(request))
    _set_cookie(response, opened.token, installation)
    return _shape(opened.caller)


@router.get("/session")
def get_session(request: Request, response: Response, call: Reading) -> SessionShape:
    """Who is logged in; 401 if nobody is."""
    _people_only(call.caller)
    _set_cookie(response, session_token(request.scope), call.installation)
    return _shape(call.caller)


@router.patch("/session")
def change_session(request: Request, given: SessionChange, call: Reading) -> SessionShape:
    """Choose the language."""
    user_id = _people_only(call.caller)
    with call.connection() as connection:
        set_language(connection, user_id, given.language)
        changed = session_caller(connection, call.clock, session_token(request.scope))
    return _shape(changed or call.caller)


@router.delete("/session", status_code=204)
def close_session(request: Request, call: Reading) -> Response:
    """Log out."""
    with call.connection() as connection:
        log_out(connection, session_token(request.scope))
    response = Response(status_code=204)
    response.delete_cookie(COOKIE, path="/")
    return response


def _people_only(caller: Caller) -> int:
    if caller.user_id is None:
        raise Forbidden("no_session", "A token has no session.")
    return caller.user_id
