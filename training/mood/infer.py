"""Batch inference: the program's answer to each sentence of a split, as JSON lines."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from scripts.composer.narrations import choose_narration
from scripts.core import paths
from scripts.core.atomic_files import write_text
from scripts.llm.gguf_file import read_gguf
from scripts.llm.mood_adapter import adapter_beside, load_head
from scripts.llm.reader import EmbeddingProcess
from scripts.production.mood_reply import LightingStep, usual_lighting
from scripts.request.feeling import Feeling
from scripts.request.interpret.mood_head import MoodReading
from scripts.styles.moods import load_moods
from training.mood.prepare import write_narrations
from training.mood.sentences import READER_PREFIX, MoodSentence, load_sentences


class Answer(msgspec.Struct):
    """The answer to a sentence, beside its labels; no song is made.

    Parameters
    ----------
    language : str
    sentence : MoodSentence
    ranked : tuple of (str, float)
        All moods with their probabilities.
    valence, arousal : float
    narration : str
    lighting : tuple of LightingStep
    """

    language: str
    sentence: MoodSentence
    ranked: tuple[tuple[str, float], ...]
    valence: float
    arousal: float
    narration: str
    lighting: tuple[LightingStep, ...]


def infer(model: Path, split: str, out: Path) -> int:
    """Answer the sentences of a split and write the answers; returns their number.

    The narrations are chosen from those of the other sentences.
    """
    known = load_sentences()
    rows = [row for row in known if row[1].split == split]
    readings = read_moods(model, [sentence.text for _, sentence in rows])
    folder = out.parent / "narrations"
    write_narrations([row for row in known if row[1].split != split], folder)
    moods = load_moods(paths.DATA / "moods.toml")
    answers = []
    for seed, ((language, sentence), reading) in enumerate(zip(rows, readings, strict=True)):
        feeling = Feeling(reading.mood, reading.valence, reading.arousal, language)
        answers.append(
            Answer(
                language,
                sentence,
                reading.ranked,
                reading.valence,
                reading.arousal,
                choose_narration(feeling, seed, folder),
                usual_lighting(moods[reading.mood], reading.arousal),
            )
        )
    write_text(out, "".join(msgspec.json.encode(answer).decode() + "\n" for answer in answers))
    return len(answers)


def read_moods(model: Path, texts: Iterable[str]) -> list[MoodReading]:
    """Read texts as the program does."""
    head = load_head(read_gguf(model))
    if head is None:
        raise FileNotFoundError(f"{adapter_beside(model)} is missing; run the step train")
    with EmbeddingProcess(model, READER_PREFIX, 2, adapter_beside(model)) as process:
        return [head.read(vector) for vector in process.embed(list(texts), adapted=True)]


def load_answers(path: Path) -> list[Answer]:
    """Read what :func:`infer` wrote."""
    return [msgspec.json.decode(line, type=Answer) for line in path.read_bytes().splitlines()]
