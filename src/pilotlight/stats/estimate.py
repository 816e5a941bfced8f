"""Numbers with their uncertainty."""

from __future__ import annotations

import math
from typing import Self

from pydantic import model_validator

from pilotlight.spec import Record


class Estimate(Record):
    """A value with its interval, and how it was obtained.

    ``n`` counts independent units (training runs, or items where a number speaks of one model), never rows.
    Cautions say when not to believe the interval.

    Raises:
        ValueError: a bound is not finite, or does not enclose the value, or ``n`` is below 1.
    """

    value: float
    low: float
    high: float
    level: float
    unit: str
    n: int
    method: str
    cautions: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _is_sound(self) -> Self:
        if not all(math.isfinite(number) for number in (self.value, self.low, self.high)):
            raise ValueError(f"an estimate needs finite numbers, got {self.value} [{self.low}, {self.high}]")
        if not self.low <= self.value <= self.high:
            raise ValueError(f"the interval [{self.low}, {self.high}] does not hold its value {self.value}")
        if self.n < 1 or not 0 < self.level < 1:
            raise ValueError(
                f"an estimate needs n >= 1 and a level between 0 and 1, got n={self.n}, level={self.level}"
            )
        return self

    @property
    def half_width(self) -> float:
        """Half the width of the interval, in the estimate's unit."""
        return (self.high - self.low) / 2

    def scaled(self, factor: float, unit: str) -> Estimate:
        """Return the same estimate in another unit: every number times ``factor``."""
        low, high = sorted((self.low * factor, self.high * factor))
        return self.model_copy(update={"value": self.value * factor, "low": low, "high": high, "unit": unit})

    def __str__(self) -> str:
        """Return ``0.742 [0.731, 0.753] bits/byte (95%, n=5, paired t)``."""
        scale = max(abs(self.low), abs(self.high), 1e-300)
        digits = max(0, min(8, 3 - math.floor(math.log10(scale)) - 1 + 1)) if scale < 1e6 else 0
        shown = f"{self.value:.{digits}f} [{self.low:.{digits}f}, {self.high:.{digits}f}]"
        return f"{shown} {self.unit} ({100 * self.level:g}%, n={self.n}, {self.method})"


def exact(value: float, unit: str, method: str, n: int = 1, *cautions: str) -> Estimate:
    """Return an estimate of zero width for a number that was counted, not measured."""
    return Estimate(value=value, low=value, high=value, level=0.95, unit=unit, n=n, method=method, cautions=cautions)
