"""Character normalization as SentencePiece stores it: a ``precompiled_charsmap``.

The map is a double-array trie from UTF-8 strings to their replacements. SentencePiece itself
builds it here: a throw-away model trained with the wanted rules carries the map in its file.
"""

from __future__ import annotations

import io
import struct
import tempfile
from pathlib import Path

import sentencepiece
from sentencepiece import sentencepiece_model_pb2

_LAST_CASED = 0x1F000  # no code point above has another case in the vocabulary
_SURROGATES = range(0xD800, 0xE000)


def model_rules(character_rules: dict[str, str]) -> dict[str, str]:
    """Rules of the model: its own for single characters, SentencePiece's for sequences.

    Current versions of SentencePiece have other rules for single characters than the one that the
    model was trained with.
    """
    current = decode_charsmap(_train(normalization_rule_name="nmt_nfkc"))
    return {s: r for s, r in current.items() if len(s) > 1} | character_rules


def with_folded_case(rules: dict[str, str]) -> dict[str, str]:
    """Rules that also replace capitals by small letters, one character by one."""
    folded = {source: _lower(result) for source, result in rules.items()}
    for code in range(ord("A"), _LAST_CASED):
        if code not in _SURROGATES and _lower(chr(code)) != chr(code):
            folded.setdefault(chr(code), _lower(chr(code)))
    return folded


def encode_charsmap(rules: dict[str, str]) -> bytes:
    """Compile rules to a ``precompiled_charsmap``."""
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "rules.tsv"
        lines = (
            f"{_hex(source)}\t{_hex(result)}\n"
            for source, result in sorted(rules.items(), key=lambda rule: rule[0].encode())
        )
        table.write_text("".join(lines), encoding="ascii")
        return _train(normalization_rule_tsv=str(table))


def decode_charsmap(charsmap: bytes) -> dict[str, str]:
    """Read all rules of a ``precompiled_charsmap``."""
    trie_bytes = struct.unpack_from("<I", charsmap)[0]
    units = struct.unpack_from(f"<{trie_bytes // 4}I", charsmap, 4)
    results = charsmap[4 + trie_bytes :]
    rules: dict[str, str] = {}

    def child_base(unit: int) -> int:
        return (unit >> 10) << ((unit & 512) >> 6)

    def visit(node: int, source: bytes) -> None:
        for byte in range(1, 256):
            index = node ^ byte
            if index >= len(units) or units[index] & 0x800000FF != byte:
                continue
            child = index ^ child_base(units[index])
            found = source + bytes([byte])
            if units[index] >> 8 & 1:  # a leaf follows
                start = units[child] & 0x7FFFFFFF
                end = results.index(b"\0", start)
                rules[found.decode()] = results[start:end].decode()
            visit(child, found)

    visit(child_base(units[0]), b"")
    return rules


def _lower(text: str) -> str:
    lowered = ("i" if c == "İ" else c.lower() for c in text)
    return "".join(low if len(low) == 1 else c for low, c in zip(lowered, text, strict=True))


def _hex(text: str) -> str:
    return " ".join(f"{ord(c):X}" for c in text)


def _train(**options: str) -> bytes:
    """Train a throw-away model and return its ``precompiled_charsmap``."""
    file = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["the quick brown fox jumps over the lazy dog"] * 40),
        model_writer=file,
        vocab_size=60,
        hard_vocab_limit=False,
        minloglevel=2,
        **options,
    )
    model = sentencepiece_model_pb2.ModelProto.FromString(file.getvalue())
    return bytes(model.normalizer_spec.precompiled_charsmap)
