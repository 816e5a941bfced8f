"""A power law in compute that falls for ever."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, final

from pilotlight.scaling.law import Law


@final
class ComputePowerNoFloor(Law):
    """A/C^c, fitted to the best losses at each compute (Kaplan et al. 2020, equation 1.3: c of 0.05).

    Optimistic far away, so it bounds from below what a short ladder cannot tell about the floor.
    """

    exponents: ClassVar[tuple[str, ...]] = ("c",)
    centres: ClassVar[tuple[float, ...]] = (0.06,)
    coefficients: ClassVar[tuple[str, ...]] = ("A",)
    powers: ClassVar[tuple[tuple[int, int] | None, ...]] = ((2, 0),)
    best_only: ClassVar[bool] = True

    @property
    def name(self) -> str:
        """The law's name."""
        return "power law in compute, no floor"

    def equation(self, numbers: Mapping[str, float]) -> str:
        """Return the equation with numbers."""
        return "{A:.4g}/C^{c:.3f}".format(**numbers)
