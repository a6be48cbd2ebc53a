"""Effects between sections: risers, impacts, downers."""

from __future__ import annotations

from collections.abc import Sequence

from scripts.arranger.events import NoteEvent, Section

# Keys of the effects instrument.
_RISER, _DOWNER, _IMPACT, _REVERSE = 60, 61, 62, 63
_LOUDER, _SOFTER = 0.1, 0.2  # differences of energy that an effect announces
_IMPACT_TICKS = 96.0


def arrange_effects(form: Sequence[Section], index: int, full: int) -> list[NoteEvent]:
    """Arrange the effects of a section: risers before louder ones, impacts where they begin.

    Parameters
    ----------
    form : sequence of Section
    index : int
        Of the section.
    full : int
        Ticks of a bar.
    """
    section = form[index]
    start, end = section.start * full, (section.start + section.bars) * full
    following = form[index + 1] if index + 1 < len(form) else None
    out = []
    if following is not None and following.energy > section.energy + _LOUDER:
        is_reverse = section.name != "build" and section.occurrence % 2 == 1
        usual = 4 if section.name == "build" else 1 if is_reverse else 2
        ticks = float(min(section.bars, usual) * full)
        out.append(NoteEvent(end - ticks, ticks, _REVERSE if is_reverse else _RISER, 0.8))
    if index and section.energy > form[index - 1].energy + _LOUDER:
        out.append(NoteEvent(float(start), _IMPACT_TICKS, _IMPACT, 0.8))
    elif following is not None and following.energy < section.energy - _SOFTER:
        out.append(NoteEvent(float(end - full), float(full), _DOWNER, 0.6))
    return out
