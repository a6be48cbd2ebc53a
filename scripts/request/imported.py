"""The song specification for an imported piece, which decides what the user leaves open."""

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

PLAIN = "plain"  # the style that adds no tracks
_BASE = "classical"  # style whose reverberation "plain" uses
_RING = 2.3  # seconds after the last bar


@dataclass(frozen=True)
class PieceBrief:
    """An imported piece prepared for arranging, and its song specification."""

    piece: Piece
    brief: Brief


def brief_for(piece: Piece, wishes: Wishes, known: Mapping[str, Style], seed: int) -> PieceBrief:
    """Build the song specification for an imported piece.

    The piece is played once if ``wishes.length`` is empty. A requested length becomes the nearest
    number of whole repeats, or cuts the piece after its first bars if it is shorter.

    Parameters
    ----------
    piece : Piece
    wishes : Wishes
        Key and tempo, where given, transpose the piece and set a steady tempo.
    known : mapping of str to Style
        The available styles by name.
    seed : int

    Raises
    ------
    UsageError
        If an option is invalid, a motif is requested, or the piece is longer than 24 hours.
    """
    if wishes.motif:
        raise UsageError("--motif cannot be used with a file of notes; leave out one of them")
    remarks = list(piece.remarks)
    plain = wishes.styles.strip().lower() == PLAIN
    odd = not SLOWEST <= piece.tempo <= QUICKEST or not 24 <= piece.meter.bar_ticks <= 192
    if wishes.key:
        key = asked_key(wishes.key)
        if key.is_minor != piece.key.is_minor:
            remarks.append(
                f"the piece stays in {piece.key.scale}: it is transposed to "
                f"{key.tonic} {piece.key.scale}"
            )
        piece = transposed(piece, key_from_pc(key.tonic_pc, piece.key.scale))
    if len(piece.voices) > MOST_VOICES:
        remarks.append(
            f"playing the {MOST_VOICES} of its {len(piece.voices)} voices that have the most notes"
        )
    if (plain or odd) and wishes.tempo is None:
        piece = steadied(piece)  # every note keeps its start in seconds
    elif piece.tempos:
        remarks.append(
            f"the tempo changes of the file become a steady {wishes.tempo or piece.tempo:g}"
        )
    meter = _meter(wishes, piece, remarks)
    piece = replace(piece, meter=meter, breaks=piece.breaks if meter == piece.meter else ())
    tempo = wishes.tempo if wishes.tempo is not None else piece.tempo
    bar_seconds = meter.bar_ticks / 24 * 60 / tempo if tempo else 0.0
    once = piece.bars * bar_seconds
    if once > LONGEST:
        raise UsageError(f"the piece lasts {once / 3600:.0f} hours: at most 24 are possible")
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
    """Number of bars nearest to a time: whole repeats of the piece, or its first bars."""
    bars = seconds / bar_seconds + 0.01
    if bars >= once:
        rounds = round(bars / once)
        if abs(rounds * once - bars) * bar_seconds > 1:
            remarks.append(
                f"length changed to {format_clock(rounds * once * bar_seconds)} so that the "
                "piece is played in full"
            )
        return rounds * once
    remarks.append(f"only {max(1, int(bars))} of its {once} bars fit into the length")
    return max(1, int(bars))


def _meter(wishes: Wishes, piece: Piece, remarks: list[str]) -> Meter:
    if wishes.meter:
        return parse_meter(wishes.meter) or piece.meter  # make_brief reports an invalid one
    if 24 <= piece.meter.bar_ticks <= 192:
        return piece.meter
    remarks.append(f"the meter {piece.meter} is not supported: bars are counted in 4/4")
    return Meter(4, 4)
