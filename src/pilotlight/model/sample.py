"""Text out of a model: one token after the other."""

from __future__ import annotations

import torch
from jaxtyping import Int
from torch import Tensor

from pilotlight.errors import ConfigError
from pilotlight.model.decoder_layer import DecoderModel
from pilotlight.randomness import seed_for


@torch.inference_mode()
def generate(
    model: DecoderModel,
    ids: Int[Tensor, "batch time"],
    n: int,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    seed: int = 0,
) -> Int[Tensor, "batch longer"]:
    """Return ``ids`` followed by ``n`` sampled tokens per row.

    ``temperature`` 0 takes the most likely token; ``top_k`` keeps only that many candidates. The tokens of step i are
    drawn from a stream addressed by (seed, i). Every step runs the whole row again.

    Raises:
        ConfigError: ``ids`` is empty, ``temperature`` is negative or ``top_k`` is below 1.
    """
    if ids.shape[1] == 0:
        raise ConfigError("the prompt is empty; give at least one token (the end-of-document token starts a new text)")
    if temperature < 0:
        raise ConfigError(f"temperature is {temperature}; expected at least 0 (0 takes the most likely token)")
    if top_k is not None and top_k < 1:
        raise ConfigError(f"top_k is {top_k}; expected at least 1, or none to keep all candidates")
    for step in range(n):
        logits = model.logits(ids)[:, -1].cpu()
        chosen = _choose(logits, temperature, top_k, seed_for(seed, "sample", step))
        ids = torch.cat([ids, chosen.to(ids.device)[:, None]], dim=1)
    return ids


def _choose(logits: Tensor, temperature: float, top_k: int | None, seed: int) -> Tensor:
    if temperature == 0:
        return logits.argmax(-1)
    if top_k is not None and top_k < logits.shape[-1]:
        lowest = logits.topk(top_k, dim=-1).values[:, -1:]
        logits = logits.masked_fill(logits < lowest, float("-inf"))
    shares = torch.softmax(logits.double() / temperature, dim=-1)
    return torch.multinomial(shares, 1, generator=torch.Generator().manual_seed(seed))[:, 0]
