"""`python -m sojourn`: the same as the command `sojourn`."""

from sojourn.cli import main

main()
