"""Parts shared by screens: song playing, messages, text input, orders in progress."""

from __future__ import annotations

import math
from collections.abc import Sequence

from scripts.core.formatting import format_clock, format_duration, percent_bar, time_bar
from scripts.core.theme import ASCII, THEMES, Theme
from scripts.tui.layout import Size, clip, fold, question
from scripts.tui.state import Field, JobState, State

_ROOMY = 20  # window lines from which the song playing takes three instead of one
_STAGES = (
    ("render", "Rendering song number {n}..."),
    ("convert", "Converting song number {n} from Wav to Mp3..."),
)


def look(state: State) -> Theme:
    """Theme chosen in the settings."""
    return THEMES[state.settings.theme]


def now_playing(state: State, size: Size) -> list[str]:
    """Lines about the song playing for the end of a screen; none if there is no song."""
    now = state.playing
    if now is None or now.song is None:
        return []
    held = " (paused)" if now.paused else ""
    bar = time_bar(now.position, now.duration, look(state))
    if size[1] < _ROOMY:
        return [f"{bar}{held} {now.song.title}"]
    return ["", clip(f"Playing song: {now.song.title}", size[0] - len(held)) + held, bar]


def told(state: State, columns: int, before: str = "") -> list[str]:
    """Wrapped lines of the player's notice, the message and the library scan."""
    notice = state.playing.notice if state.playing else ""
    return [
        line
        for text in (notice, state.message, state.reading)
        if text
        for line in fold(before + text, columns)
    ]


def asked(field: Field, columns: int, talks: bool = False) -> list[str]:
    """Lines of a text input: as a dialog with the program (`talks`), or indented under a list."""
    speaker, margin = ("Llm-Music-Gen: ", "") if talks else ("    ", "    ")
    return question(field.problem, field.question, field.text, columns, speaker, margin)


def brief_jobs(jobs: Sequence[JobState]) -> list[str]:
    """One line for each unfinished order."""
    return [_brief(job) for job in jobs if not job.done]


def _brief(job: JobState) -> str:
    if job.paused and not job.going:
        failed = f", {job.failed} failed" if job.failed else ""
        return (
            f'Paused: "{job.styles}", {job.before + len(job.made)} of {job.songs} songs are '
            f"done{failed}"
        )
    return (
        f'Making "{job.styles}": song {job.number} of {job.songs}, '
        f"{stage_words(job)}{left_words(job)}"
    )


def stage_words(job: JobState) -> str:
    """Describe the stage of an order, with the percentage done."""
    if job.stopping:
        return "stopping"
    if job.paused:
        return f"pausing, {job.going} being finished" if job.going else "paused"
    if job.going > 1:
        return f"{job.going} being made"
    for stage, words in (
        ("convert", "converting"),
        ("render", "rendering"),
        ("compose", "composing"),
    ):
        if stage in job.stages:
            return f"{words} {int(job.stages[stage] * 100)}%"
    return "waiting" if job.made else "starting"


def left_words(job: JobState) -> str:
    """Describe the estimated time left, with a leading comma; "" while it is unknown."""
    if job.left is None or job.stopping:
        return ""
    return f", about {format_duration(job.left)} left"


def job_lines(job: JobState, theme: Theme = ASCII) -> list[str]:
    """Lines of an order's progress, without the lead sheet."""
    lines = [f"Llm-Music-Gen: {note}" for note in job.notes[-2:]]
    if job.done:
        made = len(job.made)
        lines.append(
            f"Llm-Music-Gen: {made + job.before} of {job.songs} songs are done"
            + (": " + ", ".join(job.made[-5:]) if made else "")
        )
    elif job.paused and not job.going:
        lines.append(
            f'Llm-Music-Gen: "{job.styles}" is paused, {len(job.made) + job.before} of '
            f"{job.songs} songs are done. P resumes it."
        )
    else:
        lines.append(f'Llm-Music-Gen: Producing "{job.styles}" themed song number {job.number}...')
        lines.append(percent_bar(job.stages.get("compose", 0.0), theme))
        for stage, words in _STAGES:
            if stage in job.stages:
                lines.append("Llm-Music-Gen: " + words.format(n=job.number))
                lines.append(percent_bar(job.stages[stage], theme))
        if job.stopping:
            lines.append("Llm-Music-Gen: Stopping...")
        elif job.left is not None:
            more = f", {job.going} are being made" if job.going > 1 else ""
            lines.append(
                f"Llm-Music-Gen: {len(job.made) + job.before} of {job.songs} songs are "
                f"done{more}{left_words(job)}"
            )
        if job.made:
            lines.append("Done so far: " + ", ".join(job.made[-5:]))
    lines += [f"Llm-Music-Gen: {reason}" for reason in job.failures[-2:]]
    return lines


def sheet_lines(job: JobState, rows: int, columns: int) -> list[str]:
    """Last `rows` lines of the lead sheet being composed."""
    if job.done or not job.text or "render" in job.stages or rows < 1:
        return []
    return ["    " + clip(row, columns - 5) for row in job.text.rstrip("\n").split("\n")[-rows:]]


def stars(rating: int) -> str:
    """Format a rating of 0 to 5 as stars: ``***--`` for 3."""
    return "*" * rating + "-" * (5 - rating)


def columns_of(levels: Sequence[float], rows: int, theme: Theme) -> list[str]:
    """Draw levels of 0 to 1 as vertical bars, `rows` lines high."""
    lines = []
    steps = len(theme.cells) - 1
    for row in reversed(range(rows)):
        cells = (min(1.0, max(0.0, level * rows - row)) for level in levels)
        lines.append("".join(2 * theme.cells[math.ceil(cell * steps)] + " " for cell in cells))
    return [f"    {line}".rstrip() for line in lines]


def length_text(length: str) -> str:
    """Format a song length with its unit: hours if it has a colon, else minutes."""
    return f"{length} h" if ":" in length else f"{length} min"


def sleep_text(seconds: float | None) -> str:
    """Format the time left on the sleep timer, or ``off``."""
    return "off" if seconds is None else format_clock(max(0.0, seconds))
