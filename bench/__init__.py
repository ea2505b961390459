"""Benchmarks: one module each, with `measure()` giving a list of figures."""
