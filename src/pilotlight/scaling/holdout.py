"""Hold-outs: what the laws would have said of runs that are already there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from pilotlight.scaling.fit import project, useful
from pilotlight.scaling.law import Law
from pilotlight.scaling.points import Cells

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Mask = NDArray[np.bool_]

NEAR = 0.3
"""Decades added to every distance: a law is not free of error inside the table either."""

FURTHER = 0.2
"""Decades that a held-out cell must lie beyond the fitted ones: anything nearer tests interpolation."""


@final
@dataclass(frozen=True, slots=True)
class Fold:
    """Cells to fit and cells to predict: masks over a study's cells [cells], and in words what is held out."""

    what: str
    fitted: Mask
    held: Mask


@final
@dataclass(frozen=True, slots=True)
class Trial:
    """How one law, or several together, did on one fold, by held cell.

    ``errors`` are log predicted minus log observed, ``claimed`` the standard deviations the fit itself gave them
    (parameter error and disagreement of the laws), ``distance`` decades from the fitted cells.
    """

    errors: Floats
    claimed: Floats
    distance: Floats

    @property
    def per_decade(self) -> float:
        """Root mean square error divided by distance, ``NEAR`` added."""
        import numpy as np

        return float(np.sqrt(np.mean((self.errors / (self.distance + NEAR)) ** 2)))


def folds(cells: Cells) -> tuple[Fold, ...]:
    """Return what can be held out of ``cells``, each fold further out than what it is fitted to.

    The largest size; the dearest runs, from those of at most a tenth (and a third) of their compute; size and tokens
    together ("corner"), because a hold-out of size alone does not extrapolate tokens and flatters the laws.
    """
    import numpy as np

    decades, sizes, tokens = cells.decades, cells.logs[:, 0], cells.logs[:, 1]
    found: list[Fold] = []

    def add(what: str, fitted: Mask, held: Mask) -> None:
        if fitted.any():
            held = held & (cells.only(fitted).distance(cells.logs) >= FURTHER)
        known = any(np.array_equal(fold.fitted, fitted) and np.array_equal(fold.held, held) for fold in found)
        levels = len(np.unique(np.round(decades[fitted], 2)))
        if not known and held.any() and levels >= 2 and fitted.sum() >= min(3, len(cells) - 1):
            found.append(Fold(what, fitted, held))

    if np.ptp(sizes) > 0.01:
        add("largest size", sizes < sizes.max() - 0.01, sizes >= sizes.max() - 0.01)
    for gap, word in ((1.0, "tenth"), (0.5, "third")):
        top = decades >= decades.max() - 0.15
        add(f"dearest runs from at most a {word} of their compute", decades <= decades.max() - 0.1 - gap, top)
    for share in (0.5, 0.7):
        size, token = (float(np.quantile(np.unique(axis), share, method="lower")) for axis in (sizes, tokens))
        small = (sizes <= size + 1e-9) & (tokens <= token + 1e-9)
        add("size and tokens together", small, (sizes > size + 1e-9) & (tokens > token + 1e-9))
    if not found and len(cells) > 2:
        add("dearest run", decades < decades[-1], decades >= decades[-1])
    return tuple(found)


def attempt(laws: Sequence[Law], cells: Cells, fold: Fold) -> dict[str, Trial]:
    """Return by kind of law how it predicts the held cells from the fitted ones.

    A law may be tried on one cell fewer than ``Law.fewest``: the prior then stands in, as it does in the fit.
    """
    import numpy as np

    fitted, held = cells.only(fold.fitted), cells.only(fold.held)
    distance = fitted.distance(held.logs)
    found: dict[str, Trial] = {}
    for law in laws:
        used = useful(law, fitted)
        if len(used) < law.fewest - 1:
            continue
        mean, claimed = project(law, used).at(held.logs)
        found[law.kind] = Trial(mean - np.log(held.loss), claimed, distance)
    return found


def together(trials: Mapping[str, Trial], weights: Mapping[str, float]) -> Trial:
    """Return how the laws that were tried (at least one) did as one, each with its weight."""
    import numpy as np

    shares = {kind: weights[kind] for kind in trials}
    total = sum(shares.values())
    parts = [(share / total, trials[kind]) for kind, share in shares.items()]
    errors = np.sum([share * trial.errors for share, trial in parts], axis=0)
    variance = np.sum([share * (trial.claimed**2 + (trial.errors - errors) ** 2) for share, trial in parts], axis=0)
    return Trial(errors, np.sqrt(variance), parts[0][1].distance)
