"""What a law of a whole loss curve is: a sum of terms of the learning-rate schedule, linear once its exponents are fixed."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

from pilotlight.spec import Part, discover

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


@final
@dataclass(frozen=True, slots=True)
class Path:
    """What a law sees of one run, free of units: steps and sums of learning rates as shares of a reference run's.

    ``steps`` and ``sums`` [points] at which the loss is asked for: steps done and learning rate summed over them;
    ``length`` is the steps of the whole run.
    ``changes`` [nodes]: how much the learning rate fell (above 0) or rose after its warm-up, as a share of the peak;
    ``change_steps``, ``change_sums``, ``change_rates`` [nodes]: where it did, and the rate it came to.
    """

    steps: Floats
    sums: Floats
    changes: Floats
    change_steps: Floats
    change_sums: Floats
    change_rates: Floats
    length: float


class CurveLaw(Part):
    """One form of the loss along a run.

    For given exponents the loss is ``columns @ coefficients`` with coefficients >= 0. Exponents carry a weak prior,
    log-normal about ``centres`` with standard deviations ``widths``: it decides only where the curves cannot.
    """

    folder: ClassVar[str] = "pilotlight.scaling.curve_laws"

    exponents: ClassVar[tuple[str, ...]]
    """Names of the exponents, and of whatever else does not enter linearly."""
    centres: ClassVar[tuple[float, ...]]
    """Where the prior of each is centred."""
    widths: ClassVar[tuple[float, ...]]
    """Standard deviation of the log of each under the prior."""
    coefficients: ClassVar[tuple[str, ...]] = ("E", "A")
    """Names of the coefficients, one per column: the floor, the falling term and, where there is one, annealing."""
    belief: ClassVar[float] = 1.0
    """How likely the law is held to be, beside others, before any curve was seen."""
    needs_rates: ClassVar[bool] = True
    """Whether the law needs the learning rate of every run."""

    @property
    @abstractmethod
    def name(self) -> str:
        """The law's name, for people."""

    @abstractmethod
    def columns(self, path: Path, exponents: Floats) -> Floats:
        """Return the terms without their coefficients [points, coefficients], the first one being constant."""

    @abstractmethod
    def equation(self, numbers: Mapping[str, float]) -> str:
        """Return the equation with its ``numbers`` filled in; s, S1 and rates are shares as in ``Path``."""

    @property
    def anneals(self) -> bool:
        """Whether the law has a term for falling learning rates: its last column, 0 or below while they fall."""
        return len(self.coefficients) > 2


def curve_laws() -> tuple[CurveLaw, ...]:
    """Return one of every law of curves, in order of file name."""
    return tuple(part() for part in discover(CurveLaw.folder).values() if issubclass(part, CurveLaw))
