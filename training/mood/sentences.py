"""The sentences that moods are learned from, and measured with: ``training/mood/sentences``."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from scripts.core.atomic_files import write_text

LANGUAGES = ("en", "fr", "de", "es", "it", "pt")
READER_PREFIX = "query: "  # that the reader expects before each text
FOLDER = Path(__file__).parent / "sentences"
MORE_FOLDER = Path(__file__).parent / "more"
Split = Literal["train", "validation", "test", ""]
_Byte = Annotated[int, Meta(ge=0, le=255)]


class LightStep(msgspec.Struct, frozen=True):
    """A color (0 to 255 each), its seconds and its intensity (0 to 1)."""

    rgb: tuple[_Byte, _Byte, _Byte]
    duration: Annotated[float, Meta(ge=1, le=60)]
    intensity: Annotated[float, Meta(gt=0, le=1)]


class MoodSentence(msgspec.Struct, frozen=True, omit_defaults=True):
    """A sentence with its labels.

    Parameters
    ----------
    text : str
    mood : str
    valence, arousal : float
        -1 to 1, and 0 to 1.
    part : str
        ``shown`` by a situation, or ``direct``: said in plain words.
    narration : str
        Of the light, in the sentence's language; empty in ``training/mood/more``.
    lighting : tuple of LightStep
    split : str
        ``train``, ``validation`` or ``test``; empty in ``training/mood/more``: only learned from.
    """

    text: Annotated[str, Meta(min_length=2, max_length=400)]
    mood: str
    valence: Annotated[float, Meta(ge=-1, le=1)]
    arousal: Annotated[float, Meta(ge=0, le=1)]
    part: str = ""
    narration: str = ""
    lighting: tuple[LightStep, ...] = ()
    split: Split = ""


def load_sentences(folder: Path = FOLDER) -> list[tuple[str, MoodSentence]]:
    """Read all sentences of a folder with their languages."""
    return [
        (language, msgspec.json.decode(line, type=MoodSentence))
        for language in LANGUAGES
        for line in (folder / f"{language}.jsonl").read_bytes().splitlines()
    ]


def save_sentences(rows: Iterable[tuple[str, MoodSentence]], folder: Path = FOLDER) -> None:
    """Write the sentences, a file a language, a line a sentence."""
    lines: dict[str, list[str]] = {language: [] for language in LANGUAGES}
    for language, sentence in rows:
        lines[language].append(msgspec.json.encode(sentence).decode())
    for language, found in lines.items():
        write_text(folder / f"{language}.jsonl", "\n".join(found) + "\n")
