"""SFTP. The server's key is learnt at the first test, shown, and must be the same from then on."""

from __future__ import annotations

import io
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any, ClassVar

import paramiko
from pydantic import Field

from sojourn.connections.kind import (
    CONNECT_SECONDS,
    FileKind,
    KindSettings,
    Opened,
    RemoteFile,
    Text,
    Write,
    chosen,
    plain_name,
)
from sojourn.kernel.errors import SojournError

_ERRORS = (paramiko.SSHException, OSError, EOFError)
_KEYS: tuple[type[paramiko.PKey], ...] = (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey)
_PIECE = 1 << 16


class SftpSettings(KindSettings):
    """A folder on an SSH server."""

    host: str = Field(title="Host", min_length=1, max_length=253)
    port: int = Field(22, title="Port", ge=1, le=65_535)
    user: str = Field(title="User", min_length=1, max_length=200)
    folder: str = Field("", title="Folder", max_length=1_000)
    host_key: str = Field(
        "",
        title="Key of the server",
        description="Learnt at the first test. Empty it to learn a new one.",
        max_length=5_000,
    )


class SftpSecret(KindSettings):
    """A password, or a private key with its passphrase."""

    password: str = Field("", title="Password or passphrase", max_length=1_000)
    private_key: str = Field("", title="Private key", max_length=20_000)


class Sftp(FileKind):
    """Files in a folder."""

    code: ClassVar[str] = "sftp"
    title: ClassVar[Text] = {"en": "SFTP server", "ru": "SFTP-сервер"}
    settings: ClassVar[type[KindSettings]] = SftpSettings
    secret: ClassVar[type[KindSettings]] = SftpSecret

    def test(self, opened: Opened) -> dict[str, Any]:
        learnt: list[str] = []
        with _connected(opened, learnt) as sftp:
            names = [one.name for one in _listed(sftp, "*")][:20]
        answer: dict[str, Any] = {"files": names}
        return answer | ({"settings": {"host_key": learnt[0]}} if learnt else {})

    def files(self, opened: Opened, mask: str) -> list[RemoteFile]:
        with _connected(opened) as sftp:
            return _listed(sftp, mask)

    def fetch(self, opened: Opened, name: str, write: Write) -> None:
        with _connected(opened) as sftp, sftp.open(plain_name(name), "rb") as file:
            file.prefetch(sftp.stat(plain_name(name)).st_size, 64)
            while piece := file.read(_PIECE):
                write(piece)

    def remove(self, opened: Opened, name: str) -> None:
        with _connected(opened) as sftp:
            sftp.remove(plain_name(name))

    def move(self, opened: Opened, name: str, folder: str) -> None:
        with _connected(opened) as sftp:
            with suppress(OSError):
                sftp.mkdir(folder)
            target = f"{folder.rstrip('/')}/{plain_name(name)}"
            try:
                sftp.posix_rename(plain_name(name), target)
            except OSError:  # an extension that not every server has
                sftp.rename(plain_name(name), target)


def _listed(sftp: paramiko.SFTPClient, mask: str) -> list[RemoteFile]:
    found = [
        RemoteFile(
            one.filename, one.st_size, datetime.fromtimestamp(one.st_mtime, UTC) if one.st_mtime else None, f"{one.st_size} {one.st_mtime}"
        )
        for one in sftp.listdir_attr(".")
        if one.st_mode is None or stat.S_ISREG(one.st_mode)
    ]  # fmt: skip
    return chosen(found, mask)


@contextmanager
def _connected(opened: Opened, learnt: list[str] | None = None) -> Iterator[paramiko.SFTPClient]:
    given: SftpSettings = opened.settings
    address = opened.around.address(given.host, given.port)
    transport: paramiko.Transport | None = None
    try:
        transport = paramiko.Transport(socket.create_connection((address, given.port), CONNECT_SECONDS))
        transport.banner_timeout = transport.auth_timeout = CONNECT_SECONDS
        transport.start_client(timeout=CONNECT_SECONDS)
        _check_key(given, transport, learnt)
        if opened.secret.private_key:
            transport.auth_publickey(given.user, _private_key(opened))
        else:
            transport.auth_password(given.user, opened.secret.password)
        sftp = paramiko.SFTPClient.from_transport(transport)
        assert sftp
        channel = sftp.get_channel()
        if channel:
            channel.settimeout(60.0)
        sftp.chdir(given.folder or ".")
        yield sftp
    except _ERRORS as error:
        raise opened.failure(error) from None
    finally:
        if transport:
            transport.close()


def _check_key(given: SftpSettings, transport: paramiko.Transport, learnt: list[str] | None) -> None:
    key = transport.get_remote_server_key()
    shown = f"{key.get_name()} {key.get_base64()}"
    if not given.host_key:
        if learnt is None:
            raise SojournError(
                "host_key_unknown", "The key of the server is not known yet: test the connection first.", "settings.host_key"
            )  # fmt: skip
        learnt.append(shown)
    elif given.host_key.split()[:2] != shown.split():
        raise SojournError(
            "host_key_changed", "The server shows another key than before. If that is meant, empty the key and test again.", "settings.host_key"
        )  # fmt: skip


def _private_key(opened: Opened) -> paramiko.PKey:
    for kind in _KEYS:
        with suppress(paramiko.SSHException, ValueError):
            return kind.from_private_key(io.StringIO(opened.secret.private_key), opened.secret.password or None)
    raise SojournError(
        "bad_private_key", "This is no private key of SSH, or the passphrase is wrong.", "secret.private_key"
    )
