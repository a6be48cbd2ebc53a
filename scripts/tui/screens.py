"""Each screen as a pure function: (state, size) to lines."""

from __future__ import annotations

import textwrap

from scripts.progress import clock, percent_bar, time_bar
from scripts.settings import Settings
from scripts.theme import ASCII, THEMES, Theme
from scripts.tui.layout import clip, framed
from scripts.tui.state import GENERATE, JUKEBOX, MENU, OPTIONS, JobState, State

Size = tuple[int, int]

_STAGES = (("render", 'Rendering song number {n}...'),
           ("convert", "Converting song number {n} from Wav to Mp3..."))

OPTION_ROWS: tuple[tuple[str, str], ...] = (
    ("thread_fraction", "Thread Fraction"), ("temperature", "Temperature"), ("volume", "Volume"),
    ("model", "Model"), ("song_length", "Song Length"), ("auto_play", "Auto-Play After Convert"),
    ("output", "Output Device"), ("theme", "Theme"))


def draw(state: State, size: Size) -> list[str]:
    """The screen that `state` is on: exactly ``size[1]`` lines of at most ``size[0]`` columns."""
    if state.leaving:
        return framed("Exit", ["", "    Songs are still being made. Stop them and exit?"],
                      "Selection; Stop and Exit = Y, Stay = N:", size, look(state))
    return {MENU: main_menu, GENERATE: generate, JUKEBOX: jukebox,
            OPTIONS: options}[state.screen](state, size)


def look(state: State) -> Theme:
    """The characters that the user has chosen."""
    return THEMES[state.settings.theme]


def main_menu(state: State, size: Size) -> list[str]:
    """The main menu with what is there and what plays."""
    body = ["    1. Generate Music", "    2. Output Jukebox", "    3. Configure Options", "",
            f"    Song Length: {length_text(state.settings.song_length)}    "
            f"Model: {state.model or 'none'}",
            f"    Songs Made: {state.songs}, {clock(state.total_seconds)} in all"]
    if state.latest:
        body.append("    Latest: " + ", ".join(state.latest))
    body += ["", *now_playing(state), *brief_jobs(state.jobs)]
    if state.message:
        body += ["", *fold(f"    {state.message}", size[0])]
    return framed("Main Menu", body, "Selection; Menu Option = 1-3, Refresh = R, Exit Program = X:",
                  size, look(state))


def generate(state: State, size: Size) -> list[str]:
    """Questions and answers, then the progress of each song."""
    columns, lines = size
    body: list[str] = []
    for question, name in (("What kind of music are we making today? (Styles, separated, by, "
                            "commas)", "styles"),
                           ("How many songs should I generate?", "songs")):
        if name in state.answers:
            body += [f"Llm-Music-Gen: {question}", f"User Input: {state.answers[name]}"]
    if state.field:
        if state.field.problem:
            body.append(f"Llm-Music-Gen: {state.field.problem}")
        body += [f"Llm-Music-Gen: {state.field.question}", f"User Input: {state.field.text}_"]
    for job in state.jobs[-1:]:
        body += job_lines(job, look(state))
    if state.message:
        body.append(f"Llm-Music-Gen: {state.message}")
    body = [row for line in body for row in fold(line, columns)]
    room = lines - 6
    tail = now_playing(state)
    if len(body) + len(tail) + 1 <= room:
        body += [""] * (room - len(body) - len(tail)) + tail
    elif len(body) > room:
        body = body[-room:]
    if state.field:
        foot = "Type, then Enter; Back to Main = Esc:"
    elif any(not j.done for j in state.jobs):
        foot = "Selection; More Songs = M, Cancel = C, Back to Main = B, Exit Program = X:"
    else:
        foot = "Selection; More Songs = M, Back to Main = B, Exit Program = X:"
    return framed("Generate Music", body, foot, size, look(state))


def jukebox(state: State, size: Size) -> list[str]:
    """Songs played, the song playing, the next five."""
    now = state.playing
    body: list[str] = []
    if now is None or (now.song is None and not now.upcoming):
        body = ["There are no songs yet. Make some with 1. Generate Music; they join in here."]
        return framed("Output Jukebox", body, "Selection; Back to Main = B, Exit Program = X:",
                      size, look(state))
    if now.played:
        body += ["Played: " + clip(", ".join(reversed(now.played[-5:])), size[0] - 9), ""]
    if now.song:
        details = now.song.details
        body += [f"Playing song: {now.song.title}" + (" (paused)" if now.paused else ""),
                 time_bar(now.position, now.duration, look(state))]
        known = [str(details[k]) for k in ("asked", "key", "meter", "model") if details.get(k)]
        if isinstance(details.get("tempo"), (int, float)):
            known.insert(min(2, len(known)), f"{details['tempo']:g} bpm")
        if known:
            body.append("    " + ", ".join(known))
    else:
        body.append("Stopped. P plays.")
    body += ["", *wrap("Next 5 Songs: ", now.upcoming, size[0])]
    body += ["", "Keys: P pause, N or > next, < previous, + - volume"]
    if now.notice:
        body += ["", now.notice]
    body += ["", *brief_jobs(state.jobs)]
    if state.message:
        body.append(state.message)
    return framed("Output Jukebox", body,
                  "Selection; Back to Main = B, Exit Program = X:", size, look(state))


def options(state: State, size: Size) -> list[str]:
    """The settings, each with its number."""
    body = [f"    {n}. {label}: {option_text(state.settings, name)}"
            for n, (name, label) in enumerate(OPTION_ROWS, 1)]
    body.append("")
    if state.field:
        if state.field.problem:
            body += fold(f"    {state.field.problem}", size[0])
        body += [f"    {state.field.question}", f"    User Input: {state.field.text}_"]
    elif state.message:
        body += fold(f"    {state.message}", size[0])
    foot = "Type, then Enter; Cancel = Esc:" if state.field else \
        f"Selection; Option = 1-{len(OPTION_ROWS)}, Back to Main = B, Exit Program = X:"
    return framed("Configure Options", body, foot, size, look(state))


def length_text(length: str) -> str:
    """A song length with its unit."""
    return f"{length} h" if ":" in length else f"{length} min"


def option_text(settings: Settings, name: str) -> str:
    """A setting's value as a person reads it."""
    value = getattr(settings, name)
    if name == "volume":
        return f"{value:.0%}"
    if name == "thread_fraction":
        return f"{value:.2f} ({settings.threads} threads)"
    if name == "auto_play":
        return "yes" if value else "no"
    if name == "model":
        return value or "automatic"
    return f"{value:g}" if isinstance(value, float) else str(value)


def now_playing(state: State) -> list[str]:
    """Two lines about the song that sounds, none when it is quiet."""
    now = state.playing
    if now is None or now.song is None:
        return []
    return [f"Playing song: {now.song.title}" + (" (paused)" if now.paused else ""),
            time_bar(now.position, now.duration, look(state))]


def brief_jobs(jobs: list[JobState]) -> list[str]:
    """One line for each order that is not done."""
    return [f'Making "{job.styles}": song {job.number} of {job.songs}, '
            f"{stage_words(job)}" for job in jobs if not job.done]


def stage_words(job: JobState) -> str:
    """The stage an order is in, with its share done."""
    if job.stopping:
        return "stopping"
    for stage, words in (("convert", "converting"), ("render", "rendering"),
                         ("compose", "composing")):
        if stage in job.stages:
            return f"{words} {int(job.stages[stage] * 100)}%"
    return "starting"


def job_lines(job: JobState, theme: Theme = ASCII) -> list[str]:
    """An order's progress in the words of the original."""
    lines = [f"Llm-Music-Gen: {note}" for note in job.notes[:2]]
    if job.done:
        made = len(job.made)
        lines.append(f"Llm-Music-Gen: {made} of {job.songs} songs are done"
                     + (": " + ", ".join(job.made[-5:]) if made else ""))
    else:
        lines.append(f'Llm-Music-Gen: Producing "{job.styles}" themed song number {job.number}...')
        lines.append(percent_bar(job.stages.get("compose", 0.0), theme))
        if job.stages and "render" not in job.stages:
            row = job.text.rstrip("\n").rsplit("\n", 1)[-1]
            lines.append(f"    {row}")
        for stage, words in _STAGES:
            if stage in job.stages:
                lines.append("Llm-Music-Gen: " + words.format(n=job.number))
                lines.append(percent_bar(job.stages[stage], theme))
        if job.made:
            lines.append("Done so far: " + ", ".join(job.made[-5:]))
    lines += [f"Llm-Music-Gen: {reason}" for reason in job.failures[-2:]]
    return lines


def fold(line: str, columns: int) -> list[str]:
    """A line of talk over as many rows as it needs; progress bars stay whole."""
    return textwrap.wrap(line, max(columns - 1, 8), subsequent_indent="    ") or [""]


def wrap(label: str, titles: tuple[str, ...], columns: int) -> list[str]:
    """Titles after a label, over as many lines as they need."""
    lines, row = [], label
    for i, title in enumerate(titles):
        piece = title + (", " if i < len(titles) - 1 else "")
        if len(row) > len(label) and len(row) + len(piece) > columns:
            lines.append(row.rstrip())
            row = " " * len(label)
        row += piece
    return [*lines, row.rstrip()]
