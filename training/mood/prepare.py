"""Checks the sentences, finds near-copies, and splits the sentences 80/10/10."""

from __future__ import annotations

import random
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

from scripts.core import paths
from scripts.core.atomic_files import write_text
from scripts.llm.reader import EmbeddingProcess
from scripts.request.interpret.tokens import fold
from training.mood.sentences import (
    LANGUAGES,
    MORE_FOLDER,
    READER_PREFIX,
    MoodSentence,
    load_sentences,
    save_sentences,
)

SEED = 17
_SHARES = (("test", 0.1), ("validation", 0.1))  # the rest is learned from
_NEAR_COSINE = 0.8  # of centered embeddings, from which two sentences count as near-copies
_NEAR_WORDS = 0.6  # share of common words, likewise
# Names of the moods, which no sentence may contain, by language.
_MOOD_NAMES = {
    "en": "good mood, curiosity, curious, relaxation, euphoria, euphoric, reverie, victory, anger,"
    " anxiety, nostalgia, nostalgic, panic, suspense, sadness",
    "fr": "bonne humeur, curiosité, détente, euphorie, rêverie, victoire, colère, inquiétude,"
    " nostalgie, panique, suspense, tristesse",
    "de": "gute laune, neugier, entspannung, euphorie, träumerei, sieg, wut, sorge, nostalgie,"
    " panik, spannung, traurigkeit",
    "es": "buen humor, curiosidad, relajación, euforia, ensueño, victoria, ira, inquietud,"
    " nostalgia, pánico, suspense, suspenso, tristeza",
    "it": "buonumore, buon umore, curiosità, relax, euforia, fantasticheria, vittoria, rabbia,"
    " inquietudine, nostalgia, panico, suspense, tristezza",
    "pt": "bom humor, curiosidade, relaxamento, euforia, devaneio, vitória, raiva, inquietação,"
    " nostalgia, pânico, suspense, tristeza",
}


def prepare(model: Path) -> Counter[str]:
    """Split the sentences, and write the narrations that the program uses.

    Near-copies, also across languages, are never on different sides of a split. Of the sentences
    that are only learned from, those too near to one that is measured with are removed.

    Returns
    -------
    Counter
        Numbers of sentences by split, and of what was removed.

    Raises
    ------
    ValueError
        When a sentence contains the name of a mood, or occurs twice.
    """
    rows, more = load_sentences(), load_sentences(MORE_FOLDER)
    _check([*rows, *more])
    texts = [s.text for _, s in (*rows, *more)]
    with EmbeddingProcess(model, READER_PREFIX, threads=2) as process:
        vectors = process.embed(texts)
    count = len(rows)
    pairs = _near_copies(vectors, texts, vectors[:count])
    splits = _choose_splits(rows, [pair for pair in pairs if max(pair) < count])
    measured = {i for i, split in enumerate(splits) if split != "train"}
    too_near = {j - count for i, j in pairs if i in measured and j >= count}
    kept = [row for n, row in enumerate(more) if n not in too_near]
    save_sentences(
        (language, msgspec.structs.replace(sentence, split=split))
        for (language, sentence), split in zip(rows, splits, strict=True)
    )
    save_sentences(kept, MORE_FOLDER)
    write_narrations(rows)
    counts = {"only learned from": len(kept), "removed": len(more) - len(kept)}
    return Counter(splits) + Counter({**counts, "near-copies": len(pairs)})


def write_narrations(
    rows: Sequence[tuple[str, MoodSentence]], folder: Path = paths.DATA / "narrations"
) -> None:
    """Write ``LANGUAGE.toml`` with the narrations of the sentences, by mood."""
    for language in LANGUAGES:
        by_mood: dict[str, list[str]] = defaultdict(list)
        for _, sentence in (row for row in rows if row[0] == language):
            by_mood[sentence.mood].append(sentence.narration)
        lines = ["# What is said over the light; `python -m training mood prepare` makes it."]
        for mood, narrations in by_mood.items():
            quoted = (msgspec.json.encode(text).decode() for text in dict.fromkeys(narrations))
            lines += ["", f"{mood} = [", *(f"    {text}," for text in quoted), "]"]
        path = folder / f"{language}.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, "\n".join(lines) + "\n")


def _check(rows: Sequence[tuple[str, MoodSentence]]) -> None:
    counts = Counter(fold(sentence.text) for _, sentence in rows)
    for language, sentence in rows:
        text = fold(sentence.text)
        if counts[text] > 1:
            raise ValueError(f"{language}: {sentence.text!r} occurs twice")
        for name in map(fold, _MOOD_NAMES[language].split(", ")):
            if re.search(rf"\b{name}\b", text):
                raise ValueError(f"{language}: {sentence.text!r} contains {name!r}")


def _near_copies(
    vectors: np.ndarray, texts: Sequence[str], usual: np.ndarray
) -> list[tuple[int, int]]:
    """Pairs of texts that are alike in words or meaning, seen from the center of `usual`.

    What is only learned from is not in `usual`, and does not change what is alike.
    """
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    centered = unit - (usual / np.linalg.norm(usual, axis=1, keepdims=True)).mean(axis=0)
    centered /= np.linalg.norm(centered, axis=1, keepdims=True)
    words = [set(re.findall(r"\w+", fold(text))) for text in texts]
    pairs = []
    for i in range(len(texts)):
        cosines = centered[i + 1 :] @ centered[i]
        for j in np.flatnonzero(cosines > _NEAR_COSINE / 2) + i + 1:
            common = len(words[i] & words[j]) / max(1, min(len(words[i]), len(words[j])))
            is_long = min(len(words[i]), len(words[j])) > 2
            if cosines[j - i - 1] > _NEAR_COSINE or (is_long and common > _NEAR_WORDS):
                pairs.append((i, int(j)))
    return pairs


def _connect(count: int, pairs: Sequence[tuple[int, int]]) -> list[int]:
    """Number of the connected group of each of `count` things."""
    parents = list(range(count))

    def find(i: int) -> int:
        while parents[i] != i:
            parents[i] = parents[parents[i]]
            i = parents[i]
        return i

    for i, j in pairs:
        parents[find(j)] = find(i)
    return [find(i) for i in range(count)]


def _choose_splits(
    rows: Sequence[tuple[str, MoodSentence]], pairs: Sequence[tuple[int, int]]
) -> list[str]:
    """The split of each sentence: what it was, unless one has none or two near-copies differ."""
    known = [sentence.split for _, sentence in rows]
    if all(known) and all(known[i] == known[j] for i, j in pairs):
        return list(known)
    return _split(rows, _connect(len(rows), pairs))


def _split(rows: Sequence[tuple[str, MoodSentence]], groups: Sequence[int]) -> list[str]:
    """Choose a split for each group, so that each language and mood has its shares."""
    members: dict[int, list[int]] = defaultdict(list)
    for i, group in enumerate(groups):
        members[group].append(i)
    cells = [(language, s.mood, s.part) for language, s in rows]
    wanted = {
        (split, cell): round(share * count)
        for cell, count in Counter(cells).items()
        for split, share in _SHARES
    }
    splits = ["train"] * len(rows)
    order = sorted(members)
    random.Random(SEED).shuffle(order)
    for group in order:
        for split, _ in _SHARES:
            if all(wanted[split, cells[i]] > 0 for i in members[group]):
                for i in members[group]:
                    splits[i] = split
                    wanted[split, cells[i]] -= 1
                break
    return splits
