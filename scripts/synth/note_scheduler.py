"""Schedules an arrangement's notes: renders them into the mixer's channels in time order."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from itertools import count

from scripts.arranger.events import Arrangement, NoteEvent, SectionEvents
from scripts.core.audio_format import RATE
from scripts.synth.bank import Bank, Note
from scripts.synth.mixer import Mixer

_KICKS = (35, 36)
_LOOKED_AT = 40  # sections that are scanned for note lengths
_EARLY = RATE // 10  # samples by which a note may start before its section


def samples_per_tick(arrangement: Arrangement) -> float:
    """Samples per tick (24 per quarter note) at the song's tempo."""
    return RATE * 60 / arrangement.tempo / 24


class Score:
    """Schedules notes block by block and reads sections only when they are needed.

    Parameters
    ----------
    arrangement : Arrangement
    bank : Bank
    lead : int
        Pre-roll in samples, in which the end of a loop sounds before its beginning; 0 for none.
    """

    def __init__(self, arrangement: Arrangement, bank: Bank, lead: int = 0) -> None:
        self._arrangement, self._bank = arrangement, bank
        self._sections: Iterator[SectionEvents] | None = arrangement.sections()
        self._known = 0.0  # samples; all notes that start before are queued
        self._waiting: list[tuple[int, int, str, NoteEvent]] = []
        self._numbers = count()
        self._per_tick = samples_per_tick(arrangement)
        if lead:
            self._wrap(lead)

    def _wrap(self, lead: int) -> None:
        """Queue the end of the loop in the pre-roll, too."""
        form, full = self._arrangement.form, self._arrangement.bar_ticks
        total = round(self._arrangement.length * RATE)
        for index in reversed(range(len(form))):
            if (form[index].start + form[index].bars) * full * self._per_tick < total - lead:
                break
            self._await(self._arrangement.section(index), total)

    def _await(self, section: SectionEvents, earlier: int) -> None:
        """Queue the notes of a section, `earlier` samples before their time."""
        for role, events in section.tracks.items():
            for event in events:
                heapq.heappush(
                    self._waiting,
                    (int(event.start * self._per_tick) - earlier, next(self._numbers), role, event),
                )

    def play(self, mixer: Mixer, start: int, end: int) -> int:
        """Add the notes that start before song sample `end` to their channels; return `end`."""
        while self._sections is not None and self._known < end + _EARLY:
            section = next(self._sections, None)
            if section is None:
                self._sections = None
                break
            self._await(section, 0)
            place = section.section
            self._known = (place.start + place.bars) * self._arrangement.bar_ticks * self._per_tick
        while self._waiting and self._waiting[0][0] < end:
            at, _, role, event = heapq.heappop(self._waiting)
            strike(self._arrangement, self._bank, mixer, role, event, at)
        return end


def seconds_of(arrangement: Arrangement, event: NoteEvent) -> float:
    """Duration of a note in seconds, at least 0.03."""
    return max(0.03, event.ticks / 24 * 60 / arrangement.tempo)


def note_of(arrangement: Arrangement, role: str, event: NoteEvent) -> Note:
    """Build the arguments with which :meth:`Bank.cut` renders a note."""
    return (
        arrangement.tracks[role].instrument,
        event,
        seconds_of(arrangement, event),
        int(event.start * 7) + event.pitch,
    )


def strike(
    arrangement: Arrangement, bank: Bank, mixer: Mixer, role: str, event: NoteEvent, at: int
) -> None:
    """Add one note to its channel at song sample `at`; kick drums also trigger the side-chain."""
    mixer.channels[role].add(at, bank.cut(*note_of(arrangement, role, event)))
    if role == "drums" and event.pitch in _KICKS:
        mixer.kick(at)


def sounding(
    arrangement: Arrangement, section: SectionEvents, start: int, count: int
) -> Iterator[tuple[str, NoteEvent, int]]:
    """Yield (role, note, offset in samples) of notes held within `count` samples from `start`."""
    per_tick = samples_per_tick(arrangement)
    for role, events in section.tracks.items():
        for event in events:
            at = int(event.start * per_tick) - start
            if at < count and at + event.ticks * per_tick > 0:
                yield role, event, at


def look_ahead(arrangement: Arrangement, bank: Bank) -> None:
    """Announce note lengths to the bank, so that each sound is rendered once and long enough."""
    for index in range(min(len(arrangement.form), _LOOKED_AT)):
        for role, events in arrangement.section(index).tracks.items():
            name = arrangement.tracks[role].instrument
            for event in events:
                bank.expect(name, event, seconds_of(arrangement, event))
