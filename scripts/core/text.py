"""Text from outside made safe to show."""

from __future__ import annotations


def strip_control_chars(text: str, limit: int | None = None) -> str:
    """Replace everything unprintable with spaces, so that no text can steer a terminal.

    Parameters
    ----------
    text : str
    limit : int, optional
        Most characters to keep.
    """
    return "".join(c if c.isprintable() else " " for c in text)[:limit]
