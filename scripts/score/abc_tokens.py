"""Splits a line of foreign ABC music into tokens (section 4 of the ABC standard 2.1)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction

LENGTH = r"\d{0,6}(?:/\d{0,4})*"
_PITCH = r"(?:\^\^?|__?|=)?(?:(?<=[\^_])\d*/\d*)?[A-Ga-g][,']*"
NOTE = re.compile(
    r"(?P<sign>\^\^?|__?|=)?(?P<fraction>(?<=[\^_])\d*/\d*)?(?P<letter>[A-Ga-g])(?P<octave>[,']*)"
    rf"(?P<length>{LENGTH})(?P<tie>\.?-)?"
)
_TOKEN = re.compile(
    r'(?P<quoted>"[^"]*")'
    rf"|\+(?P<old_chord>(?=[^+]*[A-G]|(?!f+\+)[a-g]{{2}})(?:{_PITCH}{LENGTH})+)\+(?P<old_length>{LENGTH})"
    r"|(?P<decoration>!(?:[^!|\s]*|D\.?[CS]\.?[^!|]*)!|\+[^+|\s\d]*\+)"
    r"|\{/?(?P<grace>[^}]*)\}"
    r"|\[(?P<field>[A-Za-z]):(?P<value>[^\]]*)\]"
    r"|(?P<bar>\.?(?:\[\|\]|\[\|[|:]*|\|[|\]:]*|:+[|\]:]+))(?:(?:\s*\[)?(?P<ending>\d[\d,.\-]*))?"
    r"|\[\s*(?P<ending_alone>\d[\d,.\-]*)"
    r'|\[(?P<chord>(?:"[^"]*"|![^!]*!|[^\[\]|"!]){1,2000})\]'
    rf"(?P<chord_length>{LENGTH})(?P<chord_tie>\.?-)?"
    r'|\[\s*(?P<ending_named>"[^"]*")'
    r"|\((?P<tuplet>\d+(?::\d*){0,2})"
    rf"|(?P<note>{_PITCH}{LENGTH}(?:\.?-)?)"
    rf"|[zx](?P<rest>{LENGTH})"
    r"|[ZX](?P<bars>\d*)"
    rf"|(?P<spacer>y{LENGTH})"
    r"|(?P<broken>>+|<+)"
    r"|(?P<tie>\.?-)"
    r"|(?P<overlay>\(&|&\)|&)"
    r"|(?P<slur>\.?\([',]?|\))"
    r"|(?P<symbol>[.~H-Wh-w])"
    r"|(?P<space>[\s`*\\$;]+|!)"
)
_CLOSERS = {"{": "}", "[": "]"}
_WITHOUT_CLOSER = re.compile(r"\[(?:\||\s{0,3}[\d\"])")  # bar lines and endings


def read_tokens(line: str) -> Iterator[re.Match[str] | str]:
    """Yield the tokens of a line, and a string for each run of characters that are not ABC."""
    last = {opener: line.rfind(closer) for opener, closer in _CLOSERS.items()}
    at, unread = 0, ""
    while at < len(line):
        # Without a closing bracket to come, do not search for one at each opening bracket.
        unclosed = line[at] in last and at > last[line[at]]
        match = None if unclosed and not _WITHOUT_CLOSER.match(line, at) else _TOKEN.match(line, at)
        if match is None:
            unread += line[at]
            at += 1
            continue
        if unread:
            yield unread
            unread = ""
        yield match
        at = match.end()
    if unread:
        yield unread


def parse_length(text: str) -> Fraction:
    """Parse a length such as ``3/2``, ``/`` or ``//``; 0 counts as 1."""
    parts = text.split("/")
    value = Fraction(int(parts[0] or 1) or 1)
    for divisor in parts[1:]:
        value /= int(divisor or 2) or 2
    return value


def parse_endings(text: str) -> frozenset[int]:
    """Repeats in which an ending such as ``1,3`` or ``1-2`` is played; empty without a number."""
    found: set[int] = set()
    for first, last in re.findall(r"(\d{1,2})(?:-(\d{1,2}))?", text):
        found |= set(range(int(first), int(last or first) + 1))
    return frozenset(found - {0})
