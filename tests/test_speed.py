"""How fast songs are made here: measured by model, estimated for new ones by size."""

from __future__ import annotations

from pathlib import Path

from scripts.batch.speed import Speed, load_speed, save_speed
from scripts.core import paths
from tests.conftest import VOCABS
from tests.support.random_models import write_random_model


def test_each_model_has_its_own_speed(home: Path) -> None:
    write_random_model(VOCABS / "ggml-vocab-phi-3.gguf", paths.MODELS / "other.gguf")
    speed = Speed(compose_seconds=1.0)
    assert speed.seconds_to_compose("") == speed.seconds_to_compose("starter") == 1.0
    for _ in range(30):
        speed = speed.with_song("other", 60.0, 0.02)
    assert 55 < speed.seconds_to_compose("other.gguf") <= 60
    assert speed.seconds_to_compose("starter") == 1.0
    assert speed.estimate("other", 10, 180.0, 2) > 10 * speed.estimate("starter", 10, 180.0, 2) / 3


def test_a_new_model_is_estimated_by_its_size(home: Path) -> None:
    path = paths.MODELS / "big.gguf"
    write_random_model(VOCABS / "ggml-vocab-phi-3.gguf", path)
    with path.open("ab") as file:
        file.truncate(4_000_000_000)  # a sparse file
    assert Speed().seconds_to_compose("big") == 15 + 4000 / 150


def test_measured_speeds_are_kept(home: Path) -> None:
    speed = Speed(1.0, 0.02, {"other.gguf": 9.0})
    save_speed(paths.SPEED, speed)
    assert load_speed(paths.SPEED) == speed
    paths.SPEED.write_text('{"compose_seconds": 2.5, "render_ratio": 0.03}')  # an earlier version
    assert load_speed(paths.SPEED) == Speed(2.5, 0.03)
