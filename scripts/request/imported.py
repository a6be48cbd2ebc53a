"""The song specification for an imported piece, which decides what the user leaves open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from scripts.core.errors import UsageError
from scripts.core.formatting import format_clock
from scripts.request.build import build_spec
from scripts.request.parse import MAX_LENGTH, parse_requested_key
from scripts.request.request import SongRequest
from scripts.request.spec import SongSpec
from scripts.score.chords import Chord
from scripts.score.keys import key_from_pc
from scripts.score.piece import (
    MAX_TEMPO,
    MAX_VOICES,
    MIN_TEMPO,
    Piece,
    transpose_piece,
    with_constant_tempo,
)
from scripts.score.piece_sheet import find_part_sizes
from scripts.score.time_signature import TimeSignature, parse_time_signature
from scripts.styles.style import Style

PLAIN_STYLE = "plain"  # the style that adds no tracks
_PLAIN_BASE_STYLE = "classical"  # style whose reverberation "plain" uses
_RING_SECONDS = 2.3  # seconds after the last bar


@dataclass(frozen=True)
class PieceSpec:
    """An imported piece prepared for arranging, and its song specification."""

    piece: Piece
    spec: SongSpec


def build_piece_spec(
    piece: Piece, request: SongRequest, styles: Mapping[str, Style], seed: int
) -> PieceSpec:
    """Build the song specification for an imported piece.

    The piece is played once if ``request.length`` is empty. A requested length becomes the nearest
    number of whole repeats, or cuts the piece after its first bars if it is shorter.

    Parameters
    ----------
    piece : Piece
    request : SongRequest
        Key and tempo, where given, transpose the piece and set a steady tempo.
    styles : mapping of str to Style
        The available styles by name.
    seed : int

    Raises
    ------
    UsageError
        If an option is invalid, a motif is requested, or the piece is longer than 24 hours.
    """
    if request.motif:
        raise UsageError("--motif cannot be used with a file of notes; leave out one of them")
    warnings = list(piece.warnings)
    plain = request.styles.strip().lower() == PLAIN_STYLE
    piece = _adapt_piece(piece, request, plain, warnings)
    tempo = request.tempo if request.tempo is not None else piece.tempo
    bar_seconds = piece.meter.bar_ticks / 24 * 60 / tempo if tempo else 0.0
    piece_seconds = piece.bar_count * bar_seconds
    if piece_seconds > MAX_LENGTH:
        raise UsageError(
            f"the piece lasts {piece_seconds / 3600:.0f} hours: at most 24 are possible"
        )
    piece_request = replace(
        request,
        styles=_PLAIN_BASE_STYLE if plain else request.styles,
        key=str(piece.key),
        meter=str(piece.meter),
        tempo=tempo,
        motif=None,
        loop=False,
        length=request.length or str(max(piece_seconds, 12.0, 3 * bar_seconds + 3) / 60),
    )
    spec = build_spec(piece_request, styles, seed)
    ring = 0.0 if request.loop else _RING_SECONDS
    seconds = spec.length - ring if request.length else piece_seconds
    bars = _fit_bars(seconds, piece.bar_count, bar_seconds, warnings)
    if spec.chords:
        piece = _with_chords(piece, spec.chords)
    spec = replace(
        spec,
        requested_styles=" ".join(request.styles.split()),
        key=piece.key,
        length=bars * bar_seconds + ring,
        requested_bars=bars,
        loop=request.loop,
        parts=tuple(find_part_sizes(piece)),
        warnings=(*spec.warnings, *warnings),
    )
    if plain:
        style = replace(spec.style, name=PLAIN_STYLE, tracks={}, swing=0.0)
        spec = replace(spec, styles=(PLAIN_STYLE,), style=style)
    return PieceSpec(piece, spec)


def _adapt_piece(piece: Piece, request: SongRequest, plain: bool, warnings: list[str]) -> Piece:
    """Transpose a piece, and give it the tempo and meter that it is played in."""
    is_out_of_range = (
        not MIN_TEMPO <= piece.tempo <= MAX_TEMPO or not 24 <= piece.meter.bar_ticks <= 192
    )
    if request.key:
        key = parse_requested_key(request.key)
        if key.is_minor != piece.key.is_minor:
            warnings.append(
                f"the piece stays in {piece.key.scale}: it is transposed to "
                f"{key.tonic} {piece.key.scale}"
            )
        piece = transpose_piece(piece, key_from_pc(key.tonic_pc, piece.key.scale))
    if len(piece.voices) > MAX_VOICES:
        warnings.append(
            f"playing the {MAX_VOICES} of its {len(piece.voices)} voices that have the most notes"
        )
    if (plain or is_out_of_range) and request.tempo is None:
        piece = with_constant_tempo(piece)  # every note keeps its start in seconds
    elif piece.tempos:
        warnings.append(
            f"the tempo changes of the file become a steady {request.tempo or piece.tempo:g}"
        )
    meter = _choose_meter(request, piece, warnings)
    part_starts = piece.part_starts if meter == piece.meter else ()
    return replace(piece, meter=meter, part_starts=part_starts)


def _with_chords(piece: Piece, chords: Sequence[Chord]) -> Piece:
    """Replace the chords of a piece by these, one per bar, repeated."""
    full = piece.meter.bar_ticks
    repeated = ((float(b * full), chords[b % len(chords)]) for b in range(piece.bar_count))
    return replace(piece, chords=tuple(repeated))


def _fit_bars(seconds: float, piece_bars: int, bar_seconds: float, warnings: list[str]) -> int:
    """Number of bars nearest to a time: whole repeats of the piece, or its first bars."""
    bars = seconds / bar_seconds + 0.01
    if bars >= piece_bars:
        rounds = round(bars / piece_bars)
        if abs(rounds * piece_bars - bars) * bar_seconds > 1:
            warnings.append(
                f"length changed to {format_clock(rounds * piece_bars * bar_seconds)} so that the "
                "piece is played in full"
            )
        return rounds * piece_bars
    warnings.append(f"only {max(1, int(bars))} of its {piece_bars} bars fit into the length")
    return max(1, int(bars))


def _choose_meter(request: SongRequest, piece: Piece, warnings: list[str]) -> TimeSignature:
    if request.meter:
        return (
            parse_time_signature(request.meter) or piece.meter
        )  # make_brief reports an invalid one
    if 24 <= piece.meter.bar_ticks <= 192:
        return piece.meter
    warnings.append(f"the meter {piece.meter} is not supported: bars are counted in 4/4")
    return TimeSignature(4, 4)
