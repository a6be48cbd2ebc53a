"""Arrangement of a lead sheet section by section."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from scripts.arranger.accompany import (
    arrange_bass,
    arrange_chords,
    arrange_drum_pattern,
    snare_roll,
)
from scripts.arranger.density import suit_arousal
from scripts.arranger.drummer import arrange_drum_groove
from scripts.arranger.dynamics import apply_dynamics, choose_entrance, has_stop, swell
from scripts.arranger.endings import last_chord
from scripts.arranger.events import NoteEvent, Passage, Section, SectionEvents
from scripts.arranger.form import assign_chapters, lay_out, lay_out_exactly
from scripts.arranger.grooves import Groove
from scripts.arranger.melody import arrange_melody
from scripts.arranger.patterns import Patterns
from scripts.arranger.playing import PLAIN, Playing, play_lead, strum
from scripts.arranger.riff import arrange_riff
from scripts.arranger.roles import choose_pattern, is_resting, section_roles
from scripts.arranger.tables import load_arranger_tables
from scripts.arranger.timing import humanize, swing_tick
from scripts.arranger.transitions import arrange_effects
from scripts.arranger.voicing import voicing_range
from scripts.composer.riffs import RIFF
from scripts.request.spec import SongSpec
from scripts.score.chords import Chord
from scripts.score.sheet import Bar, LeadSheet
from scripts.score.tuning import frequency
from scripts.styles.mastering import Mastering
from scripts.styles.style import TrackStyle

_MIN_SECTION_ENERGY = 0.15  # of a section where low energy is asked for
# Track for a requested tuning frequency.
_TONE_TRACK = TrackStyle("pure tone", gain=-13.0, reverb=0.25)
_HUMANIZED_ROLES = ("drums", "percussion", "texture", "fx", "tone")  # already humanized
_CACHED_SECTIONS = 40  # sections to cache


@dataclass(frozen=True)
class SongArrangement:
    """Arrangement of a lead sheet whose sections are generated on demand.

    Parameters
    ----------
    spec : SongSpec
    sheet : LeadSheet
    patterns : Patterns
        Written rhythm patterns.
    grooves : mapping of str to Groove
        Drum grooves learned from recordings.
    playing : mapping of str to Playing
        How instruments are played, by name; those that are missing play plain notes.
    riff : tuple of Bar
        What tracks with the pattern ``riff`` repeat; may be empty.
    straight : bool
        Whether to leave out swing and random timing, as in written notation.
    """

    spec: SongSpec
    sheet: LeadSheet
    patterns: Patterns
    grooves: Mapping[str, Groove]
    playing: Mapping[str, Playing]
    straight: bool = field(default=False, kw_only=True)
    riff: tuple[Bar, ...] = field(default=(), kw_only=True)

    @property
    def tempo(self) -> float:
        return self.spec.tempo

    @property
    def length(self) -> float:
        return self.spec.length

    @property
    def tuning(self) -> float:
        return self.spec.tuning.a4

    @property
    def tonic(self) -> int:
        return self.sheet.key.tonic_pc

    @property
    def loop(self) -> bool:
        return self.spec.loop

    @property
    def binaural(self) -> tuple[float, float]:
        pitch = self.spec.tuning.pitch or 48 + self.sheet.key.tonic_pc
        while pitch > 60:
            pitch -= 12
        return self.spec.binaural, frequency(pitch, self.tuning)

    @property
    def room(self) -> float:
        return self.spec.style.room

    @property
    def mastering(self) -> Mastering:
        return self.spec.style.mastering

    @property
    def bar_ticks(self) -> int:
        return self.spec.meter.bar_ticks

    @cached_property
    def tracks(self) -> Mapping[str, TrackStyle]:
        tracks = self.spec.style.tracks
        if self.spec.tuning.pitch is None:
            return tracks
        return {"tone": _TONE_TRACK, **tracks}

    @cached_property
    def _style_tracks(self) -> Mapping[str, TrackStyle]:
        """Tracks to arrange from the style's patterns."""
        if self.spec.arousal is None:
            return self.tracks
        return suit_arousal(self.tracks, self.patterns, self.spec.meter, self.spec.arousal)

    @cached_property
    def form(self) -> tuple[Section, ...]:
        chapters = self.spec.chapter_count
        each = max(1, len(self.sheet.parts) // chapters)
        sizes = tuple(len(part) for part in self.sheet.parts[:each])
        fill = lay_out_exactly if self.spec.form_requested else lay_out
        sections = tuple(
            replace(section, energy=min(1.0, max(_MIN_SECTION_ENERGY, section.energy + shift)))
            if (shift := self.spec.energy)
            else section
            for section in fill(self.spec.form, sizes, self.spec.bars)
        )
        return assign_chapters(sections, each, len(self.sheet.parts) // each)

    @property
    def _verses_without_pad(self) -> int:
        """Number of verses without a pad: 2 in styles with prominent drums, else 1."""
        return 2 if self.spec.style.claims.get("drums", 0.0) >= 0.5 else 1

    @cached_property
    def _entrance(self) -> str:
        return choose_entrance(self.spec.style, self.spec.seed)

    @property
    def _tonic(self) -> Chord:
        key = self.sheet.key
        return Chord(key.tonic_pc, "m" if key.is_minor else "")

    def sections(self) -> Iterator[SectionEvents]:
        """Iterate over the sections in order."""
        return (self.section(index) for index in range(len(self.form)))

    def section(self, index: int) -> SectionEvents:
        """Return the notes of one section; the last one includes the final chord."""
        found = self._section_cache.pop(index, None) or self._build_section(index)
        self._section_cache[index] = found
        if len(self._section_cache) > _CACHED_SECTIONS:
            del self._section_cache[next(iter(self._section_cache))]
        return found

    @cached_property
    def _section_cache(self) -> dict[int, SectionEvents]:
        """Cache of recent sections: the soundcheck reads some before the song is rendered."""
        return {}

    def _build_section(self, index: int) -> SectionEvents:
        section = self.form[index]
        rng = random.Random(f"section {self.spec.seed} {index}")
        tracks = apply_dynamics(
            section,
            self._next_section(index),
            self.bar_ticks,
            self._section_tracks(index, rng),
            self._entrance,
            self.spec.style.ending,
            has_stop(self.spec.style, self._next_section(index), f"stop {self.spec.seed} {index}"),
        )
        if index == len(self.form) - 1 and not self.loop:
            for role, events in self._ending(rng).items():
                tracks[role] = tracks.get(role, []) + events
        self._add_tone(index, tracks)
        tracks = swell(section, self.bar_ticks, tracks, self.mastering.dynamics)
        played: dict[str, tuple[NoteEvent, ...]] = {}
        for role, events in tracks.items():
            if role not in _HUMANIZED_ROLES:
                events = self._play(role, events, rng)
            played[role] = tuple(sorted(events, key=lambda e: (e.start, e.pitch)))
        return SectionEvents(section, played)

    def _next_section(self, index: int) -> Section | None:
        """Return the section after `index`, or None after the last."""
        return self.form[index + 1] if index + 1 < len(self.form) else None

    def section_bars(self, section: Section) -> list[Bar]:
        """Return the bars of the lead sheet for a section, one per bar of the section."""
        part = self.sheet.parts[section.part]
        offset = len(part) - section.bars if section.name == "outro" else 0
        return [part[(offset + i) % len(part)] for i in range(section.bars)]

    def _chords(self, bar: Bar) -> tuple[tuple[int, Chord], ...]:
        return bar.chords or ((0, self._tonic),)

    def _section_tracks(self, index: int, rng: random.Random) -> dict[str, list[NoteEvent]]:
        section = self.form[index]
        meter, key = self.sheet.meter, self.sheet.key
        bars = self.section_bars(section)
        passage = Passage(section, meter, key, [self._chords(bar) for bar in bars])
        present = section_roles(section, tuple(self.tracks))
        tune = [note.pitch for bar in bars for note in bar.notes if note.pitch is not None]
        out: dict[str, list[NoteEvent]] = {}
        for role, track in self._style_tracks.items():
            if (
                role == "tone"
                or role not in present
                or (not track.featured and is_resting(role, section, self._verses_without_pad))
            ):
                continue
            names = [name for name in track.patterns if name != RIFF or self.riff]
            name = choose_pattern(names, section)
            if name == RIFF:
                power = self._playing(role).power
                out[role] = arrange_riff(passage, self.riff, role, power, track.manners, rng)
            elif role == "melody":
                top = self.spec.style.melody.high
                lead = arrange_melody(section, meter, key, bars, top, name, rng)
                out[role] = _move_octaves(lead, track)
            elif role in ("drums", "percussion"):
                out[role] = self._drums(section, role, name, rng)
            elif role == "bass":
                lines = self.patterns.bars("bass", name, meter)
                out[role] = arrange_bass(passage, lines, track.manners, rng)
            elif role == "texture":
                out[role] = [
                    NoteEvent(
                        float(section.start * meter.bar_ticks),
                        float(section.bars * meter.bar_ticks),
                        60,
                        0.7,
                    )
                ]
            elif role == "fx":
                out[role] = arrange_effects(self.form, index, meter.bar_ticks)
            else:
                lines = self.patterns.bars("chords", name, meter)
                out[role] = arrange_chords(
                    passage, lines, voicing_range(role, tune), self._playing(role), rng
                )
        return out

    def _playing(self, role: str) -> Playing:
        return self.playing.get(self.tracks[role].instrument, PLAIN)

    def _play(self, role: str, events: list[NoteEvent], rng: random.Random) -> list[NoteEvent]:
        """Play the notes of a role as its instrument is played, in human time."""
        # A requested frequency stays pure.
        if role == "melody" and not self.straight and self.spec.tuning.pitch is None:
            events = play_lead(events, self._playing(role), self.tempo, rng)
        playing = self._playing(role)
        if role == "chords" and playing.strum and not self.straight:
            # The hand is early or late, not each string.
            moved = {
                start: self._humanize(NoteEvent(start, 0.0, 0, 0.0), role, rng).start
                for start in sorted({event.start for event in events})
            }
            struck = [replace(event, start=moved[event.start]) for event in events]
            return strum(struck, playing, self.tempo, self.sheet.meter)
        return [self._humanize(event, role, rng) for event in events]

    def _drums(self, section: Section, role: str, name: str, rng: random.Random) -> list[NoteEvent]:
        """Arrange drums from a learned groove if the style names one, else from a pattern."""
        meter = self.sheet.meter
        if name in self.grooves:
            groove = self.grooves[name]
            return arrange_drum_groove(section, meter, groove, self.grooves, self.tempo, rng)
        found = arrange_drum_pattern(
            section, meter, self.patterns.drum_bars(name, meter), role == "drums", rng
        )
        if section.name == "build" and role == "drums":
            found += snare_roll(section, meter.bar_ticks)
        return [self._humanize(e, "drums", rng) for e in found]

    def _add_tone(self, index: int, tracks: dict[str, list[NoteEvent]]) -> None:
        """Add the requested tuning pitch as a sustained tone under every chord that contains it."""
        pitch = self.spec.tuning.pitch
        if pitch is None:
            return
        section, full = self.form[index], self.bar_ticks
        for b, bar in enumerate(self.section_bars(section)):
            chords = self._chords(bar)
            ends = [*(t for t, _ in chords[1:]), full]
            for (start, chord), end in zip(chords, ends, strict=True):
                if pitch % 12 in chord.pitch_classes:
                    tracks.setdefault("tone", []).append(
                        NoteEvent(
                            float((section.start + b) * full + start),
                            float(end - start),
                            pitch,
                            0.7,
                        )
                    )

    def _ending(self, rng: random.Random) -> dict[str, list[NoteEvent]]:
        """Build the last chord, on the downbeat after the last bar, sustained to the end."""
        spec = self.spec
        at = float(spec.bars * spec.meter.bar_ticks)
        seconds = spec.length - spec.bars * spec.bar_seconds
        ticks = max(6.0, (seconds - 0.5) * spec.tempo / 60 * 24)
        chords = [c for bar in self.sheet.bars for _, c in bar.chords]
        home = [c for c in chords if c.root == self._tonic.root]
        tonic = (home or chords or [self._tonic])[-1]
        power = "chords" in self.tracks and self._playing("chords").power
        found = last_chord(spec.style.ending, at, ticks, tonic, self.sheet.pitches, power, rng)
        return {
            role: _move_octaves(events, self.tracks[role])
            for role, events in found.items()
            if role in self.tracks
        }

    def _humanize(self, event: NoteEvent, role: str, rng: random.Random) -> NoteEvent:
        if self.straight:
            return event
        swung = replace(event, start=self._apply_swing(event.start))
        return humanize(swung, role, self.tempo, rng)

    def _apply_swing(self, start: float) -> float:
        """Map a tick of straight eighths to the style's swing."""
        swing = self.spec.style.swing
        if not swing or self.straight or self.sheet.meter.is_compound:
            return start
        return swing_tick(start, swing)


def _move_octaves(events: Iterable[NoteEvent], track: TrackStyle) -> list[NoteEvent]:
    """Move notes into the range of a track's instrument."""
    return [replace(event, pitch=event.pitch + 12 * track.octave) for event in events]


def arrange(
    spec: SongSpec, sheet: LeadSheet, data: Path, riff: LeadSheet | None = None
) -> SongArrangement:
    """Arrange `sheet` for `spec` with the patterns and grooves in the folder `data`.

    Without a `riff`, tracks that would play it play their other patterns.
    """
    return SongArrangement(
        spec,
        sheet,
        *load_arranger_tables(data),
        riff=riff.bars if riff else (),
    )
