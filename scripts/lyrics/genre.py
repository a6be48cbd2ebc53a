"""Tells the genre of lyrics from their meaning and their form."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from scripts.lyrics.lyrics import Lyrics
from scripts.lyrics.rhymes import rhyme_scheme
from scripts.lyrics.syllables import Syllable, split_line

Vector = npt.NDArray[np.float32]

GENRES = (
    "pop", "rock", "hip-hop", "country", "folk", "blues", "soul", "metal", "punk", "electronic",
    "jazz ballad", "hymn", "art song", "children",
)  # fmt: skip
FORM_FEATURES = 15
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_MAX_STANZA = 500  # characters of a stanza that are embedded


@dataclass(frozen=True)
class GenreHead:
    """Linear classifier of genres.

    Parameters
    ----------
    genres : tuple of str, length c
    mean, scale : ndarray of float32, shape (d,)
        Of the features; the mean is subtracted, the rest divided by the scale.
    weights : ndarray of float32, shape (d, c)
    bias : ndarray of float32, shape (c,)
    """

    genres: tuple[str, ...]
    mean: Vector
    scale: Vector
    weights: Vector
    bias: Vector

    def rank(self, features: Vector) -> list[tuple[str, float]]:
        """Genres with their probabilities, the likeliest first."""
        scores = ((features - self.mean) / self.scale) @ self.weights + self.bias
        chances = np.exp((scores - scores.max()).astype(np.float64))
        chances /= chances.sum()
        order = np.argsort(-chances, kind="stable")
        return [(self.genres[i], float(chances[i])) for i in order]


def stanzas(lyrics: Lyrics) -> list[str]:
    """Text of each section as it is embedded: in lower case and without punctuation."""
    return [
        " / ".join(" ".join(_WORD.findall(line.casefold())) for line in section.lines)[:_MAX_STANZA]
        for section in lyrics.sections
    ]


def join_features(lyrics: Lyrics, language: str, embeddings: Vector) -> Vector:
    """Features of lyrics: the mean direction of their stanzas, and what :func:`measure_form` finds.

    Parameters
    ----------
    lyrics : Lyrics
    language : str
    embeddings : ndarray of float32, shape (n, d)
        Of :func:`stanzas`.

    Returns
    -------
    ndarray of float32, shape (d + FORM_FEATURES,)
    """
    sizes = np.array([len(text) for text in stanzas(lyrics)], np.float32)
    mean = sizes @ embeddings / sizes.sum()
    unit = mean / max(float(np.linalg.norm(mean)), 1e-12)
    return np.concatenate((unit, measure_form(lyrics, language))).astype(np.float32)


def measure_form(lyrics: Lyrics, language: str) -> Vector:
    """Lengths, repetition and rhyme of lyrics; nothing of their typography.

    Returns
    -------
    ndarray of float32, shape (FORM_FEATURES,)
    """
    lines = lyrics.lines
    split = [[split_line(line, language) for line in s.lines] for s in lyrics.sections]
    syllables = [line for section in split for line in section]
    counts = np.array([len(line) for line in syllables])
    words = [s.word for line in syllables for s in line if s.begins_word]
    starts = [line[0].word for line in syllables if line]
    sizes = np.array([len(section.lines) for section in lyrics.sections])
    total, known = max(1, len(words)), max(1, len(starts))
    return np.array(
        [
            counts.mean(),
            counts.std(),
            np.bincount(counts).max() / len(lines),
            np.log(len(lines)),
            len(set(words)) / total,
            np.mean([len(word) for word in words]) if words else 0.0,
            sum("'" in word for word in words) / total,
            1 - len({line.casefold() for line in lines}) / len(lines),
            sum(a == b for a, b in pairwise(lines)) / len(lines),
            1 - len(set(starts)) / known,
            sizes.mean(),
            sizes.std(),
            float((sizes == 3).mean()),
            float(any(section.kind == "chorus" for section in lyrics.sections)),
            sum(_count_rhyming(section, language) for section in split) / len(lines),
        ],
        np.float32,
    )


def _count_rhyming(lines: Sequence[Sequence[Syllable]], language: str) -> int:
    """Lines of a section that rhyme with another one of it."""
    scheme = Counter(rhyme_scheme(lines, language))
    return sum(count for count in scheme.values() if count > 1)
