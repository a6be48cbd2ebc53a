"""Trains the adapter that lets the reader feel moods, and writes ``models/reader.moods``."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import gguf
import numpy as np
import torch
from torch import nn
from torch.nn import functional

from scripts.core import paths
from scripts.llm.gguf_file import read_gguf
from scripts.llm.mood_adapter import BASE_KEY, HEAD_KEY, adapter_beside, format_head, load_head
from scripts.llm.reader import read_phrases
from scripts.request.interpret.mood_head import MoodHead
from scripts.styles.moods import load_moods, moods_by_style
from training.mood.network import AdaptedReader
from training.mood.sentences import MORE_FOLDER, READER_PREFIX, load_sentences

RANK = 16
_MAX_TOKENS = 128
_BATCH, _BATCHES_OF_LIKE_LENGTH = 32, 20
_RATE, _HEAD_RATE = 6e-4, 3e-3
_WARMUP_STEPS = 60
_RESUMED_RATE = 0.5  # of the rates, where training goes on
_SMOOTHING = 0.1  # of the labels
_AFFECT_WEIGHT = 1.5  # of valence and arousal in the loss
_FEATURE_SCALE = 8.0  # of the unit vectors
_DROPPED_TOKENS = 0.08  # share of a sentence that is left out at random
_FIRST_TOKENS = 4  # of the prefix, which are never left out
_AVERAGE_DECAY = 0.998  # of the moving average of the weights, which is what is written
_CENTER_TEXTS = 400  # that the center is the mean of
_SHARPNESSES = np.geomspace(0.3, 4, 60)


@dataclass(frozen=True)
class Example:
    """A sentence as token numbers, with its labels; affect is None where only the mood is known."""

    tokens: tuple[int, ...]
    mood: int
    affect: tuple[float, float] | None


def train(model: Path, epochs: int, seed: int, resume: bool = False) -> None:
    """Train on the split ``train`` and on what is only learned from; print the validation.

    Parameters
    ----------
    model : Path
        The reader.
    epochs : int
    seed : int
    resume : bool
        Whether to go on from the adapter beside the reader, at a lower rate.
    """
    torch.manual_seed(seed)
    moods = tuple(sorted(load_moods(paths.DATA / "moods.toml")))
    examples, validation = _load_examples(model, moods)
    print(f"{len(examples)} sentences to learn from, {len(validation)} for validation")
    network = AdaptedReader(model, RANK)
    head = nn.Linear(network.width, len(moods) + 2)
    center = (
        _load_adapter(model, network, head) if resume else _find_center(network, examples, seed)
    )
    slower = _RESUMED_RATE if resume else 1.0
    started = time.monotonic()
    batches = _batches(examples, random.Random(seed))
    optimizer = torch.optim.AdamW(
        [
            {"params": network.parameters(), "lr": slower * _RATE, "weight_decay": 0.01},
            {"params": head.parameters(), "lr": slower * _HEAD_RATE, "weight_decay": 0.0},
        ]
    )
    average = _Average((*network.parameters(), *head.parameters()))
    steps = epochs * len(batches)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(1, (step + 1) / _WARMUP_STEPS) * max(0.02, 1 - step / steps)
    )
    for epoch in range(epochs):
        network.train()
        rng = random.Random(seed + epoch)
        for batch in _batches(examples, rng):
            shortened = [_drop_tokens(example, rng) for example in batch]
            loss = _loss(head(_features(network, center, shortened)), batch, len(moods))
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            average.update()
        average.swap()
        scores = _scores(network, head, center, validation)[:, : len(moods)]
        truth = np.array([example.mood for example in validation])
        right = float((scores.argmax(axis=1) == truth).mean())
        print(
            f"epoch {epoch + 1}: {right:.1%} right, {time.monotonic() - started:.0f} s", flush=True
        )
        if epoch + 1 < epochs:
            average.swap()
    sharpness = _find_sharpness(scores, truth)
    weights = head.weight.detach().numpy() * _FEATURE_SCALE
    bias = head.bias.detach().numpy()
    export_adapter(model, network, MoodHead(moods, center.numpy(), weights, bias, sharpness))


class _Average:
    """Moving average of parameters."""

    def __init__(self, parameters: Sequence[nn.Parameter]) -> None:
        self._parameters = parameters
        self._values = [p.detach().clone() for p in parameters]
        self._steps = 0

    def update(self) -> None:
        """Follow the parameters; the first steps count less."""
        self._steps += 1
        decay = min(_AVERAGE_DECAY, self._steps / (self._steps + 10))
        with torch.no_grad():
            for value, parameter in zip(self._values, self._parameters, strict=True):
                value.lerp_(parameter, 1 - decay)

    def swap(self) -> None:
        """Exchange the parameters and their averages."""
        with torch.no_grad():
            for value, parameter in zip(self._values, self._parameters, strict=True):
                kept = parameter.detach().clone()
                parameter.copy_(value)
                value.copy_(kept)


def _drop_tokens(example: Example, rng: random.Random) -> Example:
    """Leave out some tokens, so that no single word is relied upon."""
    first, rest = example.tokens[:_FIRST_TOKENS], example.tokens[_FIRST_TOKENS:]
    kept = tuple(t for t in rest[:-1] if rng.random() >= _DROPPED_TOKENS)
    return replace(example, tokens=(*first, *kept, *rest[-1:]))


def export_adapter(model: Path, network: AdaptedReader, head: MoodHead) -> None:
    """Write the adapter as GGUF, as llama.cpp reads it, with the head in its metadata."""
    path = adapter_beside(model)
    part = path.with_suffix(".part")
    writer = gguf.GGUFWriter(part, "bert")
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", float(2 * RANK))
    writer.add_string(HEAD_KEY, format_head(head))
    writer.add_string(BASE_KEY, read_gguf(model).name)
    for name, matrix in network.matrices.items():
        layer, _, kind = name.partition("_")
        for side in ("lora_a", "lora_b"):
            values = getattr(matrix, side).detach().numpy().astype(np.float16)
            writer.add_tensor(f"blk.{layer}.{kind}.weight.{side}", values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    part.replace(path)


def _load_adapter(model: Path, network: AdaptedReader, head: nn.Linear) -> torch.Tensor:
    """Copy the adapter beside a reader into a network and a head; returns its center."""
    stored = load_head(read_gguf(model))
    if stored is None:
        raise ValueError(f"{adapter_beside(model)} is missing or for another reader")
    found = {t.name: t.data for t in gguf.GGUFReader(adapter_beside(model)).tensors}
    with torch.no_grad():
        for name, matrix in network.matrices.items():
            layer, _, kind = name.partition("_")
            for side in ("lora_a", "lora_b"):
                values = np.array(found[f"blk.{layer}.{kind}.weight.{side}"], np.float32)
                getattr(matrix, side).copy_(torch.tensor(values))
        head.weight.copy_(torch.tensor(np.array(stored.weights / _FEATURE_SCALE)))
        head.bias.copy_(torch.tensor(np.array(stored.bias)))
    return torch.tensor(np.array(stored.center))


def _load_examples(model: Path, moods: Sequence[str]) -> tuple[list[Example], list[Example]]:
    """Examples to learn from and for validation; phrases of the styles of moods are used, too."""
    import llama_cpp

    tokenizer = llama_cpp.Llama(str(model), vocab_only=True, verbose=False)

    def example(text: str, mood: str, affect: tuple[float, float] | None) -> Example:
        tokens = tokenizer.tokenize((READER_PREFIX + text).encode(), add_bos=True, special=False)
        return Example(tuple(tokens[:_MAX_TOKENS]), moods.index(mood), affect)

    known: list[Example] = []
    validation: list[Example] = []
    for _, row in (*load_sentences(), *load_sentences(MORE_FOLDER)):
        if row.split != "test":
            target = validation if row.split == "validation" else known
            target.append(example(row.text, row.mood, (row.valence, row.arousal)))
    styles = moods_by_style(load_moods(paths.DATA / "moods.toml"))
    for label, text in zip(*read_phrases(paths.DATA / "meanings.toml"), strict=True):
        if label in styles:
            known.append(example(text, styles[label], None))
    return known, validation


def _find_center(network: AdaptedReader, examples: Sequence[Example], seed: int) -> torch.Tensor:
    network.eval()
    chosen = random.Random(seed).sample(list(examples), min(_CENTER_TEXTS, len(examples)))
    with torch.no_grad():
        vectors = [functional.normalize(network([example.tokens]), dim=1) for example in chosen]
    return torch.cat(vectors).mean(dim=0)


def _batches(examples: Sequence[Example], rng: random.Random) -> list[list[Example]]:
    """Batches of sentences of about the same length, in random order."""
    mixed = list(examples)
    rng.shuffle(mixed)
    size = _BATCH * _BATCHES_OF_LIKE_LENGTH
    batches = []
    for start in range(0, len(mixed), size):
        chunk = sorted(mixed[start : start + size], key=lambda example: len(example.tokens))
        batches += [chunk[i : i + _BATCH] for i in range(0, len(chunk), _BATCH)]
    rng.shuffle(batches)
    return batches


def _features(
    network: AdaptedReader, center: torch.Tensor, batch: Sequence[Example]
) -> torch.Tensor:
    vectors = network([example.tokens for example in batch])
    return (functional.normalize(vectors, dim=1) - center) * _FEATURE_SCALE


def _loss(found: torch.Tensor, batch: Sequence[Example], moods: int) -> torch.Tensor:
    truth = torch.tensor([example.mood for example in batch])
    loss = functional.cross_entropy(found[:, :moods], truth, label_smoothing=_SMOOTHING)
    known = [i for i, example in enumerate(batch) if example.affect is not None]
    if known:
        affect = torch.tensor([batch[i].affect for i in known])
        loss = loss + _AFFECT_WEIGHT * functional.mse_loss(found[known, moods:], affect)
    return loss


def _scores(
    network: AdaptedReader, head: nn.Linear, center: torch.Tensor, examples: Sequence[Example]
) -> np.ndarray:
    network.eval()
    with torch.no_grad():
        found = [head(_features(network, center, [example])) for example in examples]
    return torch.cat(found).numpy()


def _find_sharpness(scores: np.ndarray, truth: np.ndarray) -> float:
    """Factor of the scores with the greatest likelihood of the truth."""

    def likelihood(factor: float) -> float:
        scaled = scores * factor
        logs = scaled - np.logaddexp.reduce(scaled, axis=1, keepdims=True)
        return float(logs[np.arange(len(truth)), truth].sum())

    return float(max(_SHARPNESSES, key=likelihood))
