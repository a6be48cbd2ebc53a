"""Reads the fields, directives and music lines of an ABC tune into bars, voice by voice.

Whatever cannot be read or played is left out with a warning that names its line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction

from scripts.core.errors import NotationError
from scripts.score.abc_fields import (
    KeyField,
    MeterField,
    default_unit,
    parse_key,
    parse_meter,
    parse_part_order,
    parse_transpositions,
    parse_unit,
)
from scripts.score.abc_lines import DIRECTIVE, AbcLine, read_first_tune
from scripts.score.abc_notes import parse_tempo_field
from scripts.score.abc_signs import apply_midi_directive, find_mark, read_bar_line
from scripts.score.abc_tokens import parse_endings, read_tokens
from scripts.score.abc_voice import VoiceReader
from scripts.score.keys import Key
from scripts.score.piece import MusicTooLargeError
from scripts.score.time_signature import TimeSignature
from scripts.score.written_bars import Budget

MAX_VOICES_READ = 500
_MAX_FAULTS_OF_LINE = 20
_MAX_PARTS = 1000
MAX_BAR_RESTS = 2_000  # bars of a ``Z`` rest
_KNOWN_SYMBOLS = set(".~HLMOPRSTuv")


class TuneReader:
    """Reads the first tune of a text into the bars of its voices.

    Parameters
    ----------
    text : str

    Attributes
    ----------
    faults : dict of int to list of str
        Problems by line of the file.
    fields : dict of str to str
        First value of each field of the header.
    key, meter
        Of the header.
    order : str
        Letters of the parts in playing order; empty for the order of writing.
    voices : dict of str to VoiceReader
        By name, "" for music without ``V:``.
    tunes : int
        Number of tunes in the file.

    Raises
    ------
    NotationError
        If there is no ``K:`` field, or the tune is too large.
    """

    def __init__(self, text: str) -> None:
        self.faults: dict[int, list[str]] = {}  # by line
        self.fields: dict[str, str] = {}
        self.key: KeyField | None = None
        self.meter = MeterField(Fraction(1), TimeSignature(4, 4))
        self.unit: Fraction | None = None
        self.order = ""
        self.symbols = set(_KNOWN_SYMBOLS)
        self.voices: dict[str, VoiceReader] = {}
        self.properties: dict[str, str] = {}  # of a voice, from its V: field in the header
        self.header_directives: dict[str, list[AbcLine]] = {}  # by voice, "" for all
        self.header_voice = ""
        self.budget = Budget()
        self.part_count = 0
        self.part = ""
        self.accidental_scope = "pitch"
        self.current: VoiceReader | None = None
        lines, self.tunes = read_first_tune(text, self.warn)
        for line in lines:
            self._read_line(line)
        if self.current is None:
            raise NotationError("ABC: the tune has no K: field; add one after the header")
        for voice in self.voices.values():
            with self._warning_on_errors(voice.line):
                voice.finish()

    def warn(self, line: int, text: str) -> None:
        """Note a problem; the same problem of a line counts once."""
        known = self.faults.setdefault(line, [])
        if text not in known and len(known) < _MAX_FAULTS_OF_LINE:
            known.append(text)

    @contextmanager
    def _warning_on_errors(self, line: int) -> Iterator[None]:
        """Turn an error in the notation into a warning."""
        try:
            yield
        except MusicTooLargeError as error:
            if str(error).startswith("ABC"):
                raise
            raise MusicTooLargeError(f"ABC line {line}: {error}") from error
        except (NotationError, ValueError) as error:  # ValueError: a number of too many digits
            self.warn(line, str(error)[:100])

    def _read_line(self, line: AbcLine) -> None:
        with self._warning_on_errors(line.number):
            if line.field == DIRECTIVE:
                self._read_directive(line)
            elif line.field == "":
                self._read_music(line)
            elif self.current is None:
                self._read_header_field(line)
            else:
                self._read_body_field(line.field, line.text, line.number)

    # --- Fields

    def _read_header_field(self, line: AbcLine) -> None:
        name, value = line.field, line.text
        if name not in "TC" or name not in self.fields:
            self.fields[name] = value
        if name == "M":
            self.meter = parse_meter(value)
        elif name == "L":
            self.unit = parse_unit(value)
        elif name == "P":
            self.order = parse_part_order(value)
        elif name == "V":
            self.header_voice, self.properties[self.header_voice] = _split_word(value)
        elif name == "K":
            self._begin_body(value, line.number)
        else:
            self._read_symbol_field(line)

    def _begin_body(self, value: str, line: int) -> None:
        key = None
        try:
            key = parse_key(value)
        except NotationError as error:
            self.warn(line, f"{error}; C major is assumed")
        self.key = key or KeyField(Key("C"), {})
        self.fields["K"] = value
        self.current = self._get_voice("", line)

    def _read_symbol_field(self, line: AbcLine) -> None:
        if line.field == "U":
            self.symbols.add(line.text[:1])
        elif line.field == "m":
            self.warn(line.number, f"the macro {line.text[:20]} is not expanded")

    def _get_voice(self, name: str, line: int) -> VoiceReader:
        if name in self.voices:
            return self.voices[name]
        if len(self.voices) >= MAX_VOICES_READ:
            raise MusicTooLargeError(f"the tune has more than {MAX_VOICES_READ} voices")
        unnamed = self.voices.get("")
        if unnamed is not None and unnamed.is_empty:  # it is the first named voice
            voice = self.voices.pop("")
            voice.name = name
        else:
            voice = self._make_voice(name, line)
        self.voices[name] = voice
        if name:
            self._set_properties(voice, self.properties.get(name, ""))
            for directive in self.header_directives.get(name, ()):
                self._read_midi_directive(directive, voice)
        return voice

    def _make_voice(self, name: str, line: int) -> VoiceReader:
        """Make a voice with what the header says of all voices."""
        assert self.key is not None
        unit = self.unit or default_unit(self.meter)
        voice = VoiceReader(name, self.key, self.meter, unit, line, self.warn, self.budget)
        voice.pitches.scope, voice.part = self.accidental_scope, self.part
        self._set_properties(voice, self.fields["K"])
        for directive in self.header_directives.get("", ()):
            self._read_midi_directive(directive, voice)
        return voice

    def _set_properties(self, voice: VoiceReader, text: str) -> None:
        voice.pitches.transpositions |= parse_transpositions(text)
        if re.search(r"\bperc\b", text):
            self.warn(voice.line, "percussion clef: its notes are played at their pitch")

    def _read_body_field(self, name: str, value: str, line: int) -> None:
        voice = self.current
        assert voice is not None
        voice.line = line
        if name == "V":
            label, rest = _split_word(value)
            self.current = self._get_voice(label, line)
            self.current.line = line
            if rest:
                self._set_properties(self.current, rest)
        elif name == "K":
            key = parse_key(value)
            if key is not None:
                voice.pitches.signature = key.signature
            self._set_properties(voice, value)
        elif name == "L":
            voice.unit = parse_unit(value)
        elif name == "M":
            voice.set_meter(parse_meter(value))
        elif name == "Q":
            if re.search(r"\d", re.sub(r'"[^"]*"', "", value)):
                voice.set_tempo(parse_tempo_field(value))
        elif name == "I":
            self._read_directive(AbcLine(line, DIRECTIVE, value.replace("=", " ", 1)))
        elif name == "P":
            self.part_count += 1
            if self.part_count > _MAX_PARTS:
                raise MusicTooLargeError(f"the tune has more than {_MAX_PARTS:,} parts")
            self.part = value[:1]
            for each in self.voices.values():
                each.end_section(0, 0)
                each.part = self.part
        else:
            self._read_symbol_field(AbcLine(line, name, value))

    def _read_directive(self, line: AbcLine) -> None:
        name, value = _split_word(line.text)
        if name == "propagate-accidentals":
            self._set_accidental_scope(value.strip())
        elif name == "abc-include":
            self.warn(line.number, "other files are not included")
        elif name.lower() == "midi" and self.current is not None:
            self._read_midi_directive(line, self.current)
        elif name.lower() == "midi":
            self.header_directives.setdefault(self.header_voice, []).append(line)

    def _set_accidental_scope(self, scope: str) -> None:
        self.accidental_scope = scope
        for voice in self.voices.values():
            voice.pitches.scope = scope

    def _read_midi_directive(self, line: AbcLine, voice: VoiceReader) -> None:
        _, name, *values = [*line.text.split(), ""]
        if name in ("drum", "drumon", "drone", "droneon"):
            self.warn(line.number, f"%%MIDI {name} is left out; the style plays its own drums")
        elif name in ("nobarlines", "barlines"):
            self._set_accidental_scope("not" if name == "nobarlines" else "pitch")
        apply_midi_directive(voice, name, values)

    # --- Music

    def _read_music(self, line: AbcLine) -> None:
        assert self.current is not None
        self.current.line = line.number
        for token in read_tokens(line.text):
            if isinstance(token, str):
                if token.strip("]"):
                    self.warn(line.number, f"{token[:20]!r} is not ABC and is left out")
                continue
            with self._warning_on_errors(line.number):
                self._read_token(token, line.number)
        if self.current.is_bar_complete and not line.continues:
            if self.current.pitches.has_accidentals:
                self.warn(line.number, "a bar ends at the end of this line, without a bar line")
            self.current.close_bar()

    def _read_token(self, m: re.Match[str], line: int) -> None:
        voice = self.current
        assert voice is not None
        if m["note"]:
            voice.add_note(m["note"])
        elif m["bar"]:
            read_bar_line(voice, m["bar"])
            if m["ending"]:
                voice.start_ending(parse_endings(m["ending"]))
        elif m["rest"] is not None:
            voice.add_rest(m["rest"])
        elif m["chord"]:
            for symbol in re.findall(r'"([^"]*)"', m["chord"]):
                voice.add_chord_symbol(symbol)
            voice.add_chord(m["chord"], m["chord_length"], bool(m["chord_tie"]))
        elif m["old_chord"]:
            voice.add_chord(m["old_chord"], m["old_length"], tied=False)
        elif m["grace"] is not None:
            voice.add_graces(m["grace"])
        elif m["quoted"]:
            voice.add_chord_symbol(m["quoted"].strip('"'))
        elif m["decoration"]:
            name = m["decoration"].strip("!+").strip()
            voice.mark_bar(find_mark(name))
            voice.add_decoration(name)
        elif m["ending_alone"] or m["ending_named"]:
            voice.start_ending(parse_endings(m["ending_alone"] or m["ending_named"]))
        elif m["tuplet"]:
            voice.start_tuplet(m["tuplet"])
        elif m["broken"]:
            voice.apply_broken_rhythm(m["broken"])
        elif m["tie"]:
            voice.tie_last()
        elif m["bars"] is not None:
            voice.add_bar_rests(self._limit_rests(m["bars"], line))
        elif m["field"]:
            self._read_body_field(m["field"], m["value"].strip(), line)
        elif m["overlay"]:
            voice.start_overlay(m["overlay"])
        elif m["symbol"]:
            voice.add_decoration(m["symbol"])
            voice.mark_bar(find_mark(m["symbol"]))
            if m["symbol"] not in self.symbols:
                self.warn(line, f"the symbol {m['symbol']} is not defined and is left out")

    def _limit_rests(self, text: str, line: int) -> int:
        count = int(text[:6] or 1)
        if count > MAX_BAR_RESTS:
            self.warn(line, f"a rest of {count} bars is shortened to {MAX_BAR_RESTS:,}")
        return min(count, MAX_BAR_RESTS)


def _split_word(text: str) -> tuple[str, str]:
    """Split off the first word of a field or directive."""
    name, *rest = text.split(None, 1) or [""]
    return name, rest[0] if rest else ""
