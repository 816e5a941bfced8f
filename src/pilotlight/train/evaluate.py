"""How well a model does on fixed text."""

from __future__ import annotations

import math
from typing import NamedTuple, final

import numpy as np
import torch

from pilotlight.record.run import Score
from pilotlight.tokens.held_out import Windows
from pilotlight.train.asked import Asked, Losses
from pilotlight.train.examples import Vocabulary
from pilotlight.train.objectives import Objective


@final
class Evaluation(NamedTuple):
    """Sums over scored text: nats and targets by document, and the bytes of the documents."""

    metric: str
    """What the text is measured in: bits_per_byte, or masked_nats_per_token where only some tokens were asked for."""
    items: tuple[str, ...]
    nats: np.ndarray
    """float64 [documents]"""
    tokens: np.ndarray
    """int64 [documents]"""
    bytes: np.ndarray
    """int64 [documents]"""

    @property
    def metrics(self) -> dict[str, float]:
        """``bits_per_byte``, ``nats_per_token`` and ``perplexity`` of all documents together, or ``metric`` alone.

        Nats of some tokens given those on both sides add up to no likelihood of a text, and so to no bits per byte.
        """
        nats, per_token = float(self.nats.sum()), float(self.nats.sum()) / max(1, int(self.tokens.sum()))
        if self.metric != "bits_per_byte":
            return {self.metric: per_token}
        perplexity = math.exp(per_token) if per_token < 700 else math.inf
        return {"bits_per_byte": nats / math.log(2) / int(self.bytes.sum()), "nats_per_token": per_token,
                "perplexity": perplexity}  # fmt: skip

    def scores(self) -> list[Score]:
        """Return one score per document."""
        columns = zip(self.items, self.nats.tolist(), self.tokens.tolist(), self.bytes.tolist(), strict=True)
        return [Score(item=item, nats=nats, tokens=tokens, bytes=size) for item, nats, tokens, size in columns]


@torch.no_grad()
def evaluate(
    losses: Losses, objective: Objective, windows: Windows, vocabulary: Vocabulary, *, rows: int, device: str
) -> Evaluation:
    """Return the nats of every document of ``windows``, ``rows`` windows at a time, as the objective asks about them.

    The last part is filled up with windows again, so that compiled losses see one shape.
    """
    asked = objective.questions(windows.ids, windows.mask, vocabulary)
    count = len(windows.ids)
    found, tokens = np.zeros(count, dtype=np.float64), (asked.weights > 0).sum(axis=1)
    for first in range(0, count, rows):
        places = np.minimum(np.arange(first, first + rows), count - 1)
        part = asked._replace(
            inputs=asked.inputs[places], targets=asked.targets[places],
            documents=None if asked.documents is None else asked.documents[places],
            visible=None if asked.visible is None else asked.visible[places],
        )  # fmt: skip
        nats = losses(Asked.of(part, device)).cpu().numpy().astype(np.float64)[: count - first]
        weights = asked.weights[first : first + rows]
        # not a product: what does not count may be infinite
        found[first : first + rows] = np.where(weights > 0, nats * weights, 0.0).sum(axis=1)
    documents = len(windows.passages)
    return Evaluation(
        objective.metric, windows.document_ids, np.bincount(windows.document, weights=found, minlength=documents),
        np.bincount(windows.document, weights=tokens, minlength=documents).astype(np.int64), windows.bytes,
    )  # fmt: skip
