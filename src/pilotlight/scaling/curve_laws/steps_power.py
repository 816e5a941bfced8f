"""A power law in the steps done, for curves without learning rates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, final

from pilotlight.scaling.curve_law import CurveLaw, Path

if TYPE_CHECKING:
    from pilotlight.scaling.curve_law import Floats


@final
class StepsPower(CurveLaw):
    """E + A/s^a in steps s (with one batch size: in tokens).

    The term in data of Hoffmann et al. 2022, equation 2, read along a run. It knows nothing of schedules.
    """

    exponents: ClassVar[tuple[str, ...]] = ("a",)
    centres: ClassVar[tuple[float, ...]] = (0.45,)
    widths: ClassVar[tuple[float, ...]] = (0.5,)
    belief: ClassVar[float] = 0.3
    needs_rates: ClassVar[bool] = False

    @property
    def name(self) -> str:
        """The law's name."""
        return "power law in steps"

    def columns(self, path: Path, exponents: Floats) -> Floats:
        """Return the floor and the term in steps."""
        import numpy as np

        return np.stack([np.ones_like(path.steps), path.steps ** -exponents[0]], axis=1)

    def equation(self, numbers: Mapping[str, float]) -> str:
        """Return the equation with numbers."""
        return "{E:.4g} + {A:.4g}/s^{a:.3f}".format(**numbers)
