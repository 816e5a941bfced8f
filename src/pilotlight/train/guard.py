"""Which steps are believed. Settings and detector of bad steps; no torch here.

A step whose loss or gradient norm is not finite, or far above what the last accepted steps did, is not applied:
neither the parameters nor the optimiser nor the detector's own window see it. Median and MAD over accepted steps
keep their sight after a fault, where means and running averages do not.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Any, Literal, final

from pydantic import Field

from pilotlight.spec import Spec

_MAD_TO_SIGMA = 1.4826  # of a normal distribution
_LEAST_SPREAD_LOSS = 0.005  # of the median: a loss that hardly moves must not flag its own rounding
_LEAST_SPREAD_NORM = 0.14  # of the logarithm: within 3 times the median a norm is left to clipping

Judgement = Literal["accept", "non_finite", "spike"]


@final
class Guard(Spec):
    """Settings of the bad-step detector: on clean traces of small models k = 8 flags below 1 step in 1,000."""

    k: float = Field(default=8.0, gt=0)
    """Robust standard deviations above the median, of the loss or of the log gradient norm, that flag a step."""
    window: int = Field(default=128, ge=16)
    """Accepted steps the median is taken over."""
    first: int = Field(default=32, ge=8)
    """Accepted steps before anything but a non-finite value is flagged."""
    skips: int = Field(default=20, ge=0)
    """Steps that may be skipped within any ``within`` steps; one more stops the run."""
    within: int = Field(default=5000, ge=1)
    """Length of the stretch over which skips are counted, in steps."""
    shift: int = Field(default=16, ge=2)
    """Flags in a row after which the level counts as new and the window starts again."""


@final
class Detector:
    """The window of accepted steps and the steps skipped so far; its ``state`` goes into every checkpoint."""

    def __init__(self, settings: Guard) -> None:
        self.settings = settings
        self._losses: deque[float] = deque(maxlen=settings.window)
        self._norms: deque[float] = deque(maxlen=settings.window)
        self._skipped: list[int] = []
        self._in_a_row = 0

    def judge(self, loss: float, norm: float) -> Judgement:
        """Return whether a step with this loss (nats per token) and gradient norm is believed."""
        if not (math.isfinite(loss) and math.isfinite(norm)):
            return "non_finite"
        if len(self._losses) < self.settings.first:
            return "accept"
        high = _above(loss, self._losses, self.settings.k, relative=_LEAST_SPREAD_LOSS)
        high = high or _above(_log(norm), self._norms, self.settings.k, absolute=_LEAST_SPREAD_NORM)
        return "spike" if high else "accept"

    def accept(self, loss: float, norm: float) -> None:
        """Remember a step that was applied."""
        self._losses.append(loss)
        self._norms.append(_log(norm))
        self._in_a_row = 0

    def skip(self, step: int) -> bool:
        """Remember a step that was not applied; return whether the budget of skips still holds."""
        settings = self.settings
        self._skipped = [earlier for earlier in self._skipped if earlier > step - settings.within] + [step]
        self._in_a_row += 1
        if self._in_a_row >= settings.shift:
            self._losses.clear()
            self._norms.clear()
            self._in_a_row = 0
        return len(self._skipped) <= settings.skips

    def limits(self) -> tuple[float, float] | None:
        """Return the loss and the gradient norm above which a step is flagged now, None while still learning them."""
        if len(self._losses) < self.settings.first:
            return None
        loss = _limit(self._losses, self.settings.k, _LEAST_SPREAD_LOSS, 0.0)
        return loss, math.exp(_limit(self._norms, self.settings.k, 0.0, _LEAST_SPREAD_NORM))

    def state(self) -> dict[str, Any]:
        """Return everything the detector knows, as JSON types."""
        return {"losses": list(self._losses), "norms": list(self._norms), "skipped": self._skipped,
                "in_a_row": self._in_a_row}  # fmt: skip

    def restore(self, state: dict[str, Any]) -> None:
        """Take over what ``state`` returned in an earlier process."""
        self._losses.extend(state["losses"])
        self._norms.extend(state["norms"])
        self._skipped = list(state["skipped"])
        self._in_a_row = state["in_a_row"]


def _log(norm: float) -> float:
    return math.log(max(norm, 1e-30))


def _limit(window: deque[float], k: float, relative: float, absolute: float) -> float:
    """Return median + k robust standard deviations; medians are upper medians, exact on every machine."""
    middle = sorted(window)[len(window) // 2]
    spread = _MAD_TO_SIGMA * sorted([abs(value - middle) for value in window])[len(window) // 2]
    return middle + k * max(spread, relative * abs(middle), absolute)


def _above(value: float, window: deque[float], k: float, *, relative: float = 0.0, absolute: float = 0.0) -> bool:
    return value > _limit(window, k, relative, absolute)
