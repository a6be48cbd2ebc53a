"""``launcher.py lyrics``: what lyrics say of their song."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import msgspec

from scripts.batch.lyrics_analyst import AnalyzedSection, LyricsAnalysis, analyze_lyrics
from scripts.cli.console import print_json, print_line
from scripts.core.settings import Settings
from scripts.lyrics.read import MAX_BYTES, decode, read_lyrics, read_lyrics_file

_SHOWN = 3  # genres and moods


def lyrics(args: argparse.Namespace, settings: Settings) -> int:
    """Analyze the lyrics of a file or of standard input and print what was found."""
    if args.file == "-":
        found = read_lyrics(decode(sys.stdin.buffer.read(MAX_BYTES)), "standard input")
    else:
        found = read_lyrics_file(Path(args.file))
    analysis = analyze_lyrics(found, args.seed or 0, settings.reader)
    if args.json:
        print_json(**msgspec.to_builtins(analysis))
    else:
        _print(analysis)
    return 0


def _print(found: LyricsAnalysis) -> None:
    genres = ", ".join(f"{g.name} {g.probability:.0%}" for g in found.genres[:_SHOWN])
    moods = ", ".join(f"{m.name} {m.probability:.0%}" for m in found.moods[:_SHOWN])
    print_line(f"Language: {found.language}. Genre: {genres}")
    print_line(f"Mood: {moods}; valence {found.valence:.2f}, arousal {found.arousal:.2f}")
    for section in found.sections:
        print_line("")
        print_line(f"[{section.kind}] {section.rhymes}")
        _print_lines(section)
        print_line(f"  {' '.join(section.chords)}  ({found.mode}; {section.reason})")


def _print_lines(section: AnalyzedSection) -> None:
    for line in section.lines:
        shown = "-".join(
            text.upper() if stressed else text
            for text, stressed in zip(line.syllables, line.stresses, strict=True)
        )
        print_line(f"  {len(line.syllables):2d}  {shown}")
