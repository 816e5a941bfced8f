"""Which steps are believed, and what is done about trouble. Settings and detector of bad steps; no torch here.

A step whose loss or gradient norm is not finite, or far above what the last accepted steps did, is not applied:
neither the parameters nor the optimiser nor the detector's own window see it. Median and MAD over accepted steps
keep their sight after a fault, where means and running averages do not. Many flags close together, and a level of
losses that stays above its best, are trouble: ``train.ladder`` climbs from skipping to rewinding to stopping.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Any, Literal, NamedTuple, Self, final

from pydantic import Field, model_validator

from pilotlight.spec import Spec
from pilotlight.units import Share

_MAD_TO_SIGMA = 1.4826  # of a normal distribution
_LEAST_SPREAD_LOSS = 0.005  # of the median: a loss that hardly moves must not flag its own rounding
_LEAST_SPREAD_NORM = 0.14  # of the logarithm: within 3 times the median a norm is left to clipping

Judgement = Literal["accept", "spike", "non_finite"]
JUDGEMENTS: tuple[Judgement, ...] = ("accept", "spike", "non_finite")
"""From harmless to severe: ranks that disagree take the most severe."""


@final
class Guard(Spec):
    """Settings of the bad-step detector and of what follows: skip, rewind and skip, rewind with a lower rate, stop.

    On clean traces of small models k = 8 flags below 1 step in 1,000.
    """

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
    flags: int = Field(default=3, ge=1)
    """Flags within ``near`` steps that are trouble: it is tried whether the weights are to blame, and if so rewound."""
    near: int = Field(default=16, ge=1)
    """Length of the stretch over which flags are trouble, in steps."""
    drift: Share = Field(default=0.1, gt=0)
    """Share by which the median loss may stand above the best there was; for ``patience`` steps it is a divergence."""
    patience: int = Field(default=100, ge=1)
    """Accepted steps in a row above that level that are a divergence, if batches of the best time confirm it."""
    back: int = Field(default=100, ge=1)
    """Steps before the first flag, or before the best level, at which a rewound run takes another way."""
    beyond: int = Field(default=200, ge=0)
    """Batches after the trouble that a rewind takes out of the stream with it (Chowdhery et al. 2022: 200 to 500)."""
    rewinds: int = Field(default=3, ge=0)
    """Rewinds in a run; where one more would be needed, it stops."""
    apart: int = Field(default=2000, ge=1)
    """A second rewind within so many steps of the last one lowers the learning rate too."""
    slower: float = Field(default=0.5, gt=0, lt=1)
    """What the learning rate is multiplied by, each time it is lowered."""
    rewarm: int = Field(default=100, ge=1)
    """Steps over which a lowered rate rises from nothing."""
    anchor_every: int | None = Field(default=None, ge=1)
    """Steps between the checkpoints that a rewind starts from; null: a tenth of the run, but at least ``back``."""

    @model_validator(mode="after")
    def _window_fills(self) -> Self:
        if self.first > self.window:
            raise ValueError(f"first: {self.first} accepted steps are never in a window of {self.window}, so no step would be "
                             "flagged; expected at most as many as the window")  # fmt: skip
        return self


@final
class Drift(NamedTuple):
    """The level of losses now and the best one there was."""

    level: float
    """Median loss of the window now, nats per token."""
    best: float
    at: int
    """Updates done when it was best."""


@final
class Detector:
    """The window of accepted steps, the steps skipped, the best level; its ``state`` goes into every checkpoint."""

    def __init__(self, settings: Guard) -> None:
        self.settings = settings
        self._losses: deque[float] = deque(maxlen=settings.window)
        self._norms: deque[float] = deque(maxlen=settings.window)
        self._skipped: list[int] = []
        self._in_a_row = 0
        self._updates = 0
        self._best: Drift | None = None
        self._above = 0

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
        self._updates += 1
        self._follow(loss)

    def _follow(self, loss: float) -> None:
        """Keep the best level, at first the loss of the first step, and count the steps spent above it."""
        if self._best is None:
            self._best = Drift(loss, loss, self._updates)
        if len(self._losses) < self.settings.first:
            return
        level = sorted(self._losses)[len(self._losses) // 2]
        if level < self._best.best:
            self._best = Drift(level, level, self._updates)
        else:
            self._best = self._best._replace(level=level)
        self._above = self._above + 1 if level > self._best.best * (1 + self.settings.drift) else 0

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

    def cluster(self, step: int) -> list[int]:
        """Return the steps flagged within ``near`` steps before ``step`` if they are enough for trouble, else none."""
        close = [flagged for flagged in self._skipped if flagged > step - self.settings.near]
        return close if len(close) >= self.settings.flags else []

    @property
    def level(self) -> Drift | None:
        """The level of losses beside the best one; None before the first accepted step."""
        return self._best

    @property
    def is_adrift(self) -> bool:
        """Whether the level has stood above the best one for ``patience`` steps."""
        return self._above >= self.settings.patience

    def wait(self) -> None:
        """Count the steps above the best level from nothing again: what was seen was no divergence."""
        self._above = 0

    def limits(self) -> tuple[float, float] | None:
        """Return the loss and the gradient norm above which a step is flagged now, None while still learning them."""
        if len(self._losses) < self.settings.first:
            return None
        loss = _limit(self._losses, self.settings.k, _LEAST_SPREAD_LOSS, 0.0)
        return loss, math.exp(_limit(self._norms, self.settings.k, 0.0, _LEAST_SPREAD_NORM))

    def state(self) -> dict[str, Any]:
        """Return everything the detector knows, as JSON types."""
        return {"losses": list(self._losses), "norms": list(self._norms), "skipped": self._skipped,
                "in_a_row": self._in_a_row, "updates": self._updates, "above": self._above,
                "best": list(self._best) if self._best else None}  # fmt: skip

    def restore(self, state: dict[str, Any]) -> None:
        """Take over what ``state`` returned in an earlier process, in place of what is known now."""
        self._losses = deque(state["losses"], maxlen=self.settings.window)
        self._norms = deque(state["norms"], maxlen=self.settings.window)
        self._skipped = list(state["skipped"])
        self._in_a_row = state["in_a_row"]
        self._updates = state.get("updates", 0)
        self._above = state.get("above", 0)
        best = state.get("best")
        self._best = Drift(*best) if best else None


def _log(norm: float) -> float:
    return math.log(max(norm, 1e-30))


def _limit(window: deque[float], k: float, relative: float, absolute: float) -> float:
    """Return median + k robust standard deviations; medians are upper medians, exact on every machine."""
    middle = sorted(window)[len(window) // 2]
    spread = _MAD_TO_SIGMA * sorted([abs(value - middle) for value in window])[len(window) // 2]
    return middle + k * max(spread, relative * abs(middle), absolute)


def _above(value: float, window: deque[float], k: float, *, relative: float = 0.0, absolute: float = 0.0) -> bool:
    return value > _limit(window, k, relative, absolute)
