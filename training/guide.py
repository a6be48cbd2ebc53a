"""What guidance by the starter does to the sheets of a larger model, and what it costs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from scripts.composer.compose import ACCEPTABLE_COST, Composer, Composition
from scripts.core import paths
from scripts.llm.client import ModelProcess
from scripts.llm.decoding_plan import DecodingPlan, plan_decoding
from scripts.llm.gguf_file import read_language_model
from scripts.request.build import build_spec
from scripts.request.request import SongRequest
from scripts.request.spec import SongSpec
from scripts.styles.style import load_styles
from training.corpus import load_sheets
from training.evaluate import METRICS

_CONTEXT = 8192  # tokens
_TEMPERATURE = 0.75
_LENGTH = "1"  # minutes
_STYLES = (
    "pop",
    "jazz",
    "folk",
    "rock",
    "classical",
    "lo-fi",
    "blues",
    "house",
    "country",
    "waltz",
)


def measure_guidance(
    model: Path, guide: Path, data: Path, weights: Sequence[float], songs: int, seed: int
) -> dict[str, Any]:
    """Compose the same songs with each weight of the guide, and with the guide alone.

    Parameters
    ----------
    model, guide : Path
        GGUF files.
    data : Path
        Folder that ``prepare`` has written; its held-out tunes give the ranges of real tunes.
    weights : sequence of float
        0 to 1.
    songs : int
    seed : int
        Of the first song; the others count on from it.

    Returns
    -------
    dict
        By weight, and as ``guide alone``: the share of sheets within the middle 90 % of real tunes
        in each of :data:`METRICS`, the critic's cost, the guide's bits per character, tokens and
        seconds per sheet.
    """
    real = [s for _, s in load_sheets(data / "valid.jsonl") if len(s.pitches) > 3]
    bands = {
        name: np.percentile([metric(s) for s in real], (5, 95)) for name, metric in METRICS.items()
    }
    styles = load_styles(paths.DATA / "styles")
    specs = [
        build_spec(SongRequest(_STYLES[n % len(_STYLES)], length=_LENGTH), styles, seed + n)
        for n in range(songs)
    ]
    report: dict[str, Any] = {name: [round(float(v), 3) for v in b] for name, b in bands.items()}
    info = read_language_model(model)
    with ModelProcess(model, _CONTEXT, plan_decoding(info.parameters, 2), guide) as process:
        for weight in weights:
            composer = Composer(process, info, paths.DATA, guide=weight)
            made = [composer.compose(s, _TEMPERATURE, lambda d, t: None) for s in specs]
            report[f"weight {weight:g}"] = _describe(made, specs, bands)
    starter = read_language_model(guide)
    plan = replace(plan_decoding(starter.parameters, 1), candidates=4)
    report["guide alone"] = _compose_alone(guide, plan, specs, bands)
    print(json.dumps(report, indent=1))
    return report


def _compose_alone(
    guide: Path, plan: DecodingPlan, specs: Sequence[SongSpec], bands: dict[str, Any]
) -> dict[str, float]:
    with ModelProcess(guide, _CONTEXT, plan, guide) as process:
        composer = Composer(process, read_language_model(guide), paths.DATA, guide=0.0)
        made = [composer.compose(s, _TEMPERATURE, lambda d, t: None) for s in specs]
    return _describe(made, specs, bands)


def _describe(
    made: Sequence[Composition], specs: Sequence[SongSpec], bands: dict[str, Any]
) -> dict[str, float]:
    costs = [composition.cost for composition in made]
    figures = {
        f"{name} inside": np.mean(
            [low <= METRICS[name](composition.sheet) <= high for composition in made]
        )
        for name, (low, high) in bands.items()
    }
    figures |= {
        "critic median": np.median(costs),
        "critic acceptable": np.mean([c <= ACCEPTABLE_COST for c in costs]),
        "guide bits per character": np.mean([composition.bits for composition in made]),
        "bars exact": np.mean(
            [
                all(bar.ticks == spec.meter.bar_ticks for bar in composition.sheet.bars)
                for composition, spec in zip(made, specs, strict=True)
            ]
        ),
        "candidates": np.mean([composition.tries for composition in made]),
        "tokens": np.mean([composition.tokens for composition in made]),
        "seconds": np.mean([composition.seconds for composition in made]),
    }
    return {name: round(float(value), 3) for name, value in figures.items()}
