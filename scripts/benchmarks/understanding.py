"""Benchmarks of understanding sentences."""

from __future__ import annotations

import time
from statistics import median

from scripts.batch.interpreter import Interpreter
from scripts.core import paths
from scripts.request.request import SongRequest
from scripts.styles.style import load_styles

_BY_WORDS = (
    "sad piano waltz in D minor, slow",
    "trois chansons de jazz en fa, sans batterie, 2 min 30",
    "fröhliches Stück für Streichquartett in B-Dur, 90 Sekunden",
)
_BY_MEANING = (
    "my cat sleeps on the windowsill",
    "on a gagné la finale hier soir",
    "im Keller knarrt eine Tür",
)
_ROUNDS = 10


def measure_understanding(song_seconds: float) -> dict[str, str | float]:
    """Measure how long sentences take, also as a share of the time that a song takes.

    Parameters
    ----------
    song_seconds : float
        From the prompt to the MP3 of a three-minute song.
    """
    styles = load_styles(paths.DATA / "styles")
    nothing_given = SongRequest("", length="")
    started = time.perf_counter()
    with Interpreter(styles) as interpreter:
        interpreter.interpret(_BY_MEANING[0], nothing_given)
        first = time.perf_counter() - started

        def measure(texts: tuple[str, ...]) -> float:
            times = []
            for _ in range(_ROUNDS):
                for text in texts:
                    started = time.perf_counter()
                    interpreter.interpret(text, nothing_given)
                    times.append(time.perf_counter() - started)
            return median(times)

        words, meaning = measure(_BY_WORDS), measure(_BY_MEANING)
        moods = []
        for text in _BY_MEANING * _ROUNDS:
            started = time.perf_counter()
            interpreter.interpret_mood(text, nothing_given)
            moods.append(time.perf_counter() - started)
    return {
        "first_sentence_seconds": first,
        "sentence_milliseconds": words * 1000,
        "sentence_by_meaning_milliseconds": meaning * 1000,
        "mood_milliseconds": median(moods) * 1000,
        "first_sentence_to_song": first / song_seconds,
    }
