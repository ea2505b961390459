"""`/account`: name, time zone and language of the account."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel

from sojourn.access.account import account, change_account, time_zones
from sojourn.web.api.call import Reading, Ruling

router = APIRouter(tags=["account"])


class AccountShape(BaseModel):
    """The account; calendar rules and schedules follow its time zone."""

    name: str
    time_zone: str
    language: str


class AccountOrder(BaseModel):
    """What is to change."""

    name: str | None = None
    time_zone: str | None = None
    language: str | None = None


@router.get("/account")
def get_account(call: Reading) -> AccountShape:
    """The account."""
    with call.connection() as connection:
        return AccountShape.model_validate(account(connection), from_attributes=True)


@router.patch("/account", name="change_account")
def change(given: AccountOrder, call: Ruling) -> AccountShape:
    """Change the account. A new time zone holds from the next evaluation of a rule on; plans with their own zone keep it."""
    with call.connection() as connection, connection.transaction():
        changed = change_account(connection, **given.model_dump())
        call.note(connection, "change", "account", 1, given.model_dump(exclude_none=True))
    return AccountShape.model_validate(changed, from_attributes=True)


@router.get("/time-zones")
def list_time_zones(call: Reading) -> list[str]:
    """Names of time zones."""
    with call.connection() as connection:
        return time_zones(connection)
