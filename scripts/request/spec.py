"""The song request of a user, and the song specification derived from it before composing."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass

from scripts.core.errors import UsageError
from scripts.score.chords import Chord, parse_chord
from scripts.score.keys import Key, key_from_pc, parse_key
from scripts.score.motif import find_motif_key, parse_motif
from scripts.score.time_signature import TimeSignature, parse_time_signature
from scripts.score.tuning import CONCERT_PITCH, Tuning, find_tuning
from scripts.styles.blend import assign_roles, blend
from scripts.styles.lookup import find_styles
from scripts.styles.style import Style

MIN_LENGTH, MAX_LENGTH = 10.0, 24 * 3600.0
MAX_SONGS = 10_000
MAX_CHORDS = 32
CHAPTER_SECONDS = 15 * 60.0  # seconds of a long song that one lead sheet covers
MAX_CHAPTERS = 12
SECTIONS = ("intro", "verse", "chorus", "bridge", "build", "drop", "solo", "outro")


@dataclass(frozen=True)
class SongRequest:
    """The user's options for a song; None or empty leaves the choice to the style.

    Parameters
    ----------
    styles : str
        Words separated by commas (see :func:`find_styles`).
    length : str
        See :func:`parse_length`.
    key : str, optional
        For example ``F minor``.
    tempo : float, optional
        Quarter notes per minute, 20 to 300.
    meter : str, optional
        For example ``6/8``.
    tuning : float
        Frequency of A4 in Hz, or a solfeggio frequency (see :func:`find_tuning`).
    form : str, optional
        Section names, see :data:`SECTIONS`.
    chords : str, optional
        Up to 32 chord symbols, one per bar, which repeat.
    binaural : float
        Frequency difference between the ears in Hz, 0.5 to 40; 0 for none.
    loop : bool
        Whether the end joins the beginning.
    motif : str, optional
        Notes with which the melody begins, for example ``C4 E4 G4``.
    """

    styles: str
    length: str = "3"
    key: str | None = None
    tempo: float | None = None
    meter: str | None = None
    tuning: float = CONCERT_PITCH
    form: str | None = None
    chords: str | None = None
    binaural: float = 0.0
    loop: bool = False
    motif: str | None = None


@dataclass(frozen=True)
class SongSpec:
    """Specification of one song: everything decided before composing.

    Parameters
    ----------
    requested_styles : str
        The styles in the user's words.
    styles : tuple of str
        Names of the styles found for them.
    style : Style
        Blend of these styles.
    style_by_role : mapping of str to str
        Name of the style that provides each role.
    key : Key
    meter : Meter
    tempo : float
        Quarter notes per minute.
    length : float
        Seconds.
    parts : tuple of int
        Bars of each part of the lead sheet.
    form : tuple of str
        Section names.
    form_requested : bool
        Whether the user requested the form.
    chords : tuple of Chord
        Requested by the user, one per bar; may be empty.
    tuning : Tuning
    binaural : float
        Frequency difference between the tones for left and right ear in Hz; 0 for none.
    loop : bool
        Whether the end joins the beginning.
    motif : tuple of int
        MIDI pitches with which the melody begins; may be empty.
    seed : int
    warnings : tuple of str
        Guesses and changes that the user should know of.
    requested_bars : int
        Number of bars of an imported piece; 0 if the length decides.
    """

    requested_styles: str
    styles: tuple[str, ...]
    style: Style
    style_by_role: Mapping[str, str]
    key: Key
    meter: TimeSignature
    tempo: float
    length: float
    parts: tuple[int, ...]
    form: tuple[str, ...]
    form_requested: bool
    chords: tuple[Chord, ...]
    tuning: Tuning
    binaural: float
    loop: bool
    motif: tuple[int, ...]
    seed: int
    warnings: tuple[str, ...]
    requested_bars: int = 0

    @property
    def bar_seconds(self) -> float:
        return self.meter.bar_ticks / 24 * 60 / self.tempo

    @property
    def chapter_count(self) -> int:
        """Number of consecutive lead sheets in a song of this length, 1 to 12."""
        return max(1, min(MAX_CHAPTERS, round(self.length / CHAPTER_SECONDS)))

    @property
    def bars(self) -> int:
        """Number of whole bars; the last chord rings for the rest of the length."""
        if self.requested_bars:
            return self.requested_bars
        if self.loop:
            return round(self.length / self.bar_seconds)
        return max(2, int((self.length - _min_tail_seconds(self.length)) / self.bar_seconds))


def parse_length(text: str, rng: random.Random | None = None) -> float:
    """Parse a length.

    Parameters
    ----------
    text : str
        Minutes (``3``), a range of minutes (``4-6``) or hours and minutes (``1:30``).
    rng : Random, optional
        Draws the length from a range.

    Returns
    -------
    float
        Seconds.

    Raises
    ------
    UsageError
        If the text has another form or is outside 10 seconds to 24 hours.
    """
    text = text.strip()
    clock = re.fullmatch(r"(\d{1,2}):([0-5]\d)", text)
    span = re.fullmatch(r"(\d+(?:\.\d+)?)\s*-\s*(\d+(?:\.\d+)?)", text)
    if clock:
        seconds = int(clock[1]) * 3600.0 + int(clock[2]) * 60
    elif span:
        low, high = float(span[1]) * 60, float(span[2]) * 60
        _check_length(low, text)
        _check_length(high, text)
        seconds = float(round((rng or random.Random(0)).uniform(min(low, high), max(low, high))))
    elif re.fullmatch(r"\d+(?:\.\d+)?", text):
        seconds = float(text) * 60
    else:
        raise UsageError(
            f'invalid length "{text[:40]}": expected minutes (3), '
            "a range (4-6) or hours and minutes (1:30)"
        )
    return _check_length(seconds, text)


def _check_length(seconds: float, text: str) -> float:
    if not MIN_LENGTH - 0.01 <= seconds <= MAX_LENGTH:
        raise UsageError(
            f'length "{text[:40]}" is out of range: expected 10 seconds (0.17) to 24 hours (24:00)'
        )
    return seconds


def build_spec(request: SongRequest, styles: Mapping[str, Style], seed: int) -> SongSpec:
    """Build the specification of a song.

    Parameters
    ----------
    request : SongRequest
    styles : mapping of str to Style
        The available styles by name.
    seed : int
        Decides everything that the user left open.

    Raises
    ------
    UsageError
        If an option is invalid, or the length is too short for two bars.
    """
    rng = random.Random(f"brief {seed}")
    match = find_styles(request.styles, styles)
    chosen = [styles[name] for name in match.names]
    style = blend(chosen)
    length = parse_length(request.length, rng)
    meter = _choose_meter(request, style, rng)
    chords = _parse_chords(request.chords) if request.chords else ()
    motif = (
        parse_motif(request.motif, style.melody.low, style.melody.high)
        if request.motif is not None
        else ()
    )
    key = _choose_key(request, style, chords, rng)
    if motif and not request.key and not chords:
        key = find_motif_key(motif, key.scale)
    tuning = _choose_tuning(request, key, chords)
    if tuning.pitch is not None and not (request.key or chords or motif):
        key = key_from_pc(tuning.pitch % 12, key.scale)
    form = _parse_form(request.form) if request.form else style.form
    warnings = list(match.warnings)
    tempo = _choose_tempo(request.tempo, style, meter, length, rng)
    if request.loop:
        tempo, length, note = _fit_loop(request.tempo, tempo, meter, length)
        warnings += [note] * bool(note)
        form = form if request.form else tuple(n for n in form if n not in ("intro", "outro"))
    bar_seconds = meter.bar_ticks / 24 * 60 / tempo
    if length - _min_tail_seconds(length) < 2 * bar_seconds:
        raise UsageError(
            f"the length is too short for two bars of {meter} at {tempo:g} beats per minute "
            f"({2 * bar_seconds:.0f} s); choose a longer length or a faster tempo"
        )
    parts = _choose_parts(style, int(length / bar_seconds), length, len(chords))
    return SongSpec(
        requested_styles=" ".join(request.styles.split()),
        styles=match.names,
        style=style,
        style_by_role=assign_roles(chosen),
        key=key,
        meter=meter,
        tempo=tempo,
        length=length,
        parts=parts,
        form=form,
        form_requested=request.form is not None,
        chords=chords,
        tuning=tuning,
        binaural=_check_binaural(request.binaural),
        loop=request.loop,
        motif=motif,
        seed=seed,
        warnings=tuple(warnings),
    )


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
    if not request.key:
        return estimate_key_from_chords(chords) if chords else key_from_pc(tonic, scale)
    return parse_requested_key(request.key)


def parse_requested_key(text: str) -> Key:
    """Parse a key that the user requested, such as ``F minor``.

    Raises
    ------
    UsageError
        If it is not a key.
    """
    key = parse_key(text)
    if key is None:
        raise UsageError(
            f'invalid key "{text[:20]}": expected one such as "F minor", "C# dorian" or "Bb"'
        )
    return key


def _choose_tuning(request: SongRequest, key: Key, chords: tuple[Chord, ...]) -> Tuning:
    """Tuning; a solfeggio frequency becomes a note of the first chord or the tonic triad."""
    if not (request.key or chords or request.motif):
        return find_tuning(request.tuning)
    home = chords[0] if chords else Chord(key.tonic_pc, "m" if key.is_minor else "")
    return find_tuning(request.tuning, home.pitch_classes)


def _check_binaural(hertz: float) -> float:
    if hertz and not 0.5 <= hertz <= 40:
        raise UsageError(f"binaural {hertz:g} is out of range: expected 0 or 0.5 to 40 Hz")
    return hertz


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
    wanted = _min_tail_seconds(length) + 0.6

    def ring(tempo: int) -> float:
        bar = meter.bar_ticks / 24 * 60 / tempo
        bars = int((length - _min_tail_seconds(length)) / bar)
        return abs(length - bars * bar - wanted)

    right = [t for t in options if ring(t) <= 0.8]
    return float(rng.choice(right) if right else min(options, key=ring))


def _min_tail_seconds(length: float) -> float:
    """Least time in seconds for the last chord to ring after the last bar."""
    return 1.2 if length < 30 else 2.0


def _choose_parts(style: Style, bars: int, length: float, chords: int) -> tuple[int, ...]:
    if chords:  # whole repeats of the user's progression
        size = chords * max(1, round(8 / chords))
        return (size, size) if size <= 16 and bars >= 2 * size else (size,)
    if bars < 8:
        return (4,)
    if style.parts:
        return style.parts
    if bars < 20:
        return (8,)
    return (8, 8) if length < 300 else (8, 8, 8)


def _parse_form(text: str) -> tuple[str, ...]:
    names = tuple(text.lower().replace(",", " ").split())
    wrong = [n for n in names if n not in SECTIONS]
    if wrong or not names or len(names) > 40:
        raise UsageError(
            f'invalid section "{(wrong or ["nothing"])[0][:20]}" in the form: expected '
            + ", ".join(SECTIONS)
        )
    return names


def _parse_chords(text: str) -> tuple[Chord, ...]:
    names = text.replace(",", " ").replace("|", " ").split()
    found = []
    if len(names) > MAX_CHORDS:
        raise UsageError(
            f"too many chords ({len(names)}): at most {MAX_CHORDS} are possible, one per bar"
        )
    for name in names:
        chord = parse_chord(name)
        if chord is None:
            raise UsageError(
                f'invalid chord "{name[:20]}": expected one such as Fm, Db, Abmaj7 or C7'
            )
        found.append(chord)
    if not found:
        raise UsageError('no chords given; write chords such as "Fm Db Ab Eb"')
    return tuple(found)
