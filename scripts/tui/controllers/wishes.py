"""Wishes for the next songs, as the user types them."""

from __future__ import annotations

from collections.abc import Mapping

from scripts.core.errors import UsageError
from scripts.request.build import build_spec
from scripts.request.request import SongRequest
from scripts.score.tuning import CONCERT_PITCH
from scripts.styles.style import Style
from scripts.tui.screens.generate import WISH_ROWS
from scripts.tui.state import Field, State

_YES = ("yes", "y", "on", "1", "true")
_NO = ("no", "n", "off", "0", "false", "none")
_NUMERIC_WISHES = ("tempo", "tuning", "binaural")


def ask_wish(state: State, number: int) -> None:
    """Ask for the wish with this number on the screen, from 1."""
    name = list(WISH_ROWS)[number - 1]
    label, hint, default = WISH_ROWS[name]
    question = f"{label} ({hint}; empty: {default}):"
    state.field = Field(question, f"wish {name}", state.wishes.get(name, ""))


def clear_wishes(state: State) -> None:
    """Clear all wishes."""
    state.wishes.clear()
    state.message = "All wishes cleared."


def set_wish(state: State, name: str, text: str, styles: Mapping[str, Style]) -> None:
    """Set or clear a wish.

    Raises
    ------
    UsageError
        When it is invalid, or does not go with the other ones.
    """
    wishes = {**state.wishes, name: text}
    if name == "loop" and text:
        if text.lower() not in (*_YES, *_NO):
            raise UsageError("Please type yes or no.")
        wishes[name] = "yes" if text.lower() in _YES else ""
    wishes = {name: text for name, text in wishes.items() if text}
    style_words = state.answers.get("styles", "pop")
    build_spec(build_request(wishes, state.settings.song_length, style_words), styles, 1)
    state.wishes = wishes


def build_request(wishes: Mapping[str, str], length: str, styles: str) -> SongRequest:
    """Build a request from typed wishes.

    Parameters
    ----------
    wishes : mapping
        Wishes as typed, by name.
    length : str
        Song length where no wish says one.
    styles : str
        Comma-separated styles.

    Raises
    ------
    UsageError
        When tempo, tuning or binaural is not a number.
    """
    numbers = {}
    for name in _NUMERIC_WISHES:
        if name in wishes:
            try:
                numbers[name] = float(wishes[name].casefold().removesuffix("hz").strip())
            except ValueError:
                raise UsageError(
                    f'invalid {name} "{wishes[name][:20]}": expected a number'
                ) from None
    return SongRequest(
        styles,
        wishes.get("length", length),
        wishes.get("key"),
        numbers.get("tempo"),
        wishes.get("meter"),
        numbers.get("tuning", CONCERT_PITCH),
        wishes.get("form"),
        wishes.get("chords"),
        numbers.get("binaural", 0.0),
        "loop" in wishes,
        wishes.get("motif"),
    )
