"""Masks that lose their smallest weights and gain those with the largest gradients."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, final

from torch import nn

from pilotlight.train.sparsity._choice import counts, densities, largest, pause, random_masks
from pilotlight.train.sparsity._pruner import Pruner

if TYPE_CHECKING:
    from pilotlight.train.sparsity.rigl import RigL


@final
class RigLPruner(Pruner):
    """Drops kept weights by their size and grows as many by the gradient of the batch of that update."""

    def __init__(self, matrices: Mapping[str, nn.Parameter], settings: RigL, seed: int, steps: int) -> None:
        kept = densities(matrices, settings.share, settings.layers)
        super().__init__(matrices, random_masks(matrices, kept, seed))
        self.settings = settings
        self.every, self.last = pause(settings.every, steps), settings.until * steps

    def asks_for_gradients(self, done: int) -> bool:
        """Return whether the masks change after update ``done``."""
        return done % self.every == 0 and done < self.last

    def change(self, done: int) -> bool:
        """Return whether weights were dropped and others grew; one that was dropped may grow again, and keeps its value."""
        if not self.asks_for_gradients(done):
            return False
        share = self.settings.drop / 2 * (1 + math.cos(math.pi * done / self.last))
        for name, parameter in self.matrices.items():
            if name not in self.dense:
                continue  # a weight without a gradient is frozen
            mask = self.masks[name]
            kept, pruned = counts(mask)
            moved = min(int(share * kept), pruned)
            stay = largest(parameter.abs().masked_fill(~mask, -1.0), kept - moved)
            self.masks[name] = stay | largest(self.dense[name].abs().masked_fill(stay, -1.0), moved)
        return True
