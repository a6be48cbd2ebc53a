"""Reader for the metadata of GGUF files (versions 2 and 3); does not load the model.

Every count and length is checked against the file's size before it is used.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from scripts.core.errors import ModelError

_SCALARS = {
    0: "<B",
    1: "<b",
    2: "<H",
    3: "<h",
    4: "<I",
    5: "<i",
    6: "<f",
    7: "<?",
    10: "<Q",
    11: "<q",
    12: "<d",
}
_STRING, _ARRAY = 8, 9
_KEPT_STRING = 1 << 20
# Tensor type (ggml_type) -> (bytes per block, weights per block).
_BLOCKS = {
    0: (4, 1),
    1: (2, 1),
    2: (18, 32),
    3: (20, 32),
    6: (22, 32),
    7: (24, 32),
    8: (34, 32),
    9: (36, 32),
    10: (84, 256),
    11: (110, 256),
    12: (144, 256),
    13: (176, 256),
    14: (210, 256),
    15: (292, 256),
    16: (66, 256),
    17: (74, 256),
    18: (98, 256),
    19: (50, 256),
    20: (18, 32),
    21: (110, 256),
    22: (82, 256),
    23: (136, 256),
    24: (1, 1),
    25: (2, 1),
    26: (4, 1),
    27: (8, 1),
    28: (8, 1),
    29: (56, 256),
    30: (2, 1),
}
# Value of general.file_type -> name of the quantization.
_FILE_TYPES = {
    0: "F32",
    1: "F16",
    2: "Q4_0",
    3: "Q4_1",
    7: "Q8_0",
    8: "Q5_0",
    9: "Q5_1",
    10: "Q2_K",
    11: "Q3_K_S",
    12: "Q3_K_M",
    13: "Q3_K_L",
    14: "Q4_K_S",
    15: "Q4_K_M",
    16: "Q5_K_S",
    17: "Q5_K_M",
    18: "Q6_K",
    32: "BF16",
}

# Architectures that produce vectors, audio tokens or images instead of text.
NOT_TEXT = {
    "bert": "an embedding model",
    "nomic-bert": "an embedding model",
    "nomic-bert-moe": "an embedding model",
    "jina-bert-v2": "an embedding model",
    "jina-bert-v3": "an embedding model",
    "neo-bert": "an embedding model",
    "modern-bert": "an embedding model",
    "eurobert": "an embedding model",
    "gemma-embedding": "an embedding model",
    "t5encoder": "a text encoder",
    "clip": "an image encoder",
    "wavtokenizer-dec": "an audio codec",
}


@dataclass(frozen=True)
class GgufInfo:
    """Metadata of a GGUF file.

    Parameters
    ----------
    path : Path
    architecture, name : str
    quantisation : str
        Such as ``Q4_K_M``; ``?`` when unknown.
    context : int
        Context length in tokens that the model was trained with; 0 when unknown.
    parameters : int
        Number of weights.
    file_bytes : int
        File size in bytes.
    metadata : dict
        Every scalar and string; arrays are left out, strings over 1 MiB are empty.
    """

    path: Path
    architecture: str
    name: str
    quantisation: str
    context: int
    parameters: int
    file_bytes: int
    metadata: dict[str, str | int | float | bool]


class _Reader:
    def __init__(self, file: BinaryIO, size: int, path: Path) -> None:
        self.file, self.size, self.path = file, size, path

    def bytes(self, count: int) -> bytes:
        if count < 0 or self.file.tell() + count > self.size:
            raise ModelError(f"{self.path.name}: the file is truncated; copy or download it again")
        return self.file.read(count)

    def skip(self, count: int) -> None:
        if count < 0 or self.file.tell() + count > self.size:
            raise ModelError(f"{self.path.name}: the file is truncated; copy or download it again")
        self.file.seek(count, 1)

    def number(self, form: str) -> int | float | bool:
        value: int | float | bool = struct.unpack(form, self.bytes(struct.calcsize(form)))[0]
        return value

    def length(self) -> int:
        return int(self.number("<Q"))

    def text(self) -> str:
        count = self.length()
        if count > _KEPT_STRING:
            self.skip(count)
            return ""
        return self.bytes(count).decode("utf-8", "replace")

    def value(self, kind: int) -> str | int | float | bool | None:
        if kind == _STRING:
            return self.text()
        if kind == _ARRAY:
            inner, count = int(self.number("<I")), self.length()
            if inner in _SCALARS:
                self.skip(struct.calcsize(_SCALARS[inner]) * count)
            elif inner == _STRING:
                if count > self.size // 8:
                    self.skip(count * 8)
                for _ in range(count):
                    self.skip(self.length())
            else:
                raise ModelError(
                    f"{self.path.name}: unknown value type {inner} in its header; "
                    "download the .gguf again"
                )
            return None
        if kind in _SCALARS:
            return self.number(_SCALARS[kind])
        raise ModelError(
            f"{self.path.name}: unknown value type {kind} in its header; download the .gguf again"
        )


def read_gguf(path: Path) -> GgufInfo:
    """Read the header of the GGUF file at `path` and check that no tensor data is missing.

    Raises
    ------
    ModelError
        When the file cannot be read, is not a GGUF file, or is truncated or damaged.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            return _read(_Reader(file, size, path))
    except OSError as error:
        raise ModelError(f"cannot read {path}: {error.strerror}; check the path") from error


def language_model(path: Path) -> GgufInfo:
    """Read the header of a GGUF file with :func:`read_gguf` and check that it can write text.

    Raises
    ------
    ModelError
        Also when the file is of another kind of model or has no tokenizer.
    """
    info = read_gguf(path)
    if info.architecture in NOT_TEXT:
        raise ModelError(
            f"{path.name}: this is {NOT_TEXT[info.architecture]} "
            f"({info.architecture}), it cannot write; choose a language model"
        )
    if not info.metadata.get("tokenizer.ggml.model"):
        raise ModelError(
            f"{path.name}: it has no tokenizer, so it cannot write text; choose a language model"
        )
    return info


def _read(r: _Reader) -> GgufInfo:
    if r.size < 24 or r.bytes(4) != b"GGUF":
        raise ModelError(f"{r.path.name}: this is not a GGUF file; download the .gguf again")
    version = int(r.number("<I"))
    if version not in (2, 3):
        raise ModelError(
            f"{r.path.name}: unsupported GGUF version {version}: expected 2 or 3; "
            "choose another file"
        )
    tensors, pairs = r.length(), r.length()
    if tensors > 100_000 or pairs > 100_000:
        raise ModelError(f"{r.path.name}: its header is damaged; download the .gguf again")
    meta: dict[str, str | int | float | bool] = {}
    for _ in range(pairs):
        name = r.text()
        value = r.value(int(r.number("<I")))
        if value is not None:
            meta[name] = value
    parameters, needed = 0, 0
    for _ in range(tensors):
        r.text()
        dims = int(r.number("<I"))
        if dims > 8:
            raise ModelError(f"{r.path.name}: its header is damaged; download the .gguf again")
        count = 1
        for _ in range(dims):
            count *= r.length()
        kind, offset = int(r.number("<I")), r.length()
        parameters += count
        block_bytes, block = _BLOCKS.get(kind, (0, 1))
        needed = max(needed, offset + count // block * block_bytes)
    align = _whole(meta.get("general.alignment"))
    align = align if 0 < align <= 1 << 20 else 32
    start = -(-r.file.tell() // align) * align
    if needed and start + needed > r.size:
        raise ModelError(
            f"{r.path.name}: the file is truncated ({r.size:,} of "
            f"{start + needed:,} bytes); copy or download it again"
        )
    arch = str(meta.get("general.architecture", ""))
    if not arch:
        raise ModelError(f"{r.path.name}: its header is incomplete; download the .gguf again")
    quantisation = _FILE_TYPES.get(_whole(meta.get("general.file_type")), "?")
    return GgufInfo(
        r.path,
        arch,
        str(meta.get("general.name", r.path.stem)),
        quantisation,
        _whole(meta.get(f"{arch}.context_length"), 0),
        parameters,
        r.size,
        meta,
    )


def _whole(value: object, otherwise: int = -1) -> int:
    """Convert a metadata value to an integer; `otherwise` when it is not a number below 2**62."""
    if not isinstance(value, (int, float)) or not abs(value) < 1 << 62:
        return otherwise
    return int(value)
