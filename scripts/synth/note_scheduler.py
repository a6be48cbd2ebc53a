"""Plays an arrangement's notes into the mixer's channels, in time."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from itertools import count

from scripts.arranger.events import Arrangement, NoteEvent, SectionEvents
from scripts.core.audio_format import RATE
from scripts.synth.bank import Bank, Note
from scripts.synth.mixer import Mixer

_KICKS = (35, 36)
_LOOKED_AT = 40  # sections
_EARLY = RATE // 10  # a note may start so much before the bar line it belongs to


def samples_per_tick(arrangement: Arrangement) -> float:
    """Samples of a tick at the song's tempo."""
    return RATE * 60 / arrangement.tempo / 24


class Score:
    """Reads an arrangement section by section, only as far as the next block needs.

    Parameters
    ----------
    arrangement : Arrangement
    bank : Bank
    lead : int
        Samples before the beginning in which the end of a loop is played.
    """

    def __init__(self, arrangement: Arrangement, bank: Bank, lead: int = 0) -> None:
        self._arrangement, self._bank = arrangement, bank
        self._sections: Iterator[SectionEvents] | None = arrangement.sections()
        self._known = 0.0  # samples; all notes that start before are waiting
        self._waiting: list[tuple[int, int, str, NoteEvent]] = []
        self._numbers = count()
        self._per_tick = samples_per_tick(arrangement)
        if lead:
            self._wrap(lead)

    def _wrap(self, lead: int) -> None:
        """Have what sounds at the end sound before the beginning too."""
        form, full = self._arrangement.form, self._arrangement.bar_ticks
        total = round(self._arrangement.length * RATE)
        for index in reversed(range(len(form))):
            if (form[index].start + form[index].bars) * full * self._per_tick < total - lead:
                break
            self._await(self._arrangement.section(index), total)

    def _await(self, section: SectionEvents, earlier: int) -> None:
        for role, events in section.tracks.items():
            for event in events:
                heapq.heappush(
                    self._waiting,
                    (int(event.start * self._per_tick) - earlier, next(self._numbers), role, event),
                )

    def play(self, mixer: Mixer, start: int, end: int) -> int:
        """Put the notes that start before sample `end` into the channels; returns `end`."""
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
    """How long a note is held."""
    return max(0.03, event.ticks / 24 * 60 / arrangement.tempo)


def note_of(arrangement: Arrangement, role: str, event: NoteEvent) -> Note:
    """What the bank needs to know of a note."""
    return (
        arrangement.tracks[role].instrument,
        event,
        seconds_of(arrangement, event),
        int(event.start * 7) + event.pitch,
    )


def strike(
    arrangement: Arrangement, bank: Bank, mixer: Mixer, role: str, event: NoteEvent, at: int
) -> None:
    """Put one note into its channel at sample `at`."""
    mixer.channels[role].add(at, bank.cut(*note_of(arrangement, role, event)))
    if role == "drums" and event.pitch in _KICKS:
        mixer.kick(at)


def sounding(
    arrangement: Arrangement, section: SectionEvents, start: int, count: int
) -> Iterator[tuple[str, NoteEvent, int]]:
    """Notes of a section that sound in `count` samples from `start`: role, note, sample."""
    per_tick = samples_per_tick(arrangement)
    for role, events in section.tracks.items():
        for event in events:
            at = int(event.start * per_tick) - start
            if at < count and at + event.ticks * per_tick > 0:
                yield role, event, at


def look_ahead(arrangement: Arrangement, bank: Bank) -> None:
    """Tell the bank how long notes will be, so that a sound is made once and long enough."""
    for index in range(min(len(arrangement.form), _LOOKED_AT)):
        for role, events in arrangement.section(index).tracks.items():
            name = arrangement.tracks[role].instrument
            for event in events:
                bank.expect(name, event, seconds_of(arrangement, event))
