"""`/tokens`: tokens of the HTTP APIs. Only a master gives and takes them."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter, Response
from pydantic import BaseModel

from sojourn.access import ApiToken, Role, create_token, list_tokens, revoke_token
from sojourn.web.api.call import Ruling
from sojourn.web.api.pages import After, Limit, Page, page_of, size

router = APIRouter(tags=["tokens"])


class TokenShape(BaseModel):
    """A token without its secret."""

    id: int
    name: str
    role: Role
    created_at: datetime
    last_used_at: datetime | None


class NewToken(BaseModel):
    """What a new token may do."""

    name: str
    role: Role = "editor"


class MadeToken(TokenShape):
    """A new token; its secret is told this once."""

    token: str


def _shape(token: ApiToken) -> TokenShape:
    return TokenShape(
        id=token.id, name=token.name, role=token.role, created_at=token.created_at, last_used_at=token.last_used_at
    )


@router.get("/tokens")
def list_api_tokens(call: Ruling, after: After = None, limit: Limit = 100) -> Page[TokenShape]:
    """Valid tokens."""
    with call.connection() as connection:
        return page_of(
            list_tokens(connection, after=after or 0, limit=size(limit) + 1), limit, _shape, lambda token: token.id
        )


@router.post("/tokens", status_code=201)
def create_api_token(given: NewToken, call: Ruling) -> MadeToken:
    """Make a token."""
    with call.connection() as connection, connection.transaction():
        made, secret = create_token(connection, call.clock, call.installation.token_key, given.name, given.role)
        call.note(connection, "create", "token", made.id, {"name": made.name, "role": made.role})
    return MadeToken(**_shape(made).model_dump(), token=secret)


@router.delete("/tokens/{token_id}", status_code=204)
def revoke_api_token(token_id: int, call: Ruling) -> Response:
    """End a token."""
    with call.connection() as connection, connection.transaction():
        revoke_token(connection, call.clock, token_id)
        call.note(connection, "revoke", "token", token_id)
    return Response(status_code=204)
