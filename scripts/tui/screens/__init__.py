"""Screens as pure functions of (state, size) that return lines."""
