"""Summary of a composition as text."""

from __future__ import annotations

from collections import Counter

from scripts.arranger.events import Arrangement
from scripts.composer.compose import Composition
from scripts.core.formatting import format_clock
from scripts.request.spec import SongSpec
from scripts.score.motif import format_pitch_name


def summarize(spec: SongSpec, composition: Composition, arrangement: Arrangement) -> str:
    """Describe title, styles, key, tempo, form, melody, rhythm, chords and instruments in lines."""
    sheet = composition.sheet
    chords = Counter(c.symbol(sheet.key) for bar in sheet.bars for _, c in bar.chords)
    pitches = sheet.pitches
    lengths = Counter(n.ticks for bar in sheet.bars for n in bar.notes if n.pitch is not None)
    common = _length_name(lengths.most_common(1)[0][0]) if lengths else "rest"
    names = [s.name for s in arrangement.form]
    shape = ", ".join(names if len(names) <= 14 else [*names[:10], "...", *names[-2:]])
    lines = [
        f"Title: {sheet.title}",
        f"Styles: {spec.requested_styles} (matched to {' + '.join(spec.styles)})",
        f"Key: {sheet.key}   Meter: {sheet.meter}   Tempo: {spec.tempo:g}   "
        f"Length: {format_clock(spec.length)}",
        f"Form: {shape}",
        f"Melody: {len(pitches)} notes in {len(sheet.bars)} bars, "
        f"{format_pitch_name(min(pitches))} to "
        f"{format_pitch_name(max(pitches))}"
        if pitches
        else "Melody: silent",
        f"Rhythm: mostly {common} notes"
        + (f", swung {spec.style.swing:.0%}" if spec.style.swing else ""),
        "Chords: " + " ".join(c for c, _ in chords.most_common(8)),
        "Instruments: "
        + ", ".join(f"{role} on {track.instrument}" for role, track in arrangement.tracks.items()),
    ]
    if len(spec.styles) > 1:
        gave: dict[str, list[str]] = {}
        for role, name in spec.style_by_role.items():
            gave.setdefault(name, []).append(role)
        lines.append(
            "Sounds by style: "
            + "; ".join(f"{name}: {', '.join(roles)}" for name, roles in gave.items())
        )
    if not composition.tries:
        lines.append(f"Notes by {composition.model}, from {composition.words_by}; seed {spec.seed}")
        return "\n".join(lines)
    lines.append(
        f"Written by {composition.model}, the best of {composition.tries}; "
        f"title and form by {composition.words_by}; seed {spec.seed}"
    )
    return "\n".join(lines)


def _length_name(ticks: int) -> str:
    return {
        6: "sixteenth",
        8: "triplet",
        12: "eighth",
        18: "dotted eighth",
        24: "quarter",
        36: "dotted quarter",
        48: "half",
        72: "dotted half",
        96: "whole",
    }.get(ticks, "long")
