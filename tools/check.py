"""Everything that must hold: format, lint, types, layers, tests of both sides. The last line reads `N passed, N failed`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from xml.etree import ElementTree

sys.path.insert(0, str(Path(__file__).parent))
import ui

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PROGRAMS = {"chromium": BROWSERS, "mariadb-server": ("mariadbd",)}
"""Debian package → programs, one of which is enough."""
CHECKS = (
    ("format", [str(BIN / "ruff"), "format", "--check", "--quiet", "."]),
    ("lint", [str(BIN / "ruff"), "check", "--quiet", "."]),
    ("types", [str(BIN / "mypy"), "--no-error-summary"]),
    ("layers", [str(BIN / "lint-imports"), "--no-logo"]),
)


def main() -> int:
    """Run all; gives the exit code."""
    ensure_programs()
    failed = sum(not passes(name, command) for name, command in CHECKS)
    print("== web application", flush=True)
    ui_passed, ui_failed = ui.check()
    print("== tests", flush=True)
    passed, broken = run_tests()
    failed += ui_failed + broken
    print(f"{passed + ui_passed} passed, {failed} failed", flush=True)
    return 1 if failed else 0


def passes(name: str, command: list[str]) -> bool:
    """Run one check and tell how long it took."""
    started = time.monotonic()
    code = subprocess.run(command, cwd=ROOT).returncode
    print(f"== {name}: {'in order' if code == 0 else 'FAILED'} ({time.monotonic() - started:.0f} s)", flush=True)
    return code == 0


def run_tests() -> tuple[int, int]:
    """pytest; a run that broke off counts as one failure more."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [str(BIN / "pytest"), "-n", "2", "--dist", "worksteal", "-m", "not soak", f"--junitxml={report}"]
        code = subprocess.run(command, cwd=ROOT).returncode
        if not report.exists():
            return 0, 1
        suite = ElementTree.parse(report).getroot().find("testsuite")
        assert suite is not None
        total, skipped, failed = (
            int(suite.get("tests", 0)),
            int(suite.get("skipped", 0)),
            int(suite.get("failures", 0)) + int(suite.get("errors", 0)),
        )
    return total - skipped - failed, failed or (1 if code else 0)


def ensure_programs() -> None:
    """The tests drive the system's Chromium and read from a MariaDB; as root on Debian both are installed if missing, elsewhere those tests are
    skipped."""
    missing = [package for package, names in PROGRAMS.items() if not any(map(_found, names))]
    if missing and os.geteuid() == 0 and shutil.which("apt-get"):
        print(f"== installing {', '.join(missing)}", flush=True)
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        quiet = {"env": environment, "stdout": subprocess.DEVNULL}
        subprocess.run(["apt-get", "update", "-qq"], **quiet)
        fonts = ["fonts-dejavu-core"] if "chromium" in missing else []
        subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing, *fonts], **quiet)
    for package, names in PROGRAMS.items():
        if not any(map(_found, names)):
            print(f"== no {package} here: tests that need it are skipped", flush=True)


def _found(name: str) -> bool:
    return shutil.which(name) is not None or Path("/usr/sbin", name).exists()


if __name__ == "__main__":
    sys.exit(main())
