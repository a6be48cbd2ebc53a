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
    parse_transposition,
    parse_unit,
)
from scripts.score.abc_lines import DIRECTIVE, AbcLine, read_first_tune
from scripts.score.abc_notes import parse_tempo_field
from scripts.score.abc_tokens import parse_endings, read_tokens
from scripts.score.abc_voice import VoiceReader
from scripts.score.keys import Key
from scripts.score.piece import MusicTooLargeError
from scripts.score.time_signature import TimeSignature

MAX_VOICES_READ = 500
MAX_BAR_RESTS = 2_000  # bars of a ``Z`` rest
_MARKS = {
    "d.c.": "da capo", "dc": "da capo", "dacapo": "da capo", "d.s.": "dal segno",
    "ds": "dal segno", "dacoda": "coda", "coda": "coda", "segno": "segno", "fine": "fine",
    "S": "segno", "O": "coda",
}  # fmt: skip  # decorations, in lower case, and symbols
_KNOWN_SYMBOLS = set(".~HLMOPRSTuv")


class TuneReader:
    """Reads the first tune of a text into the bars of its voices.

    Parameters
    ----------
    text : str

    Attributes
    ----------
    faults : dict of int to str
        First problem of each line of the file.
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
        self.faults: dict[int, str] = {}  # by line; the first of each
        self.fields: dict[str, str] = {}
        self.key: KeyField | None = None
        self.meter = MeterField(Fraction(1), TimeSignature(4, 4))
        self.unit: Fraction | None = None
        self.order = ""
        self.symbols = set(_KNOWN_SYMBOLS)
        self.voices: dict[str, VoiceReader] = {}
        self.properties: dict[str, str] = {}  # of a voice, from its V: field in the header
        self.header_directives: list[AbcLine] = []
        self.header_voice = ""
        self.part = ""
        self.accidental_scope = "pitch"
        self.current: VoiceReader | None = None
        lines, self.tunes = read_first_tune(text, self.warn)
        for line in lines:
            self._read_line(line)
        if self.current is None:
            raise NotationError("ABC: the tune has no K: field; add one after the header")
        for voice in self.voices.values():
            voice.close_bar()

    def warn(self, line: int, text: str) -> None:
        self.faults.setdefault(line, text)

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
        self.fields.setdefault(name, value)
        if name == "M":
            self.meter = parse_meter(value)
        elif name == "L":
            self.unit = parse_unit(value)
        elif name == "P":
            self.order = parse_part_order(value)
        elif name == "V":
            voice, _, rest = value.partition(" ")
            self.properties[voice] = rest
            self.header_voice = voice
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
        self.properties[""] = value
        self.current = self._get_voice("", line)
        for directive in self.header_directives:
            self._read_directive(directive)

    def _read_symbol_field(self, line: AbcLine) -> None:
        if line.field == "U":
            self.symbols.add(line.text[:1])
        elif line.field == "m":
            self.warn(line.number, f"the macro {line.text[:20]} is not expanded")

    def _get_voice(self, name: str, line: int) -> VoiceReader:
        if name not in self.voices:
            unnamed = self.voices.get("")
            if unnamed is not None and unnamed.is_empty:
                del self.voices[""]  # the first named voice replaces it
            else:
                unnamed = None
            if len(self.voices) >= MAX_VOICES_READ:
                raise MusicTooLargeError(f"the tune has more than {MAX_VOICES_READ} voices")
            assert self.key is not None
            unit = self.unit or default_unit(self.meter)
            voice = VoiceReader(name, self.key, self.meter, unit, line, self.warn)
            voice.accidental_scope = self.accidental_scope
            if unnamed is not None:
                voice.program, voice.is_kit = unnamed.program, unnamed.is_kit
            self.voices[name] = voice
            self._set_properties(voice, f"{self.fields['K']} {self.properties.get(name, '')}")
        return self.voices[name]

    def _set_properties(self, voice: VoiceReader, text: str) -> None:
        if re.search(r"\b(?:octave|transpose|t|clef)=|[+-](?:8|15)\b", text):
            voice.transposition = parse_transposition(text)
        if re.search(r"\bperc\b", text):
            self.warn(voice.line, "percussion clef: its notes are played at their pitch")

    def _read_body_field(self, name: str, value: str, line: int) -> None:
        voice = self.current
        assert voice is not None
        voice.line = line
        if name == "V":
            label, _, rest = value.partition(" ")
            self.current = self._get_voice(label, line)
            self.current.line = line
            if rest:
                self._set_properties(self.current, rest)
        elif name == "K":
            key = parse_key(value)
            if key is not None:
                voice.signature = key.signature
            self._set_properties(voice, value)
        elif name == "L":
            voice.unit = parse_unit(value)
        elif name == "M":
            voice.set_meter(parse_meter(value))
        elif name == "Q":
            voice.set_tempo(parse_tempo_field(value))
        elif name == "P":
            self.part = value[:1]
            for each in self.voices.values():
                each.end_section(0, 0)
                each.part = self.part
        else:
            self._read_symbol_field(AbcLine(line, name, value))

    def _read_directive(self, line: AbcLine) -> None:
        name, _, value = line.text.partition(" ")
        if name == "propagate-accidentals":
            self._set_accidental_scope(value.strip())
        elif name == "abc-include":
            self.warn(line.number, "other files are not included")
        elif name.lower() == "midi":
            self._read_midi_directive(line, value.split())

    def _set_accidental_scope(self, scope: str) -> None:
        self.accidental_scope = scope
        for voice in self.voices.values():
            voice.accidental_scope = scope

    def _read_midi_directive(self, line: AbcLine, words: list[str]) -> None:
        if words[:1] and words[0] in ("drum", "drumon", "drone", "droneon"):
            self.warn(line.number, f"%%MIDI {words[0]} is left out; the style plays its own drums")
        if words[:1] in (["nobarlines"], ["barlines"]):
            self._set_accidental_scope("not" if words[0] == "nobarlines" else "pitch")
        numbers = [int(w) for w in words[1:] if re.fullmatch(r"-?\d{1,3}", w)]
        if not numbers or words[0] not in ("program", "channel", "transpose", "rtranspose"):
            return
        if self.current is None:
            self.header_directives.append(line)
            return
        voice = self.current
        if words[0] == "program":
            voice.program = min(127, max(0, numbers[-1]))
        elif words[0] == "channel":
            voice.is_kit = numbers[0] == 10
        elif words[0] == "transpose":
            voice.transposition = max(-60, min(60, numbers[0]))
        else:
            voice.transposition = max(-60, min(60, voice.transposition + numbers[0]))

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
            if self.current.has_accidentals:
                self.warn(line.number, "a bar ends at the end of this line, without a bar line")
            self.current.close_bar()

    def _read_token(self, m: re.Match[str], line: int) -> None:
        voice = self.current
        assert voice is not None
        kind = m.lastgroup
        if m["note"]:
            voice.add_note(m["note"])
        elif m["bar"]:
            _read_bar_line(voice, m["bar"])
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
            voice.mark_bar(_MARKS.get(name.lower(), ""))
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
        elif kind == "symbol":
            voice.add_decoration(m["symbol"])
            voice.mark_bar(_MARKS.get(m["symbol"], ""))
            if m["symbol"] not in self.symbols:
                self.warn(line, f"the symbol {m['symbol']} is not defined and is left out")

    def _limit_rests(self, text: str, line: int) -> int:
        count = int(text[:6] or 1)
        if count > MAX_BAR_RESTS:
            self.warn(line, f"a rest of {count} bars is shortened to {MAX_BAR_RESTS:,}")
        return min(count, MAX_BAR_RESTS)


def _read_bar_line(voice: VoiceReader, sign: str) -> None:
    sign = sign.strip(".")
    if sign == "[|]":  # invisible
        voice.close_bar()
        return
    if not re.search(r"[:\]]|\|\|", sign):
        voice.close_bar()
        return
    ends = len(sign) - len(sign.lstrip(":"))
    starts = len(sign) - len(sign.rstrip(":"))
    if ends == len(sign):  # "::"
        ends = starts = max(1, len(sign) // 2)
    voice.end_section(ends, starts)
