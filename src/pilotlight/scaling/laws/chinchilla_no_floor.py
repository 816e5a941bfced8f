"""A term in size and a term in tokens, with no floor below them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, final

from pilotlight.scaling.law import Law


@final
class ChinchillaNoFloor(Law):
    """A/N^a + B/D^b: the Chinchilla form with E = 0.

    A short ladder hardly tells a floor from a small exponent. This law bounds from below what the floor hides, in size
    and tokens apart. Prior centres: Kaplan et al. 2020 found 0.076 and 0.095 where no floor was fitted.
    """

    exponents: ClassVar[tuple[str, ...]] = ("a", "b")
    centres: ClassVar[tuple[float, ...]] = (0.1, 0.1)
    coefficients: ClassVar[tuple[str, ...]] = ("A", "B")
    powers: ClassVar[tuple[tuple[int, int] | None, ...]] = ((0, 0), (1, 1))

    @property
    def name(self) -> str:
        """The law's name."""
        return "Chinchilla, no floor"

    @property
    def fewest(self) -> int:
        """Least number of distinct cells: one more than coefficients and exponents, or it would outvote the floors."""
        return 5

    def equation(self, numbers: Mapping[str, float]) -> str:
        """Return the equation with numbers."""
        return "{A:.4g}/N^{a:.3f} + {B:.4g}/D^{b:.3f}".format(**numbers)
