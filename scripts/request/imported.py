"""The brief for notes that somebody else wrote: theirs decide where the user wished nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from scripts.core.errors import UsageError
from scripts.core.formatting import format_clock
from scripts.request.spec import LONGEST, Brief, Wishes, asked_key, make_brief
from scripts.score.keys import key_from_pc
from scripts.score.piece import MOST_VOICES, QUICKEST, SLOWEST, Piece, steadied, transposed
from scripts.score.piece_sheet import part_sizes
from scripts.score.time_signature import Meter, parse_meter
from scripts.styles.style import Style

PLAIN = "plain"  # the style that adds nothing
_BASE = "classical"  # where plain has its room from
_RING = 2.3  # seconds after the last bar


@dataclass(frozen=True)
class PieceBrief:
    """A piece made ready, and what was decided about it."""

    piece: Piece
    brief: Brief


def brief_for(piece: Piece, wishes: Wishes, known: Mapping[str, Style], seed: int) -> PieceBrief:
    """Decide how `piece` is played.

    The length that was asked for becomes the nearest whole rounds of the piece, or its first bars
    where it is shorter than one; without a wish it is played once. An empty ``wishes.length``
    means no wish.

    Raises
    ------
    UsageError
        When a wish cannot be met.
    """
    if wishes.motif:
        raise UsageError("--motif begins a tune that a model writes; here the notes are the file's")
    remarks = list(piece.remarks)
    plain = wishes.styles.strip().lower() == PLAIN
    odd = not SLOWEST <= piece.tempo <= QUICKEST or not 24 <= piece.meter.bar_ticks <= 192
    if wishes.key:
        key = asked_key(wishes.key)
        if key.is_minor != piece.key.is_minor:
            remarks.append(
                f"the piece is in {piece.key.scale} and stays so: it is moved to "
                f"{key.tonic} {piece.key.scale}"
            )
        piece = transposed(piece, key_from_pc(key.tonic_pc, piece.key.scale))
    if len(piece.voices) > MOST_VOICES:
        remarks.append(
            f"{MOST_VOICES} of its {len(piece.voices)} voices are played, those with the most notes"
        )
    if (plain or odd) and wishes.tempo is None:
        piece = steadied(piece)  # every note at the second where it stood
    elif piece.tempos:
        remarks.append(
            f"the file's changing tempo is played at a steady {wishes.tempo or piece.tempo:g}"
        )
    meter = _meter(wishes, piece, remarks)
    piece = replace(piece, meter=meter, breaks=piece.breaks if meter == piece.meter else ())
    tempo = wishes.tempo if wishes.tempo is not None else piece.tempo
    bar_seconds = meter.bar_ticks / 24 * 60 / tempo if tempo else 0.0
    once = piece.bars * bar_seconds
    if once > LONGEST:
        raise UsageError(f"the piece lasts {once / 3600:.0f} hours; up to 24 can be made")
    asked = replace(
        wishes,
        styles=_BASE if plain else wishes.styles,
        key=str(piece.key),
        meter=str(meter),
        tempo=tempo,
        motif=None,
        loop=False,
        length=wishes.length or str(max(once, 12.0, 3 * bar_seconds + 3) / 60),
    )
    brief = make_brief(asked, known, seed)
    ring = 0.0 if wishes.loop else _RING
    bars = _bars(brief.length - ring if wishes.length else once, piece.bars, bar_seconds, remarks)
    style = brief.style
    if plain:
        style = replace(style, name=PLAIN, tracks={}, swing=0.0)
    if brief.chords:
        count = len(brief.chords)
        full = meter.bar_ticks
        piece = replace(
            piece,
            chords=tuple((float(b * full), brief.chords[b % count]) for b in range(piece.bars)),
        )
    return PieceBrief(
        piece,
        replace(
            brief,
            asked=" ".join(wishes.styles.split()),
            styles=(PLAIN,) if plain else brief.styles,
            style=style,
            key=piece.key,
            length=bars * bar_seconds + ring,
            bars_asked=bars,
            loop=wishes.loop,
            parts=tuple(part_sizes(piece)),
            notes=(*brief.notes, *remarks),
        ),
    )


def _bars(seconds: float, once: int, bar_seconds: float, remarks: list[str]) -> int:
    """Bars of the whole rounds that come nearest to a time; less than one round is cut."""
    bars = seconds / bar_seconds + 0.01
    if bars >= once:
        rounds = round(bars / once)
        if abs(rounds * once - bars) * bar_seconds > 1:
            remarks.append(
                f"{format_clock(rounds * once * bar_seconds)} long, so that the piece is "
                "played whole"
            )
        return rounds * once
    remarks.append(f"{max(1, int(bars))} of its {once} bars fit into the length")
    return max(1, int(bars))


def _meter(wishes: Wishes, piece: Piece, remarks: list[str]) -> Meter:
    if wishes.meter:
        return parse_meter(wishes.meter) or piece.meter  # make_brief tells what is wrong
    if 24 <= piece.meter.bar_ticks <= 192:
        return piece.meter
    remarks.append(f"bars of {piece.meter} are counted as 4/4")
    return Meter(4, 4)
