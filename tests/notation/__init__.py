"""Comparison of the readers of notation with independent programs."""
