"""A model of the size and shape of Llama 3 8B with random weights, to measure speed."""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np

DIM, LAYERS, FEED_FORWARD, HEADS, KV_HEADS = 4096, 32, 14_336, 32, 8
_BLOCK_WEIGHTS = 256
_SCALE = 2e-4  # of a block's weights, so that activations stay finite


def write_twin(vocabulary: Path, out: Path, quantization: str, seed: int = 1) -> None:
    """Write the model, 4.5 GB as Q4_K and 6.6 GB as Q6_K.

    Tensors of one shape share their weights, so that writing needs little memory.

    Parameters
    ----------
    vocabulary : Path
        GGUF file with the tokenizer.
    out : Path
    quantization : str
        ``Q4_K`` or ``Q6_K``.
    seed : int
    """
    kind = gguf.GGMLQuantizationType[quantization]
    rng = np.random.default_rng(seed)
    source = gguf.GGUFReader(vocabulary)
    size = len(source.fields["tokenizer.ggml.tokens"].data)
    writer = gguf.GGUFWriter(out, "llama")
    for key, field in source.fields.items():
        if not key.startswith("tokenizer."):
            continue
        if field.types[0] == gguf.GGUFValueType.ARRAY:
            writer.add_array(key, field.contents())
        else:
            writer.add_key_value(key, field.contents(), field.types[0])
    writer.add_name(f"Twin of an 8B model, {quantization}")
    writer.add_context_length(8192)
    writer.add_embedding_length(DIM)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(FEED_FORWARD)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(DIM // HEADS)
    writer.add_rope_freq_base(500_000.0)
    writer.add_vocab_size(size)
    shapes: dict[tuple[int, int], np.ndarray] = {}

    def add(name: str, rows: int, columns: int) -> None:
        if (rows, columns) not in shapes:
            shapes[rows, columns] = _random_blocks(rng, rows, columns, kind)
        writer.add_tensor(name, shapes[rows, columns], raw_dtype=kind)

    def add_norm(name: str) -> None:
        writer.add_tensor(name, np.ones(DIM, np.float32))

    kv = DIM // HEADS * KV_HEADS
    add("token_embd.weight", size, DIM)
    add("output.weight", size, DIM)
    add_norm("output_norm.weight")
    for layer in range(LAYERS):
        block = f"blk.{layer}"
        for part, rows in (("q", DIM), ("k", kv), ("v", kv), ("output", DIM)):
            add(f"{block}.attn_{part}.weight", rows, DIM)
        add(f"{block}.ffn_gate.weight", FEED_FORWARD, DIM)
        add(f"{block}.ffn_up.weight", FEED_FORWARD, DIM)
        add(f"{block}.ffn_down.weight", DIM, FEED_FORWARD)
        add_norm(f"{block}.attn_norm.weight")
        add_norm(f"{block}.ffn_norm.weight")
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _random_blocks(
    rng: np.random.Generator, rows: int, columns: int, kind: gguf.GGMLQuantizationType
) -> np.ndarray:
    """Random quantized weights, (rows, bytes per row) uint8."""
    _, block_bytes = gguf.GGML_QUANT_SIZES[kind]
    count = rows * columns // _BLOCK_WEIGHTS
    blocks = np.frombuffer(rng.bytes(count * block_bytes), np.uint8).reshape(count, -1).copy()
    scale = np.frombuffer(np.float16(_SCALE).tobytes(), np.uint8)
    if kind == gguf.GGMLQuantizationType.Q6_K:
        blocks[:, -2:] = scale
    else:  # the scale, and the scale of the minima
        blocks[:, :2] = scale
        blocks[:, 2:4] = scale
    return blocks.reshape(rows, -1)
