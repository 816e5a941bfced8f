"""Figures that are not known exactly, as P10, P50 and P90, and draws from them that are the same every time.

A figure is taken to be log-normal on either side of its median, each side with its own width, so that its three quantiles
are met. Draws are stratified (one in each of ``DRAWS`` equal shares of the probability) and shuffled by a stream that the
name of the figure addresses: two scenarios that share a figure share its draws, and their difference is not noise.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from statistics import NormalDist
from typing import TYPE_CHECKING

from pilotlight.errors import ConfigError
from pilotlight.randomness import stream
from pilotlight.record.expense import Figure, Origin
from pilotlight.stats.estimate import Estimate

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

DRAWS = 4001
"""Draws of each figure; odd, so that the median is a draw."""
LEVEL = 0.8
"""P10 to P90."""


@lru_cache(maxsize=64)
def _normals(name: str) -> Floats:
    import numpy as np

    normal = NormalDist()
    spread = np.array([normal.inv_cdf((index + 0.5) / DRAWS) for index in range(DRAWS)])
    return spread[stream(0, "cost", name).permutation(DRAWS)] / normal.inv_cdf(0.9)


@dataclass(frozen=True)
class Range:
    """A figure with its P10, P50 and P90, its unit, and where it comes from.

    Raises:
        ConfigError: the figures are not in order, or not above 0 (a figure of exactly 0 may be).
    """

    name: str
    low: float
    middle: float
    high: float
    unit: str
    origin: Origin
    source: str
    n: int = 1

    def __post_init__(self) -> None:
        ordered = 0 < self.low <= self.middle <= self.high < float("inf")
        if not ordered and not self.low == self.middle == self.high == 0:
            raise ConfigError(
                f"{self.name}: {self.low:g}..{self.high:g} {self.unit} is no range; expected numbers above 0, the smaller first"
            )

    def draws(self) -> Floats:
        """Return ``DRAWS`` values, addressed by the name of the figure."""
        import numpy as np

        if self.low == self.high:
            return np.full(DRAWS, self.middle)
        z = _normals(self.name)
        below, above = np.log(self.middle / self.low), np.log(self.high / self.middle)
        return self.middle * np.exp(z * np.where(z < 0, below, above))

    def times(self, factor: float, unit: str = "") -> Range:
        """Return the range with every number times ``factor``."""
        return replace(
            self, low=self.low * factor, middle=self.middle * factor, high=self.high * factor, unit=unit or self.unit
        )

    def figure(self, outcome: Floats | None = None) -> Figure:
        """Return the record of the figure; ``outcome`` is what was drawn with it, for its share of that spread."""
        value = Estimate(
            value=self.middle, low=self.low, high=self.high, level=LEVEL, unit=self.unit, n=self.n, method=self.source
        )
        spread = None if outcome is None else self.share_of(outcome)
        return Figure(name=self.name, value=value, origin=self.origin, source=self.source, spread=spread)

    def share_of(self, outcome: Floats) -> float:
        """Return the square of the rank correlation (Spearman) of figure and ``outcome``; 0 for a figure that is known."""
        import numpy as np

        if self.low == self.high or float(np.ptp(outcome)) == 0:
            return 0.0
        mine, theirs = (np.argsort(np.argsort(values)) for values in (self.draws(), outcome))
        return float(np.corrcoef(mine, theirs)[0, 1]) ** 2


def given(name: str, value: tuple[float, float], unit: str, source: str = "given by you") -> Range:
    """Return what a user gave: one number taken as it is, or P10 and P90 with their geometric mean between them."""
    low, high = value
    return Range(name, low, (low * high) ** 0.5 if low < high else low, high, unit, "given", source)


def exactly(name: str, value: float, unit: str, origin: Origin, source: str) -> Range:
    """Return a figure that is taken as it is."""
    return Range(name, value, value, value, unit, origin, source)


def summary(
    draws: Floats, unit: str, method: str, n: int = 1, cautions: tuple[str, ...] = ()
) -> Estimate:  # fmt: skip
    """Return P10, P50 and P90 of ``draws``."""
    import numpy as np

    low, value, high = (float(number) for number in np.quantile(draws, (0.1, 0.5, 0.9)))
    return Estimate(value=value, low=low, high=high, level=LEVEL, unit=unit, n=n, method=method, cautions=cautions)
