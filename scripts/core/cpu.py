"""How a program fails on a processor that lacks an instruction it was built with."""

from __future__ import annotations

NO_AVX = (
    "this processor lacks an instruction (AVX) that the ready-made llama-cpp-python needs; "
    "'requisites.py --build' makes one for it (docs/install.md)"
)
ILLEGAL_INSTRUCTION = (-4, 0xC000001D, 0xC000001D - (1 << 32))  # exit statuses
ILLEGAL_WORDS = ("0xc000001d", "-1073741795")  # as Windows reports it while loading a library
