"""Accounts, sessions, tokens and the journal, without HTTP."""

from __future__ import annotations

import threading
from datetime import timedelta

import psycopg
import pytest

from sojourn.access import (
    Caller,
    TooManyAttempts,
    create_token,
    create_user,
    ensure_api_token,
    ensure_first_account,
    forget_old,
    log_in,
    require,
    revoke_token,
    session_caller,
    token_caller,
)
from sojourn.access.api_tokens import token_key
from sojourn.access.repeats import remember, repeat_key
from sojourn.kernel import Settings, SojournError, VirtualClock
from sojourn.kernel.database import connect
from sojourn.kernel.errors import Conflict, Forbidden, Unauthenticated

KEY = b"k" * 32
PASSWORD = "long enough"


def count(connection: psycopg.Connection, table: str) -> int:
    row = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    assert row
    return int(row[0])


def test_the_first_account_is_made_once_and_its_password_told_once(
    connection: psycopg.Connection, clock: VirtualClock, settings: Settings
) -> None:
    account = ensure_first_account(connection, clock, settings)
    assert account and account.email == "admin@localhost" and len(account.password) >= 12
    assert log_in(connection, clock, "ADMIN@localhost", account.password, "here").caller.role == "master"
    assert ensure_first_account(connection, clock, settings) is None
    assert count(connection, "access_user") == 1


def test_a_password_of_the_settings_is_used_and_not_told(
    connection: psycopg.Connection, clock: VirtualClock, settings: Settings
) -> None:
    chosen = settings.model_copy(update={"admin_email": "me@example.com", "admin_password": PASSWORD})
    assert ensure_first_account(connection, clock, chosen) is None
    assert log_in(connection, clock, "me@example.com", PASSWORD, "here").caller.email == "me@example.com"


def test_a_bad_password_of_the_settings_makes_no_account(
    connection: psycopg.Connection, clock: VirtualClock, settings: Settings
) -> None:
    with pytest.raises(SojournError, match="8 to 200"):
        ensure_first_account(connection, clock, settings.model_copy(update={"admin_password": "short"}))
    assert count(connection, "access_user") == 0


def test_users_are_told_apart_by_address_whatever_its_letters(
    connection: psycopg.Connection, clock: VirtualClock
) -> None:
    create_user(connection, clock, "Ann@example.com", PASSWORD, "editor")
    with pytest.raises(Conflict):
        create_user(connection, clock, "ann@EXAMPLE.com", PASSWORD, "viewer")
    with pytest.raises(SojournError):
        create_user(connection, clock, "no address", PASSWORD, "viewer")


def test_passwords_and_secrets_are_not_kept(connection: psycopg.Connection, clock: VirtualClock) -> None:
    create_user(connection, clock, "ann@example.com", PASSWORD, "editor")
    session = log_in(connection, clock, "ann@example.com", PASSWORD, "here")
    _, token = create_token(connection, clock, KEY, "CRM")
    for table in ("access_user", "access_session", "access_token"):
        for (text,) in connection.execute(f"SELECT row_to_json(t)::text FROM {table} t"):
            assert PASSWORD not in text and session.token not in text and token not in text
    row = connection.execute("SELECT password_hash FROM access_user").fetchone()
    assert row and row[0].startswith("$argon2id$")


def test_guessing_is_braked_for_one_address_and_account_only(
    connection: psycopg.Connection, clock: VirtualClock
) -> None:
    create_user(connection, clock, "ann@example.com", PASSWORD, "editor")
    for _ in range(5):
        with pytest.raises(Unauthenticated):
            log_in(connection, clock, "ann@example.com", "guess", "1.1.1.1")
    with pytest.raises(TooManyAttempts) as stopped:
        log_in(connection, clock, "ann@example.com", PASSWORD, "1.1.1.1")
    assert stopped.value.retry_after == 900
    assert log_in(connection, clock, "ann@example.com", PASSWORD, "2.2.2.2")
    clock.advance(timedelta(minutes=15, seconds=1))
    assert log_in(connection, clock, "ann@example.com", PASSWORD, "1.1.1.1")


def test_guesses_at_the_same_time_count_too(
    database_url: str, clock: VirtualClock, connection: psycopg.Connection
) -> None:
    create_user(connection, clock, "ann@example.com", PASSWORD, "editor")
    outcomes: list[str] = []

    def guess() -> None:
        with connect(database_url, "test") as own:
            try:
                log_in(own, clock, "ann@example.com", "guess", "1.1.1.1")
            except SojournError as error:
                outcomes.append(error.code)

    threads = [threading.Thread(target=guess) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["too_many_attempts"] * 7 + ["wrong_login"] * 5


def test_a_success_forgets_the_failures_before_it(connection: psycopg.Connection, clock: VirtualClock) -> None:
    create_user(connection, clock, "ann@example.com", PASSWORD, "editor")
    for _ in range(3):
        for _ in range(4):
            with pytest.raises(Unauthenticated):
                log_in(connection, clock, "ann@example.com", "guess", "here")
        log_in(connection, clock, "ann@example.com", PASSWORD, "here")


def test_who_is_disabled_is_out_at_once(connection: psycopg.Connection, clock: VirtualClock) -> None:
    create_user(connection, clock, "ann@example.com", PASSWORD, "editor")
    session = log_in(connection, clock, "ann@example.com", PASSWORD, "here")
    connection.execute("UPDATE access_user SET disabled = true")
    assert session_caller(connection, clock, session.token) is None
    with pytest.raises(Unauthenticated):
        log_in(connection, clock, "ann@example.com", PASSWORD, "here")


def test_a_session_lives_on_by_use(connection: psycopg.Connection, clock: VirtualClock) -> None:
    create_user(connection, clock, "ann@example.com", PASSWORD, "editor")
    token = log_in(connection, clock, "ann@example.com", PASSWORD, "here").token
    for _ in range(3):
        clock.advance(timedelta(days=13))
        assert session_caller(connection, clock, token)
    clock.advance(timedelta(days=14, seconds=1))
    assert session_caller(connection, clock, token) is None
    assert session_caller(connection, clock, "") is None
    assert session_caller(connection, clock, "x" * 10_000) is None


def test_tokens_are_known_until_revoked_and_under_their_key_only(
    connection: psycopg.Connection, clock: VirtualClock
) -> None:
    made, token = create_token(connection, clock, KEY, "CRM", "viewer")
    caller = token_caller(connection, clock, KEY, token)
    assert caller and (caller.role, caller.token_id, caller.name) == ("viewer", made.id, "CRM")
    assert token_caller(connection, clock, b"o" * 32, token) is None
    row = connection.execute("SELECT last_used_at FROM access_token").fetchone()
    assert row == (clock.now(),)
    revoke_token(connection, clock, made.id)
    assert token_caller(connection, clock, KEY, token) is None
    with pytest.raises(SojournError):
        revoke_token(connection, clock, made.id)


def test_the_token_of_the_settings_is_made_once_and_stays_revoked(
    connection: psycopg.Connection, clock: VirtualClock, settings: Settings
) -> None:
    assert ensure_api_token(connection, clock, settings) is False
    chosen = settings.model_copy(update={"api_token": "chosen"})
    assert ensure_api_token(connection, clock, chosen) is True
    assert ensure_api_token(connection, clock, chosen) is False
    caller = token_caller(connection, clock, token_key(chosen), "chosen")
    assert caller and caller.token_id
    revoke_token(connection, clock, caller.token_id)
    ensure_api_token(connection, clock, chosen)
    assert token_caller(connection, clock, token_key(chosen), "chosen") is None


def test_each_role_may_do_what_those_before_it_may() -> None:
    require(Caller("master"), "viewer")
    require(Caller("editor"), "editor")
    for has, wants in (("viewer", "editor"), ("editor", "master")):
        with pytest.raises(Forbidden):
            require(Caller(has), wants)  # type: ignore[arg-type]


def test_logging_in_stands_in_the_journal(connection: psycopg.Connection, clock: VirtualClock) -> None:
    user_id = create_user(connection, clock, "ann@example.com", PASSWORD, "editor")
    log_in(connection, clock, "ann@example.com", PASSWORD, "1.1.1.1")
    assert connection.execute("SELECT at, user_id, action, address FROM audit_entry").fetchall() == [
        (clock.now(), user_id, "log_in", "1.1.1.1")
    ]


def test_what_is_over_is_forgotten_and_nothing_else(
    connection: psycopg.Connection, clock: VirtualClock, settings: Settings
) -> None:
    create_user(connection, clock, "ann@example.com", PASSWORD, "editor")

    def live() -> None:
        log_in(connection, clock, "ann@example.com", PASSWORD, "here")
        with pytest.raises(Unauthenticated):
            log_in(connection, clock, "ann@example.com", "guess", "here")
        with connection.transaction():
            remember(connection, clock, repeat_key(str(clock.now()), "t"), b"{}")

    live()
    clock.advance(timedelta(days=15))
    live()
    assert forget_old(connection, clock, settings) == 2  # the failed log-in was taken back by the later success
    assert [count(connection, table) for table in ("access_session", "login_attempt", "request_repeat")] == [1, 1, 1]
