"""A power law in the summed learning rate, and a gain from every fall of the rate that sets in with time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, final

from pilotlight.scaling.curve_law import CurveLaw, Path

if TYPE_CHECKING:
    from pilotlight.scaling.curve_law import Floats


@final
class Annealing(CurveLaw):
    """E + A/S1^a - C S2 (Tissue et al. 2024): S2 sums the falls of the rate, each fading in over ``m`` steps.

    A fall of the rate at step k counts with 1 - exp(-(s - k)/m) at step s: their sum of powers of a momentum, with
    m = 1/(1 - momentum) measured instead of fixed, since it depends on batch and optimiser.
    """

    exponents: ClassVar[tuple[str, ...]] = ("a", "m")
    centres: ClassVar[tuple[float, ...]] = (0.45, 0.04)
    widths: ClassVar[tuple[float, ...]] = (0.5, 1.2)
    coefficients: ClassVar[tuple[str, ...]] = ("E", "A", "C")

    @property
    def name(self) -> str:
        """The law's name."""
        return "summed learning rate with annealing"

    def columns(self, path: Path, exponents: Floats) -> Floats:
        """Return the floor, the term in the summed rate and the gain from falls of the rate."""
        import numpy as np

        power, memory = exponents
        since = np.maximum(path.steps[:, None] - path.change_steps[None, :], 0.0)
        gain = -np.expm1(-since / memory) @ path.changes
        return np.stack([np.ones_like(path.sums), path.sums**-power, -gain], axis=1)

    def equation(self, numbers: Mapping[str, float]) -> str:
        """Return the equation with numbers."""
        return "{E:.4g} + {A:.4g}/S1^{a:.3f} - {C:.4g} S2 (falls of the rate set in over {m:.3g} s)".format(**numbers)
