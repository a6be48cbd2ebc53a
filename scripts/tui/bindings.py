"""What each key does on each screen: one table, for the program and for its help."""

from __future__ import annotations

from typing import NamedTuple

from scripts.tui.state import GENERATE, JUKEBOX, MENU, OPTIONS, WISHES


class Binding(NamedTuple):
    """Keys by name, the method of the program they call, and what that does, in words."""

    keys: tuple[str, ...]
    action: str
    words: str


_EVERYWHERE = (Binding(("x",), "leave", "exit the program"), Binding(("?",), "help", "this page"))
_BACK = (Binding(("b", "escape"), "back", "back to the main menu"), *_EVERYWHERE)

BINDINGS: dict[str, tuple[Binding, ...]] = {
    MENU: (
        Binding(("1",), "open_generate", "generate music"),
        Binding(("2",), "open_jukebox", "the jukebox"),
        Binding(("3",), "open_options", "the options"),
        Binding(("r",), "refresh", "look at the disk again"),
        Binding(("g",), "go_on", "go on with unfinished orders"),
        Binding(("p", " "), "pause", "pause, or play"),
        Binding(("n", ">"), "skip", "next song"),
        *_EVERYWHERE,
    ),
    GENERATE: (
        Binding(("m",), "ask_styles", "make more songs"),
        Binding(("w",), "open_wishes", "key, tempo, length and other wishes"),
        Binding(("up",), "look_up", "look at the order before"),
        Binding(("down",), "look_down", "look at the next order"),
        Binding(("p",), "pause_order", "pause the order that is shown, or have it go on"),
        Binding(("f",), "first", "have it come before the others"),
        Binding(("l",), "last", "have it come behind the others"),
        Binding(("t",), "retry", "make its failed songs again"),
        Binding(("g",), "go_on", "go on with all unfinished orders"),
        Binding(("c",), "cancel", "cancel the order that is shown"),
        Binding(("a",), "cancel_all", "cancel all orders"),
        *_BACK,
    ),
    WISHES: (
        *(Binding((str(n % 10),), f"wish_{n}", "") for n in range(1, 11)),
        Binding(("u",), "usual", "take all wishes back"),
        Binding(("b", "escape", "enter"), "close_wishes", "back to the question"),
        *_EVERYWHERE,
    ),
    JUKEBOX: (
        Binding((" ", "p"), "pause", "pause, or play"),
        Binding(("n", ">"), "skip", "next song"),
        Binding(("<", ","), "previous", "begin again; at the beginning the song before"),
        Binding(("right",), "seek_on", "5 seconds on"),
        Binding(("left",), "seek_back", "5 seconds back"),
        Binding(("page up",), "leap_on", "30 seconds on"),
        Binding(("page down",), "leap_back", "30 seconds back"),
        Binding(("+", "="), "louder", "louder"),
        Binding(("-",), "softer", "softer"),
        Binding(("s",), "shuffle", "shuffle: every song once"),
        Binding(("r",), "repeat", "repeat all, one, off"),
        *(
            Binding((str(n),), f"rate_{n}", "rate the song 0 to 5" if not n else "")
            for n in range(6)
        ),
        Binding(("d",), "drop", "take the song out of the queue"),
        Binding(("k",), "thumb_up", "thumb up"),
        Binding(("j",), "thumb_down", "thumb down"),
        Binding(("e",), "remove", "move the song into the bin"),
        Binding(("z",), "undo", "bring back what was moved there last"),
        Binding(("/",), "search", "search: words, or style:chill rating>=4"),
        Binding(("l",), "ask_playlist", "listen to a playlist, or what a search finds"),
        Binding(("i",), "about", "what the song is made of"),
        Binding(("m",), "more_like_this", "make more songs like this one"),
        Binding(("t",), "sleep", "sleep timer"),
        Binding(("v",), "toggle_spectrum", "the spectrum on and off"),
        *_BACK,
    ),
    OPTIONS: (*(Binding((str(n % 10),), f"option_{n}", "") for n in range(1, 11)), *_BACK),
}

_NAMES = {" ": "Space", "page up": "PgUp", "page down": "PgDn", "escape": "Esc"}


def table_of(screen: str) -> dict[str, str]:
    """Key -> method of the program."""
    return {key: binding.action for binding in BINDINGS[screen] for key in binding.keys}


def help_lines(screen: str) -> list[str]:
    """The keys of a screen, in words."""
    rows = [
        (
            ", ".join(
                _NAMES.get(k, k.upper() if len(k) == 1 else k.capitalize()) for k in binding.keys
            ),
            binding.words,
        )
        for binding in BINDINGS[screen]
        if binding.words
    ]
    rows = [("0-5", words) if words.startswith("rate") else (keys, words) for keys, words in rows]
    return [f"    {keys:<12} {words}" for keys, words in rows]
