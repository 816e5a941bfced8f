"""The models that ours are compared with, made at any shape; what is not installed is left out."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn


class Shape(NamedTuple):
    """What all models of a comparison have in common, and their batch."""

    depth: int = 4
    width: int = 256
    heads: int = 4
    context: int = 256
    rows: int = 16
    vocabulary: int = 4096

    @property
    def tokens(self) -> int:
        """Return the tokens of a batch."""
        return self.rows * self.context


class Peer(NamedTuple):
    """A model of others: how one is made, and how logits and its own mean loss are asked of it."""

    make: Callable[[int], nn.Module]
    """seed of the weights -> a new model"""
    logits: Callable[[Any, Tensor], Tensor]
    """(model, ids [rows context]) -> [rows context vocabulary]"""
    loss: Callable[[Any, Tensor], Tensor]
    """(model, rows [rows context+1]) -> mean nats of the next token, computed as the peer's users do"""


def llama(shape: Shape) -> Peer | None:
    """Return the Llama of Hugging Face, with a feed-forward of 3 x width as ours; None where it is not installed."""
    try:
        from transformers import LlamaConfig, LlamaForCausalLM
    except ImportError:
        return None
    config = LlamaConfig(
        vocab_size=shape.vocabulary, hidden_size=shape.width, intermediate_size=3 * shape.width,
        num_hidden_layers=shape.depth, num_attention_heads=shape.heads, num_key_value_heads=shape.heads,
        max_position_embeddings=shape.context, tie_word_embeddings=True, use_cache=False,
    )  # fmt: skip
    return Peer(
        lambda seed: _seeded(seed, lambda: LlamaForCausalLM(config)),
        lambda model, ids: model(input_ids=ids).logits,
        # It shifts the labels itself, and so predicts one token fewer per row.
        lambda model, rows: model(input_ids=rows[:, :-1], labels=rows[:, :-1]).loss,
    )


def nanogpt(folder: Path, shape: Shape) -> Peer:
    """Return the model of a checkout of nanoGPT, whose ``model.py`` is imported; its feed-forward is 4 x width, not gated."""
    sys.path.insert(0, str(folder))
    module = importlib.import_module("model")
    config = module.GPTConfig(
        block_size=shape.context, vocab_size=shape.vocabulary, n_layer=shape.depth, n_head=shape.heads,
        n_embd=shape.width, dropout=0.0, bias=False,
    )  # fmt: skip
    return Peer(
        lambda seed: _seeded(seed, lambda: module.GPT(config)),
        lambda model, ids: model(ids, ids)[0],  # without targets it returns the logits of the last place only
        lambda model, rows: model(rows[:, :-1], rows[:, 1:])[1],
    )


def _seeded(seed: int, make: Callable[[], nn.Module]) -> nn.Module:
    torch.manual_seed(seed)
    return make()


def peers(shape: Shape, nanogpt_folder: Path | None) -> dict[str, Peer]:
    """Return the peers there are, by name, and say which are left out."""
    found: dict[str, Peer] = {}
    if peer := llama(shape):
        found["Hugging Face Llama"] = peer
    else:
        print("Hugging Face Llama is left out: install the extra hf", flush=True)
    if nanogpt_folder:
        found["nanoGPT"] = nanogpt(nanogpt_folder, shape)
    else:
        print("nanoGPT is left out: name a checkout with --nanogpt", flush=True)
    return found
