"""Bar lines, jumps and MIDI directives of foreign ABC, applied to a voice."""

from __future__ import annotations

import re

from scripts.score.abc_voice import VoiceReader

_MAX_TRANSPOSITION = 60  # semitones
_MARKS = {
    "da capo": re.compile(r"d\.?c\.?(?: ?al ?\w+)?|da ?capo.*", re.IGNORECASE),
    "dal segno": re.compile(r"d\.?s\.?(?: ?al ?\w+)?|dal ?segno.*", re.IGNORECASE),
    "coda": re.compile(r"(?:da|to)? ?coda|O", re.IGNORECASE),
    "segno": re.compile(r"segno|S", re.IGNORECASE),
    "fine": re.compile(r"fine", re.IGNORECASE),
}  # decorations and symbols


def find_mark(decoration: str) -> str:
    """Mark of :class:`WrittenBar` that a decoration sets, or ""."""
    return next((mark for mark, text in _MARKS.items() if text.fullmatch(decoration)), "")


def read_bar_line(voice: VoiceReader, sign: str) -> None:
    """Apply a bar line, with the repeat signs on it."""
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


def apply_midi_directive(voice: VoiceReader, name: str, values: list[str]) -> None:
    """Apply ``%%MIDI program``, ``channel``, ``transpose`` or ``rtranspose``; ignore others."""
    numbers = [int(word) for word in values if re.fullmatch(r"-?\d{1,3}", word)]
    if not numbers:
        return
    if name == "program":
        voice.program = min(127, max(0, numbers[-1]))
    elif name == "channel":
        voice.is_kit = numbers[0] == 10
    elif name in ("transpose", "rtranspose"):
        added = voice.pitches.transpositions
        semitones = numbers[0] + (added.get("midi", 0) if name == "rtranspose" else 0)
        added["midi"] = max(-_MAX_TRANSPOSITION, min(_MAX_TRANSPOSITION, semitones))
