"""Draws ``docs/pictures/jukebox.svg`` from the running program.

``.venv/bin/python docs/make_screenshot.py`` makes songs in a temporary home, opens the
jukebox in tmux, and writes what the terminal shows as SVG, with its colors.
"""

from __future__ import annotations

import html
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.support.tmux import Terminal  # noqa: E402

COLUMNS, LINES = 80, 24
CELL_WIDTH, CELL_HEIGHT, MARGIN = 8.4, 18, 12  # pixels
COLORS = {32: "#7ec07e", 33: "#e5c07b", 34: "#61afef", 35: "#c678dd", 36: "#56b6c2"}
FOREGROUND, BACKGROUND = "#d7dae0", "#1e2127"
_ESCAPE = re.compile(r"\x1b\[([\d;]*)m")


def capture() -> str:
    """Return the screen of the jukebox with its escape sequences."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "models").mkdir()
        (home / "models" / "starter.gguf").symlink_to(ROOT / "models" / "starter.gguf")
        (home / "data").mkdir()
        (home / "data" / "persistent.json").write_text(
            '{"output": "null", "theme": "unicode-colour"}'
        )
        variables = {**os.environ, "LLM_MUSIC_GEN_HOME": folder}
        styles = ["--styles", "Celtic", "--styles", "Jazz", "--styles", "Chill, Dubstep"]
        words = ["generate", *styles, "--length", "3", "--seed", "12", "--songs", "2", "--quiet"]
        subprocess.run(
            [sys.executable, "-m", "scripts.cli", *words], cwd=ROOT, env=variables, check=True
        )
        window = Terminal(
            f"cd {ROOT} && LLM_MUSIC_GEN_HOME={home} {sys.executable} -m scripts.cli; sleep 60",
            (COLUMNS, LINES),
        )
        try:
            window.wait("Main Menu")
            window.type("2")
            window.wait("Playing song:")
            window.type("4")
            window.type("PPage")
            window.wait("00:33/")
            return window.screen(colors=True)
        finally:
            window.close()


def to_svg(screen: str) -> str:
    """Draw a screen with escape sequences as SVG."""
    width, height = COLUMNS * CELL_WIDTH + 2 * MARGIN, LINES * CELL_HEIGHT + 2 * MARGIN
    rows = []
    color, weight = FOREGROUND, "normal"  # tmux carries them over the ends of lines
    for number, line in enumerate(screen.split("\n")[:LINES]):
        y = MARGIN + number * CELL_HEIGHT + 0.75 * CELL_HEIGHT
        column = 0
        for n, part in enumerate(_ESCAPE.split(line)):
            if n % 2:
                color, weight = _apply(part, color, weight)
            elif part:
                rows.append(
                    f'<text x="{MARGIN + column * CELL_WIDTH:.1f}" y="{y:.1f}" fill="{color}" '
                    f'font-weight="{weight}" textLength="{len(part) * CELL_WIDTH:.1f}">'
                    f"{html.escape(part)}</text>"
                )
                column += len(part)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'width="{width:.0f}" height="{height:.0f}">\n'
        f'<rect width="100%" height="100%" rx="8" fill="{BACKGROUND}"/>\n'
        '<g font-family="Consolas, Menlo, DejaVu Sans Mono, monospace" font-size="14" '
        'xml:space="preserve">\n' + "\n".join(rows) + "\n</g>\n</svg>\n"
    )


def _apply(codes: str, color: str, weight: str) -> tuple[str, str]:
    """Apply an SGR sequence."""
    for code in map(int, filter(None, codes.split(";"))) if codes else (0,):
        if code == 0:
            color, weight = FOREGROUND, "normal"
        elif code == 1:
            weight = "bold"
        elif code == 39:
            color = FOREGROUND
        else:
            color = COLORS.get(code, color)
    return color, weight


if __name__ == "__main__":
    target = ROOT / "docs" / "pictures" / "jukebox.svg"
    target.write_text(to_svg(capture()), encoding="utf-8")
    print(target)
