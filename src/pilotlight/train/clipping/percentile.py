"""The whole gradient by a percentile of its latest norms."""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING, Any, final

from pydantic import Field

from pilotlight.train.clipping import Clipper, Clipping, scale_down
from pilotlight.units import Share

if TYPE_CHECKING:
    import torch


@final
class Percentile(Clipping):
    """A gradient above a percentile of the latest norms is scaled down to it (AutoClip, Seetharaman et al. 2020).

    Source: arXiv 2007.14469, which takes all norms since the start; a window follows norms that fall over a training. The
    bound follows the size of the gradient, so one setting serves every model; optimisers that divide by the size of
    the gradient see little of it but at outliers.
    """

    share: Share = Field(default=0.9, gt=0)
    """Share of the latest norms that lie at or below the bound; AutoClip has 0.1, which clips almost every step."""
    window: int = Field(default=256, ge=8)
    """Norms that are looked at, this one among them."""
    largest: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    """Largest norm in any case; null: none."""

    def build(self) -> Clipper:
        """Return a clipper that remembers the norms of a window, before they were clipped."""
        return _ByPercentile(self)


@final
class _ByPercentile(Clipper):
    def __init__(self, settings: Percentile) -> None:
        self.settings = settings
        self._norms: deque[float] = deque(maxlen=settings.window)

    def clip(self, parameters: list[torch.nn.Parameter], norm: float) -> None:
        self._norms.append(norm)
        bound = sorted(self._norms)[math.ceil(self.settings.share * len(self._norms)) - 1]
        scale_down(parameters, norm, bound if self.settings.largest is None else min(bound, self.settings.largest))

    def state(self) -> dict[str, Any]:
        return {"norms": list(self._norms)}

    def restore(self, state: dict[str, Any]) -> None:
        self._norms = deque(state["norms"], maxlen=self.settings.window)
