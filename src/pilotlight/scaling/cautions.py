"""When a table of runs cannot carry a prediction, and when it can only just."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from pilotlight.errors import EvidenceError
from pilotlight.scaling.points import ASSUMED_NOISE, Cells

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FEWEST_CELLS = 3
FEWEST_DECADES = 0.3
FAR = 30.0
"""Extrapolation factor in FLOPs beyond which the published tables of bench/decisions.py have few targets."""


def refuse(cells: Cells, target: NDArray[np.float64] | None = None) -> None:
    """Return if ``cells`` can carry a prediction (at ``target``: logs of N, D, C, S [4]).

    Raises:
        EvidenceError: they cannot; says what to add.
    """
    if len(cells) < FEWEST_CELLS:
        raise EvidenceError(
            f"a prediction needs at least {FEWEST_CELLS} runs of different size or tokens, but there are {len(cells)}; "
            "add rungs to the ladder (repeats of one rung do not count)"
        )
    spread = float(cells.decades.max() - cells.decades.min())
    if spread < FEWEST_DECADES:
        raise EvidenceError(
            f"the runs span only a factor of {10**spread:.2g} in training FLOPs, too little to see a slope; "
            "spread the rungs over at least a factor of 2, better 30"
        )
    if target is None:
        return
    if target[2] < cells.logs[:, 2].max() + math.log(0.95):
        asked, largest = (f"{math.exp(float(value)):.3g}" for value in (target[2], cells.logs[:, 2].max()))
        raise EvidenceError(
            f"the target needs {asked} FLOPs, less than the {largest} of the dearest run in the table: "
            "read its loss off the runs, or leave the larger runs out to test the prediction"
        )


def refuse_rising(able: int, cells: Cells) -> None:
    """Return if some cell is better than the cheapest, and ``able``, the number of laws that could be fitted, is not 0.

    Raises:
        EvidenceError: dearer cells are no better.
    """
    if not able or cells.loss.argmin() == 0:
        losses = ", ".join(f"{loss:.4g}" for loss in cells.loss[:6])
        raise EvidenceError(
            f"the loss does not fall with training FLOPs ({losses}, from cheap to dear), so no law can be fitted; "
            "tune the learning rate of the larger rungs, or train them for longer"
        )


def refuse_target(**numbers: float) -> None:
    """Return if all ``numbers`` of a target are finite and above 0.

    Raises:
        EvidenceError: one is not.
    """
    for name, value in numbers.items():
        if not (math.isfinite(value) and value > 0):
            raise EvidenceError(f"the target has {name} = {value!r}; expected a number above 0, such as 124e6")


def cautions(cells: Cells, target: NDArray[np.float64], values: Mapping[str, float]) -> tuple[str, ...]:
    """Return in plain words what weakens a prediction at ``target``, worst first; ``values`` are the laws' own."""
    found: list[str] = []
    reach = math.exp(float(target[2] - cells.logs[:, 2].max()))
    if reach > FAR:
        found.append(
            f"the target is {_plain(reach)} times the largest run in FLOPs; few back-tests reach beyond {FAR:.0f}"
        )
    found += _ratio(cells, target)
    low, high = min(values.values()), max(values.values())
    if high / low > 1.05:
        found.append(f"the laws disagree by {100 * (high / low - 1):.0f} % at the target: {low:.4g} to {high:.4g}")
    if len(cells) < 6:
        found.append(f"only {len(cells)} distinct cells: laws with a floor lean on published exponents")
    if len(values) == 1:
        found.append(f"only one law could be fitted ({next(iter(values))})")
    found += _table(cells)
    return tuple(found)


def _plain(factor: float) -> str:
    return f"{factor:.0f}" if factor < 1e6 else f"{factor:.3g}"


def _ratio(cells: Cells, target: NDArray[np.float64]) -> list[str]:
    import numpy as np

    here = cells.logs[:, 1] - cells.logs[:, 0]
    ratio = float(target[1] - target[0])
    low, high = math.exp(float(here.min())), math.exp(float(here.max()))
    single = float(np.ptp(here)) < math.log(1.15)
    inside = here.min() - math.log(1.15) <= ratio <= here.max() + math.log(1.15)
    if not inside:
        tried = f"{low:.3g}" if single else f"{low:.3g} to {high:.3g}"
        return [
            f"the target has {math.exp(ratio):.3g} tokens per parameter, the runs {tried}: the laws are outside what "
            "was tried"
        ]
    if single:
        return ["every run has the same tokens per parameter: size and tokens cannot be told apart"]
    return []


def _table(cells: Cells) -> list[str]:
    import numpy as np

    found: list[str] = []
    if cells.noise_df == 0:
        found.append(f"no repeated seeds: run-to-run noise is assumed ({100 * ASSUMED_NOISE:g} %), not measured")
    if cells.mixed:
        found.append("some cells hold several recipes: the best of each was used, which flatters cells with more")
    if cells.unfinished:
        found.append(f"{cells.unfinished} earlier points of the same runs were left out")
    # a ladder that climbs: larger in both size and tokens, yet worse by more than the noise
    logs, loss = cells.logs, np.log(cells.loss)
    larger = (logs[:, None, :2] >= logs[None, :, :2] - 1e-9).all(axis=-1)
    margin = 3 * cells.noise * np.sqrt(1 / cells.repeats[:, None] + 1 / cells.repeats[None, :])
    if bool((larger & (loss[:, None] > loss[None, :] + margin)).any()):
        found.append("a larger run is worse than a smaller one by more than the noise: look for an untuned rung")
    return found
