"""Predict each token from those before it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

from pilotlight.train.objectives import Losses, Objective

if TYPE_CHECKING:
    import torch


def _losses(model: Any, rows: torch.Tensor) -> torch.Tensor:
    return model(rows[:, :-1], rows[:, 1:])


@final
class NextToken(Objective):
    """Cross-entropy of the next token (Bengio et al. 2003), in nats."""

    def build(self) -> Losses:
        """Return the losses of ``rows[:, 1:]`` given ``rows[:, :-1]``."""
        return _losses
