"""Fault injection: ``python -m tests.faults`` (docs/faults.md has the results)."""
