"""What a law of loss is: terms that are linear in their coefficients once the exponents are fixed."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from pilotlight.spec import Part, discover

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

AXES = ("N", "D", "C", "S")
"""Parameters, training tokens (repeated ones at what they are worth), training FLOPs, optimiser steps."""


class Law(Part):
    """One form of the loss in parameters N, training tokens D, training FLOPs C and steps S.

    For given exponents the loss is ``columns @ coefficients`` with coefficients >= 0, so fitting needs a search over the
    exponents only (variable projection, Golub and Pereyra 1973). An exponent carries a weak prior, log-normal about its
    ``centres`` entry (see ``PRIOR_WIDTH`` in fit.py): it decides only where a short ladder cannot.
    """

    folder: ClassVar[str] = "pilotlight.scaling.laws"

    exponents: ClassVar[tuple[str, ...]]
    """Names of the exponents."""
    centres: ClassVar[tuple[float, ...]]
    """Where the prior of each exponent is centred."""
    coefficients: ClassVar[tuple[str, ...]]
    """Names of the coefficients, one per column."""
    powers: ClassVar[tuple[tuple[int, int] | None, ...]] = ()
    """What each column is: None for the constant, else (axis of ``AXES``, exponent). A law with other terms overrides
    ``columns`` and ``plain``."""
    best_only: ClassVar[bool] = False
    """Whether the law speaks of the best loss at a compute, so that dominated cells are left out."""
    wants: ClassVar[Literal["any", "batches", "fresh"]] = "any"
    """Which tables the law is for: any, those in which the batch varies, or those in which no text is repeated."""

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

    def columns(self, logs: Floats, exponents: Floats) -> Floats:
        """Return the terms without their coefficients [settings, points, coefficients].

        Args:
            logs: natural logarithms of N, D, C, S [points, 4], any reference subtracted.
            exponents: [settings, exponents].
        """
        import numpy as np

        out = np.ones((len(exponents), len(logs), len(self.powers)))
        for index, power in enumerate(self.powers):
            if power is not None:
                axis, which = power
                out[:, :, index] = np.exp(-exponents[:, which : which + 1] * logs[None, :, axis])
        return out

    def plain(self, exponents: Sequence[float], coefficients: Sequence[float], reference: Floats) -> dict[str, float]:
        """Return the numbers by name for logarithms from which no ``reference`` [4] was subtracted."""
        found = dict(zip(self.exponents, exponents, strict=True))
        for name, power, value in zip(self.coefficients, self.powers, coefficients, strict=True):
            shift = 0.0 if power is None else exponents[power[1]] * float(reference[power[0]])
            found[name] = value * math.exp(shift)
        return found


def laws() -> tuple[Law, ...]:
    """Return one of every law, in order of file name."""
    return tuple(part() for part in discover(Law.folder).values() if issubclass(part, Law))
