"""A power law in steps, and a gain towards the end of the run, for curves whose learning rates are not known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, final

from pilotlight.scaling.curve_law import CurveLaw, Path

if TYPE_CHECKING:
    from pilotlight.scaling.curve_law import Floats


@final
class StepsProgress(CurveLaw):
    """E + A/s^a - C p^q in steps s and progress p, the share of the run's own steps that is done.

    Most runs let the learning rate fall towards their end. Where that is not recorded, its gain can still be seen as
    what depends on a run's own length; for runs with a constant rate C is 0.
    """

    exponents: ClassVar[tuple[str, ...]] = ("a", "q")
    centres: ClassVar[tuple[float, ...]] = (0.45, 2.5)
    widths: ClassVar[tuple[float, ...]] = (0.5, 0.6)
    coefficients: ClassVar[tuple[str, ...]] = ("E", "A", "C")
    belief: ClassVar[float] = 0.3
    needs_rates: ClassVar[bool] = False

    @property
    def name(self) -> str:
        """The law's name."""
        return "power law in steps with a gain towards the end"

    def columns(self, path: Path, exponents: Floats) -> Floats:
        """Return the floor, the term in steps and the gain towards the end."""
        import numpy as np

        power, lateness = exponents
        gain = (path.steps / path.length) ** lateness
        return np.stack([np.ones_like(path.steps), path.steps**-power, -gain], axis=1)

    def equation(self, numbers: Mapping[str, float]) -> str:
        """Return the equation with numbers."""
        return "{E:.4g} + {A:.4g}/s^{a:.3f} - {C:.4g} p^{q:.2f}".format(**numbers)
