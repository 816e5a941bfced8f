"""Loss curves: read from a table, thinned, and laid out as the path that the laws of curves see."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, final

from pilotlight.errors import DataError, EvidenceError, nearest
from pilotlight.scaling.curve_law import Path as SchedulePath
from pilotlight.scaling.table import MISSING
from pilotlight.units import read_count

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

STEP_COLUMNS = ("step", "steps")
LOSS_COLUMNS = ("loss", "train_loss", "val_loss")
RATE_COLUMNS = ("lr", "learning_rate")
SIZE_COLUMNS = ("parameters", "n_params", "n_params_nonemb")
START = 0.05
"""Share of a run's steps before which nothing is fitted or judged: no law holds during the first of them."""
POINTS = 120
"""Points of a curve that enter a fit; more are averaged in blocks."""
NODES = 120
"""Pieces into which the falls of a learning rate are cut."""
WARM = 0.98
"""Share of the peak at which a warm-up is over."""


@final
@dataclass(frozen=True, slots=True)
class Curve:
    """One run: ``steps`` [points], ``losses`` (NaN where not known) and ``rates``, None where no rate is known."""

    run: str
    steps: Floats
    losses: Floats
    rates: Floats | None = None
    size: float | None = None

    @property
    def length(self) -> float:
        """Steps of the run."""
        return float(self.steps[-1])


@final
@dataclass(frozen=True, slots=True)
class Reference:
    """What paths are shares of: the highest rate and the most steps of the runs that are fitted to."""

    peak: float
    steps: float

    @classmethod
    def of(cls, curves: Iterable[Curve]) -> Reference:
        """Return the reference of ``curves``."""
        found = tuple(curves)
        peaks = [float(curve.rates.max()) for curve in found if curve.rates is not None]
        return cls(max(peaks, default=1.0) or 1.0, max(curve.length for curve in found))


@final
@dataclass(frozen=True, slots=True)
class Stretch:
    """The points of a run that are fitted to or asked for: path, losses [points] and size of the model.

    ``rough`` is the relative variance of single points that averaging has taken out.
    """

    run: str
    path: SchedulePath
    steps: Floats
    losses: Floats
    size: float | None
    rough: float = 0.0

    def only(self, keep: NDArray[np.bool_]) -> Stretch:
        """Return the stretch at those points only."""
        path = replace(self.path, steps=self.path.steps[keep], sums=self.path.sums[keep])
        return Stretch(self.run, path, self.steps[keep], self.losses[keep], self.size, self.rough)


def stretch(curve: Curve, reference: Reference, *, points: int | None = None) -> Stretch:
    """Return ``curve`` from ``START`` of its steps on, as shares of ``reference``, in at most ``points`` blocks."""
    import numpy as np

    steps, losses = curve.steps, curve.losses
    rates = np.ones_like(steps) * reference.peak if curve.rates is None else curve.rates
    sums = _summed(steps, rates)
    late = steps >= START * curve.length
    at, values, summed = steps[late], losses[late], sums[late]
    rough = 0.0
    if points is not None:
        known = np.isfinite(values) & (values > 0)
        rough = _rough(values[known], points)
        at, values, summed = (_blocks(column[known], points) for column in (at, values, summed))
    path = _path(at / reference.steps, summed / (reference.steps * reference.peak), curve, rates, sums, reference)
    return Stretch(curve.run, path, at, values, curve.size, rough)


def _summed(steps: Floats, rates: Floats) -> Floats:
    """Return the rate summed up to each step: linear between points, and before the first of them a warm-up if it rises."""
    import numpy as np

    rising = len(rates) > 1 and rates[1] > rates[0]
    before = float(steps[0] * rates[0]) * (0.5 if rising else 1.0)
    pieces = np.diff(steps) * (rates[1:] + rates[:-1]) / 2
    return np.maximum(before + np.concatenate([[0.0], np.cumsum(pieces)]), 1e-12)


def _path(at: Floats, summed: Floats, curve: Curve, rates: Floats, sums: Floats, reference: Reference) -> SchedulePath:
    """Return the path at those shares, its falls of the rate cut into pieces of equal size."""
    import numpy as np

    none, length = np.zeros(0), curve.length / reference.steps
    warm = int(np.argmax(rates >= WARM * rates.max()))
    shares = rates[warm:] / reference.peak
    moved = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(shares)))])
    if moved[-1] < 1e-3:
        return SchedulePath(at, summed, none, none, none, none, length)
    edges: Floats = np.linspace(0.0, float(moved[-1]), NODES + 1, dtype=np.float64)
    middles = (edges[1:] + edges[:-1]) / 2
    levels = np.interp(edges, moved, shares)
    places = np.interp(middles, moved, curve.steps[warm:])
    sums_there = np.interp(places, curve.steps, sums)
    return SchedulePath(
        at, summed, -np.diff(levels), places / reference.steps, sums_there / (reference.steps * reference.peak),
        levels[1:], length,
    )  # fmt: skip


def _rough(losses: Floats, points: int) -> float:
    """Return the variance of single points about a smooth curve that vanishes when they are averaged in blocks."""
    import numpy as np

    if len(losses) <= points:
        return 0.0
    logs = np.log(losses)
    bends = logs[2:] - 2 * logs[1:-1] + logs[:-2]
    return float((bends**2).mean()) / 6 * (1 - points / len(losses))


def _blocks(column: Floats, most: int) -> Floats:
    import numpy as np

    if len(column) <= most:
        return column
    edges = np.linspace(0, len(column), most + 1).astype(int)
    return np.add.reduceat(column, edges[:-1]) / np.diff(edges)


def read_curves(path: Path, *, loss: str = "", prefer: str = "") -> dict[str, Curve]:
    """Return the curves of a CSV file by run: columns run_id, step, a loss, and where known lr and a size.

    Points without a step are left out; a run whose every rate is missing has none, single gaps are bridged.

    Args:
        path: of the file.
        loss: the column that holds the loss.
        prefer: without ``loss``, a column that is looked for before ``LOSS_COLUMNS``.

    Raises:
        DataError: the file is missing, not readable, lacks a column, or holds something that is not a number.
    """
    wanted = (loss,) if loss else (*((prefer,) if prefer else ()), *LOSS_COLUMNS)
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            found = _points(path, csv.reader(stream, strict=True), wanted)
    except (FileNotFoundError, IsADirectoryError) as error:
        raise DataError(f"there is no file {path}; give a CSV of curves: run_id, step, loss, lr") from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} cannot be read as a CSV file in UTF-8: {error}") from error
    return {run: _curve(run, points) for run, points in found.items() if len(points) > 1}


def _points(path: Path, reader: Any, wanted: Sequence[str]) -> dict[str, list[tuple[float, float, float, float]]]:
    names: list[str] = [name.strip() for name in next(reader, ())]
    run = _place(path, names, ("run_id", "run"))
    places = (
        _place(path, names, STEP_COLUMNS), _place(path, names, wanted), _optional(names, RATE_COLUMNS),
        _optional(names, SIZE_COLUMNS),
    )  # fmt: skip
    found: dict[str, list[tuple[float, float, float, float]]] = {}
    for row in reader:
        if len(row) != len(names):
            continue
        step, value, rate, size = (
            math.nan if place is None else _number(path, reader.line_num, names[place], row[place]) for place in places
        )
        if step == step:  # not NaN
            found.setdefault(row[run].strip(), []).append((step, value, rate, size))
    return found


def _curve(run: str, points: Sequence[tuple[float, float, float, float]]) -> Curve:
    import numpy as np

    table = np.array(sorted(points))
    # of a step that was logged twice, as after a restart, the last entry counts
    table = table[np.concatenate([np.diff(table[:, 0]) > 0, [True]])]
    steps, losses, rates, sizes = table.T
    known = np.isfinite(rates)
    bridged: Floats | None = None
    if known.any():
        bridged = np.asarray(np.interp(steps, steps[known], rates[known]), dtype=np.float64).clip(0.0)
    size = float(sizes[-1])
    return Curve(run, steps, losses, bridged, size if size > 0 else None)


def _optional(names: Sequence[str], wanted: Sequence[str]) -> int | None:
    return next((names.index(name) for name in wanted if name in names), None)


def _place(path: Path, names: Sequence[str], wanted: Sequence[str]) -> int:
    found = _optional(names, wanted)
    if found is not None:
        return found
    hint = next((text for name in wanted if (text := nearest(name, names))), "")
    raise DataError(
        f"{path} has no column {' or '.join(wanted)}; it has {', '.join(names) or 'no columns'}. "
        f"Rename the column that holds it.{hint}"
    )


def _number(path: Path, line: int, name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        if text.strip().lower() in MISSING:
            return math.nan
    try:
        return read_count(text.strip())
    except ValueError as error:
        raise DataError(f"{path}:{line}: {name} is {text.strip()!r}; expected a number") from error


def pick(curves: Mapping[str, Curve], names: Iterable[str]) -> tuple[Curve, ...]:
    """Return the curves of those runs.

    Raises:
        EvidenceError: there is no curve of one of them.
    """
    found: list[Curve] = []
    for name in names:
        if name not in curves:
            raise EvidenceError(f"there is no curve of a run {name!r} of two or more points.{nearest(name, curves)}")
        found.append(curves[name])
    return tuple(found)
