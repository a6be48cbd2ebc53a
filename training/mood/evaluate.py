"""Evaluates the answers to a split: accuracy, F1, calibration, BLEU and ROUGE."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from training.mood.infer import Answer, load_answers
from training.mood.sentences import LANGUAGES

_BINS = 10  # of the calibration error


@dataclass(frozen=True)
class MoodFigures:
    """How well a split was answered.

    Parameters
    ----------
    count : int
        Sentences.
    accuracy, top_three, macro_f1, calibration_error : float
    by_language, by_part : dict of str to float
        Accuracy.
    confusion : list of ((str, str), int)
        The most frequent mistakes: the label, and the answer.
    valence, arousal : float
        Spearman's rank correlation with the labels.
    bleu, rouge : dict of str to float
        Of the whole JSON and of the narration, 0 to 1; ROUGE-L.
    """

    count: int
    accuracy: float
    top_three: float
    macro_f1: float
    calibration_error: float
    by_language: dict[str, float]
    by_part: dict[str, float]
    confusion: list[tuple[tuple[str, str], int]]
    valence: float
    arousal: float
    bleu: dict[str, float] = field(default_factory=dict)
    rouge: dict[str, float] = field(default_factory=dict)


def evaluate(path: Path) -> MoodFigures:
    """Evaluate the answers that the step infer wrote."""
    from scipy.stats import spearmanr

    answers = load_answers(path)
    pairs = [(a.sentence.mood, a.ranked[0][0]) for a in answers]
    right = np.array([label == found for label, found in pairs])
    confidence = np.array([a.ranked[0][1] for a in answers])
    near = [a.sentence.mood in [name for name, _ in a.ranked[:3]] for a in answers]
    bleu, rouge = _compare_texts(answers)
    return MoodFigures(
        len(answers),
        float(right.mean()),
        float(np.mean(near)),
        _macro_f1(pairs),
        _calibration_error(confidence, right),
        {name: _share(right, [a.language == name for a in answers]) for name in LANGUAGES},
        {
            name: _share(right, [a.sentence.part == name for a in answers])
            for name in ("shown", "direct")
        },
        Counter(pair for pair in pairs if pair[0] != pair[1]).most_common(8),
        float(spearmanr([a.valence for a in answers], [a.sentence.valence for a in answers])[0]),
        float(spearmanr([a.arousal for a in answers], [a.sentence.arousal for a in answers])[0]),
        bleu,
        rouge,
    )


def _share(right: np.ndarray, chosen: Sequence[bool]) -> float:
    return float(right[np.array(chosen)].mean())


def _macro_f1(pairs: Sequence[tuple[str, str]]) -> float:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for label, found in pairs:
        if label == found:
            counts[label]["right"] += 1
        else:
            counts[label]["missed"] += 1
            counts[found]["wrong"] += 1
    scores = [
        2 * c["right"] / max(1, 2 * c["right"] + c["missed"] + c["wrong"]) for c in counts.values()
    ]
    return float(np.mean(scores))


def _calibration_error(confidence: np.ndarray, right: np.ndarray) -> float:
    """Mean difference of confidence and accuracy in ten bins, weighted by their sentences."""
    bins = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    error = 0.0
    for n in range(_BINS):
        chosen = bins == n
        if chosen.any():
            error += chosen.mean() * abs(confidence[chosen].mean() - right[chosen].mean())
    return float(error)


def _compare_texts(answers: Sequence[Answer]) -> tuple[dict[str, float], dict[str, float]]:
    import sacrebleu
    from rouge_score.rouge_scorer import RougeScorer

    texts = {
        "json": (
            [_to_json(a, answer=True) for a in answers],
            [_to_json(a, answer=False) for a in answers],
        ),
        "narration": (
            [a.narration for a in answers],
            [a.sentence.narration for a in answers],
        ),
    }
    scorer = RougeScorer(["rougeL"])
    bleu, rouge = {}, {}
    for name, (found, wanted) in texts.items():
        bleu[name] = sacrebleu.corpus_bleu(found, [wanted]).score / 100
        scores = [
            scorer.score(label, text)["rougeL"].fmeasure
            for text, label in zip(found, wanted, strict=True)
        ]
        rouge[name] = float(np.mean(scores))
    return bleu, rouge


def _to_json(row: Answer, answer: bool) -> str:
    """The answer or the label in the schema of the answer, without the file's address."""
    sentence = row.sentence
    source: Any = row if answer else sentence
    content = {
        "track": {"mood_id": row.ranked[0][0] if answer else sentence.mood},
        "lighting": [msgspec.to_builtins(step) for step in source.lighting],
        "narration": source.narration,
        "diagnostics": {
            "valence_hint": round(source.valence, 2),
            "arousal_hint": round(source.arousal, 2),
        },
    }
    return json.dumps(content, ensure_ascii=False)
