"""Most frequent four-bar chord progressions by family of styles.

``data/progressions.toml`` lists them as Roman numerals with their counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from scripts.score.chords import Chord, parse_roman_numeral
from scripts.score.keys import Key
from scripts.score.piece import chord_weights, matches_key
from scripts.score.sheet import LeadSheet
from training.charts import read_billboard, read_progressions
from training.sources import read_chorales, read_folk_tunes, read_lieder, read_open_ewld

_BARS = 4
_MAX_PROGRESSIONS = 48  # progressions per family and mode
_NUMERALS = ("I", "II", "II", "III", "III", "IV", "IV", "V", "VI", "VI", "VII", "VII")
_FLAT = (1, 3, 8, 10)  # semitones above the tonic of lowered degrees in major
_HEADER = """# Four-bar chord progressions by family and mode: count, then Roman numerals.
# Written by `python -m training habits`; you can add and remove lines.
"""


def learn_habits(folder: Path, out: Path) -> dict[str, int]:
    """Count the progressions of the collections in `folder` and write the most frequent to `out`.

    Returns
    -------
    dict of str to int
        Progressions found by family and mode, such as ``jazz minor``.
    """
    families = {
        "pop": [*read_billboard(folder), *read_progressions(folder)],
        "jazz": [s for s in read_open_ewld(folder) if "jazz" in s.styles or "swing" in s.styles],
        "song": [s for s in read_open_ewld(folder) if "jazz" not in s.styles],
        "folk": list(read_folk_tunes()),
        "classical": [*read_chorales(), *read_lieder(folder)],
    }
    lines = [_HEADER]
    found = {}
    for family, sheets in families.items():
        lines.append(f"[{family}]")
        for mode in ("major", "minor"):
            counted = Counter(
                p for s in sheets if s.key.is_minor == (mode == "minor") for p in _phrases(s)
            )
            kept = [(n, p) for p, n in counted.most_common() if n > 1 and _identifies_key(p, mode)]
            # Prefer progressions with more different chords; static ones are frequent anyway.
            kept.sort(key=lambda found: -found[0] * {2: 0.4, 3: 1.0, 4: 1.5}[len(set(found[1]))])
            found[f"{family} {mode}"] = len(kept)
            lines.append(f"{mode} = [")
            lines += [f'    "{n} {" ".join(p)}",' for n, p in kept[:_MAX_PROGRESSIONS]]
            lines.append("]")
        lines.append("")
    out.write_text("\n".join(lines), encoding="utf-8")
    return found


def _phrases(sheet: LeadSheet) -> Iterator[tuple[str, ...]]:
    """Yield the four-bar phrases of a sheet as numerals, one a bar, if the chord changes."""
    for part in sheet.parts:
        held: Chord | None = None
        bars: list[str] = []
        for bar in part:
            held = bar.chords[0][1] if bar.chords else held
            bars.append(roman_numeral(held, sheet.key) if held else "")
        for i in range(0, len(bars) - _BARS + 1, _BARS):
            phrase = tuple(bars[i : i + _BARS])
            if "" not in phrase and len(set(phrase)) > 1:
                yield phrase


def roman_numeral(chord: Chord, key: Key) -> str:
    """Format a chord as a Roman numeral for :func:`scripts.score.chords.parse_roman_numeral`.

    Empty if the numeral would not be parsed as the same chord.
    """
    above = (chord.root - key.tonic_pc) % 12
    if key.is_minor:
        name = {
            0: "I",
            1: "bII",
            2: "II",
            3: "III",
            4: "#III",
            5: "IV",
            6: "bV",
            7: "V",
            8: "VI",
            9: "#VI",
            10: "VII",
            11: "#VII",
        }[above]
    else:
        name = ("b" if above in _FLAT else "#" if above == 6 else "") + _NUMERALS[above]
    low = chord.is_minor or chord.quality in ("dim", "dim7", "m7b5")
    sign, letters = (name[0], name[1:]) if name[0] in "b#" else ("", name)
    quality = chord.quality
    if low:
        letters = letters.lower()
        quality = {"m": "", "m7": "7", "m6": "6", "m9": "9"}.get(quality, quality)
    text = sign + letters + quality
    read = parse_roman_numeral(text, key)
    return text if read == chord else ""


def _identifies_key(phrase: Iterable[str], mode: str) -> bool:
    """Return whether the chords include the tonic and identify the key or its relative."""
    home = "i" if mode == "minor" else "I"
    if not any(name.rstrip("majdsu24679") == home for name in phrase):
        return False
    key = Key("A", "minor") if mode == "minor" else Key("C")
    chords = [c for c in (parse_roman_numeral(name, key) for name in phrase) if c]
    return matches_key(chord_weights((c, 1.0) for c in chords), key)
