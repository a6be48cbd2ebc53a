"""Generate Music screen, with the progress of the orders, and its Wishes screen."""

from __future__ import annotations

from scripts.tui.layout import MARGINS, Size, clip, fitted, fold, framed
from scripts.tui.screens.shared import (
    asked,
    brief_jobs,
    job_lines,
    look,
    now_playing,
    sheet_lines,
)
from scripts.tui.state import JobState, State

QUESTIONS = {
    "styles": "What kind of music are we making today? (Styles, separated, by, commas)",
    "songs": "How many songs should I generate?",
}
HINT = "    Chill | Jazz are two orders; plan.csv is a job file."
# Wish -> label, input hint, and default when it is empty.
WISHES = {
    "length": ("Length", "minutes (3), a range (4-6) or hours (1:30)", "as in the options"),
    "key": ("Key", "such as F minor, D dorian", "as the style has it"),
    "tempo": ("Tempo", "quarter notes a minute, 20 to 300", "as the style has it"),
    "meter": ("Metre", "such as 4/4, 6/8, 7/8", "as the style has it"),
    "tuning": ("Tuning", "Hz of A4 (432), or 174 285 396 417 528 639 741 852 963", "440"),
    "form": ("Form", "such as intro verse chorus", "as the style has it"),
    "chords": ("Chords", "such as Fm Db Ab Eb", "as the model writes them"),
    "motif": ("Motif", "such as C4 E4 G4", "none"),
    "binaural": ("Binaural", "Hz between the ears, such as 6", "none"),
    "loop": ("Loop", "yes: the end joins the beginning", "no"),
}


def generate(state: State, size: Size) -> list[str]:
    """Draw questions and answers, then the progress of the selected order."""
    playing = now_playing(state, size)
    columns, room = size[0], size[1] - MARGINS - len(playing)
    before = [
        line
        for name, question in QUESTIONS.items()
        if name in state.answers
        for line in (
            *fold(f"Llm-Music-Gen: {question}", columns),
            f"User Input: {state.answers[name]}",
        )
    ]
    typed = asked(state.field, columns, talks=True) if state.field else []
    hint = (
        [clip(HINT, columns)]
        if state.field and state.field.name == "styles" and not state.field.text and not before
        else []
    )
    if state.field and state.field.offers:
        typed.append(clip("    Tab: " + ", ".join(state.field.offers), columns))
    wishes = wish_words(state.wishes)
    asked_too = [clip(f"With {wishes}", columns)] if wishes and (typed or before) else []
    job = shown_job(state)
    done = [
        row
        for line in (job_lines(job, look(state)) if job else [])
        for row in (fold(line, columns) if line.startswith("Llm") else [line])
    ]
    others = brief_jobs([j for j in state.jobs if j is not job])
    said = fold(f"Llm-Music-Gen: {state.message}", columns) if state.message else []
    used = sum(map(len, (before, typed, hint, asked_too, done, others, said)))
    sheet = sheet_lines(job, room - used, columns) if job else []
    body = fitted(
        [
            (4, before),
            (0, typed),
            (7, hint),
            (6, asked_too),
            (1, done),
            (5, sheet),
            (3, others),
            (0, said),
        ],
        room,
    )
    return framed("Generate Music", body, _foot(state), size, look(state), playing)


def shown_job(state: State) -> JobState | None:
    """Return the selected order, else the latest; None if there are no orders."""
    if not state.jobs:
        return None
    return state.jobs[state.shown] if 0 <= state.shown < len(state.jobs) else state.jobs[-1]


def wish_words(wishes: dict[str, str]) -> str:
    """Summarize the wishes in one line."""
    return ", ".join(f"{WISHES[name][0].lower()} {value}" for name, value in wishes.items())


def wishes(state: State, size: Size) -> list[str]:
    """Draw the wishes for the next songs, each with its key."""
    rows = []
    for n, (name, (label, _, usual)) in enumerate(WISHES.items(), 1):
        rows.append(clip(f"    {n % 10}. {label}: {state.wishes.get(name) or usual}", size[0]))
    field = state.field
    talk = (
        asked(field, size[0])
        if field
        else fold(f"    {state.message}", size[0])
        if state.message
        else []
    )
    talk = ["", *talk] if talk else []
    playing = now_playing(state, size)
    room = size[1] - MARGINS - len(playing)
    body = [*rows[: max(0, room - len(talk))], *talk]  # the question matters more than the list
    foot = (
        "Type, then Enter; Cancel = Esc:"
        if field
        else "Selection; Wish = 0-9, As Usual = U, Back = B, Exit Program = X:"
    )
    return framed("Generate Music: Wishes", body, foot, size, look(state), playing)


def _foot(state: State) -> str:
    if state.field:
        more = (
            ", Wishes = W"
            if state.field.name == "songs"
            else ", Complete = Tab"
            if state.field.name == "styles"
            else ""
        )
        there = any(job.open for job in state.jobs)
        return f"Type, then Enter{more}; {'See the Orders' if there else 'Back to Main'} = Esc:"
    going = [j for j in state.jobs if not j.done]
    job = shown_job(state)
    pause = "Continue" if job and job.paused else "Pause"
    chosen = going and not (job and job.done and state.shown >= 0)
    cancel = f", {pause} = P, Cancel = C" if chosen else ", Wishes = W"
    if job and job.done and job.failures:
        cancel += ", Retry = T"
    every = ", All = A" if len(going) > 1 else ""
    return f"Selection; More = M{cancel}{every}, Back = B, Exit = X:"
