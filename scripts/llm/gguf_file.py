"""Reader for the metadata of GGUF files (versions 2 and 3); does not load the model.

Every count and length is checked against the file's size before it is used.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from scripts.core.errors import ModelError
from scripts.core.input_files import open_input
from scripts.core.text import clean_line

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
_MAX_STRING_BYTES = 1 << 20
_MAX_NAME_LENGTH = 120  # characters
_MAX_ENTRIES = 100_000  # tensors or metadata values
# Tensor type (ggml_type) -> (bytes per block, weights per block).
_BLOCK_SIZES = {
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

EMBEDDING_ARCHITECTURES = frozenset(
    (
        *("bert", "nomic-bert", "nomic-bert-moe", "jina-bert-v2", "jina-bert-v3", "neo-bert"),
        *("modern-bert", "eurobert", "gemma-embedding"),
    )
)
# Architectures that produce vectors, audio tokens or images instead of text.
NON_TEXT_ARCHITECTURES = {
    **dict.fromkeys(EMBEDDING_ARCHITECTURES, "an embedding model"),
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
    quantization : str
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
    quantization: str
    context: int
    parameters: int
    file_bytes: int
    metadata: dict[str, str | int | float | bool]


class _Reader:
    def __init__(self, file: BinaryIO, size: int, path: Path) -> None:
        self.file, self.size, self.path = file, size, path

    def read_bytes(self, count: int) -> bytes:
        if count < 0 or self.file.tell() + count > self.size:
            raise ModelError(f"{self.path.name}: the file is truncated; copy or download it again")
        return self.file.read(count)

    def skip(self, count: int) -> None:
        if count < 0 or self.file.tell() + count > self.size:
            raise ModelError(f"{self.path.name}: the file is truncated; copy or download it again")
        self.file.seek(count, 1)

    def read_number(self, form: str) -> int | float | bool:
        value: int | float | bool = struct.unpack(form, self.read_bytes(struct.calcsize(form)))[0]
        return value

    def read_length(self) -> int:
        return int(self.read_number("<Q"))

    def read_string(self) -> str:
        count = self.read_length()
        if count > _MAX_STRING_BYTES:
            self.skip(count)
            return ""
        return self.read_bytes(count).decode("utf-8", "replace")

    def read_value(self, kind: int) -> str | int | float | bool | None:
        if kind == _STRING:
            return self.read_string()
        if kind == _ARRAY:
            inner, count = int(self.read_number("<I")), self.read_length()
            if inner in _SCALARS:
                self.skip(struct.calcsize(_SCALARS[inner]) * count)
            elif inner == _STRING:
                if count > self.size // 8:
                    self.skip(count * 8)
                for _ in range(count):
                    self.skip(self.read_length())
            else:
                raise ModelError(
                    f"{self.path.name}: unknown value type {inner} in its header; "
                    "download the .gguf again"
                )
            return None
        if kind in _SCALARS:
            return self.read_number(_SCALARS[kind])
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
        with open_input(path) as file:
            size = os.fstat(file.fileno()).st_size
            return _read_header(_Reader(file, size, path))
    except OSError as error:
        raise ModelError(f"cannot read {path}: {error.strerror}; check the path") from error


def read_language_model(path: Path) -> GgufInfo:
    """Read the header of a GGUF file with :func:`read_gguf` and check that it can write text.

    Raises
    ------
    ModelError
        Also when the file is of another kind of model or has no tokenizer.
    """
    info = read_gguf(path)
    if info.architecture in NON_TEXT_ARCHITECTURES:
        raise ModelError(
            f"{path.name}: this is {NON_TEXT_ARCHITECTURES[info.architecture]} "
            f"({info.architecture}), it cannot write; choose a language model"
        )
    if not info.metadata.get("tokenizer.ggml.model"):
        raise ModelError(
            f"{path.name}: it has no tokenizer, so it cannot write text; choose a language model"
        )
    return info


def _read_header(r: _Reader) -> GgufInfo:
    if r.size < 24 or r.read_bytes(4) != b"GGUF":
        raise ModelError(f"{r.path.name}: this is not a GGUF file; download the .gguf again")
    version = int(r.read_number("<I"))
    if version not in (2, 3):
        raise ModelError(
            f"{r.path.name}: unsupported GGUF version {version}: expected 2 or 3; "
            "choose another file"
        )
    tensors, pairs = r.read_length(), r.read_length()
    if max(tensors, pairs) > _MAX_ENTRIES:
        raise ModelError(f"{r.path.name}: its header is damaged; download the .gguf again")
    meta: dict[str, str | int | float | bool] = {}
    for _ in range(pairs):
        name = r.read_string()
        value = r.read_value(int(r.read_number("<I")))
        if value is not None:
            meta[name] = value
    parameters, needed = 0, 0
    for _ in range(tensors):
        r.read_string()
        dims = int(r.read_number("<I"))
        if dims > 8:
            raise ModelError(f"{r.path.name}: its header is damaged; download the .gguf again")
        count = 1
        for _ in range(dims):
            count *= r.read_length()
        kind, offset = int(r.read_number("<I")), r.read_length()
        parameters += count
        block_bytes, block = _BLOCK_SIZES.get(kind, (0, 1))
        needed = max(needed, offset + count // block * block_bytes)
    align = _to_int(meta.get("general.alignment"))
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
    quantization = _FILE_TYPES.get(_to_int(meta.get("general.file_type")), "?")
    return GgufInfo(
        r.path,
        clean_line(arch, _MAX_NAME_LENGTH),
        clean_line(str(meta.get("general.name", "")), _MAX_NAME_LENGTH) or r.path.stem,
        quantization,
        _to_int(meta.get(f"{arch}.context_length"), 0),
        parameters,
        r.size,
        meta,
    )


def _to_int(value: object, default: int = -1) -> int:
    """Convert a metadata value to an integer; `default` when it is not a number below 2**62."""
    if not isinstance(value, (int, float)) or not abs(value) < 1 << 62:
        return default
    return int(value)


def read_token_texts(path: Path) -> list[str]:
    """Read the vocabulary of a GGUF file; empty if it has none.

    Raises
    ------
    ModelError
        When the file cannot be read or is damaged.
    """
    try:
        with open_input(path) as file:
            reader = _Reader(file, os.fstat(file.fileno()).st_size, path)
            reader.skip(8)
            reader.read_length()
            for _ in range(min(reader.read_length(), _MAX_ENTRIES)):
                name, kind = reader.read_string(), int(reader.read_number("<I"))
                if name != "tokenizer.ggml.tokens" or kind != _ARRAY:
                    reader.read_value(kind)
                    continue
                inner, count = int(reader.read_number("<I")), reader.read_length()
                if inner != _STRING or count > reader.size // 8:
                    return []
                return [reader.read_string() for _ in range(count)]
    except OSError as error:
        raise ModelError(f"cannot read {path}: {error.strerror}; check the path") from error
    return []
