"""Pilot runs of several variants as a grid of cells: one value per variant and cell, and how noisy a value is."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, final

from pilotlight.errors import EvidenceError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

RELATIVE_NOISE = 0.002
"""Run-to-run standard deviation of a loss (share of it) before repeats are seen; published repeats: 0.0002 to 0.004."""
SCORE_NOISE = 0.01
"""The same for a score between 0 and 1, where the items of the test alone make about this much."""
ALIKE = 2.0
"""Largest ratio of sizes, or of tokens, within a cell that is still taken as one size."""
MOST = 48
"""Cells that are used: the dearest ones. Those far below the target say next to nothing about it."""

Better = Literal["lower", "higher"]


@final
@dataclass(frozen=True, slots=True)
class PilotRun:
    """One finished pilot run of a variant: its cell (the scale that variants share), compute and value.

    Runs of one variant and cell that share ``setting`` (learning rate, batch, whatever was tried) are repeats and
    are averaged; of several settings the best stands for the variant, as it would at the target.
    """

    variant: str
    cell: str
    value: float
    flops: float
    parameters: float | None = None
    tokens: float | None = None
    seed: str = ""
    setting: str = ""

    def __post_init__(self) -> None:
        if not math.isfinite(self.value):
            raise EvidenceError(f"a run of {self.variant} has the value {self.value!r}; leave it out")
        if not (math.isfinite(self.flops) and self.flops > 0):
            raise EvidenceError(f"a run of {self.variant} has flops = {self.flops!r}; expected a number above 0")


class Sized(Protocol):
    """Anything that has a cost and perhaps a size: a run, or an offer of one."""

    @property
    def flops(self) -> float:
        """Training FLOPs."""
        ...

    @property
    def parameters(self) -> float | None:
        """Size, where known."""
        ...

    @property
    def tokens(self) -> float | None:
        """Training tokens, where known."""
        ...


@final
@dataclass(frozen=True, slots=True)
class Scale:
    """Where a decision is wanted, or where a cell lies: training FLOPs, and size and tokens where they are known."""

    flops: float
    parameters: float | None = None
    tokens: float | None = None


@final
@dataclass(frozen=True, slots=True)
class Grid:
    """What the pilots say, by variant and cell; lower is better in ``values``, which are logarithms for a loss.

    ``values`` [variants, cells], NaN where a variant was not run; ``repeats`` [variants, cells] runs behind each;
    ``places`` [cells, 2] natural logarithms of size and tokens relative to the target's; ``anchor`` [2] of
    the nearest to it; ``noise`` the expected
    standard deviation of one run, known as well as ``noise_df`` repeats would tell; ``unit`` what it is believed to be
    before repeats are seen; ``logged`` and ``sign`` say how values were turned;
    ``dearest`` the FLOPs of the dearest run.
    """

    variants: tuple[str, ...]
    cells: tuple[str, ...]
    values: Floats
    repeats: Floats
    places: Floats
    anchor: Floats
    noise: float
    noise_df: int
    unit: float
    logged: bool
    sign: float
    dearest: float

    def back(self, turned: float) -> float:
        """Return a value in the user's own units."""
        return math.exp(turned) if self.logged else self.sign * turned


def arrange(
    runs: Iterable[PilotRun], target: Scale, better: Better = "lower", variants: Sequence[str] | None = None
) -> Grid:
    """Return ``runs`` as a grid; ``variants`` names those to compare, also where no run of theirs is there yet.

    Raises:
        EvidenceError: there is no run, or a run is of a variant that is not named.
    """
    import numpy as np

    known = list(runs)
    if not known:
        raise EvidenceError("there are no pilot runs to compare; finish at least one for each variant")
    names = tuple(variants) if variants is not None else tuple(sorted({run.variant for run in known}))
    strangers = sorted({run.variant for run in known} - set(names))
    if strangers:
        raise EvidenceError(f"there are runs of {', '.join(strangers)}, which is not among the variants to compare")
    logged = better == "lower" and all(run.value > 0 for run in known)
    sign = -1.0 if better == "higher" else 1.0

    def turn(value: float) -> float:
        return math.log(value) if logged else sign * value

    by_cell: dict[str, list[PilotRun]] = {}
    for run in known:
        by_cell.setdefault(run.cell, []).append(run)
    middle = {cell: scale_of(members) for cell, members in by_cell.items()}
    cells = _used(by_cell, middle)
    values = np.full((len(names), len(cells)), np.nan)
    repeats = np.zeros((len(names), len(cells)))
    squares, df = 0.0, 0
    for column, cell in enumerate(cells):
        for row, name in enumerate(names):
            mine = [run for run in by_cell[cell] if run.variant == name]
            if mine:
                values[row, column], repeats[row, column], more, count = _value(mine, turn)
                squares, df = squares + more, df + count
    assumed = _assumed([run.value for run in known], logged, better)
    noise = math.sqrt((assumed**2 + squares) / (1 + df))
    places = places_of([middle[cell] for cell in cells], target)
    anchor = places[int(np.abs(places.sum(axis=1)).argmin())]
    dearest = max(run.flops for run in known if run.cell == cells[-1])
    return Grid(names, cells, values, repeats, places, anchor, noise, df, assumed, logged, sign, dearest)


def _used(by_cell: dict[str, list[PilotRun]], middle: dict[str, Scale]) -> tuple[str, ...]:
    """Return the cells that compare variants, or all if none does, cheapest first."""
    ordered = sorted(by_cell, key=lambda cell: (middle[cell].flops, cell))
    compared = [cell for cell in ordered if len({run.variant for run in by_cell[cell]}) > 1]
    return tuple((compared or ordered)[-MOST:])


def scale_of(members: Sequence[Sized]) -> Scale:
    """Return the middle size, tokens and FLOPs of what was, or could be, run in one cell."""

    def median(numbers: list[float | None]) -> float | None:
        there = sorted(number for number in numbers if number is not None and number > 0)
        # a cell that sweeps sizes at one compute has no size of its own
        alike = len(there) == len(numbers) and there[-1] <= ALIKE * there[0]
        return there[len(there) // 2] if alike else None

    flops = sorted(run.flops for run in members)[len(members) // 2]
    return Scale(flops, median([run.parameters for run in members]), median([run.tokens for run in members]))


def _value(mine: Sequence[PilotRun], turn: Callable[[float], float]) -> tuple[float, float, float, int]:
    """Return the best setting's mean, its repeats, and the squares and degrees of freedom of all repeats."""
    settings: dict[str, list[float]] = {}
    for run in mine:
        settings.setdefault(run.setting, []).append(turn(run.value))
    means = {name: math.fsum(found) / len(found) for name, found in settings.items()}
    best = min(means, key=lambda name: (means[name], name))
    squares = math.fsum((value - means[name]) ** 2 for name, found in settings.items() for value in found)
    df = sum(len(found) - 1 for found in settings.values())
    return means[best], float(len(settings[best])), squares, df


def _assumed(values: Sequence[float], logged: bool, better: Better) -> float:
    if logged:
        return RELATIVE_NOISE
    if better == "higher" and all(0 <= value <= 1 for value in values):
        return SCORE_NOISE
    middle = sorted(abs(value) for value in values)[len(values) // 2]
    return RELATIVE_NOISE * middle or RELATIVE_NOISE


def places_of(scales: Sequence[Scale], target: Scale) -> Floats:
    """Return where cells lie relative to the target; half the logarithm of FLOPs each where size or tokens lack."""
    import numpy as np

    if target.parameters and target.tokens and all(scale.parameters and scale.tokens for scale in scales):
        there = [(math.log(s.parameters or 1), math.log(s.tokens or 1)) for s in scales]
        return np.array(there) - np.log([target.parameters, target.tokens])
    halves = np.array([0.5 * math.log(scale.flops / target.flops) for scale in scales])
    return np.stack([halves, halves], axis=1)
