"""Lays a form out over the bars of a song."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from scripts.arranger.events import Section

# Section -> (energy, bars or 0 for the whole part of the sheet, index of the part).
_SHAPES: dict[str, tuple[float, int, int]] = {
    "intro": (0.3, 4, 0),
    "verse": (0.55, 0, 0),
    "chorus": (0.8, 0, 1),
    "bridge": (0.45, 0, 2),
    "build": (0.65, 4, 0),
    "drop": (1.0, 0, 1),
    "solo": (0.7, 0, 0),
    "outro": (0.4, 4, 0),
}


def lay_out(names: Sequence[str], parts: Sequence[int], bars: int) -> tuple[Section, ...]:
    """Sections of exactly `bars` bars in all.

    The sections between intro and outro are repeated as often as the length needs, so a form
    serves ten seconds and many hours; what is left over lengthens the outro or the last section.
    """
    names = list(names) or ["verse"]
    intro = names.pop(0) if names[0] == "intro" and len(names) > 1 and bars >= 16 else ""
    outro = names.pop() if names[-1] == "outro" and len(names) > 1 and bars >= 20 else ""
    middle = [n for n in names if n not in ("intro", "outro")] or ["verse"]
    plan: list[tuple[str, int]] = [(intro, _size(intro, parts))] if intro else []
    ending = _size(outro, parts) if outro else 0
    room = bars - ending - sum(count for _, count in plan)
    for name in itertools.cycle(middle):
        count = min(_size(name, parts), room)
        if count <= 0 or (count < 4 and plan):
            break  # better a longer last section than a torn one
        plan.append((name, count))
        room -= count
    plan[-1] = (_closing(plan[-1][0], middle), plan[-1][1])
    if outro:
        plan.append((outro, ending + room))
    else:
        name, count = plan.pop()
        plan.append((name, count + room))
    return _sections(plan, parts)


def _closing(name: str, middle: Sequence[str]) -> str:
    """What may come last: a bridge or a build leads on, so the song's strongest takes its place."""
    if name not in ("bridge", "build"):
        return name
    return next((n for n in ("drop", "chorus", "verse") if n in middle), name)


def lay_out_exactly(names: Sequence[str], parts: Sequence[int], bars: int) -> tuple[Section, ...]:
    """The user's own form: these sections in this order, shrunk or stretched to `bars`.

    A song much longer than the form plays it whole several times, with its intro and outro only
    at the ends; a song of fewer bars than sections keeps the first ones.
    """
    names = list(names)[:bars]
    head = names[:1] if names[0] == "intro" else []
    tail = names[-1:] if names[-1] == "outro" else []
    middle = names[len(head) : len(names) - len(tail)]
    if not middle and bars > len(names):
        middle = ["verse"]
    rest = sum(_size(n, parts) for n in (*head, *tail))
    times = max(1, round((bars - rest) / sum(_size(n, parts) for n in middle))) if middle else 1
    order = [*head, *middle * times, *tail]
    ends = list(itertools.accumulate(_size(n, parts) for n in order))
    order = order[:bars]
    plan, start = [], 0
    for i, name in enumerate(order):
        still = len(order) - i - 1  # sections to come, each at least a bar
        fair = round(ends[i] * bars / ends[-1])
        cut = min(bars - still, max(start + 1, fair)) if still else bars
        plan.append((name, cut - start))
        start = cut
    return _sections(plan, parts)


def as_written(names: Sequence[str], parts: Sequence[int], bars: int) -> tuple[Section, ...]:
    """Every part in its order, round after round, until `bars` are full.

    The parts take their names, and so their energy, from a form by turns.
    """
    shapes = [n for n in names if n not in ("intro", "outro")] or ["verse"]
    plan: list[tuple[str, int, int]] = []
    room = bars
    for turn in itertools.count():
        count = min(parts[turn % len(parts)], room)
        if count <= 0:
            break
        plan.append((shapes[turn % len(shapes)], count, turn % len(parts)))
        room -= count
    return _turned(plan)


def in_chapters(sections: tuple[Section, ...], each: int, chapters: int) -> tuple[Section, ...]:
    """Give every stretch of a long piece parts of its own, `each` to a chapter.

    The last sections come home to the first chapter.
    """
    if chapters < 2:
        return sections
    count = len(sections)
    return tuple(
        section
        if i >= count - 2
        else replace(section, part=section.part + each * (i * chapters // count))
        for i, section in enumerate(sections)
    )


def _size(name: str, parts: Sequence[int]) -> int:
    """Bars that a section likes to have."""
    _, fixed, part = _SHAPES[name]
    return fixed or parts[part % len(parts)]


def _sections(plan: Sequence[tuple[str, int]], parts: Sequence[int]) -> tuple[Section, ...]:
    return _turned([(name, count, _SHAPES[name][2] % len(parts)) for name, count in plan])


def _turned(plan: Sequence[tuple[str, int, int]]) -> tuple[Section, ...]:
    """Sections one after the other; a later turn of one has a little more energy."""
    sections: list[Section] = []
    turns: Counter[str] = Counter()
    start = 0
    for name, count, part in plan:
        energy = _SHAPES[name][0]
        turn = turns[name]
        turns[name] += 1
        lift = min(0.12, 0.06 * turn) if name != "intro" else 0.0
        sections.append(Section(name, start, count, part, turn, min(1.0, energy + lift)))
        start += count
    return tuple(sections)
