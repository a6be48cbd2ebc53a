"""Small SoundFont, built byte by byte: one sine wave as every program, and as a drum kit."""

from __future__ import annotations

import struct

import numpy as np

RATE = 44_100
_LOOP = 441  # samples: an even number of periods of 1,000 Hz


def chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def build_small_soundfont(programs: tuple[int, ...] = (0,), kit: bool = True) -> bytes:
    """Build a SoundFont 2.01 file that contains only a looped sine of B5."""
    wave = (np.sin(2 * np.pi * 1000 * np.arange(_LOOP * 20) / RATE) * 20_000).astype("<i2")
    presets = [(p, 0) for p in programs] + [(0, 128)] * kit
    phdr = b"".join(
        struct.pack("<20sHHHIII", f"P{n}".encode(), p, bank, n, 0, 0, 0)
        for n, (p, bank) in enumerate(presets)
    )
    phdr += struct.pack("<20sHHHIII", b"EOP", 0, 0, len(presets), 0, 0, 0)
    pbag = b"".join(struct.pack("<HH", n, 0) for n in range(len(presets) + 1))
    pgen = b"".join(struct.pack("<Hh", 41, 0) for _ in presets) + struct.pack("<Hh", 0, 0)
    mods = bytes(10)
    inst = struct.pack("<20sH", b"sine", 0) + struct.pack("<20sH", b"EOI", 1)
    ibag = struct.pack("<HHHH", 0, 0, 2, 0)
    igen = struct.pack("<Hh", 54, 1) + struct.pack("<Hh", 53, 0) + struct.pack("<Hh", 0, 0)
    # 1,000 Hz is 21.3 cents above B5, key 83.
    shdr = struct.pack(
        "<20sIIIIIBbHH", b"sine", 0, len(wave), _LOOP, _LOOP * 19, RATE, 83, -21, 0, 1
    ) + struct.pack("<20sIIIIIBbHH", b"EOS", 0, 0, 0, 0, 0, 0, 0, 0, 0)
    info = (
        chunk(b"ifil", struct.pack("<HH", 2, 1))
        + chunk(b"isng", b"EMU8000\0")
        + chunk(b"INAM", b"small\0")
    )
    data = chunk(b"smpl", wave.tobytes() + bytes(92))
    tables = zip(
        (b"phdr", b"pbag", b"pmod", b"pgen", b"inst", b"ibag", b"imod", b"igen", b"shdr"),
        (phdr, pbag, mods, pgen, inst, ibag, mods, igen, shdr),
        strict=True,
    )
    body = (
        chunk(b"LIST", b"INFO" + info)
        + chunk(b"LIST", b"sdta" + data)
        + chunk(b"LIST", b"pdta" + b"".join(chunk(n, d) for n, d in tables))
    )
    return chunk(b"RIFF", b"sfbk" + body)
