"""What is done before the parts start: migrations, partitions, the first account."""

from __future__ import annotations

from sojourn.kernel import Clock, Settings
from sojourn.kernel.database import connect, ensure_partitions, migrate


def prepare_database(clock: Clock, url: str) -> None:
    """Bring the tables to this release, and make the partitions that are needed soon."""
    migrate(url)
    with connect(url, "prepare") as connection:
        ensure_partitions(connection, clock.now())


def prepare_installation(settings: Settings, clock: Clock, url: str) -> None:
    """As `prepare_database`, and make the first account, whose log-in is printed once."""
    from sojourn.access import ensure_first_account
    from sojourn.cli.privacy_wiring import connect_privacy
    from sojourn.profiles.erasure import replay

    prepare_database(clock, url)
    with connect(url, "prepare") as connection:
        account = ensure_first_account(connection, clock, settings)
        connect_privacy()
        erased = replay(connection, clock, settings)  # after a restore
    if erased:
        print(f"Erased again after a restore: {erased} people", flush=True)
    if account:
        print(f"\nFirst account:  {account.email}\nPassword:       {account.password}\n", flush=True)
