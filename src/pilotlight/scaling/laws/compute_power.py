"""A power law in compute above a floor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, final

from pilotlight.scaling.law import Law


@final
class ComputePower(Law):
    """E + A/C^c, fitted to the best losses at each compute.

    The form of Henighan et al. 2020, equation 1.1. Prior centre: along the optimum of a Chinchilla form with
    exponents of 0.35 the excess loss falls as C^-0.17.
    """

    exponents: ClassVar[tuple[str, ...]] = ("c",)
    centres: ClassVar[tuple[float, ...]] = (0.17,)
    coefficients: ClassVar[tuple[str, ...]] = ("E", "A")
    powers: ClassVar[tuple[tuple[int, int] | None, ...]] = (None, (2, 0))
    best_only: ClassVar[bool] = True

    @property
    def name(self) -> str:
        """The law's name."""
        return "power law in compute"

    def equation(self, numbers: Mapping[str, float]) -> str:
        """Return the equation with numbers."""
        return "{E:.4g} + {A:.4g}/C^{c:.3f}".format(**numbers)
