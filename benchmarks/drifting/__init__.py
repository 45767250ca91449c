"""Rows with known shifts, for `benchmarks/drift_power.py`."""
