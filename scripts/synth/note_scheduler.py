"""Schedules an arrangement's notes: renders them into the mixer's channels in time order."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from itertools import count

import numpy as np

from scripts.arranger.events import Arrangement, NoteEvent, SectionEvents
from scripts.core.audio_format import RATE
from scripts.synth.bank import NoteBank, NoteRequest
from scripts.synth.mixer import Mixer

_KICK_KEYS = (35, 36)
_MAX_SECTIONS = 40  # sections that are scanned for note lengths
_DOUBLE_DELAY, _DOUBLE_STEP = RATE // 60, 211  # samples between the two players: below 17 ms
_MAX_ANTICIPATION = RATE // 10  # samples by which a note may start before its section


def samples_per_tick(arrangement: Arrangement) -> float:
    """Samples per tick (24 per quarter note) at the song's tempo."""
    return RATE * 60 / arrangement.tempo / 24


class NoteScheduler:
    """Schedules notes block by block and reads sections only when they are needed.

    Parameters
    ----------
    arrangement : Arrangement
    bank : NoteBank
    pre_roll : int
        Pre-roll in samples, in which the end of a loop sounds before its beginning; 0 for none.
    """

    def __init__(self, arrangement: Arrangement, bank: NoteBank, pre_roll: int = 0) -> None:
        self._arrangement, self._bank = arrangement, bank
        self._sections: Iterator[SectionEvents] | None = arrangement.sections()
        self._enqueued_until = 0.0  # samples; all notes that start before are queued
        self._queue: list[tuple[int, int, str, NoteEvent]] = []
        self._tie_breakers = count()
        self._samples_per_tick = samples_per_tick(arrangement)
        if pre_roll:
            self._enqueue_loop_end(pre_roll)

    def _enqueue_loop_end(self, pre_roll: int) -> None:
        """Queue the end of the loop in the pre-roll, too."""
        form, full = self._arrangement.form, self._arrangement.bar_ticks
        total = round(self._arrangement.length * RATE)
        for index in reversed(range(len(form))):
            if (
                form[index].start + form[index].bars
            ) * full * self._samples_per_tick < total - pre_roll:
                break
            self._enqueue(self._arrangement.section(index), total)

    def _enqueue(self, section: SectionEvents, offset: int) -> None:
        """Queue the notes of a section, `offset` samples before their time."""
        for role, events in section.tracks.items():
            for event in events:
                heapq.heappush(
                    self._queue,
                    (
                        int(event.start * self._samples_per_tick) - offset,
                        next(self._tie_breakers),
                        role,
                        event,
                    ),
                )

    def schedule(self, mixer: Mixer, end: int) -> None:
        """Add the notes that start before song sample `end` to their channels."""
        while self._sections is not None and self._enqueued_until < end + _MAX_ANTICIPATION:
            section = next(self._sections, None)
            if section is None:
                self._sections = None
                break
            self._enqueue(section, 0)
            place = section.section
            self._enqueued_until = (
                (place.start + place.bars) * self._arrangement.bar_ticks * self._samples_per_tick
            )
        while self._queue and self._queue[0][0] < end:
            at, _, role, event = heapq.heappop(self._queue)
            add_note(self._arrangement, self._bank, mixer, role, event, at)


def note_seconds(arrangement: Arrangement, event: NoteEvent) -> float:
    """Duration of a note in seconds, at least 0.03."""
    return max(0.03, event.ticks / 24 * 60 / arrangement.tempo)


def note_request(arrangement: Arrangement, role: str, event: NoteEvent) -> NoteRequest:
    """Build the arguments with which :meth:`NoteBank.render_note` renders a note."""
    return (
        arrangement.tracks[role].instrument,
        event,
        note_seconds(arrangement, event),
        int(event.start * 7) + event.pitch,
    )


def add_note(
    arrangement: Arrangement, bank: NoteBank, mixer: Mixer, role: str, event: NoteEvent, at: int
) -> None:
    """Add one note to its channel at song sample `at`; kick drums also trigger the side-chain."""
    name, _, seconds, turn = note_request(arrangement, role, event)
    channel = mixer.channels[role]
    first = bank.render_note(name, event, seconds, turn)
    if arrangement.tracks[role].double:
        second = bank.render_note(name, event, seconds, turn + 1)
        silence = np.zeros((1, first.shape[1]), np.float32)
        channel.add(at, np.concatenate((first[:1], silence)))
        later = at + turn * _DOUBLE_STEP % _DOUBLE_DELAY  # a person never plays it the same
        silence = np.zeros((1, second.shape[1]), np.float32)
        channel.add(later, np.concatenate((silence, second[:1])))
    else:
        channel.add(at, first)
    if role == "drums" and event.pitch in _KICK_KEYS:
        mixer.trigger_sidechain(at)


def find_sounding_notes(
    arrangement: Arrangement, section: SectionEvents, start: int, count: int
) -> Iterator[tuple[str, NoteEvent, int]]:
    """Yield (role, note, offset in samples) of notes held within `count` samples from `start`."""
    per_tick = samples_per_tick(arrangement)
    for role, events in section.tracks.items():
        for event in events:
            at = int(event.start * per_tick) - start
            if at < count and at + event.ticks * per_tick > 0:
                yield role, event, at


def announce_notes(arrangement: Arrangement, bank: NoteBank) -> None:
    """Announce note lengths to the bank, so that each sound is rendered once and long enough."""
    for index in range(min(len(arrangement.form), _MAX_SECTIONS)):
        for role, events in arrangement.section(index).tracks.items():
            players = 2 if arrangement.tracks[role].double else 1
            for event in events:
                name, _, seconds, turn = note_request(arrangement, role, event)
                for player in range(players):
                    bank.announce_note(name, event, seconds, turn + player)
