"""A llama-architecture transformer, small enough to train on two CPU cores."""

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F


@dataclass(frozen=True)
class Config:
    """Sizes of the model; the names in the GGUF are in export.py."""

    vocab: int
    width: int = 128
    layers: int = 4
    heads: int = 4
    hidden: int = 384
    context: int = 1024
    rope_base: float = 10000.0
    eps: float = 1e-5


class RMSNorm(nn.Module):
    """x / rms(x) * weight."""

    def __init__(self, width, eps):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.eps = eps

    def forward(self, x):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.eps) * self.weight


def rope_table(config):
    """Cosines and sines for each position and each pair of channels."""
    size = config.width // config.heads
    frequencies = config.rope_base ** (-torch.arange(0, size, 2).float() / size)
    angles = torch.arange(config.context).float()[:, None] * frequencies
    return angles.cos(), angles.sin()


def rotate(x, cos, sin):
    """Rotates neighbouring channels (0,1), (2,3) …: llama.cpp's order for this architecture, no permutation."""
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack((even * cos - odd * sin, even * sin + odd * cos), -1).flatten(-2)


class Block(nn.Module):
    """Attention and gated feed-forward, each behind a norm."""

    def __init__(self, config):
        super().__init__()
        width, self.heads = config.width, config.heads
        self.attn_norm = RMSNorm(width, config.eps)
        self.ffn_norm = RMSNorm(width, config.eps)
        self.attn_qkv = nn.Linear(width, 3 * width, bias=False)
        self.attn_output = nn.Linear(width, width, bias=False)
        self.ffn_gate_up = nn.Linear(width, 2 * config.hidden, bias=False)
        self.ffn_down = nn.Linear(config.hidden, width, bias=False)

    def forward(self, x, cos, sin, mask):
        batch, length, width = x.shape
        q, k, v = self.attn_qkv(self.attn_norm(x)).view(batch, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        scores = q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5 + mask
        mixed = (scores.softmax(-1) @ v).transpose(1, 2).reshape(batch, length, width)
        x = x + self.attn_output(mixed)
        gate, up = self.ffn_gate_up(self.ffn_norm(x)).chunk(2, -1)
        return x + self.ffn_down(F.silu(gate) * up)


class Llama(nn.Module):
    """Token ids to logits; the output matrix is the embedding."""

    def __init__(self, config):
        super().__init__()
        self.config = config
        self.token_embd = nn.Embedding(config.vocab, config.width)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.output_norm = RMSNorm(config.width, config.eps)
        cos, sin = rope_table(config)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)
        for name, weight in self.named_parameters():
            if weight.dim() == 2:
                last = name.endswith(("attn_output.weight", "ffn_down.weight"))
                nn.init.normal_(weight, std=0.04 / (2 * config.layers) ** 0.5 if last else 0.04)

    def forward(self, ids, wanted=None):
        """Logits at all positions, or only where the boolean tensor `wanted` is true (rows, in order)."""
        length = ids.shape[1]
        cos, sin = self.cos[:length], self.sin[:length]
        mask = torch.full((length, length), float("-inf")).triu(1)
        x = self.token_embd(ids)
        for block in self.blocks:
            x = block(x, cos, sin, mask)
        if wanted is not None:
            x = x[wanted]
        return self.output_norm(x) @ self.token_embd.weight.t()

    def size(self):
        """Number of parameters."""
        return sum(weight.numel() for weight in self.parameters())
