"""A small model as a distribution over the next character, whatever its tokens are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from scripts.llm.sequences import Logits, Sequences

_MAX_PIECE = 8  # characters of the longest token that counts
_CHARS = 128
_LEAST_SHARE = 1e-4  # of a token that ends here, below which what follows it is not asked

Probabilities = npt.NDArray[np.float64]


class CharacterVocabulary:
    """Index of a vocabulary's tokens by how they begin, and the characters that follow.

    Parameters
    ----------
    pieces : sequence of bytes
        Text of token 0, 1, ...; empty for tokens that are no text.
    """

    def __init__(self, pieces: Sequence[bytes]) -> None:
        self.pieces = pieces
        children: dict[str, tuple[list[int], list[int]]] = {}
        self._ids: dict[str, int] = {}
        for token, piece in enumerate(pieces):
            if not 0 < len(piece) <= _MAX_PIECE or not piece.isascii():
                continue
            text = piece.decode("ascii")
            self._ids[text] = token
            for at, char in enumerate(text):
                ids, chars = children.setdefault(text[:at], ([], []))
                ids.append(token)
                chars.append(ord(char))
        self._children = {
            prefix: (np.array(ids), np.array(chars)) for prefix, (ids, chars) in children.items()
        }

    def next_chars(self, prefix: str, tokens: Probabilities) -> tuple[Probabilities, float]:
        """Probabilities of the characters after `prefix` within a token, and of its end there.

        Parameters
        ----------
        prefix : str
            Beginning of the token.
        tokens : (vocabulary,) float64 array
            Probability of each token.

        Returns
        -------
        chars : (128,) float64 array
            By character code; they add up to 1 with `end`.
        end : float
            Probability that the token is `prefix` and no more; 0 when it is empty.
        """
        ids, chars = self._children.get(prefix, (np.zeros(0, int), np.zeros(0, int)))
        found = np.bincount(chars, tokens[ids], _CHARS).astype(np.float64)
        own = self._ids.get(prefix)
        end = float(tokens[own]) if own is not None else 0.0
        total = found.sum() + end
        if total <= 0:
            return found, 1.0
        return np.asarray(found / total), float(end / total)


class CharacterModel:
    """Gives the probability of each character after a text.

    Tokens of the text that stay the same are decoded once.

    Parameters
    ----------
    llama : llama_cpp.Llama
    vocabulary : CharacterVocabulary
        Of the same model.
    context : int
        Context size in tokens.
    """

    def __init__(self, llama: Any, vocabulary: CharacterVocabulary, context: int) -> None:
        self._llama, self._vocabulary = llama, vocabulary
        self._sequences = Sequences(llama.model, 1, context, 1)
        self._prompt: list[int] = []
        self._tokens: list[int] = []  # decoded, after the prompt
        self._after: list[Probabilities] = []  # of the token after the prompt, and after each token

    def begin(self, prompt: str) -> None:
        """Begin a text after `prompt`."""
        tokens = self._tokenize(prompt, True)
        if tokens == self._prompt:
            self._cut(0)
            return
        self._prompt = tokens
        self._tokens, self._after = [], [_softmax(self._sequences.decode_prompt(tokens))]

    def next_chars(self, text: str) -> Probabilities:
        """Probability of each character after `text`, by its code; (128,) float64 array.

        The text's last token may still grow: both that it does and that it ends are counted.
        """
        tokens = self._tokenize(text, False)
        self._decode(tokens)
        if not tokens:
            return self._vocabulary.next_chars("", self._after[0])[0]
        last = self._vocabulary.pieces[tokens[-1]].decode("ascii", "replace")
        chars, end = self._vocabulary.next_chars(last, self._after[-2])
        if end > _LEAST_SHARE:
            chars = chars + end * self._vocabulary.next_chars("", self._after[-1])[0]
        return chars

    def bits(self, text: str) -> float:
        """Bits per character that the model needs for `text`; infinite if it is impossible."""
        tokens = self._tokenize(text, False)
        self._decode(tokens)
        chances = [self._after[n][token] for n, token in enumerate(tokens)]
        if not min(chances, default=0.0):
            return float("inf")
        return float(-np.log2(chances).sum() / len(text))

    def close(self) -> None:
        """Free the context."""
        self._sequences.close()

    def _tokenize(self, text: str, bos: bool) -> list[int]:
        return list(self._llama.tokenize(text.encode("ascii"), add_bos=bos, special=False))

    def _decode(self, tokens: list[int]) -> None:
        """Let the context hold `tokens` after the prompt."""
        same = 0
        for ours, theirs in zip(self._tokens, tokens, strict=False):
            if ours != theirs:
                break
            same += 1
        self._cut(same)
        fresh = tokens[same:]
        for at in range(0, len(fresh), 256):
            for logits in self._sequences.decode_every(fresh[at : at + 256]):
                self._after.append(_softmax(logits))
        self._tokens = tokens

    def _cut(self, count: int) -> None:
        if count < len(self._tokens):
            self._sequences.truncate(0, len(self._prompt) + count)
            self._tokens, self._after = self._tokens[:count], self._after[: count + 1]


def _softmax(logits: Logits) -> Probabilities:
    weights = np.exp(logits.astype(np.float64) - logits.max())
    return np.asarray(weights / weights.sum())
