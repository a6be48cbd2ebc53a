"""Faults, tried and counted: ``python -m tests.faults`` (docs/faults.md has the figures)."""
