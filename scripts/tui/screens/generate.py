"""Generate Music screen, with the progress of the orders, and its Wishes screen."""

from __future__ import annotations

from scripts.tui.layout import (
    FRAME_LINES,
    Size,
    build_frame,
    clip,
    fit_blocks,
    scroll_list,
    wrap_text,
)
from scripts.tui.screens.shared import (
    active_theme,
    input_lines,
    now_playing,
    order_lines,
    order_summaries,
    sheet_lines,
)
from scripts.tui.state import CONFIRM, OrderView, State
from scripts.tui.wish_table import ORDER_WISHES, WISHES, summarize_wishes

QUESTIONS = {
    "styles": "What kind of music are we making today? (Styles, separated, by, commas)",
    "songs": "How many songs should I generate?",
}
HINT = "    A sentence, or styles. Chill | Jazz are two orders; plan.csv is a job file."


_PAIRED = ("binaural", "loop", *ORDER_WISHES)  # wishes that share a line with another one


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
    wish_lines = [clip(f"Wishes: {wishes}", columns)] if wishes and (input_rows or before) else []
    is_asking = state.screen == CONFIRM or (state.field and state.field.name == "songs")
    plan = [row for line in state.plan for row in wrap_text(f"Llm-Music-Gen: {line}", columns)]
    plan = plan if is_asking else []
    selected = selected_order(state)
    progress = [
        row
        for line in (order_lines(selected, active_theme(state)) if selected else [])
        for row in (wrap_text(line, columns) if line.startswith("Llm") else [line])
    ]
    others = order_summaries([order for order in state.orders if order is not selected])
    messages = wrap_text(f"Llm-Music-Gen: {state.message}", columns) if state.message else []
    shown = (before, plan, input_rows, hint, wish_lines, progress, others, messages)
    used = sum(map(len, shown))
    is_idle = selected is None or (selected.endless and not selected.songs_in_progress)
    sheet = sheet_lines(selected, room - used, columns) if selected and not is_idle else []
    body = fit_blocks(
        [
            (4, before),
            (0, plan),
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


def wishes_screen(state: State, size: Size) -> list[str]:
    """Draw the wishes for the next songs, each with its key."""
    cells = {
        name: f"{wish.key.upper()}. {wish.label}: {_shown_wish(state, name)}"
        for name, wish in WISHES.items()
    }
    places: list[tuple[str, ...]] = [(name,) for name in cells if name not in _PAIRED]
    places += zip(_PAIRED[::2], _PAIRED[1::2], strict=True)
    half = max(8, size[0] // 2 - 4)
    rows = [
        clip("    " + "  ".join(f"{clip(cells[n], half):<{half}}" for n in names), size[0]).rstrip()
        if len(names) > 1
        else clip(f"    {cells[names[0]]}", size[0])
        for names in places
    ]
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
    if field and field.suggestions:
        dialog += [
            f"    {row}" for row in scroll_list(field.suggestions, field.selected, 5, size[0] - 4)
        ]
    fitting = max(0, room - len(dialog))  # the question matters more than the list
    first = 0
    if field and field.name.startswith("wish "):
        name = field.name.removeprefix("wish ")
        asked = next(n for n, names in enumerate(places) if name in names)
        first = min(max(0, asked - fitting + 1), max(0, len(rows) - fitting))
    body = [*rows[first : first + fitting], *dialog]
    footer = (
        "Type, then Enter; Cancel = Esc:"
        if field
        else "Selection; Keep = K, Load = L, As Usual = U, Back = B, Exit = X:"
    )
    return build_frame("Generate Music: Wishes", body, footer, size, active_theme(state), playing)


def _shown_wish(state: State, name: str) -> str:
    """A wish, what was understood in its place, or its default."""
    understood = state.understood.get(name)
    return (
        state.wishes.get(name)
        or (f"{understood} (as said)" if understood else "")
        or (WISHES[name].default)
    )


def _footer(state: State) -> str:
    if state.screen == CONFIRM:
        return "Selection; Start = Enter, Try = T, Edit = E, Reword = R, Back = Esc:"
    if state.field:
        more = (
            ", Endless = E, Wishes = W"
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
