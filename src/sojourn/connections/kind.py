"""What kinds of connections have in common: settings that are shown, secrets that are not, and a test."""

from __future__ import annotations

import fnmatch
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

from sojourn.kernel import Settings
from sojourn.kernel.errors import SojournError
from sojourn.kernel.private_networks import ForbiddenAddress, checked_addresses

CONNECT_SECONDS = 15.0
MOST_FILES = 10_000
"""Files of a folder that are looked at."""
Text = dict[str, str]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where connections may lead: private hosts that are allowed, and the folder of SQLite files."""

    private_hosts: tuple[str, ...]
    folder: Path

    @classmethod
    def of(cls, settings: Settings) -> Surroundings:
        """Those of an installation."""
        return cls(tuple(settings.private_hosts), settings.data / "sqlite")

    def address(self, host: str, port: int) -> str:
        """An address of the host, to be connected to in place of its name.

        Raises:
            SojournError: `private_host`, `unknown_host`.
        """
        try:
            return checked_addresses(host, port, self.private_hosts)[0]
        except ForbiddenAddress as error:
            raise SojournError(
                "private_host", f"{error}. The setting private_hosts of the server can allow it.", "settings.host"
            ) from None
        except OSError:
            raise SojournError("unknown_host", f"The host “{host}” is not known.", "settings.host") from None


class KindSettings(BaseModel):
    """The base of settings and secrets: unknown names are refused."""

    model_config = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True)
class Opened:
    """A connection with its secrets, as kinds get it."""

    settings: Any
    secret: Any
    around: Surroundings

    def scrubbed(self, text: str) -> str:
        """A message without any of the secrets."""
        for value in _texts(self.secret.model_dump()):
            if len(value) > 2:
                text = text.replace(value, "…")
        return text.strip().splitlines()[0][:300] if text.strip() else "no reason was given"

    def failure(self, error: Exception, place: str = "settings") -> SojournError:
        """What went wrong, as an error of ours without secrets."""
        return SojournError("connection_failed", self.scrubbed(str(error) or type(error).__name__), place)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _texts(one)


@dataclass(frozen=True, slots=True)
class Rows:
    """The result of a query: names of its columns and its rows, read as they are asked for."""

    columns: list[str]
    rows: Iterator[Sequence[Any]]


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file over there. `mark` changes when its content does: an etag, or size and time."""

    name: str
    size: int | None
    changed_at: datetime | None
    mark: str


Write = Callable[[bytes], None]


class Kind(ABC):
    """One kind of connection."""

    code: ClassVar[str]
    title: ClassVar[Text]
    settings: ClassVar[type[KindSettings]]
    secret: ClassVar[type[KindSettings]]

    @abstractmethod
    def test(self, opened: Opened) -> dict[str, Any]:
        """Try it; tells what was found. `settings` in the answer are taken over into the connection's settings.

        Raises:
            SojournError: why it does not work.
        """


class RowKind(Kind):
    """A database that is queried."""

    @abstractmethod
    def rows(
        self, opened: Opened, query: str, values: dict[str, Any], *, most: int | None = None
    ) -> AbstractContextManager[Rows]:
        """Run a query with bound values `:name`, read only and within a time limit; `most`: rows that are read at most.

        Raises:
            SojournError: `query_failed`, `connection_failed`.
        """

    @abstractmethod
    def table_query(self, opened: Opened, table: str, cursor: str | None) -> str:
        """The query of a whole table, or of its rows with `cursor` above `:cursor`, with quoted names."""


class FileKind(Kind):
    """A place with files."""

    @abstractmethod
    def files(self, opened: Opened, mask: str) -> list[RemoteFile]:
        """The files whose name fits, oldest first.

        Raises:
            SojournError: `connection_failed`, `too_many_files`.
        """

    @abstractmethod
    def fetch(self, opened: Opened, name: str, write: Write) -> None:
        """Read a file.

        Raises:
            SojournError: `connection_failed`.
        """

    def remove(self, opened: Opened, name: str) -> None:
        """Delete a file after it was imported."""
        raise SojournError("not_possible", "Files of this connection cannot be deleted.", "after")

    def move(self, opened: Opened, name: str, folder: str) -> None:
        """Move a file into a folder after it was imported."""
        raise SojournError("not_possible", "Files of this connection cannot be moved.", "after")


def chosen(found: list[RemoteFile], mask: str) -> list[RemoteFile]:
    """Those that fit the mask, oldest first."""
    fitting = [one for one in found if fnmatch.fnmatchcase(one.name, mask or "*")]
    if len(fitting) > MOST_FILES:
        raise SojournError("too_many_files", f"More than {MOST_FILES} files fit “{mask}”.", "mask")
    return sorted(fitting, key=lambda one: (one.changed_at.timestamp() if one.changed_at else 0.0, one.name))


def plain_name(name: str) -> str:
    """A file name without a path.

    Raises:
        SojournError: `bad_file_name`.
    """
    if "/" in name or "\\" in name or name in ("", ".", "..") or any(ord(letter) < 32 for letter in name):
        raise SojournError("bad_file_name", "This is not the name of a file.", "name")
    return name
