"""Imports every package and generates one token, in a process that may crash.

:mod:`scripts.installer.startup_check` runs it and explains failures.
"""

from __future__ import annotations

import importlib
import sys

from scripts.core import paths

PACKAGES = (
    "numpy",
    "scipy.fft",
    "music21",
    "pydub",
    "mutagen",
    "mido",
    "miniaudio",
    "imageio_ffmpeg",
    "jinja2",
    "huggingface_hub",
    "curses",
    "llama_cpp",
)


def main() -> int:
    """Print the name of each package, then import it, so that a crash can be attributed."""
    for name in PACKAGES:
        print(f"> {name}", flush=True)
        importlib.import_module(name)
    starter = paths.ROOT / "models" / "starter.gguf"
    if starter.is_file():
        print("> the starter model", flush=True)
        from scripts.llm.decoder import Decoder
        from scripts.llm.decoding_plan import DecodingPlan
        from scripts.llm.sampling import Sampling

        Decoder(starter, 64, DecodingPlan.single(1)).write_unconstrained([1], 1, Sampling())
    return 0


if __name__ == "__main__":
    sys.exit(main())
