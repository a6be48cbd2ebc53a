"""Failures on processors without an instruction that a library was compiled for."""

from __future__ import annotations

NO_AVX_MESSAGE = (
    "this processor lacks an instruction (AVX) that the prebuilt llama-cpp-python needs; "
    "run 'requisites.py --build' to compile one for it (docs/install.md)"
)
ILLEGAL_INSTRUCTION_STATUSES = (-4, 0xC000001D, 0xC000001D - (1 << 32))  # exit statuses
ILLEGAL_INSTRUCTION_TEXTS = (
    "0xc000001d",
    "-1073741795",
)  # in Windows errors when loading a library
