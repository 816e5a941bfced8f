"""Size and tokens joined under one power: whichever is short decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, final

from pilotlight.scaling.law import Law
from pilotlight.scaling.laws._coupling import EXPONENTS, FEWEST, SHAPE, joined, unreferenced

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@final
class Coupled(Law):
    """E + K (r^2/N^p + 1/D)^q: the form of Kaplan et al. 2020, equation 1.5, with a floor.

    Where the sum of two terms lets size and tokens help independently, here the scarcer one holds the loss up. Prior
    centres: p is 0.8 there (0.076 / 0.095), taken as 1; q as the exponents of the Chinchilla form; r is free.
    """

    exponents: ClassVar[tuple[str, ...]] = EXPONENTS
    centres: ClassVar[tuple[float, ...]] = (0.3, 1.0, 1.0)
    coefficients: ClassVar[tuple[str, ...]] = ("E", "K")

    @property
    def name(self) -> str:
        """The law's name."""
        return "size and tokens coupled"

    @property
    def fewest(self) -> int:
        """Least number of distinct cells: its three exponents are too free for fewer."""
        return FEWEST

    def columns(self, logs: NDArray[np.float64], exponents: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the terms without their coefficients."""
        import numpy as np

        term = joined(logs, exponents)
        return np.stack([np.ones_like(term), term], axis=-1)

    def plain(
        self, exponents: Sequence[float], coefficients: Sequence[float], reference: NDArray[np.float64]
    ) -> dict[str, float]:
        """Return the numbers for logarithms without a reference."""
        numbers, factor = unreferenced(exponents, reference)
        floor, height = coefficients
        return numbers | {"E": floor, "K": height * factor}

    def equation(self, numbers: Mapping[str, float]) -> str:
        """Return the equation with numbers."""
        return ("{E:.4g} + {K:.4g} " + SHAPE).format(w=numbers["r"] ** 2, **numbers)
