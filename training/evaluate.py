"""Evaluation of the starter model, with a report and the model card."""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from pathlib import Path
from typing import Any

import music21
import numpy as np

from scripts.composer.compose import Composer
from scripts.composer.grammar import build_sheet_grammar
from scripts.composer.prompts import build_starter_header
from scripts.core import paths
from scripts.core.errors import NotationError
from scripts.llm.chat import Prompt
from scripts.llm.client import ModelProcess
from scripts.llm.decoder import Decoder
from scripts.llm.decoding_plan import DecodingPlan
from scripts.llm.gguf_file import read_language_model
from scripts.llm.sampling import Sampling
from scripts.request.build import build_spec
from scripts.request.request import SongRequest
from scripts.score.abc_reader import read_abc
from scripts.score.abc_writer import write_abc
from scripts.score.sheet import LeadSheet, scale_share
from scripts.score.tune_header import build_tune_header
from scripts.styles.style import load_styles
from training.card import format_card
from training.corpus import load_sheets
from training.metrics import (
    CopyIndex,
    groove_consistency,
    pitch_class_entropy,
    repeats_one_bar,
    scale_consistency,
)

METRICS = {
    "pitch_class_entropy": pitch_class_entropy,
    "scale_consistency": scale_consistency,
    "groove_consistency": groove_consistency,
}


def music21_parses(abc: str) -> bool:
    """Return whether music21 parses the text into notes."""
    try:
        return len(music21.converter.parse(abc, format="abc").flatten().notes) > 0
    except Exception:  # music21 raises many types on invalid notation
        return False


def evaluate(data: Path, run: Path, model: Path, tunes: int, seed: int) -> None:
    """Write ``report.json`` into `run` and the model card beside `model`.

    The report compares tunes without grammar, tunes as the program composes them, and real tunes
    held out from training.

    Parameters
    ----------
    data : Path
        Folder that ``prepare`` has written.
    tunes : int
        Tunes to compose for each column.
    """
    valid = [s for source, s in load_sheets(data / "valid.jsonl")]
    train = load_sheets(data / "train.jsonl")
    copies = CopyIndex([s for _, s in train if s.pitches])
    report: dict[str, Any] = {
        "training": json.loads((run / "result.json").read_text())
        if (run / "result.json").exists()
        else {}
    }
    report["real"] = _describe(valid, copies)
    report["real"]["scale_95"] = float(np.mean([scale_share(s) >= 0.95 for s in valid]))
    report["sources"] = dict(Counter(source for source, _ in train))
    report["free"] = _evaluate_free(model, valid, tunes, seed)
    sheets, used = _evaluate_as_used(model, tunes, seed)
    report["used"] = {**used, **_describe(sheets, copies)}
    for name in METRICS:
        low, high = report["real"][name]["p5"], report["real"][name]["p95"]
        values = [METRICS[name](s) for s in sheets]
        report["used"][name]["inside_band"] = float(np.mean([low <= v <= high for v in values]))
    report["speed"] = _measure_speed(model, seed)
    text = json.dumps(report, indent=2)
    (run / "report.json").write_text(text + "\n", encoding="utf-8")
    print(text)
    model.with_suffix(".md").write_text(format_card(report), encoding="utf-8")


def _describe(sheets: list[LeadSheet], copies: CopyIndex) -> dict[str, Any]:
    out: dict[str, Any] = {"tunes": len(sheets)}
    for name, metric in METRICS.items():
        values = np.array([metric(s) for s in sheets if len(s.pitches) > 3])
        out[name] = {
            "p5": float(np.percentile(values, 5)),
            "median": float(np.median(values)),
            "p95": float(np.percentile(values, 95)),
        }
    shares = [copies.longest_run(s) / len(s.bars) for s in sheets]
    out["copied_run_share"] = {
        "mean": float(np.mean(shares)),
        "max": float(np.max(shares)),
        "over_12_percent": float(np.mean(np.array(shares) > 0.12)),
    }
    out["one_bar_tunes"] = sum(map(repeats_one_bar, sheets))
    out["ends_on_tonic"] = float(np.mean([_ends_on_tonic(s) for s in sheets]))
    return out


def _ends_on_tonic(sheet: LeadSheet) -> bool:
    return bool(sheet.pitches) and sheet.pitches[-1] % 12 == sheet.key.tonic_pc


def _evaluate_free(model: Path, valid: list[LeadSheet], tunes: int, seed: int) -> dict[str, Any]:
    """Evaluate continuations of held-out headers without grammar, at temperature 0.8.

    The headers ask for melodies within the scale (``c0``).
    """
    rng = random.Random(seed)
    decoder = Decoder(Path(model), 2048, DecodingPlan.single(1))
    parsed = exact = bars_right = bars_all = in_scale = asked = 0
    for n in range(tunes):
        sheet = rng.choice(valid)
        header = re.sub(r" c\d$", " c0", build_tune_header(sheet), flags=re.MULTILINE)
        body = decoder.write_unconstrained(
            decoder.tokenize(header, False, True), 1400, Sampling(0.8, 0, 1.0, 0.0, seed + n)
        )
        text = header + body
        parsed += music21_parses(text)
        good, count = _count_bars(text, sheet)
        bars_right, bars_all = bars_right + good, bars_all + count
        try:
            read = read_abc(text)
        except NotationError:
            continue
        exact += good == count
        in_scale += scale_share(read) >= 0.95
        asked += tuple(len(p) for p in read.parts) == tuple(len(p) for p in sheet.parts)
    return {
        "tunes": tunes,
        "parse": parsed / tunes,
        "tunes_all_bars_exact": exact / tunes,
        "bars_exact": bars_right / max(bars_all, 1),
        "scale_95": in_scale / tunes,
        "form_as_asked": asked / tunes,
    }


def _count_bars(text: str, expected: LeadSheet) -> tuple[int, int]:
    """Count the bars of the right length, and all bars, reading them one by one."""
    head, _, body = text.partition("\nK:")
    key_line, _, music = body.partition("\n")
    good = count = 0
    for bar in music.replace("\n", "").replace("|]", "|").replace("||", "|").split("|"):
        if not bar.strip():
            continue
        count += 1
        try:
            one = read_abc(f"{head}\nK:{key_line}\n{bar}|")
            good += one.bars[0].ticks == expected.meter.bar_ticks
        except NotationError:
            pass
    return good, count


def _evaluate_as_used(model: Path, tunes: int, seed: int) -> tuple[list[LeadSheet], dict[str, Any]]:
    """Evaluate sheets as the program composes them, over all styles in rotation."""
    styles = load_styles(paths.DATA / "styles")
    names = sorted(styles)
    info = read_language_model(model)
    sheets, parsed, exact, scale, count_right = [], 0, 0, 0, 0
    with ModelProcess(model, 2048, DecodingPlan.single(1)) as process:
        composer = Composer(process, info, paths.DATA)
        for n in range(tunes):
            spec = build_spec(SongRequest(names[n % len(names)]), styles, seed + n)
            sheet = composer.compose(spec, 0.8, lambda d, t: None).sheet
            sheets.append(sheet)
            parsed += music21_parses(write_abc(sheet))
            exact += all(b.ticks == sheet.meter.bar_ticks for b in sheet.bars)
            scale += spec.style.melody.chromatic or scale_share(sheet) == 1.0
            count_right += tuple(len(p) for p in sheet.parts) == spec.parts
    return sheets, {
        "parse": parsed / tunes,
        "bars_exact": exact / tunes,
        "in_scale_or_chromatic_style": scale / tunes,
        "bars_as_asked": count_right / tunes,
    }


def _measure_speed(model: Path, seed: int) -> dict[str, float]:
    """Measure tokens per second with and without grammar, alternating in one run."""
    styles = load_styles(paths.DATA / "styles")
    spec = build_spec(SongRequest("folk"), styles, seed)
    prompt = Prompt(build_starter_header(spec), False, True)
    bound, free = [], []
    with ModelProcess(model, 2048, DecodingPlan.single(1)) as process:
        for n in range(6):
            reply = process.write_sheet(
                prompt, build_sheet_grammar(spec), Sampling(0.8, seed=n), 2, lambda d, t: None
            )
            bound.append(reply.tokens / reply.seconds)
            free.append(process.measure_unconstrained_speed(prompt, 300, n))
    return {
        "grammar_tokens_per_second": float(np.median(bound[1:])),
        "free_tokens_per_second": float(np.median(free[1:])),
        "ratio": float(np.median(bound[1:]) / np.median(free[1:])),
    }
