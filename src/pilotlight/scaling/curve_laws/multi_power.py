"""The multi-power law: every fall of the rate brings a gain that sets in as a power of the rate summed since."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, final

from pilotlight.scaling.curve_law import CurveLaw, Path

if TYPE_CHECKING:
    from pilotlight.scaling.curve_law import Floats

LEAST_RATE = 1e-3
"""Rates below this share of the peak count as this much: a negative power of 0 has no value."""


@final
class MultiPower(CurveLaw):
    """E + A/S1^a - B sum of falls (1 - (1 + c r^-g S)^-b) (Luo et al. 2025).

    A fall of the rate to r, after which the rate summed up to S, has brought that share of its gain.
    """

    exponents: ClassVar[tuple[str, ...]] = ("a", "c", "b", "g")
    centres: ClassVar[tuple[float, ...]] = (0.45, 30.0, 0.5, 0.5)
    widths: ClassVar[tuple[float, ...]] = (0.5, 1.5, 0.5, 0.5)
    coefficients: ClassVar[tuple[str, ...]] = ("E", "A", "B")

    @property
    def name(self) -> str:
        """The law's name."""
        return "multi-power law"

    def columns(self, path: Path, exponents: Floats) -> Floats:
        """Return the floor, the term in the summed rate and the gain from falls of the rate."""
        import numpy as np

        power, speed, fading, slowing = exponents
        since = np.maximum(path.sums[:, None] - path.change_sums[None, :], 0.0)
        pace = speed * np.maximum(path.change_rates, LEAST_RATE) ** -slowing
        gain = -np.expm1(-fading * np.log1p(pace[None, :] * since)) @ path.changes
        return np.stack([np.ones_like(path.sums), path.sums**-power, -gain], axis=1)

    def equation(self, numbers: Mapping[str, float]) -> str:
        """Return the equation with numbers."""
        return ("{E:.4g} + {A:.4g}/S1^{a:.3f} - {B:.4g} sum of falls (1 - (1 + {c:.3g} S/r^{g:.2f})^-{b:.2f})").format(
            **numbers
        )
