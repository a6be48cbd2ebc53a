"""Lays a form out over the bars of a song."""

from __future__ import annotations

from collections.abc import Sequence

from scripts.arranger.events import Section

# Section -> (energy, bars or 0 for the whole part of the sheet, index of the part).
_SHAPES: dict[str, tuple[float, int, int]] = {
    "intro": (0.3, 4, 0), "verse": (0.55, 0, 0), "chorus": (0.8, 0, 1), "bridge": (0.45, 0, 2),
    "build": (0.65, 4, 0), "drop": (1.0, 0, 1), "solo": (0.7, 0, 0), "outro": (0.4, 4, 0)}


def lay_out(names: Sequence[str], parts: Sequence[int], bars: int) -> tuple[Section, ...]:
    """Sections of exactly `bars` bars in all.

    The sections between intro and outro are repeated as often as the length needs, so a form
    serves ten seconds and many hours; what is left over lengthens the outro or the last section.
    """
    names = list(names) or ["verse"]
    intro = names.pop(0) if names[0] == "intro" and len(names) > 1 and bars >= 16 else ""
    outro = names.pop() if names[-1] == "outro" and len(names) > 1 and bars >= 20 else ""
    middle = [n for n in names if n not in ("intro", "outro")] or ["verse"]
    sections: list[Section] = []
    turns: dict[str, int] = {}

    def add(name: str, count: int) -> None:
        energy, _, part = _SHAPES[name]
        turn = turns.get(name, 0)
        turns[name] = turn + 1
        start = sections[-1].start + sections[-1].bars if sections else 0
        lift = min(0.12, 0.06 * turn) if name != "intro" else 0.0
        sections.append(Section(name, start, count, part % len(parts), turn,
                                min(1.0, energy + lift)))

    def size(name: str) -> int:
        _, fixed, part = _SHAPES[name]
        return fixed or parts[part % len(parts)]

    ending = size(outro) if outro else 0
    used = 0
    if intro:
        add(intro, size(intro))
        used = size(intro)
    room, i = bars - ending - used, 0
    while room > 0:
        name = middle[i % len(middle)]
        count = min(size(name), room)
        if count < 4 and sections and not outro:
            break
        if count < 4 and outro:
            break  # better a longer outro than a torn section
        add(name, count)
        room -= count
        i += 1
    if outro:
        add(outro, ending + max(room, 0))
    elif room > 0:
        last = sections.pop()
        turns[last.name] -= 1
        add(last.name, last.bars + room)
    return tuple(sections)
