"""The ABC header that the starter model was trained to continue.

It is the model's whole prompt: tags, time signature, lengths of the parts, density of the melody
(``d``, notes per quarter times two, 1 to 9), variety of the harmony (``h``, different chords in
the tune, 1 to 9), chromaticism (``c``, 0 to 3), and the key.
"""

from __future__ import annotations

from scripts.score.sheet import LeadSheet, scale_share


def format_tune_header(
    tags: str,
    meter: str,
    parts: tuple[int, ...],
    density: int,
    harmony: int,
    chromatic: int,
    key: str,
) -> str:
    """Format the header, ending in a line feed after ``K:``.

    Parameters
    ----------
    tags : str
        Styles, separated by spaces.
    meter, key : str
        Values of the ABC fields ``M:`` and ``K:``.
    parts : tuple of int
        Bars of each part.
    density, harmony, chromatic : int
        1 to 9, 1 to 9 and 0 to 3; see the module's docstring.
    """
    lengths = "+".join(str(n) for n in parts)
    return (
        f"X:1\nR:{tags}\nM:{meter}\nL:1/8\n"
        f"N:{lengths} d{density} h{harmony} c{chromatic}\nK:{key}\n"
    )


def density_level(sheet: LeadSheet) -> int:
    """Melody notes per quarter times two, 1 to 9."""
    quarters = sum(bar.ticks for bar in sheet.bars) / 24
    return max(1, min(9, round(2 * len(sheet.pitches) / max(quarters, 1))))


def harmony_level(sheet: LeadSheet) -> int:
    """Number of different chords, 1 to 9."""
    return max(1, min(9, len({c for bar in sheet.bars for _, c in bar.chords})))


def chromatic_level(sheet: LeadSheet) -> int:
    """Share of notes outside the scale: 0 for none, 1 up to 5 %, 2 up to 12 %, 3 above."""
    outside = 1 - scale_share(sheet)
    return 0 if outside == 0 else 1 if outside <= 0.05 else 2 if outside <= 0.12 else 3


def build_tune_header(sheet: LeadSheet) -> str:
    """Build the training header of a finished sheet."""
    return format_tune_header(
        " ".join(sheet.styles),
        str(sheet.meter),
        tuple(len(p) for p in sheet.parts),
        density_level(sheet),
        harmony_level(sheet),
        chromatic_level(sheet),
        sheet.key.abc,
    )
