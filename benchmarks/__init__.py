"""Measures dlspec against rivals that do the same work, alternating in one run. See `docs/benchmarks.md`."""
