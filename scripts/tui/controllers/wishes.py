"""Wishes for the next songs, as the user types them."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import msgspec

from scripts.batch.order import MAX_SEED, Order, parse_formats, parse_size, parse_until
from scripts.core import paths
from scripts.core.atomic_files import ensure_writable_folder, write_text
from scripts.core.errors import UsageError
from scripts.core.input_files import read_input
from scripts.core.json_fields import INVALID_DATA, format_json
from scripts.core.settings import Settings, change_setting
from scripts.core.text import clean_line
from scripts.request.build import build_spec
from scripts.request.interpret.interpret import interpret
from scripts.request.pace import parse_tempo
from scripts.request.parse import read_length
from scripts.request.request import SongRequest
from scripts.score.tuning import CONCERT_PITCH
from scripts.styles.style import Style
from scripts.tui.state import Field, State
from scripts.tui.wish_table import ORDER_WISHES, WISHES

_YES = ("yes", "y", "on", "1", "true")
_NO = ("no", "n", "off", "0", "false", "none")
_MAX_SETS_BYTES = 1 << 20
_MAX_NAME_LENGTH = 60  # characters of the name of a set


def ask_wish(state: State, name: str) -> None:
    """Ask for a wish."""
    wish = WISHES[name]
    question = f"{wish.label} ({wish.hint}; empty: {wish.default}):"
    shown = state.wishes.get(name) or state.understood.get(name, "")
    state.field = Field(question, f"wish {name}", shown, is_selected=bool(shown))


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
    if name in ORDER_WISHES:
        _check_order_wish(name, text)
    else:
        request = build_request(wishes, "pop")
        length = request.length or state.settings.song_length
        request = interpret("pop", styles, replace(request, length=length)).request
        build_spec(request, styles, 1)
    state.wishes = wishes


def build_request(wishes: Mapping[str, str], styles: str) -> SongRequest:
    """Build a request from typed wishes; without a wish for it, its length is empty.

    Raises
    ------
    UsageError
        When a number or the length is invalid.
    """
    tempo, pace = parse_tempo(wishes["tempo"]) if "tempo" in wishes else (None, None)
    return SongRequest(
        styles,
        read_length(wishes["length"]) if "length" in wishes else "",
        key=wishes.get("key"),
        tempo=tempo,
        pace=pace,
        meter=wishes.get("meter"),
        tuning=_number(wishes, "tuning", CONCERT_PITCH),
        form=wishes.get("form"),
        chords=wishes.get("chords"),
        binaural=_number(wishes, "binaural", 0.0),
        loop="loop" in wishes,
        motif=wishes.get("motif"),
        energy=wishes.get("energy"),
        instruments=wishes.get("instruments"),
        without=wishes.get("without"),
    )


def wished_seed(wishes: Mapping[str, str], default: int | None = None) -> int:
    """Seed of the first song: as wished, else the default or a random one.

    Raises
    ------
    UsageError
        When it is invalid.
    """
    if "seed" in wishes:
        return _seed(wishes["seed"])
    return default if default is not None else random.SystemRandom().randrange(1 << 31)


def apply_order_wishes(order: Order, wishes: Mapping[str, str]) -> Order:
    """Apply the wishes about formats, bitrate and folder to an order.

    Raises
    ------
    UsageError
        When one is invalid.
    """
    if "also" in wishes:
        order = replace(order, extra_formats=parse_formats(wishes["also"]))
    if "bitrate" in wishes:
        order = replace(order, bitrate=_bitrate(wishes["bitrate"]))
    if "out" in wishes:
        order = replace(order, out=Path(wishes["out"]).expanduser().absolute())
    return order


def apply_endless_wishes(order: Order, wishes: Mapping[str, str]) -> Order:
    """Apply the wishes about the end of an order that has none; others have no use for them.

    Raises
    ------
    UsageError
        When one is invalid.
    """
    if not order.endless:
        return order
    if "until" in wishes:
        order = replace(order, until=parse_until(wishes["until"], datetime.now()))
    if "keep" in wishes:
        order = replace(order, keep_bytes=parse_size(wishes["keep"]))
    return order


def load_wish_sets() -> dict[str, dict[str, str]]:
    """Named sets of wishes; empty if there are none or their file is damaged."""
    try:
        data = read_input(paths.WISHES, _MAX_SETS_BYTES)
        found = msgspec.json.decode(data, type=dict[str, dict[str, str]])
    except (OSError, ValueError, *INVALID_DATA):
        return {}
    return {
        clean_line(name, _MAX_NAME_LENGTH): {
            wish: clean_line(text) for wish, text in wishes.items() if wish in WISHES
        }
        for name, wishes in found.items()
    }


def save_wish_set(state: State, name: str) -> None:
    """Save the wishes under a name; without wishes, delete the set of that name.

    Raises
    ------
    UsageError
        When the name is empty.
    StorageError
        When they cannot be written.
    """
    name = clean_line(name, _MAX_NAME_LENGTH)
    if not name:
        raise UsageError("Please type a name.")
    sets = load_wish_sets()
    existed = sets.pop(name, None) is not None
    if state.wishes:
        sets[name] = dict(state.wishes)
    write_text(paths.WISHES, format_json(sets), private=True)
    if state.wishes:
        state.message = f'Saved as "{name}".'
    else:
        state.message = f'Deleted "{name}".' if existed else "There are no wishes to save."


def _check_order_wish(name: str, text: str) -> None:
    """Raise an error for an invalid wish about the order."""
    if not text:
        return
    if name == "seed":
        _seed(text)
    elif name == "bitrate":
        _bitrate(text)
    elif name == "until":
        parse_until(text, datetime.now())
    elif name == "keep":
        parse_size(text)
    elif name == "out":
        ensure_writable_folder(Path(text).expanduser())
    else:
        Order(SongRequest("pop"), 1, 1, "", 0.75, Path(), extra_formats=parse_formats(text))


def _number(wishes: Mapping[str, str], name: str, default: float) -> float:
    if name not in wishes:
        return default
    try:
        return float(wishes[name].casefold().removesuffix("hz").strip().replace(",", "."))
    except ValueError:
        raise UsageError(f'invalid {name} "{wishes[name][:20]}": expected a number') from None


def _seed(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) >= MAX_SEED:
        raise UsageError(f'invalid seed "{text[:20]}": expected a whole number below {MAX_SEED}')
    return int(text)


def _bitrate(text: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() else text
    return change_setting(Settings(), "bitrate", number).bitrate
