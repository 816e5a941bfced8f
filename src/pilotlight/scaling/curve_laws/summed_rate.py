"""A power law in the learning rate summed over steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, final

from pilotlight.scaling.curve_law import CurveLaw, Path

if TYPE_CHECKING:
    from pilotlight.scaling.curve_law import Floats


@final
class SummedRate(CurveLaw):
    """E + A/S1^a, S1 being the learning rate summed over the steps.

    What the laws with annealing say while the learning rate is constant. That its fall brings nothing more is hardly
    ever so, hence the low ``belief``.
    """

    exponents: ClassVar[tuple[str, ...]] = ("a",)
    centres: ClassVar[tuple[float, ...]] = (0.45,)
    widths: ClassVar[tuple[float, ...]] = (0.5,)
    belief: ClassVar[float] = 0.1

    @property
    def name(self) -> str:
        """The law's name."""
        return "power law in the summed learning rate"

    def columns(self, path: Path, exponents: Floats) -> Floats:
        """Return the floor and the term in the summed learning rate."""
        import numpy as np

        return np.stack([np.ones_like(path.sums), path.sums ** -exponents[0]], axis=1)

    def equation(self, numbers: Mapping[str, float]) -> str:
        """Return the equation with numbers."""
        return "{E:.4g} + {A:.4g}/S1^{a:.3f}".format(**numbers)
