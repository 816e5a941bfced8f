"""The Chinchilla form: a floor, a term in size and a term in tokens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, final

from pilotlight.scaling.law import Law


@final
class Chinchilla(Law):
    """E + A/N^a + B/D^b (Hoffmann et al. 2022, equation 2).

    Prior centres: the published exponents are 0.34 and 0.28, corrected 0.35 and 0.37 (Besiroglu et al. 2024).
    """

    exponents: ClassVar[tuple[str, ...]] = ("a", "b")
    centres: ClassVar[tuple[float, ...]] = (0.35, 0.35)
    coefficients: ClassVar[tuple[str, ...]] = ("E", "A", "B")
    powers: ClassVar[tuple[tuple[int, int] | None, ...]] = (None, (0, 0), (1, 1))

    @property
    def name(self) -> str:
        """The law's name."""
        return "Chinchilla"

    def equation(self, numbers: Mapping[str, float]) -> str:
        """Return the equation with numbers."""
        return "{E:.4g} + {A:.4g}/N^{a:.3f} + {B:.4g}/D^{b:.3f}".format(**numbers)
