"""FTP, plain or over TLS."""

from __future__ import annotations

import ftplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any, ClassVar, Literal

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

_ERRORS: tuple[type[Exception], ...] = (*ftplib.all_errors, ssl.SSLError)


class FtpSettings(KindSettings):
    """A folder on an FTP server."""

    host: str = Field(title="Host", min_length=1, max_length=253)
    port: int = Field(21, title="Port", ge=1, le=65_535)
    user: str = Field("anonymous", title="User", max_length=200)
    folder: str = Field("", title="Folder", max_length=1_000)
    encryption: Literal["required", "off"] = Field(
        "required", title="Encryption", description="required: FTP over TLS."
    )


class FtpSecret(KindSettings):
    """The password."""

    password: str = Field("", title="Password", max_length=1_000)


class Ftp(FileKind):
    """Files in a folder."""

    code: ClassVar[str] = "ftp"
    title: ClassVar[Text] = {"en": "FTP server", "ru": "FTP-сервер"}
    settings: ClassVar[type[KindSettings]] = FtpSettings
    secret: ClassVar[type[KindSettings]] = FtpSecret

    def test(self, opened: Opened) -> dict[str, Any]:
        return {"files": [one.name for one in self.files(opened, "*")][:20]}

    def files(self, opened: Opened, mask: str) -> list[RemoteFile]:
        with _connected(opened) as ftp:
            try:
                found = [(name, facts) for name, facts in ftp.mlsd(facts=["type", "size", "modify"])]
            except ftplib.error_perm:  # an old server
                found = [(name.rpartition("/")[2], {}) for name in ftp.nlst()]
            files = [
                _file(name, facts)
                for name, facts in found
                if facts.get("type", "file") == "file" and name not in (".", "..")
            ]
        return chosen(files, mask)

    def fetch(self, opened: Opened, name: str, write: Write) -> None:
        with _connected(opened) as ftp:
            ftp.retrbinary(f"RETR {plain_name(name)}", write, blocksize=1 << 16)

    def remove(self, opened: Opened, name: str) -> None:
        with _connected(opened) as ftp:
            ftp.delete(plain_name(name))

    def move(self, opened: Opened, name: str, folder: str) -> None:
        with _connected(opened) as ftp:
            with suppress(ftplib.error_perm):
                ftp.mkd(folder)
            ftp.rename(plain_name(name), f"{folder.rstrip('/')}/{plain_name(name)}")


def _file(name: str, facts: dict[str, str]) -> RemoteFile:
    changed = None
    with suppress(KeyError, ValueError):
        changed = datetime.strptime(facts["modify"][:14], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    size = int(facts["size"]) if facts.get("size", "").isdigit() else None
    return RemoteFile(name, size, changed, f"{facts.get('size', '')} {facts.get('modify', '')}".strip())


@contextmanager
def _connected(opened: Opened) -> Iterator[ftplib.FTP]:
    given: FtpSettings = opened.settings
    address = opened.around.address(given.host, given.port)
    ftp: ftplib.FTP
    if given.encryption == "required":
        ftp = ftplib.FTP_TLS(timeout=CONNECT_SECONDS, context=ssl.create_default_context())
    else:
        ftp = ftplib.FTP(timeout=CONNECT_SECONDS)
    try:
        ftp.connect(address, given.port)
        ftp.host = given.host  # what the certificate is checked against
        ftp.login(given.user, opened.secret.password)
        if isinstance(ftp, ftplib.FTP_TLS):
            ftp.prot_p()
        if given.folder:
            ftp.cwd(given.folder)
        yield ftp
        with suppress(*_ERRORS):
            ftp.quit()
    except _ERRORS as error:
        raise opened.failure(error) from None
    finally:
        ftp.close()
