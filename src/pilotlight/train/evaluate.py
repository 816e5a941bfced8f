"""The likelihood of fixed text."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple, final

import numpy as np
import torch

from pilotlight.record.run import Score
from pilotlight.tokens.held_out import Windows


@final
class Evaluation(NamedTuple):
    """Sums over scored text: nats and targets by document, and the bytes they stand for."""

    items: tuple[str, ...]
    nats: np.ndarray
    """float64 [documents]"""
    tokens: np.ndarray
    """int64 [documents]"""
    bytes: np.ndarray
    """int64 [documents]"""

    @property
    def metrics(self) -> dict[str, float]:
        """``bits_per_byte``, ``nats_per_token`` and ``perplexity`` of all documents together."""
        nats, per_token = float(self.nats.sum()), float(self.nats.sum()) / max(1, int(self.tokens.sum()))
        perplexity = math.exp(per_token) if per_token < 700 else math.inf
        return {"bits_per_byte": nats / math.log(2) / int(self.bytes.sum()), "nats_per_token": per_token,
                "perplexity": perplexity}  # fmt: skip

    def scores(self) -> list[Score]:
        """Return one score per document."""
        columns = zip(self.items, self.nats.tolist(), self.tokens.tolist(), self.bytes.tolist(), strict=True)
        return [Score(item=item, nats=nats, tokens=tokens, bytes=size) for item, nats, tokens, size in columns]


@torch.no_grad()
def evaluate(losses: Callable[[torch.Tensor], torch.Tensor], windows: Windows, rows: int, device: str) -> Evaluation:
    """Return the nats of every document of ``windows``, ``rows`` windows at a time.

    The last part is filled up with padding rows, so that compiled losses see one shape.
    """
    found = np.zeros(len(windows.ids), dtype=np.float64)
    for first in range(0, len(windows.ids), rows):
        ids, mask = windows.ids[first : first + rows], windows.mask[first : first + rows]
        missing = rows - len(ids)
        padded = np.pad(ids, ((0, missing), (0, 0)), mode="edge") if missing else ids
        nats = losses(torch.from_numpy(padded).to(device)).cpu().numpy().astype(np.float64)
        found[first : first + rows] = np.where(mask, nats[: len(ids)], 0.0).sum(axis=1)
    nats = np.bincount(windows.document, weights=found, minlength=len(windows.passages))
    return Evaluation(windows.document_ids, nats, windows.tokens, windows.bytes)
