"""Draws the light shows of three songs for docs/mood.md: ``python docs/make_light_pictures.py``.

Above: the console at twelve moments; below: the light of every moment, from left to right. Needs
Pillow.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image, ImageDraw

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from scripts.lights.show import LightMode, LightPlayback  # noqa: E402
from scripts.lights.show_file import load_show  # noqa: E402
from scripts.tui.light_canvas import paint  # noqa: E402

_SENTENCES = {
    "euphorie": "on danse jusqu'à l'aube, je ne tiens plus en place",
    "detente": "feet up after a long week, nothing to do but breathe",
    "panique": "es brennt, wo ist der Ausgang, ich krieg keine Luft",
}
_FRAMES, _FRAME_SIZE, _GAP = 12, (100, 64), 4
_RIBBON_HEIGHT = 70
_ROWS = 24


def draw_show(song: Path, out: Path) -> None:
    """Draw the light show of a song."""
    show = load_show(song)
    assert show
    playback = LightPlayback(show, LightMode.FULL)
    width = _FRAMES * (_FRAME_SIZE[0] + _GAP) - _GAP
    picture = Image.new("RGB", (width, _FRAME_SIZE[1] + _GAP + _RIBBON_HEIGHT))
    canvas = ImageDraw.Draw(picture)
    for n in range(_FRAMES):
        left = n * (_FRAME_SIZE[0] + _GAP)
        light = playback.at((n + 0.5) / _FRAMES * show.seconds)
        for y, row in enumerate(paint(light, (80, _ROWS), {})):
            top = y * _FRAME_SIZE[1] // _ROWS
            bottom = (y + 1) * _FRAME_SIZE[1] // _ROWS - 1
            canvas.rectangle((left, top, left + _FRAME_SIZE[0] - 1, bottom), row.rgb)
    for x in range(width):
        light = playback.at(x / width * show.seconds)
        height = round(light.level * _RIBBON_HEIGHT)
        bottom = picture.height - 1
        if height:
            canvas.line((x, bottom - height + 1, x, bottom), light.rgb)
    picture.save(out, optimize=True)


def main() -> None:
    """Make the songs and draw them."""
    for mood, sentence in _SENTENCES.items():
        with tempfile.TemporaryDirectory() as folder:
            words = ("mood", sentence, "--length", "1", "--seed", "7", "--out", folder)
            subprocess.run([sys.executable, str(ROOT / "launcher.py"), *words], check=True)
            (song,) = Path(folder).glob("*.mp3")
            draw_show(song, ROOT / "docs" / "pictures" / f"light-{mood}.png")


if __name__ == "__main__":
    main()
