"""What tests of delivery share."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from sojourn.delivery.worker import Worker
from sojourn.kernel.database import connect
from tests.delivery.mail_server import MailServer
from tests.delivery.web_server import WebServer
from tests.delivery.world import World


@pytest.fixture
def world(connection, clock, settings) -> World:
    return World(connection, clock, settings)


@pytest.fixture
def mail() -> Iterator[MailServer]:
    server = MailServer()
    yield server
    server.stop()


@pytest.fixture
def hire(world, database_url) -> Iterator[Callable[..., Worker]]:
    """Makes workers with settings of their own; they are closed at the end."""
    opened = []

    def make(**changes) -> Worker:
        settings = world.settings.model_copy(update=changes)
        connection = connect(database_url, "worker")
        worker = Worker(settings, world.clock, connection)
        opened.append((worker, connection))
        return worker

    yield make
    for worker, connection in opened:
        worker._http.close()
        connection.close()


@pytest.fixture
def web() -> Iterator[WebServer]:
    server = WebServer()
    yield server
    server.stop()
