"""Builds the specification of a song: what the user left open comes from the styles."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace

from scripts.core.errors import UsageError
from scripts.request.affect import energy_of, follow_feeling
from scripts.request.instrument_names import parse_excluded, parse_instruments
from scripts.request.orchestrate import orchestrate
from scripts.request.pace import pace_range
from scripts.request.parse import (
    check_binaural,
    is_scale,
    parse_chords,
    parse_energy,
    parse_form,
    parse_length,
    parse_requested_key,
)
from scripts.request.request import SongRequest
from scripts.request.spec import SongSpec, min_tail_seconds
from scripts.score.chords import Chord
from scripts.score.keys import Key, key_from_pc
from scripts.score.motif import find_motif_key, fit_motif, format_pitch_name, parse_motif
from scripts.score.time_signature import TimeSignature, parse_time_signature
from scripts.score.tuning import Tuning, find_tuning
from scripts.styles.blend import assign_roles, blend
from scripts.styles.lookup import find_styles
from scripts.styles.style import Style
from scripts.styles.variants import choose_form, choose_line_up


def build_spec(
    request: SongRequest,
    styles: Mapping[str, Style],
    seed: int,
    composed_meter: TimeSignature | None = None,
) -> SongSpec:
    """Build the specification of a song.

    Parameters
    ----------
    request : SongRequest
    styles : mapping of str to Style
        The available styles by name.
    seed : int
        Decides everything that the user left open.
    composed_meter : TimeSignature, optional
        Meter of a sheet that exists already; an earlier version may have chosen another one.

    Raises
    ------
    UsageError
        If an option is invalid, or the length is too short for two bars.
    """
    rng = random.Random(f"brief {seed}")
    match = find_styles(request.styles, styles)
    chosen = [styles[name] for name in match.names]
    style = blend(chosen)
    if request.feeling:
        style = follow_feeling(style, request.feeling)
    length = parse_length(request.length, rng)
    meter = _choose_meter(request, style, rng)
    meter = composed_meter or meter
    chords = parse_chords(request.chords) if request.chords else ()
    asked_motif = parse_motif(request.motif) if request.motif is not None else ()
    motif = fit_motif(asked_motif, style.melody.low, style.melody.high)
    key = _choose_key(request, style, chords, rng)
    if motif and not request.key and not chords:
        key = find_motif_key(motif, key.scale)
    tuning = _choose_tuning(request, key, chords)
    if tuning.pitch is not None and not (request.key or chords or motif):
        key = key_from_pc(tuning.pitch % 12, key.scale)
    form = parse_form(request.form) if request.form else choose_form(style.form, seed)
    warnings = list(match.warnings)
    if motif != asked_motif:
        names = " ".join(map(format_pitch_name, motif))
        warnings.append(f"the motif is moved into the range of this style's melodies: {names}")
    paced = style
    if request.pace and request.tempo is None:
        paced = replace(style, tempo=pace_range(request.pace, chosen, style))
    tempo = _choose_tempo(request.tempo, paced, meter, length, rng)
    if request.loop:
        tempo, length, note = _fit_loop(request.tempo, tempo, meter, length)
        warnings += [note] * bool(note)
        form = form if request.form else tuple(n for n in form if n not in ("intro", "outro"))
    bar_seconds = meter.bar_ticks / 24 * 60 / tempo
    if length - min_tail_seconds(length) < 2 * bar_seconds:
        raise UsageError(
            f"the length is too short for two bars of {meter} at {tempo:g} beats per minute "
            f"({2 * bar_seconds:.0f} s); choose a longer length or a faster tempo"
        )
    style, unassigned = _orchestrate(request, choose_line_up(style, seed))
    warnings += unassigned
    parts = _choose_parts(style, int(length / bar_seconds), length, len(chords), form)
    return SongSpec(
        requested_styles=" ".join(request.styles.split()),
        styles=match.names,
        style=style,
        style_by_role={r: n for r, n in assign_roles(chosen).items() if r in style.tracks},
        key=key,
        meter=meter,
        tempo=tempo,
        length=length,
        parts=parts,
        form=form,
        form_requested=request.form is not None,
        chords=chords,
        tuning=tuning,
        binaural=check_binaural(request.binaural),
        loop=request.loop,
        motif=motif,
        seed=seed,
        warnings=tuple(warnings),
        energy=_choose_energy(request),
        feeling=request.feeling,
        arousal=request.feeling.arousal if request.feeling and request.energy is None else None,
    )


def _choose_energy(request: SongRequest) -> float:
    if request.feeling and request.energy is None:
        return energy_of(request.feeling)
    return parse_energy(request.energy)


def _choose_meter(request: SongRequest, style: Style, rng: random.Random) -> TimeSignature:
    if request.meter:
        meter = parse_time_signature(request.meter)
        if meter is None or not 24 <= meter.bar_ticks <= 192:
            raise UsageError(
                f'invalid meter "{request.meter[:20]}": expected one such as 4/4, 3/4, 6/8 or 7/8'
            )
        return meter
    names = sorted(style.meters)
    name = rng.choices(names, [style.meters[n] for n in names])[0]
    found = parse_time_signature(name)
    assert found
    return found


def _choose_key(
    request: SongRequest, style: Style, chords: tuple[Chord, ...], rng: random.Random
) -> Key:
    names = sorted(style.scales)
    scale = rng.choices(names, [style.scales[n] for n in names])[0]
    tonic = rng.randrange(12)
    if request.key and is_scale(request.key):
        return key_from_pc(tonic, request.key.strip().lower())
    if not request.key:
        return estimate_key_from_chords(chords) if chords else key_from_pc(tonic, scale)
    return parse_requested_key(request.key)


def _orchestrate(request: SongRequest, style: Style) -> tuple[Style, tuple[str, ...]]:
    """Give the style the instruments that were asked for."""
    if not request.instruments and not request.without:
        return style, ()
    names, alone = parse_instruments(request.instruments) if request.instruments else ((), False)
    excluded = parse_excluded(request.without) if request.without else ()
    return orchestrate(style, names, alone, excluded)


def _choose_tuning(request: SongRequest, key: Key, chords: tuple[Chord, ...]) -> Tuning:
    """Tuning; a solfeggio frequency becomes a note of the first chord or the tonic triad."""
    if not (request.key or chords or request.motif):
        return find_tuning(request.tuning)
    home = chords[0] if chords else Chord(key.tonic_pc, "m" if key.is_minor else "")
    return find_tuning(request.tuning, home.pitch_classes)


def _fit_loop(
    requested_tempo: float | None, tempo: float, meter: TimeSignature, length: float
) -> tuple[float, float, str]:
    """Fit tempo or length to whole bars, keeping a requested tempo; also return a warning."""
    bar = meter.bar_ticks / 24 * 60
    bars = max(2, round(length * tempo / bar))
    if requested_tempo is None:
        return bars * bar / length, length, ""
    exact = bars * bar / tempo
    note = f"length changed to {exact:.2f} s so that the end joins the beginning at a bar line"
    return tempo, exact, note if abs(exact - length) > 0.01 else ""


def estimate_key_from_chords(chords: tuple[Chord, ...]) -> Key:
    """Estimate the major or minor key that contains most notes of the chords.

    A first or last chord on the tonic decides between related keys.
    """

    def fit(key: Key) -> float:
        inside = sum(pc in key.pitch_classes for c in chords for pc in c.pitch_classes)
        first, last = (
            c.root == key.tonic_pc and c.is_minor == key.is_minor for c in (chords[0], chords[-1])
        )
        return inside + 1.5 * first + 0.5 * last

    keys = [key_from_pc(pc, scale) for scale in ("major", "minor") for pc in range(12)]
    return max(keys, key=fit)


def _choose_tempo(
    requested_tempo: float | None,
    style: Style,
    meter: TimeSignature,
    length: float,
    rng: random.Random,
) -> float:
    if requested_tempo is not None:
        if not 20 <= requested_tempo <= 300:
            raise UsageError(
                f"tempo {requested_tempo:g} is out of range: expected 20 to 300 beats per minute"
            )
        return requested_tempo
    drawn = rng.uniform(*style.tempo)
    # Choose a nearby whole tempo whose bars leave the last chord the right time to ring.
    near = 0.012 if length >= 60 else 0.04
    low, high = max(20, int(drawn * (1 - near))), min(300, int(drawn * (1 + near)) + 1)
    options = [t for t in range(low, high + 1) if style.tempo[0] <= t <= style.tempo[1]] or [
        round(drawn)
    ]
    wanted = min_tail_seconds(length) + 0.6

    def ring(tempo: int) -> float:
        bar = meter.bar_ticks / 24 * 60 / tempo
        bars = int((length - min_tail_seconds(length)) / bar)
        return abs(length - bars * bar - wanted)

    right = [t for t in options if ring(t) <= 0.8]
    return float(rng.choice(right) if right else min(options, key=ring))


def _choose_parts(
    style: Style, bars: int, length: float, chords: int, form: tuple[str, ...]
) -> tuple[int, ...]:
    if chords:  # whole repeats of the user's progression
        size = chords * max(1, round(8 / chords))
        return (size, size) if size <= 16 and bars >= 2 * size else (size,)
    if bars < 8:
        return (4,)
    if style.parts:
        return style.parts
    if bars < 20:
        return (8,)
    has_third = length >= 300 or (length >= 60 and {"solo", "bridge"} & set(form))
    return (8, 8, 8) if has_third else (8, 8)
