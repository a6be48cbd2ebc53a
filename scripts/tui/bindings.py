"""Key bindings of each screen, for dispatch and for the help page."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from scripts.tui.controllers.wishes import ask_wish, clear_wishes
from scripts.tui.state import CONFIRM, GENERATE, JUKEBOX, LIGHT, MENU, OPTIONS, WISHES
from scripts.tui.wish_table import WISHES as WISH_TABLE

if TYPE_CHECKING:
    from scripts.tui.app import App

_SHORT_SEEK, _LONG_SEEK = 5.0, 30.0  # seconds

Action = Callable[["App"], object]


class Binding(NamedTuple):
    """Keys by name, what they do, and its help text ("": not listed).

    `label` stands for the keys on the help page where they are many.
    """

    keys: tuple[str, ...]
    action: Action
    description: str
    label: str = ""


def _numbered(action: Callable[[App, int], object], first: int, last: int) -> tuple[Binding, ...]:
    """Bindings of the number keys, 0 standing for 10."""
    return tuple(
        Binding((str(n % 10),), partial(_with_number, action, n), "")
        for n in range(first, last + 1)
    )


def _with_number(action: Callable[[App, int], object], number: int, app: App) -> None:
    action(app, number)


def _ask_wish(name: str, app: App) -> None:
    ask_wish(app.state, name)


_EVERYWHERE = (
    Binding(("x",), lambda app: app.request_exit(), "exit the program"),
    Binding(("?",), lambda app: app.open_help(), "this page"),
)
_BACK = (
    Binding(("b", "escape"), lambda app: app.open_menu(), "back to the main menu"),
    *_EVERYWHERE,
)
_PLAYBACK = (
    Binding(("p", " "), lambda app: app.playback.toggle_pause(), "pause, or play"),
    Binding(("n", ">"), lambda app: app.playback.play_next(), "next song"),
)

_SEEKING = (
    Binding(
        ("<", ","),
        lambda app: app.playback.play_previous(),
        "restart the song; at its start, the previous song",
    ),
    Binding(("right",), lambda app: app.playback.seek_by(_SHORT_SEEK), "5 seconds forward"),
    Binding(("left",), lambda app: app.playback.seek_by(-_SHORT_SEEK), "5 seconds back"),
    Binding(("page up",), lambda app: app.playback.seek_by(_LONG_SEEK), "30 seconds forward"),
    Binding(("page down",), lambda app: app.playback.seek_by(-_LONG_SEEK), "30 seconds back"),
    Binding(("+", "="), lambda app: app.change_volume(1), "louder"),
    Binding(("-",), lambda app: app.change_volume(-1), "softer"),
)

BINDINGS: dict[str, tuple[Binding, ...]] = {
    MENU: (
        Binding(("1",), lambda app: app.open_generate(), "generate music"),
        Binding(("2",), lambda app: app.open_jukebox(), "the jukebox"),
        Binding(("3",), lambda app: app.open_options(), "the options"),
        Binding(("r",), lambda app: app.refresh(), "rescan the song folder"),
        Binding(("g",), lambda app: app.orders.resume_orders(), "resume unfinished orders"),
        *_PLAYBACK,
        *_EVERYWHERE,
    ),
    GENERATE: (
        Binding(("m",), lambda app: app.dialog.ask_styles(), "make more songs"),
        Binding(("w",), lambda app: app.open_wishes(), "key, tempo, length and other wishes"),
        Binding(("up",), lambda app: app.orders.select_order(-1), "show the previous order"),
        Binding(("down",), lambda app: app.orders.select_order(1), "show the next order"),
        Binding(
            ("p",),
            lambda app: app.orders.toggle_order_pause(),
            "pause or resume the order shown",
        ),
        Binding(
            ("f",), lambda app: app.orders.move_order_first(), "move it to the front of the queue"
        ),
        Binding(
            ("l",), lambda app: app.orders.move_order_last(), "move it to the back of the queue"
        ),
        Binding(("t",), lambda app: app.orders.retry_failed_songs(), "retry its failed songs"),
        Binding(("g",), lambda app: app.orders.resume_orders(), "resume all unfinished orders"),
        Binding(("c",), lambda app: app.orders.cancel_order(), "cancel the order shown"),
        Binding(("a",), lambda app: app.orders.cancel_all_orders(), "cancel all orders"),
        Binding(("z",), lambda app: app.orders.undo_cancel(), "continue what was cancelled last"),
        *_BACK,
    ),
    CONFIRM: (
        Binding(("enter",), lambda app: app.dialog.confirm_order(), "start"),
        Binding(("t",), lambda app: app.dialog.start_preview(), "hear the first 20 seconds"),
        Binding(("e", "w"), lambda app: app.dialog.edit_order(), "edit what was understood"),
        Binding(("r",), lambda app: app.dialog.reword_order(), "change the words"),
        Binding(("escape", "b"), lambda app: app.dialog.leave_order(), "back to the question"),
        *_EVERYWHERE,
    ),
    WISHES: (
        *(
            Binding((wish.key,), partial(_ask_wish, name), wish.label.lower())
            for name, wish in WISH_TABLE.items()
        ),
        Binding(("k",), lambda app: app.open_save_wishes(), "keep the wishes under a name"),
        Binding(("l",), lambda app: app.open_load_wishes(), "load wishes that were kept"),
        Binding(("u",), lambda app: clear_wishes(app.state), "clear all wishes"),
        Binding(("b", "escape", "enter"), lambda app: app.close_wishes(), "back to the question"),
        *_EVERYWHERE,
    ),
    JUKEBOX: (
        *_PLAYBACK,
        *_SEEKING,
        Binding(("s",), lambda app: app.playback.toggle_shuffle(), "shuffle: every song once"),
        Binding(("r",), lambda app: app.playback.cycle_repeat(), "repeat all, one, off"),
        Binding(("0",), lambda app: app.song_actions.rate(0), "rate the song 0 to 5", label="0-5"),
        *_numbered(lambda app, n: app.song_actions.rate(n), 1, 5),
        Binding(
            ("d",),
            lambda app: app.song_actions.remove_from_queue(),
            "remove the song from the queue",
        ),
        Binding(("k",), lambda app: app.song_actions.thumb_up(), "thumb up"),
        Binding(("j",), lambda app: app.song_actions.thumb_down(), "thumb down"),
        Binding(
            ("e",), lambda app: app.song_actions.move_song_to_bin(), "move the song to the bin"
        ),
        Binding(
            ("z",),
            lambda app: app.song_actions.undo(),
            "undo D, or restore the song last moved to the bin",
        ),
        Binding(
            ("/",),
            lambda app: app.selection.open_search(),
            "search: words, or style:chill rating>=4",
        ),
        Binding(
            ("l",),
            lambda app: app.selection.open_playlist_prompt(),
            "play a playlist or the results of a search",
        ),
        Binding(
            ("i",), lambda app: app.song_actions.open_song_details(), "show the details of the song"
        ),
        Binding(("m",), lambda app: app.order_similar_song(), "make more songs like this one"),
        Binding(("t",), lambda app: app.playback.cycle_sleep_timer(), "sleep timer"),
        Binding(("v",), lambda app: app.playback.toggle_spectrum(), "show or hide the spectrum"),
        Binding(("c",), lambda app: app.open_light(), "the light of the music"),
        *_BACK,
    ),
    LIGHT: (
        *_PLAYBACK,
        *_SEEKING,
        Binding(("c",), lambda app: app.cycle_lights(), "lights full, calm, off"),
        Binding(("b", "escape"), lambda app: app.close_light(), "back to the jukebox"),
        *_EVERYWHERE,
    ),
    OPTIONS: (*_numbered(lambda app, n: app.open_option(n), 1, 10), *_BACK),
}

_KEY_LABELS = {" ": "Space", "page up": "PgUp", "page down": "PgDn", "escape": "Esc"}


def actions_by_key(screen: str) -> dict[str, Action]:
    """Map each key of a screen to what it does."""
    return {key: binding.action for binding in BINDINGS[screen] for key in binding.keys}


def help_lines(screen: str) -> list[str]:
    """Lines of a screen's help page: keys and what they do."""
    return [
        f"    {binding.label or ', '.join(map(_label, binding.keys)):<12} {binding.description}"
        for binding in BINDINGS[screen]
        if binding.description
    ]


def _label(key: str) -> str:
    return _KEY_LABELS.get(key, key.upper() if len(key) == 1 else key.capitalize())
