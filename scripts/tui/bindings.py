"""Key bindings of each screen, for dispatch and for the help page."""

from __future__ import annotations

from typing import NamedTuple

from scripts.tui.state import GENERATE, JUKEBOX, MENU, OPTIONS, WISHES


class Binding(NamedTuple):
    """Keys by name, the method they call, and the help text ("": not listed)."""

    keys: tuple[str, ...]
    action: str
    description: str


_EVERYWHERE = (Binding(("x",), "leave", "exit the program"), Binding(("?",), "help", "this page"))
_BACK = (Binding(("b", "escape"), "back", "back to the main menu"), *_EVERYWHERE)

BINDINGS: dict[str, tuple[Binding, ...]] = {
    MENU: (
        Binding(("1",), "open_generate", "generate music"),
        Binding(("2",), "open_jukebox", "the jukebox"),
        Binding(("3",), "open_options", "the options"),
        Binding(("r",), "refresh", "rescan the song folder"),
        Binding(("g",), "go_on", "resume unfinished orders"),
        Binding(("p", " "), "pause", "pause, or play"),
        Binding(("n", ">"), "skip", "next song"),
        *_EVERYWHERE,
    ),
    GENERATE: (
        Binding(("m",), "ask_styles", "make more songs"),
        Binding(("w",), "open_wishes", "key, tempo, length and other wishes"),
        Binding(("up",), "look_up", "show the previous order"),
        Binding(("down",), "look_down", "show the next order"),
        Binding(("p",), "pause_order", "pause or resume the order shown"),
        Binding(("f",), "first", "move it to the front of the queue"),
        Binding(("l",), "last", "move it to the back of the queue"),
        Binding(("t",), "retry", "retry its failed songs"),
        Binding(("g",), "go_on", "resume all unfinished orders"),
        Binding(("c",), "cancel", "cancel the order shown"),
        Binding(("a",), "cancel_all", "cancel all orders"),
        *_BACK,
    ),
    WISHES: (
        *(Binding((str(n % 10),), f"wish_{n}", "") for n in range(1, 11)),
        Binding(("u",), "usual", "clear all wishes"),
        Binding(("b", "escape", "enter"), "close_wishes", "back to the question"),
        *_EVERYWHERE,
    ),
    JUKEBOX: (
        Binding((" ", "p"), "pause", "pause, or play"),
        Binding(("n", ">"), "skip", "next song"),
        Binding(("<", ","), "previous", "restart the song; at its start, the previous song"),
        Binding(("right",), "seek_on", "5 seconds forward"),
        Binding(("left",), "seek_back", "5 seconds back"),
        Binding(("page up",), "leap_on", "30 seconds forward"),
        Binding(("page down",), "leap_back", "30 seconds back"),
        Binding(("+", "="), "louder", "louder"),
        Binding(("-",), "softer", "softer"),
        Binding(("s",), "shuffle", "shuffle: every song once"),
        Binding(("r",), "repeat", "repeat all, one, off"),
        *(
            Binding((str(n),), f"rate_{n}", "rate the song 0 to 5" if not n else "")
            for n in range(6)
        ),
        Binding(("d",), "drop", "remove the song from the queue"),
        Binding(("k",), "thumb_up", "thumb up"),
        Binding(("j",), "thumb_down", "thumb down"),
        Binding(("e",), "remove", "move the song to the bin"),
        Binding(("z",), "undo", "restore the song last moved there"),
        Binding(("/",), "search", "search: words, or style:chill rating>=4"),
        Binding(("l",), "ask_playlist", "play a playlist or the results of a search"),
        Binding(("i",), "about", "show the details of the song"),
        Binding(("m",), "more_like_this", "make more songs like this one"),
        Binding(("t",), "sleep", "sleep timer"),
        Binding(("v",), "toggle_spectrum", "show or hide the spectrum"),
        *_BACK,
    ),
    OPTIONS: (*(Binding((str(n % 10),), f"option_{n}", "") for n in range(1, 11)), *_BACK),
}

_KEY_LABELS = {" ": "Space", "page up": "PgUp", "page down": "PgDn", "escape": "Esc"}


def actions_by_key(screen: str) -> dict[str, str]:
    """Map each key of a screen to the method it calls."""
    return {key: binding.action for binding in BINDINGS[screen] for key in binding.keys}


def help_lines(screen: str) -> list[str]:
    """Lines of a screen's help page: keys and what they do."""
    rows = [
        (
            ", ".join(
                _KEY_LABELS.get(k, k.upper() if len(k) == 1 else k.capitalize())
                for k in binding.keys
            ),
            binding.description,
        )
        for binding in BINDINGS[screen]
        if binding.description
    ]
    rows = [("0-5", words) if words.startswith("rate") else (keys, words) for keys, words in rows]
    return [f"    {keys:<12} {words}" for keys, words in rows]
