"""The whole gradient by how unusual its norm is."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, final

from pydantic import Field

from pilotlight.train.clipping import Clipper, Clipping, scale_down

if TYPE_CHECKING:
    import torch


@final
class ZClip(Clipping):
    """Norms more than ``z`` deviations above their moving average are clipped, the farther the harder (ZClip).

    Source: Kumar et al. 2025, arXiv 2504.02507: a norm at z' > z deviations is scaled down to z * z / z' of them. What enters
    the averages is the norm after clipping. Norms that are not finite never reach it: the guard looks first.
    """

    z: float = Field(default=2.5, gt=0)
    """Deviations above the average that are left alone."""
    memory: float = Field(default=0.97, gt=0, lt=1)
    """Share of the old average in the new one."""
    first: int = Field(default=25, ge=2)
    """Steps whose mean and variance the averages start from; ``largest`` alone bounds these."""
    largest: float | None = Field(default=1.0, gt=0, allow_inf_nan=False)
    """Largest norm in any case; null: none."""

    def build(self) -> Clipper:
        """Return a clipper that remembers the averages, or the norms they start from."""
        return _ByDeviation(self)


@final
class _ByDeviation(Clipper):
    def __init__(self, settings: ZClip) -> None:
        self.settings = settings
        self._norms: list[float] = []
        self._mean = self._variance = 0.0

    def clip(self, parameters: list[torch.nn.Parameter], norm: float) -> None:
        largest = math.inf if self.settings.largest is None else self.settings.largest
        if len(self._norms) < self.settings.first:
            self._learn(min(norm, largest))
            scale_down(parameters, norm, largest)
            return
        bound = min(self._bound(norm), largest)
        memory, seen = self.settings.memory, min(norm, bound)
        self._mean = memory * self._mean + (1.0 - memory) * seen
        self._variance = memory * self._variance + (1.0 - memory) * (seen - self._mean) ** 2
        scale_down(parameters, norm, bound)

    def _bound(self, norm: float) -> float:
        deviation = max(math.sqrt(self._variance), 1e-6 * self._mean)
        far = (norm - self._mean) / deviation if deviation else 0.0
        return self._mean + self.settings.z**2 / far * deviation if far > self.settings.z else math.inf

    def _learn(self, norm: float) -> None:
        self._norms.append(norm)
        if len(self._norms) == self.settings.first:
            self._mean = sum(self._norms) / len(self._norms)
            self._variance = sum((norm - self._mean) ** 2 for norm in self._norms) / len(self._norms)

    def state(self) -> dict[str, Any]:
        return {"norms": list(self._norms), "mean": self._mean, "variance": self._variance}

    def restore(self, state: dict[str, Any]) -> None:
        self._norms = list(state["norms"])
        self._mean, self._variance = state["mean"], state["variance"]
