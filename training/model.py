"""Llama-architecture decoder in PyTorch whose weights need no permutation for GGUF."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class Shape:
    """Sizes of the network; stored in checkpoints."""

    vocab: int = 1024
    dim: int = 256
    layers: int = 6
    heads: int = 4
    ff: int = 704
    context: int = 2048
    rope_base: float = 10000.0
    eps: float = 1e-5


class RMSNorm(nn.Module):
    def __init__(self, dim: int, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(dim))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        y = x.float()
        y = y * torch.rsqrt(y.pow(2).mean(-1, keepdim=True) + self.eps)
        return y.to(x.dtype) * self.weight


def compute_rotary(shape: Shape, length: int) -> tuple[Tensor, Tensor]:
    """Compute the rotary embedding's cosines and sines, each (length, head_dim / 2)."""
    half = shape.dim // shape.heads // 2
    frequency = shape.rope_base ** (-torch.arange(half) / half)
    angle = torch.outer(torch.arange(length), frequency)
    return angle.cos(), angle.sin()


def apply_rotary(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotate interleaved pairs as llama.cpp's ``llama`` architecture does."""
    a, b = x[..., 0::2], x[..., 1::2]
    return torch.stack((a * cos - b * sin, a * sin + b * cos), dim=-1).flatten(-2)


class Block(nn.Module):
    def __init__(self, shape: Shape, dropout: float) -> None:
        super().__init__()
        d = shape.dim
        self.heads, self.dropout = shape.heads, dropout
        self.attn_norm, self.ffn_norm = RMSNorm(d, shape.eps), RMSNorm(d, shape.eps)
        self.q, self.k, self.v, self.o = (nn.Linear(d, d, bias=False) for _ in range(4))
        self.gate = nn.Linear(d, shape.ff, bias=False)
        self.up = nn.Linear(d, shape.ff, bias=False)
        self.down = nn.Linear(shape.ff, d, bias=False)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        b, t, d = x.shape
        h = self.attn_norm(x)
        q, k, v = (
            m(h).view(b, t, self.heads, -1).transpose(1, 2) for m in (self.q, self.k, self.v)
        )
        y = F.scaled_dot_product_attention(
            apply_rotary(q, cos, sin), apply_rotary(k, cos, sin), v, is_causal=True
        )
        y = self.o(y.transpose(1, 2).reshape(b, t, d))
        x = x + F.dropout(y, self.dropout, self.training)
        h = self.ffn_norm(x)
        y = self.down(F.silu(self.gate(h)) * self.up(h))
        return x + F.dropout(y, self.dropout, self.training)


class Llama(nn.Module):
    """Decoder from tokens (batch, time) to logits (batch, time, vocab), with tied embeddings."""

    def __init__(self, shape: Shape, dropout: float = 0.0) -> None:
        super().__init__()
        self.shape = shape
        self.embed = nn.Embedding(shape.vocab, shape.dim)
        self.blocks = nn.ModuleList(Block(shape, dropout) for _ in range(shape.layers))
        self.norm = RMSNorm(shape.dim, shape.eps)
        cos, sin = compute_rotary(shape, shape.context)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)
        for name, p in self.named_parameters():
            if p.dim() == 2:
                last = name.endswith(("o.weight", "down.weight"))
                nn.init.normal_(p, std=0.02 if not last else 0.02 / (2 * shape.layers) ** 0.5)

    def forward(self, tokens: Tensor) -> Tensor:
        t = tokens.shape[1]
        x = self.embed(tokens)
        for block in self.blocks:
            x = block(x, self.cos[:t], self.sin[:t])
        return F.linear(self.norm(x), self.embed.weight)
