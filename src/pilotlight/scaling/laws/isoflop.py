"""Loss along compute, with a bowl across sizes of equal compute: what an isoFLOP study draws."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Literal, final

from pilotlight.scaling.law import Law

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@final
class IsoFlop(Law):
    """E + C^-c (A + K x^2 + tilt x), x = ln N - p ln C: a parabola in log size about the best size at each compute.

    The second approach of Hoffmann et al. 2022 (section 3.2) as one surface: the best size grows as C^p, and what a wrong
    size costs falls with compute as the rest does. It ties nothing to exponents of N and D, so it follows isoFLOP
    tables closely and extrapolates along their valley. Tokens enter through compute alone: not where text is repeated.
    """

    exponents: ClassVar[tuple[str, ...]] = ("c", "p")
    centres: ClassVar[tuple[float, ...]] = (0.17, 0.5)
    coefficients: ClassVar[tuple[str, ...]] = ("E", "A", "up", "down", "K")
    wants: ClassVar[Literal["any", "batches", "fresh"]] = "fresh"

    @property
    def name(self) -> str:
        """The law's name."""
        return "isoFLOP bowl"

    def columns(self, logs: NDArray[np.float64], exponents: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the terms without their coefficients; the tilt has a column for either sign."""
        import numpy as np

        falling = np.exp(-exponents[:, :1] * logs[None, :, 2])
        aside = logs[None, :, 0] - exponents[:, 1:2] * logs[None, :, 2]
        return np.stack(
            [np.ones_like(falling), falling, falling * aside, -falling * aside, falling * aside**2], axis=-1
        )

    def plain(
        self, exponents: Sequence[float], coefficients: Sequence[float], reference: NDArray[np.float64]
    ) -> dict[str, float]:
        """Return the numbers for logarithms without a reference: the parabola about another origin."""
        c, p = exponents
        floor, least, up, down, bend = coefficients
        shift = float(reference[0] - p * reference[2])
        scale = math.exp(c * float(reference[2]))
        tilt = scale * (up - down - 2 * bend * shift)
        height = scale * (least - (up - down) * shift + bend * shift**2)
        return {
            "c": c, "p": p, "E": floor, "A": height, "up": max(tilt, 0.0), "down": max(-tilt, 0.0), "K": scale * bend
        }  # fmt: skip

    def equation(self, numbers: Mapping[str, float]) -> str:
        """Return the equation with numbers, about the best size where there is one."""
        tilt, bend = numbers["up"] - numbers["down"], numbers["K"]
        if bend <= 0:
            return "{E:.4g} + ({A:.4g} {t:+.4g} x)/C^{c:.3f}, x = ln N - {p:.3f} ln C".format(t=tilt, **numbers)
        best = -tilt / (2 * bend)
        least = numbers["A"] - tilt**2 / (4 * bend)
        return (
            f"{numbers['E']:.4g} + {least:.4g}/C^{numbers['c']:.3f} (1 + {bend / least:.3g} ln(N/N*)^2), "
            f"N* = {math.exp(best):.3g} C^{numbers['p']:.3f}"
        )
