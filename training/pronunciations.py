"""Writes ``data/lyrics/english.tsv.gz`` from CMUdict, https://github.com/cmusphinx/cmudict."""

from __future__ import annotations

import gzip
from pathlib import Path

from scripts.core import paths

TARGET = paths.DATA / "lyrics" / "english.tsv.gz"


def write_pronunciations(source: Path, target: Path = TARGET) -> int:
    """Keep the first pronunciation of each word.

    Parameters
    ----------
    source : Path
        ``cmudict.dict``: lines of a word and its phones, with comments after ``#``.
    target : Path

    Returns
    -------
    int
        Number of words.
    """
    lines = []
    for line in source.read_text(encoding="utf-8").splitlines():
        word, *phones = line.partition("#")[0].split()
        if "(" not in word:  # "a(2)" is another pronunciation
            lines.append(f"{word}\t{' '.join(phones)}")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(gzip.compress(("\n".join(lines) + "\n").encode(), 9, mtime=0))
    return len(lines)
