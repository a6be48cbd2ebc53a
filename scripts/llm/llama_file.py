"""Opens GGUF files with llama.cpp; only in a process of its own."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import llama_cpp

from scripts.core.cpu import ILLEGAL_INSTRUCTION_TEXTS, NO_AVX_MESSAGE
from scripts.core.errors import ModelError


class _NoChatFormatter:
    """Stands in for llama-cpp-python's formatter, which compiles every template of a file at once.

    Compiling evaluates constants: ``{{ "a" * 3000000000 }}`` takes gigabytes. Templates are
    rendered by :mod:`scripts.llm.chat_template` instead.
    """

    def __init__(self, *_: object, **__: object) -> None:
        pass

    def to_chat_handler(self) -> None:
        return None


@contextmanager
def _without_chat_formatters() -> Iterator[None]:
    formats = llama_cpp.llama_chat_format
    before = formats.Jinja2ChatFormatter
    formats.Jinja2ChatFormatter = _NoChatFormatter
    try:
        yield
    finally:
        formats.Jinja2ChatFormatter = before


def open_llama(path: Path, **options: Any) -> Any:
    """Open a GGUF file with llama.cpp.

    Parameters
    ----------
    path : Path
    **options
        Of ``llama_cpp.Llama``.

    Raises
    ------
    ModelError
        When llama.cpp cannot load the file.
    """

    def load(name: str) -> Any:
        with _without_chat_formatters():
            return llama_cpp.Llama(model_path=name, verbose=True, **options)

    try:
        return load(str(path))
    except (ValueError, RuntimeError, OSError) as error:
        if any(words in str(error) for words in ILLEGAL_INSTRUCTION_TEXTS):
            raise ModelError(NO_AVX_MESSAGE) from error
        if str(path).isascii():
            raise ModelError(
                f"llama.cpp cannot load {path} ({error}); download it again or choose another model"
            ) from error
    # Some Windows builds open only paths in the system code page (llama.cpp #18571); from
    # within the folder, the bare file name is enough.
    here = Path.cwd()
    try:
        os.chdir(path.parent)
        return load(path.name)
    except (ValueError, RuntimeError, OSError) as error:
        raise ModelError(
            f"llama.cpp cannot load {path} ({error}); if other models load, "
            "move it to a folder and file name of plain letters"
        ) from error
    finally:
        os.chdir(here)


_MAX_PIECE_BYTES = 64


def token_pieces(llama: Any) -> tuple[bytes, ...]:
    """Text of each token of a model; empty for tokens that are no text."""
    vocab = llama_cpp.llama_model_get_vocab(llama.model)
    buffer = ctypes.create_string_buffer(_MAX_PIECE_BYTES)

    def piece(token: int) -> bytes:
        if llama_cpp.llama_vocab_is_control(vocab, token) or llama_cpp.llama_vocab_is_eog(
            vocab, token
        ):
            return b""
        size = llama_cpp.llama_token_to_piece(vocab, token, buffer, _MAX_PIECE_BYTES, 0, False)
        return buffer.raw[:size] if size > 0 else b""

    return tuple(piece(token) for token in range(llama_cpp.llama_vocab_n_tokens(vocab)))
