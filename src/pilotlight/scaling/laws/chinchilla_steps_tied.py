"""Steps beside the Chinchilla form with one exponent, for tables with few cells in which the batch varies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal, final

from pilotlight.scaling.law import Law


@final
class ChinchillaStepsTied(Law):
    """E + A/N^a + B/D^a + G/S^s with S = tokens / batch: as the law with steps, with a = b."""

    exponents: ClassVar[tuple[str, ...]] = ("a", "s")
    centres: ClassVar[tuple[float, ...]] = (0.35, 0.6)
    coefficients: ClassVar[tuple[str, ...]] = ("E", "A", "B", "G")
    powers: ClassVar[tuple[tuple[int, int] | None, ...]] = (None, (0, 0), (1, 0), (3, 1))
    wants: ClassVar[Literal["any", "batches", "fresh"]] = "batches"

    @property
    def name(self) -> str:
        """The law's name."""
        return "Chinchilla with steps, equal exponents"

    def equation(self, numbers: Mapping[str, float]) -> str:
        """Return the equation with numbers."""
        return "{E:.4g} + {A:.4g}/N^{a:.3f} + {B:.4g}/D^{a:.3f} + {G:.4g}/S^{s:.3f}".format(**numbers)
