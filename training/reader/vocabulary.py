"""Chooses the pieces that the pruned vocabulary keeps.

Always kept: the special pieces and every single character of the scripts below. The rest are the
pieces that the full tokenizer uses most on the most frequent words of each language (wordfreq).
Ranking by the pieces' own probabilities is much worse.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence

import sentencepiece
import wordfreq
from sentencepiece import sentencepiece_model_pb2

from training.reader.packed_weights import PackedWeights

SPECIAL_PIECES = 4  # <s>, <pad>, </s>, <unk>
_MASK = b"<mask>"
_SPACE = "▁"
_WORDS = 60_000  # most frequent words of each language
# Languages by weight. Those of the program's own word lists come first.
_LANGUAGES_BY_WEIGHT = {
    2.0: "en",
    1.5: "fr",
    1.0: "de es it pt nl pl sv tr",
    0.8: "ru",
    0.5: "ar",
    0.4: "hi ja zh ko",
    0.35: "uk cs fi ro hu id vi he fa",
    0.3: "el",
    0.25: "da nb bg",
    0.2: "sh ca",
    0.15: "sk",
}
_SCRIPTS = {"LATIN", "CYRILLIC", "GREEK", "HIRAGANA", "KATAKANA", "ARABIC", "HEBREW"}
_SCRIPTS |= {"DEVANAGARI", "THAI", "HAN", "HANGUL"}
_MAX_SINGLE = {"HAN": 4500, "HANGUL": 1500}  # single characters, the most frequent ones
# First word of a character's Unicode name, where it is not the script.
_SCRIPT_ALIASES = {
    "CJK": "HAN",
    "KATAKANA-HIRAGANA": "KATAKANA",
    **dict.fromkeys(("COMBINING", "FEMININE", "MASCULINE", "MODIFIER"), "LATIN"),
}
_PARENTHESIS_WEIGHT = 0.05  # of a word at the start of a parenthesis, so without a space


def choose_pieces(weights: PackedWeights, count: int, charsmap: bytes) -> list[int]:
    """Choose `count` pieces without capitals.

    Parameters
    ----------
    weights : PackedWeights
    count : int
    charsmap : bytes
        Normalization with folded case.

    Returns
    -------
    list of int
        Indices of pieces, rising.
    """
    chosen = set(range(SPECIAL_PIECES))
    texts = [piece.decode() for piece in weights.pieces]
    usable = {
        i
        for i, text in enumerate(texts)
        if i >= SPECIAL_PIECES and weights.pieces[i] != _MASK and text == text.lower()
    }
    chosen |= _single_characters(texts, usable)
    tokenizer = build_tokenizer(weights.pieces, weights.scores.tolist(), charsmap)
    for index, _ in _count_uses(tokenizer).most_common():
        if len(chosen) >= count:
            break
        if index in usable:
            chosen.add(index)
    return sorted(chosen)


def _single_characters(texts: Sequence[str], usable: set[int]) -> set[int]:
    """Pieces of one character in the scripts kept; `texts` are in the order of frequency."""
    left = Counter(_MAX_SINGLE)
    found = set()
    for i in sorted(usable):
        char = texts[i].replace(_SPACE, "")
        if len(char) > 1:
            continue
        script = _script(char) if unicodedata.category(char or " ")[0] in "LM" else ""
        if script and not char.isascii() and script not in _SCRIPTS:
            continue
        if script in _MAX_SINGLE:
            if not left[script]:
                continue
            left[script] -= 1
        found.add(i)
    return found


def build_tokenizer(
    pieces: Iterable[bytes], scores: Iterable[float], charsmap: bytes
) -> sentencepiece.SentencePieceProcessor:
    """Build a SentencePiece unigram tokenizer; the first four pieces are special."""
    model = sentencepiece_model_pb2.ModelProto()
    kind = sentencepiece_model_pb2.ModelProto.SentencePiece
    kinds = [kind.CONTROL, kind.CONTROL, kind.CONTROL, kind.UNKNOWN]
    for n, (piece, score) in enumerate(zip(pieces, scores, strict=True)):
        entry = model.pieces.add()
        entry.piece, entry.score = piece.decode(), score
        entry.type = kinds[n] if n < SPECIAL_PIECES else kind.NORMAL
    model.trainer_spec.model_type = sentencepiece_model_pb2.TrainerSpec.UNIGRAM
    model.trainer_spec.bos_id, model.trainer_spec.pad_id = 0, 1
    model.trainer_spec.eos_id, model.trainer_spec.unk_id = 2, 3
    model.trainer_spec.bos_piece, model.trainer_spec.pad_piece = "<s>", "<pad>"
    model.trainer_spec.eos_piece, model.trainer_spec.unk_piece = "</s>", "<unk>"
    model.normalizer_spec.precompiled_charsmap = charsmap
    model.normalizer_spec.add_dummy_prefix = True
    model.normalizer_spec.remove_extra_whitespaces = True
    return sentencepiece.SentencePieceProcessor(model_proto=model.SerializeToString())


def _count_uses(tokenizer: sentencepiece.SentencePieceProcessor) -> Counter[int]:
    """Count the pieces in the frequent words of all languages, weighted by frequency."""
    uses: Counter[int] = Counter()
    weights = {n: w for w, names in _LANGUAGES_BY_WEIGHT.items() for n in names.split()}
    for language, weight in weights.items():
        frequencies = wordfreq.get_frequency_dict(language, wordlist="best")
        ranked = sorted(frequencies.items(), key=lambda item: -item[1])[:_WORDS]
        total = sum(frequency for _, frequency in ranked)
        words = [word for word, _ in ranked]
        plain = tokenizer.encode(words)
        opened = tokenizer.encode([f"({word}" for word in words])
        for (_, frequency), pieces, inner in zip(ranked, plain, opened, strict=True):
            share = weight * frequency / total
            for index in pieces:
                uses[index] += share
            for index in inner[2 if len(inner) > 2 else 0 :]:
                uses[index] += share * _PARENTHESIS_WEIGHT
    return uses


def _script(char: str) -> str:
    first = unicodedata.name(char, "?").split(" ")[0]
    return _SCRIPT_ALIASES.get(first, first)
