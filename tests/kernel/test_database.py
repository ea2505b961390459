"""The database: migrations, partitions, the own server."""

from datetime import datetime

import psycopg
import pytest

from sojourn.kernel import Settings
from sojourn.kernel.database import DatabaseServer, connect, ensure_partitions, migrate, pending
from sojourn.kernel.errors import Conflict


def test_a_migrated_database_has_nothing_pending_and_migrating_again_changes_nothing(database_url: str) -> None:
    assert not pending(database_url)
    migrate(database_url)
    assert not pending(database_url)


def test_partitions_are_made_once(connection: psycopg.Connection, clock) -> None:
    later = datetime(2027, 6, 1, tzinfo=clock.now().tzinfo)
    assert ensure_partitions(connection, later) > 0
    assert ensure_partitions(connection, later) == 0


def test_two_instances_on_one_folder_are_refused_and_an_unclean_stop_recovers(tmp_path_factory) -> None:
    import tempfile
    from pathlib import Path

    home = Path(tempfile.mkdtemp(prefix="sojourn-test-"))
    home.chmod(0o755)
    server = DatabaseServer(Settings(home=home))
    server.start()
    with connect(server.url, "test") as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
    second = DatabaseServer(Settings(home=home))
    with pytest.raises(Conflict, match="already runs"):
        second.start()
    assert server.pid
    import os
    import signal

    os.kill(server.pid, signal.SIGKILL)
    server.stop()
    third = DatabaseServer(Settings(home=home))
    third.start()
    with connect(third.url, "test") as connection:
        assert connection.execute("SELECT n FROM kept").fetchone() == (7,)
    third.stop()
