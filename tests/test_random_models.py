"""Any GGUF model writes usable sheets: 50 with each of four real tokenizers and random weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import music21
import pytest

from scripts.composer.compose import fix_ties
from scripts.composer.grammar import build_sheet_grammar
from scripts.composer.prompts import build_abc_header
from scripts.llm.chat import ModelProfile, build_chat_prompt
from scripts.llm.client import ModelProcess
from scripts.llm.decoding_plan import DecodingPlan
from scripts.llm.sampling import Sampling
from scripts.request.spec import SongSpec
from scripts.score.abc_reader import read_abc
from scripts.score.abc_writer import write_abc
from scripts.score.sheet import scale_share

pytestmark = pytest.mark.slow

SHEETS = 50
KEYS = (
    "C major",
    "F# minor",
    "Bb dorian",
    "E phrygian",
    "A blues",
    "D harmonic minor",
    "Ab lydian",
    "C# mixolydian",
    "G major pentatonic",
    "Eb major",
)
METERS = ("2/4", "3/4", "4/4", "6/8", "5/4", "7/8")
STYLES = (
    "chill",
    "dubstep",
    "jazz",
    "classical",
    "rock",
    "lo-fi",
    "ambient",
    "house",
    "hip-hop",
    "folk",
    "blues",
    "sad",
    "happy",
    "romantic",
    "Chill, Dubstep",
)
LENGTHS = ("0.2", "0.5", "1", "3", "8")


@pytest.mark.parametrize("name", ["llama-spm", "llama-bpe", "qwen2", "phi-3"])
def test_every_sheet_of_a_random_model_is_usable(
    name: str, random_model: Callable[[str], Path], spec: Callable[..., SongSpec]
) -> None:
    tokens = seconds = 0.0
    with ModelProcess(random_model(name), 8192, DecodingPlan.single(1)) as model:
        for n in range(SHEETS):
            song = spec(
                STYLES[n % len(STYLES)],
                seed=n,
                key=KEYS[n % len(KEYS)],
                meter=METERS[n % len(METERS)],
                length=LENGTHS[n % len(LENGTHS)],
            )
            question = f"Write {song.requested_styles} in {song.key}."
            rendered = model.render_chat_template(question)
            prompt = build_chat_prompt(
                question, build_abc_header(song), ModelProfile(), rendered, model.bos
            )
            reply = model.write_sheet(
                prompt,
                build_sheet_grammar(song),
                Sampling(1.0, seed=n),
                1,
                lambda done, text: None,
            )
            tokens, seconds = tokens + reply.tokens, seconds + reply.seconds
            sheet = replace(
                fix_ties(read_abc(build_abc_header(song) + reply.texts[0])), key=song.key
            )
            assert tuple(len(p) for p in sheet.parts) == song.parts
            assert all(bar.ticks == song.meter.bar_ticks for bar in sheet.bars)
            if not song.style.melody.chromatic:
                assert scale_share(sheet) == 1.0
            score = music21.converter.parse(write_abc(sheet), format="abc")
            pitches = [
                x.pitch.midi
                for x in score.flatten().notes
                if not isinstance(x, music21.harmony.ChordSymbol)
            ]
            assert pitches == list(sheet.pitches)
            length = score.flatten().notesAndRests.stream().highestTime
            assert length == pytest.approx(len(sheet.bars) * song.meter.bar_ticks / 24)
    print(f"\n{name}: {SHEETS} of {SHEETS} usable, {tokens / seconds:.0f} tokens/s")
