"""Training runs as points of a scaling study, averaged over seeds into cells."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from pilotlight.errors import EvidenceError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ASSUMED_NOISE = 0.003
"""Run-to-run standard deviation (share of the loss) believed in with the weight of one repeat before seeds are seen.

Published repeats have 0.0002 to 0.003; the small models of a pilot sit at the upper end.
"""


@final
@dataclass(frozen=True, slots=True)
class Point:
    """One finished training: its size, training tokens, training FLOPs and final loss.

    ``flops`` of None means 6 x parameters x tokens. Points of one cell (equal parameters and tokens) are repeats if
    they share ``recipe`` (whatever was set alike: learning rate, batch); of several recipes the best mean stands for
    the cell. Of points that share ``run`` only the one with most tokens is used: the others are on the way to it.
    ``weight`` multiplies the point's say; 0 leaves it out.
    """

    parameters: float
    tokens: float
    loss: float
    flops: float | None = None
    seed: str = ""
    run: str = ""
    recipe: str = ""
    weight: float = 1.0

    def __post_init__(self) -> None:
        numbers = {"parameters": self.parameters, "tokens": self.tokens, "loss": self.loss, "flops": self.compute}
        for name, value in numbers.items():
            if not (math.isfinite(value) and value > 0):
                raise EvidenceError(f"a point has {name} = {value!r}; expected a number above 0: leave this run out")
        if not (math.isfinite(self.weight) and self.weight >= 0):
            raise EvidenceError(f"a point has weight = {self.weight!r}; expected 0 or more")

    @property
    def compute(self) -> float:
        """Training FLOPs: as given, else 6 x parameters x tokens (Kaplan et al. 2020, section 2.1)."""
        return 6.0 * self.parameters * self.tokens if self.flops is None else self.flops


@final
@dataclass(frozen=True, slots=True)
class Cells:
    """Distinct (parameters, tokens) of a study, cheapest first, each with its mean over repeats.

    ``logs`` holds natural logarithms of parameters, tokens and FLOPs [cells, 3]; ``loss`` geometric means [cells];
    ``repeats`` how many runs stand behind each [cells]; ``noise`` the relative standard deviation of one run about
    its cell, with ``noise_df`` degrees of freedom (0: assumed, not measured); ``runs`` how many were used.
    """

    logs: NDArray[np.float64]
    loss: NDArray[np.float64]
    repeats: NDArray[np.float64]
    noise: float
    noise_df: int
    runs: int
    mixed: bool
    unfinished: int

    def __len__(self) -> int:
        return len(self.loss)

    def only(self, keep: NDArray[np.bool_]) -> Cells:
        """Return the cells where ``keep`` [cells] is true; the noise stays that of the whole study."""
        return Cells(
            self.logs[keep], self.loss[keep], self.repeats[keep], self.noise, self.noise_df,
            int(self.repeats[keep].sum()), self.mixed, self.unfinished,
        )  # fmt: skip

    @property
    def decades(self) -> NDArray[np.float64]:
        """Base-10 logarithm of each cell's FLOPs [cells]."""
        return self.logs[:, 2] / math.log(10)

    def distance(self, logs: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return how far points ``logs`` [points, 3] lie outside these cells, in decades; 0 within.

        Decades of FLOPs beyond the dearest cell, plus decades by which the tokens per parameter leave the range
        that was tried.
        """
        import numpy as np

        ratio, here = logs[:, 1] - logs[:, 0], self.logs[:, 1] - self.logs[:, 0]
        aside = np.maximum(here.min() - ratio, 0) + np.maximum(ratio - here.max(), 0)
        beyond = np.maximum(logs[:, 2] - self.logs[:, 2].max(), 0)
        return (beyond + aside) / math.log(10)


def _finished(points: Iterable[Point]) -> tuple[list[Point], int]:
    last: dict[str, Point] = {}
    free: list[Point] = []
    dropped = 0
    for point in points:
        if not point.run:
            free.append(point)
            continue
        other = last.get(point.run)
        dropped += other is not None
        if other is None or point.tokens > other.tokens:
            last[point.run] = point
    # sorted, so that no sum depends on the order in which runs arrived
    return sorted([*free, *last.values()], key=lambda p: (p.compute, p.tokens, p.recipe, p.loss, p.weight)), dropped


def _repeats(members: Sequence[Point]) -> tuple[list[Point], bool]:
    recipes: dict[str, list[Point]] = {}
    for point in members:
        recipes.setdefault(point.recipe, []).append(point)
    best = min(sorted(recipes.items()), key=lambda item: sum(math.log(p.loss) for p in item[1]) / len(item[1]))
    return best[1], len(recipes) > 1


def gather(points: Iterable[Point]) -> Cells:
    """Return the cells of ``points``: repeats averaged on the log scale, their spread pooled into one noise figure.

    Raises:
        EvidenceError: no point has weight.
    """
    import numpy as np

    finished, unfinished = _finished(point for point in points if point.weight > 0)
    if not finished:
        raise EvidenceError("there are no runs to fit a law to; finish at least three pilots of different size")
    groups: dict[tuple[float, float], list[Point]] = {}
    for point in finished:
        # nine digits: the same cell written with other rounding is the same cell
        groups.setdefault((float(f"{point.parameters:.9g}"), float(f"{point.tokens:.9g}")), []).append(point)
    rows: list[tuple[float, float, float, float, float]] = []
    squares, df, mixed = 0.0, 0, False
    for (parameters, tokens), members in sorted(groups.items()):
        kept, several = _repeats(members)
        mixed |= several
        weights = np.array([point.weight for point in kept])
        logs = np.log([point.loss for point in kept])
        mean = float(weights @ logs / weights.sum())
        squares += float(((logs - mean) ** 2).sum())
        df += len(kept) - 1
        compute = float(np.mean(np.log([point.compute for point in kept])))
        rows.append((math.log(parameters), math.log(tokens), compute, mean, float(weights.sum())))
    table = np.array(sorted(rows, key=lambda row: (row[2], row)))
    noise = math.sqrt((ASSUMED_NOISE**2 + squares) / (1 + df))
    runs = sum(len(_repeats(members)[0]) for members in groups.values())
    return Cells(table[:, :3], np.exp(table[:, 3]), table[:, 4], noise, df, runs, mixed, unfinished)
