"""Command line: ``python -m training lyrics train|evaluate``; docs/lyrics.md has the figures."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from scripts.core.atomic_files import write_text
from scripts.llm.genre_file import format_genres, genres_beside
from scripts.llm.gguf_file import read_gguf
from scripts.lyrics.genre import GenreHead, Vector
from training.lyrics.genres import embed_all, fit, score
from training.lyrics.texts import FOREIGN, LabeledLyrics, load_texts


def main(arguments: Sequence[str]) -> None:
    """Fit the classifier of genres, or measure it."""
    parser = argparse.ArgumentParser(prog="python -m training lyrics")
    parser.add_argument("step", choices=("train", "evaluate"))
    parser.add_argument("--reader", type=Path, default=Path("models/reader.gguf"))
    args = parser.parse_args(arguments)
    texts = load_texts()
    features = embed_all(args.reader, texts)
    known = [not text.held_out for text in texts]
    head = fit(features[known], [text.genre for text in texts if not text.held_out])
    if args.step == "train":
        path = genres_beside(args.reader)
        write_text(path, format_genres(head, read_gguf(args.reader).name))
        print(f"{sum(known)} lyrics, {path}")
        return
    held_out = [text for text in texts if text.held_out]
    _print_scores("subjects that were held out", head, features[[not k for k in known]], held_out)
    foreign = load_texts(FOREIGN)
    _print_scores("another writer", head, embed_all(args.reader, foreign), foreign)


def _print_scores(
    title: str, head: GenreHead, features: Vector, texts: Sequence[LabeledLyrics]
) -> None:
    found = [head.rank(row)[0][0] for row in features]
    scores = score([text.genre for text in texts], found)
    right = sum(text.genre == genre for text, genre in zip(texts, found, strict=True))
    macro = sum(f1 for _, _, f1 in scores.values()) / len(scores)
    print(f"{title}: {len(texts)} lyrics, {right / len(texts):.1%} right, macro F1 {macro:.3f}")
    for genre, (precision, recall, f1) in scores.items():
        print(f"  {genre}: precision {precision:.2f}, recall {recall:.2f}, F1 {f1:.2f}")
