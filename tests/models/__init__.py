"""Measures how large models compose: ``python -m tests.models``."""
