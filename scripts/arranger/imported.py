"""Arrangement of imported music: its notes stay unchanged, the style adds accompaniment."""

from __future__ import annotations

import bisect
import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path

from scripts.arranger.arrange import SongArrangement
from scripts.arranger.events import NoteEvent, Section, SectionEvents
from scripts.arranger.form import lay_out_parts
from scripts.arranger.tables import load_arranger_tables
from scripts.core.errors import UsageError
from scripts.core.toml import read_tables
from scripts.request.spec import SongSpec
from scripts.score.piece import MAX_VOICES, Piece, PieceNote, Voice
from scripts.score.piece_sheet import extract_lead_sheet, find_lead_voice
from scripts.styles.style import TrackStyle

_BASS_LIMIT = 47  # B2; a voice that is often below it counts as bass
_CHORD_POLYPHONY = 1.8  # mean simultaneous notes above the bass that count as chords
_PANS = (0.0, -0.25, 0.25, -0.45, 0.45, -0.1, 0.1)


@dataclass(frozen=True)
class ImportedArrangement(SongArrangement):
    """Arrangement of imported voices with accompaniment from the style.

    Parameters
    ----------
    voices : mapping of str to (TrackStyle, tuple of NoteEvent)
        Imported voices by track name.
    added_roles : tuple of str
        Roles that the style adds.
    is_played : bool
        Whether the voices were recorded from a performance. Their timing is then left as it is;
        otherwise off-beat eighths are swung as the style says.
    """

    voices: Mapping[str, tuple[TrackStyle, tuple[NoteEvent, ...]]]
    added_roles: tuple[str, ...]
    is_played: bool

    @cached_property
    def tracks(self) -> Mapping[str, TrackStyle]:
        own = super().tracks
        theirs = {name: track for name, (track, _) in self.voices.items()}
        return {**theirs, **{r: t for r, t in own.items() if r in (*self.added_roles, "tone")}}

    @property
    def _style_tracks(self) -> Mapping[str, TrackStyle]:
        return {r: t for r, t in self.tracks.items() if r in self.added_roles}

    @cached_property
    def form(self) -> tuple[Section, ...]:
        sizes = tuple(len(part) for part in self.sheet.parts)
        return lay_out_parts(self.spec.form, sizes, self.spec.bars)

    @cached_property
    def _starts(self) -> Mapping[str, list[float]]:
        return {name: [e.start for e in events] for name, (_, events) in self.voices.items()}

    def _build_section(self, index: int) -> SectionEvents:
        section = self.form[index]
        found: dict[str, tuple[NoteEvent, ...]] = {}
        if self.added_roles:
            around = super()._build_section(index).tracks
            found = {
                role: around[role]
                for role in around
                if role in self.tracks and role not in self.voices
            }
        elif self.spec.tuning.pitch is not None:
            tones: dict[str, list[NoteEvent]] = {}
            self._add_tone(index, tones)
            found = {role: tuple(events) for role, events in tones.items()}
        found |= {name: self._voice_events(name, section) for name in self.voices}
        return SectionEvents(section, found)

    def _voice_events(self, name: str, section: Section) -> tuple[NoteEvent, ...]:
        """Return the notes of a voice that start within a section."""
        events, starts = self.voices[name][1], self._starts[name]
        full = self.bar_ticks
        before = sum(len(part) for part in self.sheet.parts[: section.part]) * full
        low = bisect.bisect_left(starts, before)
        high = bisect.bisect_left(starts, before + section.bars * full)
        shift = section.start * full - before
        if self.is_played:
            return tuple(replace(e, start=e.start + shift) for e in events[low:high])
        return tuple(
            replace(e, start=self._swing_eighth(e.start + shift)) for e in events[low:high]
        )

    def _swing_eighth(self, start: float) -> float:
        """Swing an off-beat eighth as the style does; leave triplets and sixteenths."""
        return self._apply_swing(start) if abs(start % 24 - 12) < 0.5 else start

    def _ending(self, rng: random.Random) -> dict[str, list[NoteEvent]]:
        ending = super()._ending(rng)
        return {role: events for role, events in ending.items() if role in self.added_roles}


def arrange_piece(
    spec: SongSpec, piece: Piece, data: Path, octaves: Mapping[str, int]
) -> ImportedArrangement:
    """Arrange `piece` with accompaniment in the style of `spec`.

    A style without tracks adds nothing.

    Parameters
    ----------
    data : Path
        The program's data folder.
    octaves : mapping of str to int
        Octaves that each instrument sounds above its written pitch.
    """
    filled = _covered_roles(piece)
    style = spec.style
    added = tuple(r for r in style.tracks if r not in filled)
    tracks = _assign_tracks(piece, style.tracks, data)
    voices = {
        name: (
            track,
            _to_events(voice.notes, 0 if voice.is_kit else 12 * octaves.get(track.instrument, 0)),
        )
        for name, (track, voice) in tracks.items()
    }
    return ImportedArrangement(
        spec,
        extract_lead_sheet(piece),
        *load_arranger_tables(data),
        voices,
        added,
        piece.is_played,
    )


def _to_events(notes: tuple[PieceNote, ...], semitones: int) -> tuple[NoteEvent, ...]:
    return tuple(
        NoteEvent(n.start, n.ticks, max(0, n.pitch - semitones), n.velocity) for n in notes
    )


def _covered_roles(piece: Piece) -> set[str]:
    """Find the roles that the piece's own voices already fill."""
    filled = {"melody"}
    if any(v.is_kit for v in piece.voices):
        filled |= {"drums", "percussion"}
    notes = piece.notes
    end = max((n.start + n.ticks for n in notes), default=1.0)
    for voice in piece.voices:
        pitches = sorted(n.pitch for n in voice.notes)
        if not voice.is_kit and pitches[len(pitches) // 5] < _BASS_LIMIT:
            filled.add("bass")
    if sum(n.ticks for n in notes if n.pitch >= _BASS_LIMIT) / end >= _CHORD_POLYPHONY:
        filled |= {"chords", "arp"}
    return filled


def _assign_tracks(
    piece: Piece, style: Mapping[str, TrackStyle], data: Path
) -> dict[str, tuple[TrackStyle, Voice]]:
    """Choose tracks: the style's for melody, bass and drums, else by General MIDI program."""
    instruments, kit = load_programs(data / "general_midi.toml")
    lead = find_lead_voice(piece)
    found: dict[str, tuple[TrackStyle, Voice]] = {}
    voices = sorted(piece.voices, key=lambda v: (v is not lead, -len(v.notes)))[:MAX_VOICES]
    for voice in voices:
        role = (
            "drums"
            if voice.is_kit
            else "melody"
            if voice is lead
            else "bass"
            if max(n.pitch for n in voice.notes) < 60
            else ""
        )
        if role and role in style and role not in found:
            found[role] = (replace(style[role], manners=()), voice)
            continue
        name = role if role and role not in found else f"voice{len(found) + 1}"
        instrument = kit if voice.is_kit else instruments[voice.program or 0]
        track = TrackStyle(
            instrument,
            gain=-8.0 if voice is lead or voice.is_kit else -10.0,
            pan=0.0 if role else _PANS[len(found) % len(_PANS)],
            reverb=0.16,
        )
        found[name] = (track, voice)
    return found


@lru_cache(maxsize=4)
def load_programs(path: Path) -> tuple[tuple[str, ...], str]:
    """Read the instruments for the 128 General MIDI programs, and the drum kit.

    Raises
    ------
    UsageError
        When the file is invalid or does not list 128 programs.
    """
    tables, _ = read_tables(path)
    kit = str(tables.pop("kit", "acoustic kit"))
    found = tuple(str(name) for family in tables.values() for name in family)
    if len(found) != 128:
        raise UsageError(f"{path.name}: found {len(found)} programs; expected 128")
    return found, kit
