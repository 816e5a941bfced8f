"""What a law of loss is: a sum of falling terms, linear once its exponents are fixed."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from pilotlight.spec import Part, discover

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Law(Part):
    """One form of the loss in parameters N, training tokens D and training FLOPs C.

    For given exponents the loss is ``columns @ coefficients`` with coefficients >= 0, so every law falls (or stays)
    as N, D and C grow, and fitting needs a search over the exponents only (variable projection, Golub and Pereyra
    1973). An exponent carries a weak prior, log-normal about its ``centres`` entry (see ``PRIOR_WIDTH`` in fit.py):
    it decides only where a short ladder cannot.
    """

    folder: ClassVar[str] = "pilotlight.scaling.laws"

    exponents: ClassVar[tuple[str, ...]]
    """Names of the exponents."""
    centres: ClassVar[tuple[float, ...]]
    """Where the prior of each exponent is centred."""
    coefficients: ClassVar[tuple[str, ...]]
    """Names of the coefficients, one per column."""
    powers: ClassVar[tuple[tuple[int, int] | None, ...]]
    """What each column is: None for the constant, else (axis, exponent), axis 0 for N, 1 for D, 2 for C."""
    best_only: ClassVar[bool] = False
    """Whether the law speaks of the best loss at a compute, so that dominated cells are left out."""

    @property
    @abstractmethod
    def name(self) -> str:
        """The law's name, for people."""

    @abstractmethod
    def equation(self, numbers: Mapping[str, float]) -> str:
        """Return the equation with its ``numbers`` filled in, N, D, C in parameters, tokens and FLOPs."""

    @property
    def fewest(self) -> int:
        """Least number of distinct cells: one more than the coefficients; the prior stands in for the exponents."""
        return len(self.coefficients) + 1

    def columns(self, logs: NDArray[np.float64], exponents: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the terms without their coefficients [settings, points, coefficients].

        Args:
            logs: natural logarithms of N, D, C [points, 3], any reference subtracted.
            exponents: [settings, exponents].
        """
        import numpy as np

        out = np.ones((len(exponents), len(logs), len(self.powers)))
        for index, power in enumerate(self.powers):
            if power is not None:
                axis, which = power
                out[:, :, index] = np.exp(-exponents[:, which : which + 1] * logs[None, :, axis])
        return out


def laws() -> tuple[Law, ...]:
    """Return one of every law, in order of file name."""
    return tuple(part() for part in discover(Law.folder).values() if issubclass(part, Law))
