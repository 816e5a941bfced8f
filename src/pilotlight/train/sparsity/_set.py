"""Masks that lose their smallest weights and gain random ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, final

from torch import nn

from pilotlight.train.sparsity._choice import counts, densities, largest, pause, random_masks, random_scores
from pilotlight.train.sparsity._pruner import Pruner

if TYPE_CHECKING:
    from pilotlight.train.sparsity.set import Set


@final
class SetPruner(Pruner):
    """Drops a share of the kept weights by their size and grows as many at random."""

    def __init__(self, matrices: Mapping[str, nn.Parameter], settings: Set, seed: int, steps: int) -> None:
        kept = densities(matrices, settings.share, settings.layers)
        super().__init__(matrices, random_masks(matrices, kept, seed))
        self.settings, self.seed = settings, seed
        self.every, self.last = pause(settings.every, steps), settings.until * steps

    def change(self, done: int) -> bool:
        """Return whether weights were dropped and others grew, which is so every so many updates."""
        if done % self.every or done > self.last:
            return False
        for name, parameter in self.matrices.items():
            mask = self.masks[name]
            kept, pruned = counts(mask)
            moved = min(int(self.settings.drop * kept), pruned)
            stay = largest(parameter.abs().masked_fill(~mask, -1.0), kept - moved)
            scores = random_scores(parameter, self.seed, done, name)
            self.masks[name] = stay | largest(scores.masked_fill(mask, -1.0), moved)
        return True
