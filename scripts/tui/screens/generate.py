"""Generate Music screen, with the progress of the orders, and its Wishes screen."""

from __future__ import annotations

from scripts.tui.layout import FRAME_LINES, Size, build_frame, clip, fit_blocks, wrap_text
from scripts.tui.screens.shared import (
    active_theme,
    input_lines,
    now_playing,
    order_lines,
    order_summaries,
    sheet_lines,
)
from scripts.tui.state import OrderView, State

QUESTIONS = {
    "styles": "What kind of music are we making today? (Styles, separated, by, commas)",
    "songs": "How many songs should I generate?",
}
HINT = "    Chill | Jazz are two orders; plan.csv is a job file."
# Wish -> label, input hint, and default when it is empty.
WISH_ROWS = {
    "length": ("Length", "minutes (3), a range (4-6) or hours (1:30)", "as in the options"),
    "key": ("Key", "such as F minor, D dorian", "as the style has it"),
    "tempo": ("Tempo", "quarter notes a minute, 20 to 300", "as the style has it"),
    "meter": ("Meter", "such as 4/4, 6/8, 7/8", "as the style has it"),
    "tuning": ("Tuning", "Hz of A4 (432), or 174 285 396 417 528 639 741 852 963", "440"),
    "form": ("Form", "such as intro verse chorus", "as the style has it"),
    "chords": ("Chords", "such as Fm Db Ab Eb", "as the model writes them"),
    "motif": ("Motif", "such as C4 E4 G4", "none"),
    "binaural": ("Binaural", "Hz between the ears, such as 6", "none"),
    "loop": ("Loop", "yes: the end joins the beginning", "no"),
}


def generate_screen(state: State, size: Size) -> list[str]:
    """Draw questions and answers, then the progress of the selected order."""
    playing = now_playing(state, size)
    columns, room = size[0], size[1] - FRAME_LINES - len(playing)
    before = [
        line
        for name, question in QUESTIONS.items()
        if name in state.answers
        for line in (
            *wrap_text(f"Llm-Music-Gen: {question}", columns),
            f"User Input: {state.answers[name]}",
        )
    ]
    input_rows = input_lines(state.field, columns, as_dialog=True) if state.field else []
    hint = (
        [clip(HINT, columns)]
        if state.field and state.field.name == "styles" and not state.field.text and not before
        else []
    )
    if state.field and state.field.suggestions:
        input_rows.append(clip("    Tab: " + ", ".join(state.field.suggestions), columns))
    wishes = summarize_wishes(state.wishes)
    wish_lines = [clip(f"With {wishes}", columns)] if wishes and (input_rows or before) else []
    selected = selected_order(state)
    progress = [
        row
        for line in (order_lines(selected, active_theme(state)) if selected else [])
        for row in (wrap_text(line, columns) if line.startswith("Llm") else [line])
    ]
    others = order_summaries([order for order in state.orders if order is not selected])
    messages = wrap_text(f"Llm-Music-Gen: {state.message}", columns) if state.message else []
    used = sum(map(len, (before, input_rows, hint, wish_lines, progress, others, messages)))
    sheet = sheet_lines(selected, room - used, columns) if selected else []
    body = fit_blocks(
        [
            (4, before),
            (0, input_rows),
            (7, hint),
            (6, wish_lines),
            (1, progress),
            (5, sheet),
            (3, others),
            (0, messages),
        ],
        room,
    )
    return build_frame("Generate Music", body, _footer(state), size, active_theme(state), playing)


def selected_order(state: State) -> OrderView | None:
    """Return the selected order, else the latest; None if there are no orders."""
    if not state.orders:
        return None
    return (
        state.orders[state.selected_index]
        if 0 <= state.selected_index < len(state.orders)
        else state.orders[-1]
    )


def summarize_wishes(wishes: dict[str, str]) -> str:
    """Summarize the wishes in one line."""
    return ", ".join(f"{WISH_ROWS[name][0].lower()} {value}" for name, value in wishes.items())


def wishes_screen(state: State, size: Size) -> list[str]:
    """Draw the wishes for the next songs, each with its key."""
    rows = []
    for n, (name, (label, _, default)) in enumerate(WISH_ROWS.items(), 1):
        rows.append(clip(f"    {n % 10}. {label}: {state.wishes.get(name) or default}", size[0]))
    field = state.field
    dialog = (
        input_lines(field, size[0])
        if field
        else wrap_text(f"    {state.message}", size[0])
        if state.message
        else []
    )
    dialog = ["", *dialog] if dialog else []
    playing = now_playing(state, size)
    room = size[1] - FRAME_LINES - len(playing)
    body = [*rows[: max(0, room - len(dialog))], *dialog]  # the question matters more than the list
    footer = (
        "Type, then Enter; Cancel = Esc:"
        if field
        else "Selection; Wish = 0-9, As Usual = U, Back = B, Exit Program = X:"
    )
    return build_frame("Generate Music: Wishes", body, footer, size, active_theme(state), playing)


def _footer(state: State) -> str:
    if state.field:
        more = (
            ", Wishes = W"
            if state.field.name == "songs"
            else ", Complete = Tab"
            if state.field.name == "styles"
            else ""
        )
        actionable = any(order.is_actionable for order in state.orders)
        return (
            f"Type, then Enter{more}; {'See the Orders' if actionable else 'Back to Main'} = Esc:"
        )
    unfinished = [order for order in state.orders if not order.done]
    selected = selected_order(state)
    pause = "Continue" if selected and selected.paused else "Pause"
    can_steer = unfinished and not (selected and selected.done and state.selected_index >= 0)
    cancel = f", {pause} = P, Cancel = C" if can_steer else ", Wishes = W"
    if selected and selected.done and selected.failed:
        cancel += ", Retry = T"
    cancel_all = ", All = A" if len(unfinished) > 1 else ""
    return f"Selection; More = M{cancel}{cancel_all}, Back = B, Exit = X:"
