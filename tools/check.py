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
CHECKS = (
    ("format", [str(BIN / "ruff"), "format", "--check", "--quiet", "."]),
    ("lint", [str(BIN / "ruff"), "check", "--quiet", "."]),
    ("types", [str(BIN / "mypy"), "--no-error-summary"]),
    ("layers", [str(BIN / "lint-imports"), "--no-logo"]),
)


def main() -> int:
    """Run all; gives the exit code."""
    ensure_browser()
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


def ensure_browser() -> None:
    """The tests drive the system's Chromium; as root on Debian it is installed if missing, elsewhere those tests are skipped."""
    if any(shutil.which(name) for name in BROWSERS):
        return
    if os.geteuid() == 0 and shutil.which("apt-get"):
        print("== installing Chromium", flush=True)
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        quiet = {"env": environment, "stdout": subprocess.DEVNULL}
        subprocess.run(["apt-get", "update", "-qq"], **quiet)
        subprocess.run(
            ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium", "fonts-dejavu-core"], **quiet
        )
    if not any(shutil.which(name) for name in BROWSERS):
        print("== no Chromium here: tests that drive a browser are skipped", flush=True)


if __name__ == "__main__":
    sys.exit(main())
