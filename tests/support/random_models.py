"""Models with small random weights and the tokenizers of users' models."""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np


def write_random_model(
    vocabulary: Path,
    out: Path,
    dim: int = 64,
    layers: int = 2,
    seed: int = 1,
    architecture: str = "llama",
    chat_template: str = "",
    name: str = "",
) -> None:
    """Write a GGUF model with a file's tokenizer and a random network of `dim` x `layers`."""
    source = gguf.GGUFReader(vocabulary)
    size = len(source.fields["tokenizer.ggml.tokens"].data)
    writer = gguf.GGUFWriter(out, architecture)
    for key, field in source.fields.items():
        is_template = key.startswith("tokenizer.chat_template")
        if not key.startswith("tokenizer.") or (is_template and chat_template):
            continue
        if field.types[0] == gguf.GGUFValueType.ARRAY:
            writer.add_array(key, field.contents())
        else:
            writer.add_key_value(key, field.contents(), field.types[0])
    writer.add_name(name or out.stem)
    if chat_template:
        writer.add_chat_template(chat_template)
    writer.add_context_length(4096)
    writer.add_embedding_length(dim)
    writer.add_block_count(layers)
    writer.add_feed_forward_length(2 * dim)
    writer.add_head_count(4)
    writer.add_head_count_kv(4)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(dim // 4)
    writer.add_vocab_size(size)
    writer.add_file_type(1)
    rng = np.random.default_rng(seed)

    def add(name: str, *shape: int) -> None:
        writer.add_tensor(name, (rng.standard_normal(shape) * 0.3).astype(np.float16))

    add("token_embd.weight", size, dim)
    add("output.weight", size, dim)
    writer.add_tensor("output_norm.weight", np.ones(dim, np.float32))
    for i in range(layers):
        for part in ("attn_q", "attn_k", "attn_v", "attn_output"):
            add(f"blk.{i}.{part}.weight", dim, dim)
        add(f"blk.{i}.ffn_gate.weight", 2 * dim, dim)
        add(f"blk.{i}.ffn_up.weight", 2 * dim, dim)
        add(f"blk.{i}.ffn_down.weight", dim, 2 * dim)
        for part in ("attn_norm", "ffn_norm"):
            writer.add_tensor(f"blk.{i}.{part}.weight", np.ones(dim, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
