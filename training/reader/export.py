"""Writes the reader as GGUF (architecture ``bert``, tokenizer ``t5``: SentencePiece unigram)."""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np

from training.reader.normalizer import encode_charsmap, model_rules, with_folded_case
from training.reader.packed_weights import (
    Q4_BLOCK_BYTES,
    Q4_BLOCK_WEIGHTS,
    PackedWeights,
    find_packed_file,
)
from training.reader.vocabulary import SPECIAL_PIECES, choose_pieces

PIECES = 80_000
_POSITIONS = 512
_BOS, _PAD, _EOS, _UNKNOWN = range(SPECIAL_PIECES)
# GGUF name of each matrix and norm of a layer -> names in the packed file; several are stacked.
_MATRICES = {
    "attn_qkv": ("q", "k", "v"),
    "attn_output": ("ao",),
    "ffn_up": ("fi",),
    "ffn_down": ("fo",),
}
_NORMS = {"attn_output_norm": "aln", "layer_output_norm": "oln"}


def export_reader(out: Path, pieces: int = PIECES) -> None:
    """Build the reader with a vocabulary of `pieces` pieces and write it to `out`."""
    weights = PackedWeights(find_packed_file())
    rules = with_folded_case(model_rules(weights.character_rules))
    kept = choose_pieces(weights, pieces, encode_charsmap(rules))
    known = {" ", *b"".join(weights.pieces[i] for i in kept).decode()}
    charsmap = encode_charsmap({s: r for s, r in rules.items() if known.issuperset(r)})
    part = out.with_suffix(".part")
    writer = gguf.GGUFWriter(part, "bert")
    _add_metadata(writer, weights)
    _add_tokenizer(writer, weights, kept, charsmap)
    _add_tensors(writer, weights, kept)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    part.replace(out)


def _add_metadata(writer: gguf.GGUFWriter, weights: PackedWeights) -> None:
    writer.add_name("Llm-Music-Gen Reader")
    writer.add_description("multilingual-e5-small, vocabulary pruned, case folded")
    writer.add_author("intfloat")
    writer.add_license("MIT")
    writer.add_url("https://huggingface.co/intfloat/multilingual-e5-small")
    writer.add_context_length(_POSITIONS)
    writer.add_embedding_length(weights.width)
    writer.add_feed_forward_length(weights.feed_forward)
    writer.add_block_count(weights.layers)
    writer.add_head_count(weights.heads)
    writer.add_layer_norm_eps(weights.epsilon)
    writer.add_causal_attention(False)
    writer.add_pooling_type(gguf.PoolingType.MEAN)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q4_0)


def _add_tokenizer(
    writer: gguf.GGUFWriter, weights: PackedWeights, kept: list[int], charsmap: bytes
) -> None:
    types = [gguf.TokenType.NORMAL] * len(kept)
    types[_BOS] = types[_PAD] = types[_EOS] = gguf.TokenType.CONTROL
    types[_UNKNOWN] = gguf.TokenType.UNKNOWN
    writer.add_vocab_size(len(kept))
    writer.add_tokenizer_model("t5")
    writer.add_tokenizer_pre("default")
    writer.add_token_list([weights.pieces[i] for i in kept])
    writer.add_token_scores([float(weights.scores[i]) for i in kept])
    writer.add_token_types(types)
    writer.add_token_type_count(1)
    writer.add_add_space_prefix(True)
    writer.add_remove_extra_whitespaces(True)
    writer.add_precompiled_charsmap(charsmap)
    writer.add_bos_token_id(_BOS)
    writer.add_pad_token_id(_PAD)
    writer.add_eos_token_id(_EOS)
    writer.add_unk_token_id(_UNKNOWN)
    writer.add_sep_token_id(_EOS)
    writer.add_add_bos_token(True)
    writer.add_add_eos_token(True)


def _add_tensors(writer: gguf.GGUFWriter, weights: PackedWeights, kept: list[int]) -> None:
    width = weights.width
    row_bytes = width // Q4_BLOCK_WEIGHTS * Q4_BLOCK_BYTES
    embeddings = weights.blocks("emb.word").reshape(-1, row_bytes)[kept]
    _add_q4(writer, "token_embd.weight", embeddings)
    positions = weights.values("emb.pos").reshape(-1, width)[:_POSITIONS]
    writer.add_tensor("position_embd.weight", positions.astype(np.float16))
    writer.add_tensor(
        "token_types.weight", weights.values("emb.type").reshape(-1, width)[:1].copy()
    )
    for kind, short in (("weight", "w"), ("bias", "b")):
        writer.add_tensor(f"token_embd_norm.{kind}", weights.values(f"emb.ln.{short}"))
    for layer in range(weights.layers):
        for name, parts in _MATRICES.items():
            columns = weights.feed_forward if name == "ffn_down" else width
            blocks = [
                weights.blocks(f"l{layer}.{part}.w").reshape(
                    -1, columns // Q4_BLOCK_WEIGHTS * Q4_BLOCK_BYTES
                )
                for part in parts
            ]
            biases = [weights.values(f"l{layer}.{part}.b") for part in parts]
            _add_q4(writer, f"blk.{layer}.{name}.weight", np.concatenate(blocks))
            writer.add_tensor(f"blk.{layer}.{name}.bias", np.concatenate(biases))
        for name, part in _NORMS.items():
            for kind, short in (("weight", "w"), ("bias", "b")):
                values = weights.values(f"l{layer}.{part}.{short}")
                writer.add_tensor(f"blk.{layer}.{name}.{kind}", values)


def _add_q4(writer: gguf.GGUFWriter, name: str, blocks: np.ndarray) -> None:
    """Add a matrix that is already Q4_0: copying the blocks loses nothing."""
    writer.add_tensor(name, np.ascontiguousarray(blocks), raw_dtype=gguf.GGMLQuantizationType.Q4_0)
