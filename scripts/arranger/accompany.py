"""Chord, pad, bass and drum tracks of one section, from written patterns."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

from scripts.arranger.events import DRUM_KEYS, NoteEvent, Passage, Section, base_velocity
from scripts.arranger.patterns import STEP, VELOCITY, Step, parse_steps
from scripts.arranger.playing import Playing
from scripts.arranger.voicing import bass_note, power_chord, voice_chord
from scripts.score.chords import Chord
from scripts.score.time_signature import TimeSignature

# Semitones by which a repeated section is voiced higher or lower, by occurrence.
_REGISTERS = (0, 4, -3, 2, -5, 5)

_OCTAVE = 12
# Strength of the notes of an arpeggio: on a beat, on its half, elsewhere.
_ON_BEAT, _HALF_BEAT, _BETWEEN = 1.08, 0.76, 0.68
_DOWNBEAT, _BASS_BEAT, _BASS_OFF_BEAT = 1.0, 0.9, 0.78  # strength of the bass


def chord_at(bar: Sequence[tuple[int, Chord]], tick: int) -> Chord:
    """Return the chord that sounds at `tick` of a bar."""
    sounding = [c for t, c in bar if t <= tick]
    return sounding[-1] if sounding else bar[0][1]


def arrange_chords(
    passage: Passage,
    bars: Sequence[str],
    voicing_range: tuple[int, int],
    playing: Playing,
    rng: random.Random,
) -> list[NoteEvent]:
    """Arrange the chords of a section in the rhythm of a pattern; digits arpeggiate.

    A repeated section is voiced higher or lower. In repeats, and from the second phrase of a
    section on, weak strokes are occasionally dropped or moved so that bars differ.

    Parameters
    ----------
    passage : Passage
    bars : sequence of str
        One pattern string per bar, repeated as needed.
    voicing_range : (int, int)
        Lowest and highest MIDI pitch; a repeated section may lie lower.
    playing : Playing
        Whether to strike power chords, and to leave arpeggiated attacks to a strum.

    Returns
    -------
    list of NoteEvent
        In ticks from the start of the song.
    """
    section, meter = passage.section, passage.meter
    out: list[NoteEvent] = []
    voicing: tuple[int, ...] = ()
    shift = _REGISTERS[section.occurrence % len(_REGISTERS)]
    low, high = voicing_range[0] + shift, voicing_range[1] + min(0, shift)
    low = min(low, high - _OCTAVE)

    def voice(chord: Chord, before: tuple[int, ...]) -> tuple[int, ...]:
        return power_chord(chord) if playing.power else voice_chord(chord, before, low, high)

    for b, chords in enumerate(passage.harmony):
        at = (section.start + b) * meter.bar_ticks
        thin = section.energy < 0.5 and b % 2 and rng.random() < 0.3
        steps = _vary_strokes(parse_steps(bars[b % len(bars)]), section.occurrence + b // 4, rng)
        for step in steps:
            chord = chord_at(chords, step.start)
            voicing = voice(chord, voicing)
            if thin and step is not steps[0] and step.mark != "X":
                continue
            level = base_velocity(section.energy)
            if step.mark.isdigit():
                index = int(step.mark)
                tones = [*voicing, *(p + 12 for p in voicing)]
                pitch = tones[min(index, len(tones) - 1)]
                velocity = level * _accent(step.start, meter) * rng.uniform(0.9, 1.05)
                out.append(NoteEvent(at + step.start, step.ticks * 1.6, pitch, min(1.0, velocity)))
                continue
            strength = level * VELOCITY.get(step.mark, 0.8)
            # Ticks between the notes of a long chord.
            roll = 0.5 if step.ticks >= 36 and not playing.strum else 0.0
            for n, pitch in enumerate(voicing):
                out.append(
                    NoteEvent(
                        at + step.start + n * roll,
                        step.ticks * 0.95,
                        pitch,
                        min(1.0, strength * rng.uniform(0.92, 1.06)),
                    )
                )
            # Strike again where the chord changes during a sustained stroke.
            for tick, other in chords:
                if step.start < tick < step.start + step.ticks:
                    voicing = voice(other, voicing)
                    rest = step.start + step.ticks - tick
                    out += [NoteEvent(at + tick, rest * 0.95, p, strength * 0.9) for p in voicing]
    return out


def _accent(tick: int, meter: TimeSignature) -> float:
    """Strength of a note of an arpeggio by its place in the bar."""
    tick %= meter.bar_ticks  # some strokes anticipate their bar
    if tick in meter.beat_starts:
        return _ON_BEAT
    start = max(at for at in meter.beat_starts if at <= tick)
    return _HALF_BEAT if (tick - start) % (2 * STEP) == 0 else _BETWEEN


def _vary_strokes(steps: list[Step], variation: int, rng: random.Random) -> list[Step]:
    """Drop one weak stroke of a bar, or move it an eighth earlier, with some probability."""
    weak = [i for i, s in enumerate(steps) if s.start and s.mark != "X"]
    if not variation or len(steps) < 3 or not weak or rng.random() < 0.45:
        return steps
    i = rng.choice(weak)
    earlier = steps[i].start - 2 * STEP
    if rng.random() < 0.5 and all(abs(s.start - earlier) >= STEP for s in steps):
        moved = Step(earlier, steps[i].ticks, steps[i].mark)
        return sorted([*steps[:i], moved, *steps[i + 1 :]], key=lambda s: s.start)
    return steps[:i] + steps[i + 1 :]


def arrange_bass(
    passage: Passage,
    bars: Sequence[str],
    manners: Sequence[str],
    rng: random.Random,
) -> list[NoteEvent]:
    """Arrange the bass line of a section in the rhythm of a pattern.

    Parameters
    ----------
    passage : Passage
    bars : sequence of str
        One pattern string per bar, repeated as needed.
    manners : sequence of str
        Playing techniques to alternate between; the order repeats every two bars.

    Returns
    -------
    list of NoteEvent
        In ticks from the start of the song.
    """
    section, meter, harmony = passage.section, passage.meter, passage.harmony
    out: list[NoteEvent] = []
    order = rng.sample(list(manners), len(manners))
    for b, chords in enumerate(harmony):
        at = (section.start + b) * meter.bar_ticks
        following = harmony[b + 1][0][1] if b + 1 < len(harmony) else harmony[0][0][1]
        steps = parse_steps(bars[b % len(bars)])
        if b % 4 == 3:  # vary the end of each phrase
            steps = _vary_strokes(steps, section.occurrence + b // 4, rng)
        for n, step in enumerate(steps):
            chord = chord_at(chords, step.start)
            root = bass_note(chord)
            fifth = (
                7
                if 7 in chord.intervals
                else chord.intervals[-1]
                if len(chord.intervals) < 3
                else chord.intervals[2]
            )
            third = chord.intervals[1] if len(chord.intervals) > 2 else 7
            seventh = next((i for i in chord.intervals if i in (9, 10, 11)), 9)
            on_beat = step.start in passage.meter.beat_starts
            if step.mark == "w":
                target = bass_note(following)
                pitch = target + rng.choice((-1, 1, -2, 2)) if target != root else root + fifth
            else:
                pitch = root + {"5": fifth, "8": 12, "3": third, "7": seventh}.get(step.mark, 0)
            accent = _DOWNBEAT if step.start == 0 else _BASS_BEAT if on_beat else _BASS_OFF_BEAT
            out.append(
                NoteEvent(
                    at + step.start,
                    step.ticks * 0.92,
                    pitch,
                    min(
                        1.0,
                        (0.08 + base_velocity(section.energy)) * accent * rng.uniform(0.94, 1.05),
                    ),
                    order[(n + b % 2) % len(order)] if order else "",
                )
            )
    return out


def arrange_drum_pattern(
    section: Section,
    meter: TimeSignature,
    bars: Sequence[Mapping[str, str]],
    with_fills: bool,
    rng: random.Random,
) -> list[NoteEvent]:
    """Arrange the drums of a section from a written pattern, with ghost-note variation.

    Parameters
    ----------
    bars : sequence of mapping of str to str
        For each bar, a pattern string per piece of the kit; repeated as needed.
    with_fills : bool
        Whether to add a fill into the next section and a crash at the start.

    Returns
    -------
    list of NoteEvent
        In ticks from the start of the song.
    """
    out: list[NoteEvent] = []
    full = meter.bar_ticks
    sparse = section.energy < 0.45
    for b in range(section.bars):
        at = (section.start + b) * full
        lines = bars[b % len(bars)]
        last = b == section.bars - 1
        fill = with_fills and last and section.energy >= 0.5 and section.bars >= 4
        fill_from = full - meter.groups[-1] if fill else full
        for piece, line in lines.items():
            if piece == "crash" and b % 4:
                continue
            if sparse and piece in ("kick", "snare", "clap") and section.name == "intro":
                continue
            for step in parse_steps(line):
                if step.start >= fill_from and piece in ("snare", "hat", "clap"):
                    continue
                if step.mark == "o" and rng.random() < 0.25:
                    continue
                power = VELOCITY[step.mark] * (0.08 + base_velocity(section.energy))
                out.append(
                    NoteEvent(
                        at + step.start,
                        step.ticks,
                        DRUM_KEYS[piece],
                        min(1.0, power * rng.uniform(0.88, 1.08)),
                    )
                )
        if fill and ("snare" in lines or "clap" in lines or "tom" in lines):
            out += _drum_fill(at, fill_from, full, lines, rng)
    if with_fills and section.energy >= 0.6 and {"snare", "clap"} & bars[0].keys():
        out.append(
            NoteEvent(section.start * full, full, DRUM_KEYS["crash"], 0.5 + 0.35 * section.energy)
        )
    return out


def _drum_fill(
    at: int, start: int, end: int, lines: Mapping[str, str], rng: random.Random
) -> list[NoteEvent]:
    main = "snare" if "snare" in lines else "clap" if "clap" in lines else "tom"
    out = []
    for tick in range(start, end, 6):
        piece = main if rng.random() < 0.7 else "tom"
        rise = 0.5 + 0.4 * (tick - start) / max(end - start, 1)
        if rng.random() < 0.85:
            out.append(NoteEvent(at + tick, 6, DRUM_KEYS[piece], rise * rng.uniform(0.85, 1.0)))
    return out


def snare_roll(section: Section, full: int) -> list[NoteEvent]:
    """Build a snare roll over a section: quarters, then eighths, then sixteenths.

    `full` is the length of a bar in ticks.
    """
    out = []
    for b in range(section.bars):
        gap = 24 if b < section.bars / 2 else 12 if b < section.bars - 1 else 6
        for tick in range(0, full, gap):
            level = 0.25 + 0.5 * (b * full + tick) / (section.bars * full)
            out.append(NoteEvent((section.start + b) * full + tick, gap, DRUM_KEYS["snare"], level))
    return out
