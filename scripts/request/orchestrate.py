"""Assigns the instruments that were asked for to the roles of a style."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from scripts.core.errors import UsageError
from scripts.request.instrument_names import (
    STYLE_TRACK,
    AskedInstrument,
    Orchestration,
    load_orchestration,
)
from scripts.styles.style import ROLES, Style

_HARMONY_ROLES = ("chords", "pad", "arp")
_PITCHED_ROLES = ("melody", "bass", *_HARMONY_ROLES)
_GROUPS = {"drums": ("drums", "percussion")}  # roles that a name excludes beside its own


def orchestrate(
    style: Style, names: Sequence[str], alone: bool, excluded: Sequence[str]
) -> tuple[Style, tuple[str, ...]]:
    """Give the roles of a style to the instruments that were asked for.

    The first instrument plays the lead, the others accompany it. An ensemble replaces all tracks.
    What is excluded is replaced or left out.

    Parameters
    ----------
    style : Style
    names : sequence of str
        Instruments and ensembles, see :func:`scripts.request.instrument_names.parse_instruments`.
    alone : bool
        Whether nothing else may play.
    excluded : sequence of str
        Instruments and roles.

    Returns
    -------
    style : Style
    warnings : tuple of str

    Raises
    ------
    UsageError
        When nothing is left to play.
    """
    tables = load_orchestration()
    both = [name for name in names if name in excluded]
    if both:
        raise UsageError(f"{both[0]} is both asked for and excluded; leave out one of them")
    assignment = _Assignment(style, tables)
    assignment.assign_ensembles([n for n in names if n in tables.ensembles])
    soloists = [n for n in names if n not in tables.ensembles]
    left = assignment.assign_instruments(soloists, names[0] if names else "", alone)
    assignment.exclude(excluded)
    if not assignment.tracks.keys() & {*_PITCHED_ROLES, "drums", "percussion"}:
        raise UsageError("nothing is left to play; exclude fewer instruments")
    warnings = tuple(
        f"no part is free for {name}; ask for fewer instruments"
        if name in left
        else f"{name}: played by the {tables.instruments[name].sounds[0]}"
        for name in soloists
        if name in left or tables.instruments[name].stand_in
    )
    tracks = {role: assignment.tracks[role] for role in ROLES if role in assignment.tracks}
    return replace(style, tracks=tracks), warnings


class _Assignment:
    """The tracks of a song while instruments are being assigned to roles."""

    def __init__(self, style: Style, tables: Orchestration) -> None:
        self._style, self._tables = style, tables
        self.tracks = dict(style.tracks)
        self._is_ensemble = False
        self._asked: set[str] = set()  # roles of single instruments that were asked for

    def assign_ensembles(self, names: Sequence[str]) -> None:
        for name in names:
            if not self._is_ensemble:
                self.tracks = {}
            self._is_ensemble = True
            for role, sound in self._tables.ensembles[name].items():
                if role in self.tracks:
                    continue
                if sound != STYLE_TRACK:
                    self._assign(role, sound)
                elif role in self._style.tracks:
                    self.tracks[role] = self._style.tracks[role]

    def assign_instruments(self, names: Sequence[str], first: str, alone: bool) -> list[str]:
        """Assign instruments, the first as the lead; return the names that have no part.

        `first` is the first of all names, which may be an ensemble.
        """
        asked = {name: self._tables.instruments[name] for name in names}
        players = {n: a for n, a in asked.items() if not a.role}
        if not players:  # a bass alone plays the tune
            players = {n: a for n, a in asked.items() if a.role == "bass" and alone}
        sections = {n: a for n, a in asked.items() if n not in players}
        if alone and not self._is_ensemble:
            self.tracks = {
                role: track
                for role, track in self.tracks.items()
                if role in [a.role for a in sections.values()]
            }
        left = [
            name for name, instrument in sections.items() if not self._assign_rhythm(instrument)
        ]
        if not players:
            return left
        return left + self._assign_lead(players, first, alone)

    def _assign_lead(
        self, players: Mapping[str, AskedInstrument], first: str, alone: bool
    ) -> list[str]:
        """Assign the lead and its accompaniment; return the names that have no part."""
        if self._is_ensemble:
            others = list(players.items())
            if first in players:  # named before the ensemble
                self._assign("melody", players[first].sounds[0], players[first].octave)
                others = others[1:]
            return self._assign_others(others)
        lead, *others = players.items()
        self._assign("melody", self._own_sound("melody", lead[1].sounds), lead[1].octave)
        left = self._assign_harmony(lead[1], others, alone)
        if alone and "bass" not in self.tracks:
            lows = [a.bass for _, a in [*others, lead] if a.bass and (a.chords or others)]
            if lows:
                self._assign("bass", lows[0])
        return left

    def exclude(self, names: Sequence[str]) -> None:
        """Remove or replace what must not sound."""
        for name in names:
            for role in _GROUPS.get(name, (name,)):
                self.tracks.pop(role, None)
        banned = {
            sound
            for name in names
            if name in self._tables.instruments and not self._tables.instruments[name].stand_in
            for sound in self._tables.instruments[name].sounds
        }
        for role, track in list(self.tracks.items()):
            if track.instrument not in banned:
                continue
            options = self._tables.substitutes.get(role, ())
            used = {t.instrument for r, t in self.tracks.items() if r != role}
            sound = _first(s for s in options if s not in banned | used)
            if sound:
                self.tracks[role] = replace(track, instrument=sound, manners=(), octave=0)
            else:
                del self.tracks[role]

    def _assign_rhythm(self, instrument: AskedInstrument) -> bool:
        """Assign a bass, drums or percussion; False if the role is taken.

        The style's own bass or kit plays if it is one of the instrument's sounds.
        """
        role = instrument.role
        if role in self._asked:
            return False
        self._asked.add(role)
        keeps_own = role in self.tracks and self.tracks[role].instrument in instrument.sounds
        own = self._style.tracks.get(role)
        if keeps_own:
            self.tracks[role] = replace(self.tracks[role], featured=True)
        elif own and own.instrument in instrument.sounds:
            self.tracks[role] = replace(own, featured=True)
        else:
            self._assign(role, instrument.sounds[0])
        return True

    def _assign_harmony(
        self,
        lead: AskedInstrument,
        others: Sequence[tuple[str, AskedInstrument]],
        alone: bool,
    ) -> list[str]:
        """Give the accompaniment to `others`; return the names that have no part."""
        if others or alone:
            for role in _HARMONY_ROLES:
                self.tracks.pop(role, None)
        waiting = list(others)
        chordal = next((item for item in waiting if item[1].chords), None)
        if chordal:
            waiting.remove(chordal)
            self._assign("chords", self._chord_sound(chordal[1]))
        elif (others or alone) and lead.chords:
            self._assign("chords", self._chord_sound(lead))
        elif others and not alone:
            self.tracks["chords"] = self._style.tracks["chords"]
        return self._assign_others(waiting)

    def _assign_others(self, others: Sequence[tuple[str, AskedInstrument]]) -> list[str]:
        """Give bass, pad and arp to more instruments; return the names that have no part."""
        left = []
        for name, instrument in others:
            if instrument.chords:
                roles = ["pad", "arp"]
            else:
                roles = ["bass"] * bool(instrument.bass and not self._is_ensemble) + ["arp", "pad"]
            free = _first(role for role in roles if role not in self._asked)
            if not free:
                left.append(name)
                continue
            self._asked.add(free)
            sounds = {"bass": instrument.bass, "pad": self._chord_sound(instrument)}
            self._assign(free, sounds.get(free, instrument.sounds[0]))
        return left

    def _chord_sound(self, instrument: AskedInstrument) -> str:
        return self._own_sound("chords", (instrument.chord_sound, *instrument.sounds))

    def _own_sound(self, role: str, sounds: Sequence[str]) -> str:
        """The style's own instrument for a role if it is one of `sounds`, else the first."""
        own = self._style.tracks.get(role)
        return own.instrument if own and own.instrument in sounds else sounds[0]

    def _assign(self, role: str, sound: str, octave: int = 0) -> None:
        track = self.tracks.get(role) or self._style.tracks.get(role) or self._tables.tracks[role]
        self.tracks[role] = replace(
            track, instrument=sound, manners=(), octave=octave, featured=True
        )


def _first(names: Iterable[str]) -> str:
    return next(iter(names), "")
