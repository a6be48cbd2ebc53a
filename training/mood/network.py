"""The reader as a PyTorch module, with low-rank adapters (LoRA) on its matrices."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import gguf
import numpy as np
import torch
from torch import nn
from torch.nn import functional

from scripts.llm.gguf_file import read_gguf

MATRICES = ("attn_qkv", "attn_output", "ffn_up", "ffn_down")
_NORMS = ("attn_output_norm", "layer_output_norm")
_PAD = 1
_DROPOUT = 0.1


class AdaptedLinear(nn.Module):
    """A frozen matrix of shape (out, in) plus the product of two small ones.

    Parameters
    ----------
    weight, bias : Tensor
    rank : int
        Of the product; it is scaled by 2.
    """

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor, rank: int) -> None:
        super().__init__()
        self.register_buffer("weight", weight)
        self.register_buffer("bias", bias)
        self.lora_a = nn.Parameter(torch.randn(rank, weight.shape[1]) / math.sqrt(weight.shape[1]))
        self.lora_b = nn.Parameter(torch.zeros(weight.shape[0], rank))
        self.dropout = nn.Dropout(_DROPOUT)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        low = functional.linear(self.dropout(x), self.lora_a)
        return functional.linear(x, self.weight, self.bias) + 2 * functional.linear(
            low, self.lora_b
        )


class AdaptedReader(nn.Module):
    """BERT with the weights of a GGUF file: token numbers to mean-pooled embeddings.

    Parameters
    ----------
    path : Path
        The reader.
    rank : int
        Of the adapters.
    """

    def __init__(self, path: Path, rank: int) -> None:
        super().__init__()
        metadata = read_gguf(path).metadata
        self.layers = int(metadata["bert.block_count"])
        self.heads = int(metadata["bert.attention.head_count"])
        self.width = int(metadata["bert.embedding_length"])
        self.epsilon = float(metadata["bert.attention.layer_norm_epsilon"])
        found = {tensor.name: tensor for tensor in gguf.GGUFReader(path).tensors}

        def values(name: str) -> torch.Tensor:
            tensor = found[name]
            array = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
            return torch.tensor(np.ascontiguousarray(array), dtype=torch.float32)

        self.register_buffer("tokens", values("token_embd.weight"))
        self.register_buffer("positions", values("position_embd.weight"))
        self.register_buffer("kind", values("token_types.weight").reshape(-1))
        self.norms = {
            name: (values(f"{name}.weight"), values(f"{name}.bias"))
            for name in (
                "token_embd_norm",
                *(f"blk.{n}.{norm}" for n in range(self.layers) for norm in _NORMS),
            )
        }
        self.matrices = nn.ModuleDict(
            {
                f"{n}_{name}": AdaptedLinear(
                    values(f"blk.{n}.{name}.weight"), values(f"blk.{n}.{name}.bias"), rank
                )
                for n in range(self.layers)
                for name in MATRICES
            }
        )

    def forward(self, texts: Sequence[Sequence[int]]) -> torch.Tensor:
        """Embed texts given as token numbers; returns a tensor of shape (n, width)."""
        longest = max(map(len, texts))
        padded = torch.tensor([[*text, *[_PAD] * (longest - len(text))] for text in texts])
        mask = torch.arange(longest) < torch.tensor([[len(text)] for text in texts])
        x = self._norm(
            self.tokens[padded] + self.positions[:longest] + self.kind, "token_embd_norm"
        )
        ignored = torch.zeros(mask.shape).masked_fill(~mask, -1e9)[:, None, None, :]
        for n in range(self.layers):
            x = self._norm(x + self._attend(x, n, ignored), f"blk.{n}.attn_output_norm")
            inner = functional.gelu(self.matrices[f"{n}_ffn_up"](x), approximate="tanh")
            x = self._norm(x + self.matrices[f"{n}_ffn_down"](inner), f"blk.{n}.layer_output_norm")
        weights = mask[..., None].float()
        return (x * weights).sum(dim=1) / weights.sum(dim=1)

    def _attend(self, x: torch.Tensor, layer: int, ignored: torch.Tensor) -> torch.Tensor:
        count, length, _ = x.shape
        shape = (count, length, 3, self.heads, self.width // self.heads)
        q, k, v = self.matrices[f"{layer}_attn_qkv"](x).reshape(shape).permute(2, 0, 3, 1, 4)
        found = functional.scaled_dot_product_attention(q, k, v, attn_mask=ignored)
        flat = found.transpose(1, 2).reshape(count, length, self.width)
        return self.matrices[f"{layer}_attn_output"](flat)

    def _norm(self, x: torch.Tensor, name: str) -> torch.Tensor:
        weight, bias = self.norms[name]
        return functional.layer_norm(x, (self.width,), weight, bias, self.epsilon)
