"""Training runs as points of a scaling study, averaged over seeds into cells."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, final

from pilotlight.errors import EvidenceError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ASSUMED_NOISE = 0.003
"""Run-to-run standard deviation (share of the loss) believed in with the weight of one repeat before seeds are seen.

Published repeats have 0.0002 to 0.003; the small models of a pilot sit at the upper end.
"""
WORTH_OF_REPEATS = 15.39
"""How many epochs' worth of fresh text repeating can add at most: R_D* of Muennighoff et al. 2023, section 6."""
FACTOR = 2.0
"""Least ratio of the largest to the smallest batch with which steps are told apart from tokens."""


def worth(tokens: float, unique_tokens: float) -> float:
    """Return how many fresh tokens ``tokens`` of training on ``unique_tokens`` of text are worth.

    U + U R* (1 - exp(-R / R*)) with R repeats after the first epoch (Muennighoff et al. 2023, equation 5): up to four
    epochs hardly differ from fresh text, beyond sixteen little is gained.
    """
    repeats = max(tokens / unique_tokens - 1.0, 0.0)
    if repeats == 0.0:
        return tokens
    return unique_tokens * (1.0 + WORTH_OF_REPEATS * -math.expm1(-repeats / WORTH_OF_REPEATS))


@final
@dataclass(frozen=True, slots=True)
class Point:
    """One finished training: its size, training tokens, training FLOPs and final loss.

    ``flops`` of None means 6 x parameters x tokens. Points of one cell (equal parameters and tokens) are repeats if
    they share ``recipe`` (whatever was set alike: learning rate, batch); of several recipes the best mean stands for
    the cell. Of points that share ``run`` only the one with most tokens is used: the others are on the way to it.
    ``weight`` multiplies the point's say; 0 leaves it out. ``unique_tokens`` is the text that was there, where ``tokens``
    repeats it; ``batch_tokens`` the tokens of one step, None where it is not known.
    """

    parameters: float
    tokens: float
    loss: float
    flops: float | None = None
    seed: str = ""
    run: str = ""
    recipe: str = ""
    weight: float = 1.0
    unique_tokens: float | None = None
    batch_tokens: float | None = None

    def __post_init__(self) -> None:
        numbers = {"parameters": self.parameters, "tokens": self.tokens, "loss": self.loss, "flops": self.compute}
        numbers |= {
            name: value
            for name, value in (("unique_tokens", self.unique_tokens), ("batch_tokens", self.batch_tokens))
            if value is not None
        }
        for name, value in numbers.items():
            if not (math.isfinite(value) and value > 0):
                raise EvidenceError(f"a point has {name} = {value!r}; expected a number above 0: leave this run out")
        if not (math.isfinite(self.weight) and self.weight >= 0):
            raise EvidenceError(f"a point has weight = {self.weight!r}; expected 0 or more")

    @property
    def compute(self) -> float:
        """Training FLOPs: as given, else 6 x parameters x tokens (Kaplan et al. 2020, section 2.1)."""
        return 6.0 * self.parameters * self.tokens if self.flops is None else self.flops

    @property
    def logs(self) -> tuple[float, float, float, float]:
        """Natural logarithms of parameters, tokens (repeats at their worth), FLOPs and steps (tokens, without a batch)."""
        tokens = self.tokens if self.unique_tokens is None else worth(self.tokens, self.unique_tokens)
        steps = self.tokens / (self.batch_tokens or 1.0)
        return math.log(self.parameters), math.log(tokens), math.log(self.compute), math.log(steps)


@final
@dataclass(frozen=True, slots=True)
class Cells:
    """Distinct (parameters, tokens, unique tokens, and batch where only it varies) of a study, cheapest first.

    ``logs`` holds ``Point.logs`` of each [cells, 4], ``tokens`` the logarithms of all tokens, repeated ones too [cells];
    ``loss`` geometric means over repeats [cells];
    ``repeats`` how many runs stand behind each [cells]; ``noise`` the relative standard deviation of one run about
    its cell, with ``noise_df`` degrees of freedom (0: assumed, not measured); ``runs`` how many were used. ``batched``:
    the batch varies and was not tuned, so that steps say something; ``repeated``: some text was trained on twice.
    """

    logs: NDArray[np.float64]
    tokens: NDArray[np.float64]
    loss: NDArray[np.float64]
    repeats: NDArray[np.float64]
    noise: float
    noise_df: int
    runs: int
    mixed: bool
    unfinished: int
    batched: bool = False
    repeated: bool = False

    def __len__(self) -> int:
        return len(self.loss)

    def only(self, keep: NDArray[np.bool_]) -> Cells:
        """Return the cells where ``keep`` [cells] is true; the noise stays that of the whole study."""
        return replace(
            self, logs=self.logs[keep], tokens=self.tokens[keep], loss=self.loss[keep], repeats=self.repeats[keep],
            runs=int(self.repeats[keep].sum()),
        )  # fmt: skip

    @property
    def decades(self) -> NDArray[np.float64]:
        """Base-10 logarithm of each cell's FLOPs [cells]."""
        return self.logs[:, 2] / math.log(10)

    def distance(self, logs: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return how far points ``logs`` [points, 4] lie outside these cells, in decades; 0 within.

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


def _cell(point: Point, *, batched: bool) -> tuple[float, ...]:
    """Return what sets the point's cell apart; nine digits: the same cell written with other rounding is the same cell."""
    numbers = (point.parameters, point.tokens, point.unique_tokens or point.tokens)
    return tuple(float(f"{value:.9g}") for value in (*numbers, (point.batch_tokens or 0.0) if batched else 0.0))


def _is_batched(points: Sequence[Point]) -> bool:
    """Return whether the batch varies and is the only thing that does within a size and length.

    Where learning rates vary beside it, batches were tuned: then the best of a cell counts, whatever its batch.
    """
    batches = [point.batch_tokens for point in points if point.batch_tokens]
    if len(batches) < len(points) or max(batches) < FACTOR * min(batches):
        return False
    seen: dict[tuple[float, ...], list[Point]] = {}
    for point in points:
        seen.setdefault(_cell(point, batched=False), []).append(point)
    return all(
        len({point.recipe for point in members}) <= len({point.batch_tokens for point in members})
        for members in seen.values()
    )


def gather(points: Iterable[Point]) -> Cells:
    """Return the cells of ``points``: repeats averaged on the log scale, their spread pooled into one noise figure.

    Raises:
        EvidenceError: no point has weight.
    """
    import numpy as np

    finished, unfinished = _finished(point for point in points if point.weight > 0)
    if not finished:
        raise EvidenceError("there are no runs to fit a law to; finish at least three pilots of different size")
    batched = _is_batched(finished)
    groups: dict[tuple[float, ...], list[Point]] = {}
    for point in finished:
        groups.setdefault(_cell(point, batched=batched), []).append(point)
    rows: list[tuple[float, ...]] = []
    squares, df, runs, mixed = 0.0, 0, 0, False
    for _, members in sorted(groups.items()):
        kept, several = _repeats(members)
        mixed |= several
        weights = np.array([point.weight for point in kept])
        logs = np.log([point.loss for point in kept])
        mean = float(weights @ logs / weights.sum())
        squares += float(((logs - mean) ** 2).sum())
        df += len(kept) - 1
        runs += len(kept)
        place = np.mean([point.logs for point in kept], axis=0)
        rows.append((*(float(value) for value in place), math.log(members[0].tokens), mean, float(weights.sum())))
    table = np.array(sorted(rows, key=lambda row: (row[2], row)))
    noise = math.sqrt((ASSUMED_NOISE**2 + squares) / (1 + df))
    repeated = any(point.unique_tokens is not None and point.tokens > 1.01 * point.unique_tokens for point in finished)
    return Cells(
        table[:, :4], table[:, 4], np.exp(table[:, 5]), table[:, 6], noise, df, runs, mixed, unfinished, batched, repeated
    )  # fmt: skip
