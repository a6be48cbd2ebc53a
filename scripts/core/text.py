"""Sanitization of text from files, models and networks.

Text is cleaned where it enters the program: by the classes that hold it (`Piece`, `LeadSheet`,
`SongRequest`, `GgufInfo`), by errors, and by the readers of tags.
"""

from __future__ import annotations

MAX_NAME_LENGTH = 400  # characters of a title, a composer, a track's name
MAX_MESSAGE_LENGTH = 200  # characters
_KEPT_START = 70  # of a message that is too long


def strip_control_chars(text: str, limit: int | None = None) -> str:
    """Replace unprintable characters with spaces, so that text cannot control the terminal.

    These are control characters (escapes, line feeds), directional overrides, lone surrogates and
    unassigned characters.

    Parameters
    ----------
    text : str
    limit : int, optional
        Maximum number of characters to keep.
    """
    return "".join(c if c.isprintable() else " " for c in text)[:limit]


def clean_line(text: str, limit: int | None = None) -> str:
    """Make one line of a text: unprintable characters and runs of spaces become one space.

    Parameters
    ----------
    text : str
    limit : int, optional
        Maximum number of characters to keep.
    """
    return " ".join(strip_control_chars(text).split())[:limit]


def is_unicode(text: str) -> bool:
    """Whether `text` has no lone surrogates, as names that are not UTF-8 have."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def shorten_message(message: str) -> str:
    """Shorten a message to 200 characters by leaving out its middle, such as that of a long path.

    Its end stays: the reason, and what to do.
    """
    if len(message) <= MAX_MESSAGE_LENGTH:
        return message
    return f"{message[:_KEPT_START]}...{message[_KEPT_START + 3 - MAX_MESSAGE_LENGTH :]}"
