"""The command line: the one face of the product to whoever runs it on a host."""

from __future__ import annotations


def main() -> None:
    """Run the command of this process' arguments and exit: 0 done, 1 failed, 2 bad input."""
    from sojourn.kernel.child_process import follow_parent

    follow_parent()
    from sojourn.cli.app import run

    raise SystemExit(run())
