"""The long forms of tests, run by `make soak` only; each prints its figures."""
