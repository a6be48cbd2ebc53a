"""Layout of a form over the bars of a song."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from scripts.arranger.events import Section

# Section name -> (energy, bars or 0 for the whole part of the sheet, index of the part).
_SHAPES: dict[str, tuple[float, int, int]] = {
    "intro": (0.3, 4, 0),
    "verse": (0.55, 0, 0),
    "chorus": (0.8, 0, 1),
    "bridge": (0.45, 0, 2),
    "build": (0.65, 4, 0),
    "drop": (1.0, 0, 1),
    "solo": (0.7, 0, 2),
    "outro": (0.4, 4, 0),
}


def lay_out(names: Sequence[str], parts: Sequence[int], bars: int) -> tuple[Section, ...]:
    """Fit a form to exactly `bars` bars by repeating the sections between intro and outro.

    The same form can fill ten seconds or many hours. Left-over bars extend the outro or the last
    section.

    Parameters
    ----------
    names : sequence of str
        Section names.
    parts : sequence of int
        Bars of each part of the lead sheet.
    bars : int
        Bars of the song.
    """
    names = list(names) or ["verse"]
    intro = names.pop(0) if names[0] == "intro" and len(names) > 1 and bars >= 16 else ""
    outro = names.pop() if names[-1] == "outro" and len(names) > 1 and bars >= 20 else ""
    middle = [n for n in names if n not in ("intro", "outro")] or ["verse"]
    plan: list[tuple[str, int]] = [(intro, _preferred_bars(intro, parts))] if intro else []
    ending = _preferred_bars(outro, parts) if outro else 0
    room = bars - ending - sum(count for _, count in plan)
    for name in itertools.cycle(middle):
        count = min(_preferred_bars(name, parts), room)
        if count <= 0 or (count < 4 and plan):
            break  # prefer a longer last section to a fragment
        plan.append((name, count))
        room -= count
    plan[-1] = (_closing_section(plan[-1][0], middle), plan[-1][1])
    if outro:
        plan.append((outro, ending + room))
    else:
        name, count = plan.pop()
        plan.append((name, count + room))
    return _sections(plan, parts)


def _closing_section(name: str, middle: Sequence[str]) -> str:
    """Replace a bridge or build at the end by the form's strongest section."""
    if name not in ("bridge", "build"):
        return name
    return next((n for n in ("drop", "chorus", "verse") if n in middle), name)


def lay_out_exactly(names: Sequence[str], parts: Sequence[int], bars: int) -> tuple[Section, ...]:
    """Fit the user's own form to `bars` bars, keeping the sections and their order.

    Sections are shortened or lengthened. If the song is much longer than the form, everything
    but intro and outro is repeated; if it has fewer bars than sections, only the first sections
    are used.

    Parameters
    ----------
    names : sequence of str
        Section names.
    parts : sequence of int
        Bars of each part of the lead sheet.
    bars : int
        Bars of the song.
    """
    names = list(names)[:bars]
    head = names[:1] if names[0] == "intro" else []
    tail = names[-1:] if names[-1] == "outro" else []
    middle = names[len(head) : len(names) - len(tail)]
    if not middle and bars > len(names):
        middle = ["verse"]
    rest = sum(_preferred_bars(n, parts) for n in (*head, *tail))
    times = (
        max(1, round((bars - rest) / sum(_preferred_bars(n, parts) for n in middle)))
        if middle
        else 1
    )
    order = [*head, *middle * times, *tail]
    ends = list(itertools.accumulate(_preferred_bars(n, parts) for n in order))
    order = order[:bars]
    plan, start = [], 0
    for i, name in enumerate(order):
        still = len(order) - i - 1  # remaining sections, each at least a bar
        fair = round(ends[i] * bars / ends[-1])
        cut = min(bars - still, max(start + 1, fair)) if still else bars
        plan.append((name, cut - start))
        start = cut
    return _sections(plan, parts)


def lay_out_parts(names: Sequence[str], parts: Sequence[int], bars: int) -> tuple[Section, ...]:
    """Repeat all parts of the lead sheet in order until `bars` bars are filled.

    Parameters
    ----------
    names : sequence of str
        Section names, assigned to the parts in rotation; they set the energy.
    parts : sequence of int
        Bars of each part.
    bars : int
        Bars of the song.
    """
    shapes = [n for n in names if n not in ("intro", "outro")] or ["verse"]
    plan: list[tuple[str, int, int]] = []
    room = bars
    for index in itertools.count():
        count = min(parts[index % len(parts)], room)
        if count <= 0:
            break
        plan.append((shapes[index % len(shapes)], count, index % len(parts)))
        room -= count
    return _place_sections(plan)


def assign_chapters(
    sections: tuple[Section, ...], parts_per_chapter: int, chapters: int
) -> tuple[Section, ...]:
    """Assign the parts of a long piece's lead sheet to its chapters.

    The last two sections return to the first chapter.

    Parameters
    ----------
    parts_per_chapter : int
        Parts in a chapter.
    chapters : int
        Number of chapters.
    """
    if chapters < 2:
        return sections
    count = len(sections)
    return tuple(
        section
        if i >= count - 2
        else replace(section, part=section.part + parts_per_chapter * (i * chapters // count))
        for i, section in enumerate(sections)
    )


def _preferred_bars(name: str, parts: Sequence[int]) -> int:
    """Return the preferred length of a section in bars."""
    _, fixed, part = _SHAPES[name]
    return fixed or parts[part % len(parts)]


def _sections(plan: Sequence[tuple[str, int]], parts: Sequence[int]) -> tuple[Section, ...]:
    return _place_sections([(name, count, _SHAPES[name][2] % len(parts)) for name, count in plan])


def _place_sections(plan: Sequence[tuple[str, int, int]]) -> tuple[Section, ...]:
    """Place the sections one after another; energy rises slightly with each occurrence."""
    sections: list[Section] = []
    occurrences: Counter[str] = Counter()
    start = 0
    for name, count, part in plan:
        energy = _SHAPES[name][0]
        occurrence = occurrences[name]
        occurrences[name] += 1
        lift = min(0.12, 0.06 * occurrence) if name != "intro" else 0.0
        sections.append(Section(name, start, count, part, occurrence, min(1.0, energy + lift)))
        start += count
    return tuple(sections)
