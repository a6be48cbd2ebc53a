"""Training corpus from lead sheets: split, transposition, tokenizer.

The split keeps near-copies together: a tune is held out only if few of its three-bar figures
(intervals and lengths, independent of key) occur in any other tune.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from scripts.core.errors import NotationError
from scripts.score.abc_reader import read_abc
from scripts.score.abc_writer import format_body, write_abc
from scripts.score.sheet import LeadSheet, relative_to_first, transpose
from scripts.score.tune_header import build_tune_header
from training.sources import read_all_sources

LOWEST_PITCH, HIGHEST_PITCH = 55, 86  # G3 to D6, the range of melodies
HELD_OUT_SHARE = 0.04
MAX_SHARED_FIGURES = 0.2


def format_document(sheet: LeadSheet) -> str:
    """Format the header and body of a sheet as one training document."""
    return build_tune_header(sheet) + "\n".join(format_body(sheet)) + "\n"


def figures(sheet: LeadSheet, bars: int = 3) -> list[tuple[object, ...]]:
    """List every run of `bars` bars as intervals and lengths; runs under 4 notes are skipped."""
    out: list[tuple[object, ...]] = []
    for i in range(len(sheet.bars) - bars + 1):
        notes = [n for bar in sheet.bars[i : i + bars] for n in bar.notes]
        if sum(n.pitch is not None for n in notes) >= 4:
            out.append(relative_to_first(notes))
    return out


def transpositions(sheet: LeadSheet) -> list[int]:
    """List the transpositions (semitones, -6 to 6) that keep the melody in range, at least one."""
    pitches = sheet.pitches
    if not pitches:
        return list(range(-5, 7))
    low, high = min(pitches), max(pitches)
    fits = [s for s in range(-6, 7) if low + s >= LOWEST_PITCH and high + s <= HIGHEST_PITCH]
    if not fits:
        center = round((LOWEST_PITCH + HIGHEST_PITCH) / 2 - (low + high) / 2)
        fits = [center]
    return fits


def prepare_corpus(folder: Path, out: Path, seed: int = 1) -> Counter[str]:
    """Write ``train.jsonl`` and ``valid.jsonl`` with source, ABC text and tags into `out`.

    Parameters
    ----------
    folder : Path
        Downloaded collections.

    Returns
    -------
    Counter of str
        Sheets by split and source, such as ``train folk``.
    """
    rng = random.Random(seed)
    sheets = [(source, s) for source, s in read_all_sources(folder)]
    seen: Counter[tuple[object, ...]] = Counter()
    for _, sheet in sheets:
        seen.update(set(figures(sheet)))
    unique: set[tuple[str, ...]] = set()
    out.mkdir(parents=True, exist_ok=True)
    counts: Counter[str] = Counter()
    with (
        (out / "train.jsonl").open("w", encoding="utf-8") as train,
        (out / "valid.jsonl").open("w", encoding="utf-8") as valid,
    ):
        for source, sheet in sheets:
            body = tuple(format_body(sheet))
            if body in unique:
                continue
            unique.add(body)
            own = figures(sheet)
            shared = sum(seen[f] > 1 for f in set(own)) / len(set(own)) if own else 1.0
            held = (
                rng.random() < HELD_OUT_SHARE
                and shared <= MAX_SHARED_FIGURES
                and source not in ("billboard", "progressions")
            )
            row = json.dumps(
                {"source": source, "abc": write_abc(sheet), "tags": " ".join(sheet.styles)}
            )
            (valid if held else train).write(row + "\n")
            counts[("valid " if held else "train ") + source] += 1
    return counts


def load_sheets(path: Path) -> list[tuple[str, LeadSheet]]:
    """Read a prepared file as (source, sheet) pairs, without those that cannot be parsed."""
    rows = []
    for line in path.open(encoding="utf-8"):
        row = json.loads(line)
        try:
            rows.append((row["source"], read_abc(row["abc"])))
        except NotationError:
            continue
    return rows


def transposed_documents(sheet: LeadSheet) -> Iterator[str]:
    """Yield the sheet's document in every key that fits."""
    for shift in transpositions(sheet):
        yield format_document(transpose(sheet, shift))


def train_tokenizer(texts: Iterable[str], prefix: Path, size: int = 1024) -> None:
    """Train a SentencePiece BPE model of `size` tokens on `texts` and write `prefix`.model."""
    import sentencepiece

    lines = prefix.with_suffix(".txt")
    with lines.open("w", encoding="utf-8") as f:
        for text in texts:
            f.write(text)
    sentencepiece.SentencePieceTrainer.train(
        input=str(lines),
        model_prefix=str(prefix),
        vocab_size=size,
        model_type="bpe",
        byte_fallback=True,
        split_by_unicode_script=False,
        split_by_number=False,
        split_by_whitespace=False,
        add_dummy_prefix=False,
        remove_extra_whitespaces=False,
        normalization_rule_name="identity",
        max_sentencepiece_length=8,
        unk_id=0,
        bos_id=1,
        eos_id=2,
        pad_id=-1,
        user_defined_symbols=["\n"],
        minloglevel=2,
        input_sentence_size=400000,
        shuffle_input_sentence=True,
        max_sentence_length=8192,
    )
