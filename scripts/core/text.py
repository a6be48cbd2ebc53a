"""Sanitization of text from files, models and networks."""

from __future__ import annotations


def strip_control_chars(text: str, limit: int | None = None) -> str:
    """Replace unprintable characters with spaces, so that text cannot control the terminal.

    Parameters
    ----------
    text : str
    limit : int, optional
        Maximum number of characters to keep.
    """
    return "".join(c if c.isprintable() else " " for c in text)[:limit]
