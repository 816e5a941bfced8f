"""The Chinchilla form with a term in optimiser steps, for tables in which the batch varies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal, final

from pilotlight.scaling.law import Law


@final
class ChinchillaSteps(Law):
    """E + A/N^a + B/D^b + G/S^s with S = tokens / batch.

    A batch above the critical one wastes tokens: the same tokens in fewer steps reach a higher loss (McCandlish et al.
    2018). Prior centre of s: that paper's loss falls with the steps as S^-1 at fixed size near the start and more slowly
    later; 0.6 is between.
    """

    exponents: ClassVar[tuple[str, ...]] = ("a", "b", "s")
    centres: ClassVar[tuple[float, ...]] = (0.35, 0.35, 0.6)
    coefficients: ClassVar[tuple[str, ...]] = ("E", "A", "B", "G")
    powers: ClassVar[tuple[tuple[int, int] | None, ...]] = (None, (0, 0), (1, 1), (3, 2))
    wants: ClassVar[Literal["any", "batches", "fresh"]] = "batches"

    @property
    def name(self) -> str:
        """The law's name."""
        return "Chinchilla with steps"

    def equation(self, numbers: Mapping[str, float]) -> str:
        """Return the equation with numbers."""
        return "{E:.4g} + {A:.4g}/N^{a:.3f} + {B:.4g}/D^{b:.3f} + {G:.4g}/S^{s:.3f}".format(**numbers)
