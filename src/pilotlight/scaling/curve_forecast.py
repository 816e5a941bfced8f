"""The whole loss curve of a run whose schedule is known, from the curves of other runs, with an interval."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from pilotlight.errors import EvidenceError
from pilotlight.scaling.curve import POINTS, START, Curve, Reference, Stretch, stretch
from pilotlight.scaling.curve_fit import CurveFit, fit_curves, mean_size
from pilotlight.scaling.curve_law import curve_laws
from pilotlight.stats.student import critical

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

MOST_FOLDS = 4
"""Runs that are left out in turn."""
CUT = 0.5
"""Share of every run's steps after which is held out, to see how the laws extrapolate in length."""
DOUBT = 1.5
"""How wrong the laws are believed to be on another schedule before any hold-out has been seen, in multiples of how
far they miss the curves that they are fitted to. This and the next four were chosen together, on curves of two
data sets and of simulated noisy quadratics (docs/statistics.md): one value for all of them."""
DOUBT_DF = 4.0
"""How many hold-outs that belief is worth."""
HARDER = 0.3
"""What a hold-out's error counts for: leaving out one of few schedules asks more than the question does."""
GAIN = 0.12
"""How wrong the gain from a falling learning rate is believed to be, as a share of it."""
RUNS_DIFFER = 0.0003
"""Relative standard deviation by which whole curves of one set-up differ between seeds."""
TRUST = 0.0003
"""Hold-out error below which laws are told apart no further."""
SHARPNESS = 2.5
"""A law's weight falls with this power of its squared hold-out error."""
SIZE_DOUBT = 0.003
"""Relative error that the term in size is believed to make per decade beyond the sizes that were fitted to."""
TELLING = 400
"""Points at which a longer curve is computed; between them it is read off by straight lines."""
FEWEST = 8
"""Points after the start that a run needs to be fitted to."""


@final
@dataclass(frozen=True, slots=True)
class CurveTrial:
    """A hold-out: what was held out, and by law its errors (log predicted minus log observed) and claimed spread."""

    what: str
    errors: dict[str, Floats]
    claimed: dict[str, Floats]

    def told(self, shares: Mapping[str, float]) -> float:
        """Return the mean square error that the laws claim together: their own, and how far they are apart."""
        mixed = self.mixed(shares)
        own = sum(shares[kind] * float((part**2).mean()) for kind, part in self.claimed.items())
        return own + sum(shares[kind] * float(((part - mixed) ** 2).mean()) for kind, part in self.errors.items())

    def mixed(self, shares: Mapping[str, float]) -> Floats:
        """Return the errors of the laws together."""
        import numpy as np

        return np.sum([shares[kind] * part for kind, part in self.errors.items()], axis=0)


@final
@dataclass(frozen=True, slots=True)
class CurvePrediction:
    """The predicted curve at ``steps``: ``values`` with 95 % (or ``level``) interval, and how it was made."""

    run: str
    steps: Floats
    values: Floats
    low: Floats
    high: Floats
    level: float
    laws: tuple[tuple[CurveFit, float], ...]
    trials: tuple[tuple[str, float, float], ...]
    """What was held out, the root mean square relative error of the laws together, and what they claimed of it."""
    model_error: float
    cautions: tuple[str, ...]


@final
@dataclass(frozen=True, slots=True)
class CurveStudy:
    """Laws of curves fitted to some runs and tried on hold-outs, ready to be asked about any schedule."""

    pilots: tuple[Curve, ...]
    reference: Reference
    stretches: tuple[Stretch, ...]
    fits: tuple[CurveFit, ...]
    weights: tuple[float, ...]
    trials: tuple[CurveTrial, ...]

    @classmethod
    def of(cls, curves: Sequence[Curve], *, rates: bool = True) -> CurveStudy:
        """Return the study of ``curves``; with ``rates`` False as if no learning rate were known.

        Raises:
            EvidenceError: no curve has ``FEWEST`` points with a loss after its start.
        """
        usable = [curve for curve in curves if _points(curve) >= FEWEST]
        if not usable:
            raise EvidenceError(
                f"no curve has {FEWEST} points with a loss after the first {100 * START:.0f} % of its steps; "
                "log the loss more often"
            )
        known = rates and all(curve.rates is not None for curve in usable)
        reference = Reference.of(usable)
        stretches = tuple(stretch(curve, reference, points=POINTS) for curve in usable)
        laws = tuple(law for law in curve_laws() if known or not law.needs_rates)
        fits = tuple(fit_curves(law, stretches) for law in laws)
        trials = tuple(_trials(fits, stretches))
        weights = _weights(fits, trials)
        return cls(tuple(usable), reference, stretches, fits, weights, trials)

    @property
    def shares(self) -> dict[str, float]:
        """The weights by kind of law."""
        return dict(zip((one.law.kind for one in self.fits), self.weights, strict=True))

    @property
    def rated(self) -> bool:
        """Whether the laws look at learning rates."""
        return any(one.law.needs_rates for one in self.fits)

    def predict(self, target: Curve, *, level: float = 0.95) -> CurvePrediction:
        """Return the curve of ``target`` at its own steps; its losses are not looked at.

        Raises:
            EvidenceError: the laws need its learning rates and it has none, or its size was never varied.
        """
        import numpy as np

        if self.rated and target.rates is None:
            raise EvidenceError(f"the learning rates of {target.run} are not known, but those of the other runs are")
        where = stretch(target, self.reference)
        if self.fits[0].size is None and mean_size((*self.stretches, where)):
            raise EvidenceError(
                f"{target.run} has another size than the runs it is to be predicted from, which are all of one size"
            )
        few = where.only(_telling(where))
        mean, claimed = _joint(self.fits, self.weights, few)
        model, df = self._model_error(float((claimed**2).mean()))
        shares = zip(self.fits, self.weights, strict=True)
        gains = np.abs(np.sum([weight * one.gain(few) for one, weight in shares], axis=0))
        rough = float(np.mean([one.rough for one in self.stretches]))
        beyond = (SIZE_DOUBT * self._decades(target)) ** 2
        spread = np.sqrt(claimed**2 + model**2 + (GAIN * gains) ** 2 + RUNS_DIFFER**2 + rough + beyond)
        mean, half = (np.interp(where.steps, few.steps, part) for part in (mean, critical(level, df) * spread))
        tests = tuple(
            (one.what, math.sqrt(float((one.mixed(self.shares) ** 2).mean())), math.sqrt(one.told(self.shares)))
            for one in self.trials
        )
        return CurvePrediction(
            target.run, where.steps, np.exp(mean), np.exp(mean - half), np.exp(mean + half), level,
            tuple(zip(self.fits, self.weights, strict=True)), tests, model, self._cautions(where),
        )  # fmt: skip

    def _decades(self, target: Curve) -> float:
        """Return by how many decades the target's size lies outside the sizes of the pilots; 0 where none is known."""
        sizes = [one.size for one in self.stretches if one.size]
        if self.fits[0].size is None or not target.size:
            return 0.0
        return max(math.log10(target.size / max(sizes)), math.log10(min(sizes) / target.size), 0.0)

    def _model_error(self, told: float) -> tuple[float, float]:
        """Return how wrong the laws themselves are where they claim the mean square error ``told``, and its df.

        What hold-outs erred beyond their claim. A hold-out that was harder than the question (its claim is larger)
        counts in proportion; one that was easier counts as it is.
        """
        misfit = sum(weight * one.misfit**2 for one, weight in zip(self.fits, self.weights, strict=True))
        total = DOUBT_DF * DOUBT**2 * misfit
        for trial in self.trials:
            claim = trial.told(self.shares)
            beyond = float((trial.mixed(self.shares) ** 2).mean()) - claim
            total += HARDER * max(beyond, 0.0) * min(1.0, told / claim)
        df = DOUBT_DF + len(self.trials)
        return math.sqrt(total / df), df

    def _cautions(self, where: Stretch) -> tuple[str, ...]:
        found: list[str] = []
        if not self.rated:
            found.append("no learning rates are known: a schedule of another shape or length is not accounted for")
        fell = max((float(one.path.changes.sum()) for one in self.stretches), default=0.0)
        if float(where.path.changes.sum()) > fell + 0.2:
            found.append("its learning rate falls further than that of any other run: what that brings is a guess")
        longest = max(float(one.path.steps[-1]) for one in self.stretches)
        if float(where.path.steps[-1]) > 4 * longest:
            found.append(f"it is {float(where.path.steps[-1]) / longest:.1f} times as long as the longest other run")
        if not self.trials:
            found.append("nothing could be held out: the interval rests on how well the laws fit")
        return tuple(found)


def _telling(where: Stretch) -> NDArray[np.bool_]:
    """Return which of very many points are worth computing: evenly spread ones, and more where the rate moves."""
    import numpy as np

    count = len(where.steps)
    if count <= TELLING:
        return np.ones(count, dtype=bool)
    even = np.linspace(0, count - 1, TELLING).astype(int)
    moves = np.searchsorted(where.path.steps, where.path.change_steps)
    keep = np.zeros(count, dtype=bool)
    for near in (-1, 0, 1):
        keep[np.clip(moves + near, 0, count - 1)] = True
    keep[even] = True
    return keep


def _points(curve: Curve) -> int:
    import numpy as np

    late = curve.steps >= START * curve.length
    return int((late & np.isfinite(curve.losses) & (curve.losses > 0)).sum())


def _joint(fits: Sequence[CurveFit], weights: Sequence[float], where: Stretch) -> tuple[Floats, Floats]:
    """Return the mean log loss of the laws and the spread that they claim: own error, disagreement and misfit."""
    import numpy as np

    found = [one.at(where) for one in fits]
    shares = np.array(weights)
    means, errors = np.array([mean for mean, _ in found]), np.array([error for _, error in found])
    centre = shares @ means
    misfit = float(shares @ np.array([one.misfit**2 for one in fits]))
    return centre, np.sqrt(shares @ errors**2 + shares @ (means - centre) ** 2 + misfit)


def _trials(fits: Sequence[CurveFit], stretches: Sequence[Stretch]) -> list[CurveTrial]:
    """Return what can be held out: whole runs in turn, and the second half of all of them."""
    found: list[CurveTrial] = []
    if len(stretches) > 1:
        step = max(1, math.ceil(len(stretches) / MOST_FOLDS))
        for index in range(0, len(stretches), step):
            rest = [one for place, one in enumerate(stretches) if place != index]
            found.append(_trial(f"the run {stretches[index].run}", fits, rest, [stretches[index]]))
    sizes = sorted({one.size for one in stretches if one.size})
    if len(sizes) > 2 and mean_size(stretches):
        rest, large = ([one for one in stretches if (one.size == sizes[-1]) is held] for held in (False, True))
        found.append(_trial("the largest size", fits, rest, large))
    halves = [(one, one.steps <= CUT * float(one.steps[-1])) for one in stretches]
    if all(early.sum() >= FEWEST // 2 and (~early).sum() >= 2 for _, early in halves):
        early = [one.only(keep) for one, keep in halves]
        late = [one.only(~keep) for one, keep in halves]
        found.append(_trial("the second half of every run", fits, early, late))
    return found


def _trial(what: str, fits: Sequence[CurveFit], fitted: Sequence[Stretch], held: Sequence[Stretch]) -> CurveTrial:
    import numpy as np

    errors: dict[str, Floats] = {}
    claimed: dict[str, Floats] = {}
    for one in fits:
        start = one if (mean_size(fitted) is None) == (one.size is None) else None
        again = fit_curves(one.law, fitted, start)
        seen = [again.at(part) for part in held]
        kind = one.law.kind
        errors[kind] = np.concatenate([mean - np.log(part.losses) for (mean, _), part in zip(seen, held, strict=True)])
        claimed[kind] = np.sqrt(np.concatenate([error**2 for _, error in seen]) + again.misfit**2)
    return CurveTrial(what, errors, claimed)


def _weights(fits: Sequence[CurveFit], trials: Sequence[CurveTrial]) -> tuple[float, ...]:
    """Return the laws' weights by their errors on hold-outs and on the fit itself.

    A hold-out counts the less, the less could be known of it: what the laws themselves claim of their errors there.
    """
    import numpy as np

    squares = np.array([one.misfit**2 for one in fits])
    belief = np.array([one.law.belief for one in fits])
    before = dict(zip((one.law.kind for one in fits), (belief / belief.sum()).tolist(), strict=True))
    least, total = float(squares.min()), 1.0
    for trial in trials:
        weight = least / max(trial.told(before), least)
        squares = squares + weight * np.array([float((trial.errors[one.law.kind] ** 2).mean()) for one in fits])
        total += weight
    shares = belief * (squares / total + TRUST**2) ** -SHARPNESS
    return tuple(float(share) for share in shares / shares.sum())
