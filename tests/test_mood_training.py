"""The sentences that moods are learned from, and how they are split and measured."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from scripts.core import paths
from scripts.request.interpret.tokens import fold
from scripts.styles.moods import load_moods
from training.mood.evaluate import _calibration_error, _macro_f1
from training.mood.prepare import _choose_splits, _connect, _split
from training.mood.sentences import LANGUAGES, MORE_FOLDER, MoodSentence, load_sentences

MOODS = load_moods(paths.DATA / "moods.toml")
ROWS = load_sentences()


def test_each_mood_and_language_has_48_sentences() -> None:
    counts = Counter((language, sentence.mood) for language, sentence in ROWS)
    assert counts == {(language, mood): 48 for language in LANGUAGES for mood in MOODS}


def test_all_sentences_have_all_labels() -> None:
    for _, sentence in ROWS:
        assert sentence.narration
        assert 2 <= len(sentence.lighting) <= 4
        assert sentence.part in ("shown", "direct")


def test_a_tenth_of_each_mood_and_language_is_for_the_test() -> None:
    for split in ("test", "validation"):
        counts = Counter((lang, s.mood) for lang, s in ROWS if s.split == split)
        assert set(counts.values()) == {4}
        assert len(counts) == 72


def test_no_sentence_is_in_two_places() -> None:
    texts = [fold(s.text) for _, s in (*ROWS, *load_sentences(MORE_FOLDER))]
    assert len(texts) == len({*texts})
    measured = {fold(s.text) for _, s in ROWS if s.split != "train"}
    assert not measured & {fold(s.text) for _, s in load_sentences(MORE_FOLDER)}


def test_valence_and_arousal_are_those_of_the_moods() -> None:
    for mood in MOODS:
        rows = [s for _, s in ROWS if s.mood == mood]
        assert np.mean([s.valence for s in rows]) == pytest.approx(MOODS[mood].valence, abs=0.2)
        assert np.mean([s.arousal for s in rows]) == pytest.approx(MOODS[mood].arousal, abs=0.2)


def test_near_copies_stay_on_one_side() -> None:
    rows = [("en", MoodSentence(f"sentence {n}", "detente", 0.5, 0.2, "shown")) for n in range(40)]
    groups = _connect(40, [(n, n + 1) for n in range(0, 40, 2)])
    splits = _split(rows, groups)
    assert all(splits[n] == splits[n + 1] for n in range(0, 40, 2))
    assert Counter(splits) == {"train": 32, "test": 4, "validation": 4}


def test_a_sentence_keeps_its_split_unless_near_copies_differ() -> None:
    known = [sentence.split for _, sentence in ROWS]
    assert _choose_splits(ROWS, []) == known
    train, test = known.index("train"), known.index("test")
    again = _choose_splits(ROWS, [(train, test)])
    assert again[train] == again[test]


def test_macro_f1_weighs_all_moods_alike() -> None:
    assert _macro_f1([("a", "a"), ("b", "b")]) == 1
    assert _macro_f1([("a", "a"), ("a", "a"), ("b", "a")]) == pytest.approx(0.4)


def test_the_calibration_error_is_what_confidence_and_accuracy_differ_by() -> None:
    confidence = np.array([0.95, 0.95, 0.95, 0.95])
    assert _calibration_error(confidence, np.array([True] * 4)) == pytest.approx(0.05)
    assert _calibration_error(confidence, np.array([True, False] * 2)) == pytest.approx(0.45)
