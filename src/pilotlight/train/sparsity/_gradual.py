"""Masks that shrink along a cubic curve."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, final

import torch
from torch import nn

from pilotlight.train.sparsity._choice import count_of, densities, largest, pause
from pilotlight.train.sparsity._pruner import Pruner

if TYPE_CHECKING:
    from pilotlight.train.sparsity.gradual import Gradual


@final
class GradualPruner(Pruner):
    """Keeps the largest weights, fewer and fewer of them."""

    def __init__(self, matrices: Mapping[str, nn.Parameter], settings: Gradual, steps: int) -> None:
        super().__init__(
            matrices, {name: torch.ones(value.shape, dtype=torch.bool) for name, value in matrices.items()}
        )
        self.settings, self.every = settings, pause(settings.every, steps)
        self.begin = max(1, round(settings.begin * steps))
        self.last = min(steps, max(self.begin, round(settings.until * steps)))
        self._is_over = False

    def share(self, done: int) -> float:
        """Return the share of zeros that is wanted after update ``done``."""
        settings, length = self.settings, self.last - self.begin
        left = 1.0 - (done - self.begin) / length if length else 0.0
        return settings.share + (settings.first - settings.share) * left**3

    def change(self, done: int) -> bool:
        """Return whether the smallest of the weights that are left were pruned, which is so every so many updates.

        A training that goes on from a dense one past the last change is pruned at once.
        """
        is_due = done >= self.begin and (done - self.begin) % self.every == 0 and done < self.last
        is_late = done >= self.last and (done == self.last or not self._is_over)
        if not (is_due or is_late):
            return False
        self._is_over = is_late
        kept = densities(self.matrices, self.share(min(done, self.last)), self.settings.layers)
        for name, parameter in self.matrices.items():
            sizes = parameter.abs().masked_fill(~self.masks[name], -1.0)
            self.masks[name] = self.masks[name] & largest(sizes, count_of(parameter, kept[name]))
        return True
