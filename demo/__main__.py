"""`python -m demo`: starts Sojourn with a small record shop around it, until Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import FrameType
from typing import NoReturn

from demo.audience import Audience, Mailbox
from demo.call_centre import CallCentre, CallCentreServer
from demo.customers import Customer, customers
from demo.mail_server import MailServer, local_port
from demo.mailbox import ApiMailbox, SeveralMailboxes
from demo.registrations import Registrations
from demo.settings import CALL_CENTRE_STEP, demo_environment
from sojourn.cli.configuration import load_settings
from sojourn.cli.supervisor import check_port, healthy
from sojourn.kernel.child_process import child_environment, product_command
from sojourn.kernel.errors import Conflict, SojournError

START_SECONDS = 300.0
"""Patience with the first start; it makes a database."""
STOP_SECONDS = 90.0
FIRST_CUSTOMERS = 500
WELCOME = Path(__file__).parent / "welcome.yaml"
_PORT_IN_FILE = 8025


class _Stopped(Exception):
    """Somebody pressed Ctrl-C, or the product ended."""


class Demo:
    """The product as a child process, and the life around it in threads."""

    def __init__(self) -> None:
        self.stop = threading.Event()
        self._settings = load_settings()
        self._token = self._settings.api_token or ""
        self._hurry = 0
        self._threads: list[threading.Thread] = []
        self._product: subprocess.Popen[bytes] | None = None

    def run(self) -> int:
        """Live until a signal or the end of the product; gives the exit code.

        Raises:
            SojournError: a port is taken.
        """
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._ask_to_stop)
        check_port(self._settings)  # else the demo might take another installation for its own
        with ExitStack() as servers:
            mailboxes = self._open_servers(servers)
            # In a session of its own, so that Ctrl-C reaches this process only, which stops the product in order.
            self._product = subprocess.Popen(
                product_command("up"), stdin=subprocess.DEVNULL, start_new_session=True, env=child_environment()
            )
            try:
                people = customers()
                self._wait_until_ready()
                self._live(people, mailboxes)
            except _Stopped:
                pass
            finally:
                code = self._end()  # the servers stay until the workers have finished what they hold
        return code

    def _open_servers(self, servers: ExitStack) -> list[Mailbox]:
        """The call centre, and the mail server if letters are sent to this host; gives the mailboxes that fill by themselves."""
        settings, mailboxes = self._settings, list[Mailbox]()
        port = settings.port + CALL_CENTRE_STEP
        try:
            servers.enter_context(CallCentreServer(CallCentre(), port))
            if mail_port := local_port(settings.smtp_url):
                port = mail_port
                mailboxes.append(servers.enter_context(MailServer(port)))
        except OSError as error:
            raise Conflict("port_taken", f"The demo cannot listen on port {port}: {error.strerror}.") from None
        return mailboxes

    def _ask_to_stop(self, number: int, frame: FrameType | None) -> None:
        self.stop.set()
        self._hurry += 1

    def _check(self) -> None:
        assert self._product
        if self.stop.is_set() or self._product.poll() is not None:
            raise _Stopped

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not healthy(self._settings):
            self._check()
            if time.monotonic() > deadline:
                print("Sojourn did not become ready; see the lines above.", file=sys.stderr)
                raise _Stopped
            self.stop.wait(0.1)

    def _live(self, people: Sequence[Customer], mailboxes: list[Mailbox]) -> None:
        settings = self._settings
        owners = {person.phone: person.email for person in people}
        sandbox = ApiMailbox(settings.base_url, self._token, settings.data / "demo-read.json", owners)
        registrations = self._seed(people)
        audience = Audience(settings.base_url, SeveralMailboxes(sandbox, *mailboxes))
        self._begin("registrations", lambda: registrations.run(self.stop))
        self._begin("audience", lambda: audience.run(self.stop))
        self._tell()
        while True:
            self._check()
            self.stop.wait(0.2)

    def _seed(self, people: Sequence[Customer]) -> Registrations:
        from demo.seed import import_first, scenario_exists, seed
        from sojourn.cli.wiring import connect_rooms
        from sojourn.kernel import SystemClock
        from sojourn.kernel.database import connect, own_server_url

        settings, clock = self._settings, SystemClock()
        connect_rooms()
        with connect(settings.database_url or own_server_url(settings), "demo") as connection:
            shop = seed(connection, clock)
            if not scenario_exists(connection):
                self._apply_scenario()
            registrations = Registrations(
                settings.base_url,
                self._token,
                shop.database.id,
                shop.resource.id,
                people,
                settings.data / "demo-registered.json",
            )
            if not registrations.done:
                import_first(connection, clock, shop, people[:FIRST_CUSTOMERS], settings.data / "first-customers.csv")
                registrations.note(FIRST_CUSTOMERS)
        return registrations

    def _apply_scenario(self) -> None:
        self._check()
        path, port = WELCOME, self._settings.port + CALL_CENTRE_STEP
        if port != _PORT_IN_FILE:
            path = self._settings.data / "welcome.yaml"
            path.write_text(
                WELCOME.read_text(encoding="utf-8").replace(f"127.0.0.1:{_PORT_IN_FILE}", f"127.0.0.1:{port}"),
                encoding="utf-8",
            )
        command = product_command("scenario", "apply", str(path), "--publish", "--activate", "--accept-sandbox")
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL, env=child_environment(), timeout=60)

    def _begin(self, name: str, life: Callable[[], None]) -> None:
        thread = threading.Thread(target=life, name=name)
        thread.start()
        self._threads.append(thread)

    def _tell(self) -> None:
        lines = (
            "",
            "  The record shop is open: customers register, letters go out, some people even read them.",
            f"  Address   {self._settings.base_url}",
            f"  E-mail    {os.environ['SOJOURN_ADMIN_EMAIL']}",
            f"  Password  {os.environ['SOJOURN_ADMIN_PASSWORD']}",
            "  Look at Scenarios → Welcome series. Ctrl-C ends the demo; the next start goes on with the same data.",
            "",
        )
        print("\n".join(lines), flush=True)

    def _end(self) -> int:
        assert self._product
        asked = self.stop.is_set()
        self.stop.set()
        hurry = self._hurry
        if self._product.poll() is None:
            self._product.send_signal(signal.SIGTERM)
        for thread in self._threads:
            thread.join(20.0)
        deadline = time.monotonic() + STOP_SECONDS
        while self._product.poll() is None:
            if self._hurry > hurry:
                hurry = self._hurry
                self._product.send_signal(signal.SIGTERM)  # a second signal hurries
            if time.monotonic() > deadline:
                self._product.kill()
            time.sleep(0.05)
        return 0 if asked else self._product.returncode or 1


def main() -> NoReturn:
    """Run the demo."""
    os.environ.update(demo_environment(os.environ))
    try:
        sys.exit(Demo().run())
    except SojournError as error:
        sys.exit(f"Error: {error}")


if __name__ == "__main__":
    main()
