"""Export of the trained model to a GGUF file that llama.cpp loads unchanged."""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np
import sentencepiece
import torch
from gguf.quants import quantize

from scripts.composer.training_filter import TrainingFilter, extract_figures
from scripts.llm.chat import TUNE_HEADER_FORMAT
from scripts.score.sheet import LeadSheet
from training.model import Llama, Shape

_NAMES = {
    "q": "attn_q",
    "k": "attn_k",
    "v": "attn_v",
    "o": "attn_output",
    "gate": "ffn_gate",
    "up": "ffn_up",
    "down": "ffn_down",
    "attn_norm": "attn_norm",
    "ffn_norm": "ffn_norm",
}


def load_model(checkpoint: Path) -> Llama:
    """Load the network of a checkpoint in evaluation mode."""
    saved = torch.load(checkpoint, map_location="cpu", weights_only=True)
    model = Llama(Shape(**saved["shape"]))
    model.load_state_dict(saved["model"])
    return model.eval()


def export_model(checkpoint: Path, tokenizer: Path, out: Path, quantized: bool = True) -> None:
    """Write a checkpoint with its tokenizer to a GGUF file.

    Parameters
    ----------
    quantized : bool
        Whether to write the matrices as Q8_0 rather than F32; norms are always F32.
    """
    model = load_model(checkpoint)
    shape = model.shape
    sp = sentencepiece.SentencePieceProcessor(model_file=str(tokenizer))
    part = out.with_suffix(".part")
    writer = gguf.GGUFWriter(part, "llama")
    writer.add_name("Llm-Music-Gen Starter")
    writer.add_description("Writes lead sheets in ABC notation from a header")
    writer.add_license("MIT")
    writer.add_string("llm_music_gen.prompt", TUNE_HEADER_FORMAT)
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.dim)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.ff)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.heads)
    writer.add_layer_norm_rms_eps(shape.eps)
    writer.add_rope_dimension_count(shape.dim // shape.heads)
    writer.add_rope_freq_base(shape.rope_base)
    writer.add_vocab_size(shape.vocab)
    writer.add_file_type(
        gguf.LlamaFileType.MOSTLY_Q8_0 if quantized else gguf.LlamaFileType.ALL_F32
    )
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    _add_tokenizer(writer, sp)
    for name, tensor in model.named_parameters():
        _add_tensor(writer, _gguf_name(name), tensor.detach().float().numpy(), quantized)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    part.replace(out)


def export_figures(sheets: list[LeadSheet], model: Path) -> None:
    """Write the Bloom filter of the training tunes' figures beside `model`."""
    filtered = TrainingFilter.from_figures(f for sheet in sheets for f in extract_figures(sheet))
    model.with_suffix(".figures").write_bytes(filtered.bits.tobytes())


def _add_tokenizer(writer: gguf.GGUFWriter, sp: sentencepiece.SentencePieceProcessor) -> None:
    kinds = gguf.TokenType
    tokens, scores, types = [], [], []
    for i in range(sp.vocab_size()):
        tokens.append(sp.id_to_piece(i).encode("utf-8"))
        scores.append(sp.get_score(i))
        types.append(
            kinds.UNKNOWN
            if sp.is_unknown(i)
            else kinds.CONTROL
            if sp.is_control(i)
            else kinds.BYTE
            if sp.is_byte(i)
            else kinds.USER_DEFINED
            if tokens[-1] == b"\n"
            else kinds.NORMAL
        )
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(tokens)
    writer.add_token_scores(scores)
    writer.add_token_types(types)
    writer.add_unk_token_id(0)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_add_bos_token(True)
    writer.add_add_eos_token(False)
    writer.add_add_space_prefix(False)


def _gguf_name(name: str) -> str:
    if name == "embed.weight":
        return "token_embd.weight"
    if name == "norm.weight":
        return "output_norm.weight"
    _, layer, part, _ = name.split(".")
    return f"blk.{layer}.{_NAMES[part]}.weight"


def _add_tensor(writer: gguf.GGUFWriter, name: str, data: np.ndarray, quantized: bool) -> None:
    if data.ndim == 2 and quantized:
        kind = gguf.GGMLQuantizationType.Q8_0
        writer.add_tensor(name, quantize(data, kind), raw_dtype=kind)
    else:
        writer.add_tensor(name, data.astype(np.float32))
