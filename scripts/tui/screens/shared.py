"""Parts shared by screens: song playing, messages, text input, orders in progress."""

from __future__ import annotations

import math
from collections.abc import Sequence

from scripts.core.formatting import format_clock, format_duration, percent_bar, time_bar
from scripts.core.theme import ASCII, THEMES, Theme
from scripts.tui.layout import Size, clip, prompt_lines, wrap_text
from scripts.tui.line_editor import split_at_cursor
from scripts.tui.state import Field, OrderView, State

_TALL_WINDOW = 20  # window lines from which the song playing takes three instead of one
_STAGES = (
    ("render", "Rendering song number {n}..."),
    ("convert", "Converting song number {n} from Wav to Mp3..."),
)


def active_theme(state: State) -> Theme:
    """Theme chosen in the settings."""
    return THEMES[state.settings.theme]


def now_playing(state: State, size: Size) -> list[str]:
    """Lines about the song playing for the end of a screen; none if there is no song."""
    now = state.playing
    if now is None or now.song is None:
        return []
    paused = " (paused)" if now.paused else ""
    bar = time_bar(now.position, now.duration, active_theme(state), now.ready)
    if size[1] < _TALL_WINDOW:
        return [f"{bar}{paused} {now.song.title}"]
    return ["", clip(f"Playing song: {now.song.title}", size[0] - len(paused)) + paused, bar]


def message_lines(state: State, columns: int, indent: str = "") -> list[str]:
    """Wrapped lines of the player's notice, the message and the library scan."""
    notice = state.playing.notice if state.playing else ""
    return [
        line
        for text in (notice, state.message, state.scan_progress)
        if text
        for line in wrap_text(indent + text, columns)
    ]


def input_lines(field: Field, columns: int, as_dialog: bool = False) -> list[str]:
    """Lines of a text input: as a dialog (`as_dialog`), or indented under a list."""
    speaker, margin = ("Llm-Music-Gen: ", "") if as_dialog else ("    ", "    ")
    return prompt_lines(
        field.problem, field.question, split_at_cursor(field), columns, speaker, margin
    )


def order_summaries(orders: Sequence[OrderView]) -> list[str]:
    """One line for each unfinished order."""
    return [_summarize_order(order) for order in orders if not order.done]


def _summarize_order(order: OrderView) -> str:
    if order.paused and not order.songs_in_progress:
        failed = f", {order.failed} failed" if order.failed else ""
        return f'Paused: "{order.styles}", {order.finished_count} {order.total} are done{failed}'
    total = "" if order.endless else f" of {order.songs}"
    return (
        f'Making "{order.styles}": song {order.current_song}{total}, '
        f"{describe_stage(order)}{describe_time_left(order)}"
    )


def describe_stage(order: OrderView) -> str:
    """Describe the stage of an order, with the percentage done."""
    if order.stopping:
        return "stopping"
    if order.paused:
        return (
            f"pausing, {order.songs_in_progress} being finished"
            if order.songs_in_progress
            else "paused"
        )
    if order.songs_in_progress > 1:
        return f"{order.songs_in_progress} being made"
    for stage, label in (
        ("convert", "converting"),
        ("render", "rendering"),
        ("compose", "composing"),
    ):
        if stage in order.stages:
            return f"{label} {int(order.stages[stage] * 100)}%"
    return "waiting" if order.finished_titles else "starting"


def describe_time_left(order: OrderView) -> str:
    """Describe the estimated time left, with a leading comma; "" while it is unknown."""
    if order.seconds_left is None or order.stopping:
        return ""
    return f", about {format_duration(order.seconds_left)} left"


def order_lines(order: OrderView, theme: Theme = ASCII) -> list[str]:
    """Lines of an order's progress, without the lead sheet."""
    lines = [f"Llm-Music-Gen: {note}" for note in order.notices[-2:]]
    if order.done:
        titles = ", ".join(order.finished_titles[-5:])
        lines.append(
            f"Llm-Music-Gen: {order.finished_count} {order.total} are done"
            + (f": {titles}" if titles else "")
        )
    elif order.paused and not order.songs_in_progress:
        lines.append(
            f'Llm-Music-Gen: "{order.styles}" is paused, {order.finished_count} {order.total} '
            "are done. P resumes it."
        )
    elif order.endless and not order.songs_in_progress and order.finished_count:
        lines.append(
            f'Llm-Music-Gen: "{order.styles}": {order.finished_count} {order.total} are done; more '
            "are made as they are played"
        )
    else:
        lines.append(
            f'Llm-Music-Gen: Producing "{order.styles}" themed song number {order.current_song}...'
        )
        lines.append(percent_bar(order.stages.get("compose", 0.0), theme))
        for stage, label in _STAGES:
            if stage in order.stages:
                lines.append("Llm-Music-Gen: " + label.format(n=order.current_song))
                lines.append(percent_bar(order.stages[stage], theme))
        if order.stopping:
            lines.append("Llm-Music-Gen: Stopping...")
        elif order.seconds_left is not None or order.endless:
            more = (
                f", {order.songs_in_progress} are being made" if order.songs_in_progress > 1 else ""
            )
            lines.append(
                f"Llm-Music-Gen: {order.finished_count} {order.total} are "
                f"done{more}{describe_time_left(order)}"
            )
        if order.finished_titles:
            lines.append("Done so far: " + ", ".join(order.finished_titles[-5:]))
    lines += [f"Llm-Music-Gen: {reason}" for reason in order.failures[-2:]]
    return lines


def sheet_lines(order: OrderView, rows: int, columns: int) -> list[str]:
    """Last `rows` lines of the lead sheet being composed."""
    if order.done or not order.sheet_text or "render" in order.stages or rows < 1:
        return []
    return [
        "    " + clip(row, columns - 5) for row in order.sheet_text.rstrip("\n").split("\n")[-rows:]
    ]


def stars(rating: int) -> str:
    """Format a rating of 0 to 5 as stars: ``***--`` for 3."""
    return "*" * rating + "-" * (5 - rating)


def spectrum_lines(levels: Sequence[float], rows: int, theme: Theme) -> list[str]:
    """Draw levels of 0 to 1 as vertical bars, `rows` lines high."""
    lines = []
    steps = len(theme.levels) - 1
    for row in reversed(range(rows)):
        cells = (min(1.0, max(0.0, level * rows - row)) for level in levels)
        lines.append("".join(2 * theme.levels[math.ceil(cell * steps)] + " " for cell in cells))
    return [f"    {line}".rstrip() for line in lines]


def format_sleep_timer(seconds: float | None) -> str:
    """Format the time left on the sleep timer, or ``off``."""
    return "off" if seconds is None else format_clock(max(0.0, seconds))
