"""The Chinchilla form with one exponent for size and tokens, for ladders with few cells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, final

from pilotlight.scaling.law import Law


@final
class ChinchillaTied(Law):
    """E + A/N^a + B/D^a: Hoffmann et al. 2022, equation 2, with a = b.

    Their three approaches agree that size and tokens should grow alike, which is what equal exponents mean.
    """

    exponents: ClassVar[tuple[str, ...]] = ("a",)
    centres: ClassVar[tuple[float, ...]] = (0.35,)
    coefficients: ClassVar[tuple[str, ...]] = ("E", "A", "B")
    powers: ClassVar[tuple[tuple[int, int] | None, ...]] = (None, (0, 0), (1, 0))

    @property
    def name(self) -> str:
        """The law's name."""
        return "Chinchilla, equal exponents"

    def equation(self, numbers: Mapping[str, float]) -> str:
        """Return the equation with numbers."""
        return "{E:.4g} + {A:.4g}/N^{a:.3f} + {B:.4g}/D^{a:.3f}".format(**numbers)
