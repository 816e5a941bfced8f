"""The loss of a run that is yet to be made, predicted from smaller ones, with an interval that carries model error."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

from pilotlight.errors import EvidenceError
from pilotlight.events import Progress, silent
from pilotlight.record.forecast import CurvePoint, HoldOut, LawFit, Prediction, Predictive
from pilotlight.scaling.cautions import cautions, refuse, refuse_rising, refuse_target
from pilotlight.scaling.fit import Fit, project, useful
from pilotlight.scaling.holdout import NEAR, Fold, Trial, attempt, folds, together
from pilotlight.scaling.law import Law, laws
from pilotlight.scaling.points import Cells, Point, gather, worth

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

UNTRIED = 0.02
"""Error per decade that a law is believed to make where no hold-out could try it."""
TRUST = 0.01
"""Hold-out error per decade below which laws are told apart no further: hold-outs are few and noisy."""
BELIEF = 0.01
"""Joint error per decade believed in before any hold-out has been seen, with the weight of one hold-out."""


@final
@dataclass(frozen=True, slots=True)
class Calibration:
    """How much each part of the error counts: learned on published run tables, sources weighing equally.

    Chosen by ``python bench/decisions.py --calibrate``, which maximises the likelihood of the targets' errors under
    Student's t and then widens until 95 % of the targets are inside; what it finds with each source left out in turn is
    in bench/RESULTS.md. Not tuned to any one table.
    """

    laws: float = 0.5
    """Of the standard deviation of the laws about their mean."""
    parameter: float = 0.3
    """Of the laws' own parameter error."""
    hold_out: float = 0.155
    """Of the hold-out error per decade."""
    distance: float = 0.0015
    """Per decade, always."""
    df: float = 4.0
    widen: float = 1.15


CALIBRATION = Calibration()


@final
@dataclass(frozen=True, slots=True)
class Study:
    """Laws fitted to one table of runs and tried on hold-outs, ready to be asked about any target."""

    cells: Cells
    fits: tuple[Fit, ...]
    weights: Floats
    folds: tuple[Fold, ...]
    trials: tuple[dict[str, Trial], ...]
    joint: tuple[Trial, ...]
    hold_out_error: float
    """Root mean square error of the laws together, per decade."""

    @classmethod
    def of(cls, points: Iterable[Point], *, watch: Callable[[Any], None] = silent) -> Study:
        """Return the study of ``points``.

        Raises:
            EvidenceError: fewer than three distinct cells, hardly any spread in compute, or losses that do not fall.
        """
        import numpy as np

        cells = gather(points)
        refuse(cells)
        able = tuple(law for law in laws() if len(useful(law, cells)) >= law.fewest)
        refuse_rising(len(able), cells)
        fits = tuple(project(law, useful(law, cells)) for law in able)
        tried: list[tuple[Fold, dict[str, Trial]]] = []
        candidates = folds(cells)
        for done, fold in enumerate(candidates):
            watch(Progress("hold-outs", done, len(candidates), note=fold.what))
            trial = attempt(able, cells, fold)
            if trial:
                tried.append((fold, trial))
        watch(Progress("hold-outs", len(candidates), len(candidates)))
        tests, trials = tuple(fold for fold, _ in tried), tuple(trial for _, trial in tried)
        errors = np.array([_hold_out_error(law, trials) or UNTRIED for law in able])
        weights = 1.0 / np.sqrt(errors**2 + TRUST**2)
        weights = weights / weights.sum()
        shares = {law.kind: float(weight) for law, weight in zip(able, weights, strict=True)}
        joint = tuple(together(trial, shares) for trial in trials)
        squares = BELIEF**2 + sum(trial.per_decade**2 for trial in joint)
        return cls(cells, fits, weights, tests, trials, joint, math.sqrt(squares / (1 + len(joint))))

    def logs(
        self, parameters: float, tokens: float, *, flops: float | None = None, unique_tokens: float | None = None,
        batch_tokens: float | None = None,
    ) -> Floats:  # fmt: skip
        """Return what the laws take of one run: logarithms of N, D, C, S [4].

        Without ``flops`` they are counted as the dearest cell's are; without ``batch_tokens`` its batch is taken; tokens
        are fresh unless ``unique_tokens`` says of how many.

        Raises:
            EvidenceError: a number is not finite or not above 0.
        """
        import numpy as np

        given = {"parameters": parameters, "tokens": tokens, "flops": flops, "unique_tokens": unique_tokens}
        given |= {"batch_tokens": batch_tokens}
        refuse_target(**{name: value for name, value in given.items() if value is not None})
        compute = 6.0 * parameters * tokens * self._flops_factor() if flops is None else flops
        batch = math.exp(self.batch) if batch_tokens is None else batch_tokens
        effective = tokens if unique_tokens is None else worth(tokens, unique_tokens)
        return np.log([parameters, effective, compute, tokens / batch])

    @property
    def batch(self) -> float:
        """Logarithm of the tokens per step of the dearest cell; 0 where batches are not known."""
        return float(self.cells.tokens[-1] - self.cells.logs[-1, 3])

    def spread(self, logs: Floats, calibration: Calibration = CALIBRATION) -> tuple[Predictive, dict[str, float]]:
        """Return the predictive distribution at ``logs`` of N, D, C, S [4], and its components."""
        import numpy as np

        found = [fit.at(logs[None, :]) for fit in self.fits]
        means = np.array([float(mean[0]) for mean, _ in found])
        errors = np.array([float(error[0]) for _, error in found])
        centre = float(self.weights @ means)
        far = float(self.cells.distance(logs[None, :])[0]) + NEAR
        parts = {
            "seed_noise": self.cells.noise,
            "parameter": calibration.parameter * float(np.sqrt(self.weights @ errors**2)),
            "model": far * math.hypot(calibration.hold_out * self.hold_out_error, calibration.distance),
            "law_spread": calibration.laws * float(np.sqrt(self.weights @ (means - centre) ** 2)),
        }
        parts = {name: calibration.widen * size for name, size in parts.items()}
        return Predictive(centre=centre, scale=math.hypot(*parts.values()), df=calibration.df), parts

    def predict(
        self, parameters: float, tokens: float, *, level: float = 0.95, unit: str = "bits/byte", **more: float | None
    ) -> Prediction:
        """Return the prediction for one run of ``parameters`` and ``tokens``; ``more`` as ``logs`` takes it.

        Raises:
            EvidenceError: the target is not beyond the table.
        """
        import numpy as np

        target = self.logs(parameters, tokens, **more)
        refuse(self.cells, target)
        spread, components = self.spread(target)
        reach = np.exp(target - self.cells.logs.max(axis=0))
        values = {fit.law.name: math.exp(float(fit.at(target[None, :])[0][0])) for fit in self.fits}
        notes = cautions(self.cells, target, values)
        method = f"{len(self.fits)} laws, {len(self.trials)} hold-outs, calibrated on published tables"
        return Prediction(
            loss=spread.estimate(level=level, unit=unit, n=self.cells.runs, method=method, cautions=notes),
            parameters=parameters, tokens=tokens, flops=math.exp(float(target[2])),
            laws=tuple(self._law(index, target, level, unit) for index in range(len(self.fits))),
            reach=float(reach[2]), reach_parameters=float(reach[0]), reach_tokens=float(reach[1]),
            components=components, spread=spread, hold_out=self._hold_outs(), cells=len(self.cells),
            runs=self.cells.runs, cautions=notes, curve=self._curve(target, level),
        )  # fmt: skip

    def _flops_factor(self) -> float:
        """Return the dearest cell's FLOPs divided by 6ND, so that a target without FLOPs is counted alike."""
        size, _, compute, _ = self.cells.logs[-1]
        return math.exp(compute - size - self.cells.tokens[-1]) / 6.0

    def _law(self, index: int, target: Floats, level: float, unit: str) -> LawFit:
        fit = self.fits[index]
        mean, error = fit.at(target[None, :])
        numbers = fit.numbers()
        spread = Predictive(centre=float(mean[0]), scale=max(float(error[0]), 1e-9), df=fit.df + 1.0)
        return LawFit(
            name=fit.law.name, equation=fit.law.equation(numbers), parameters=numbers,
            at_target=spread.estimate(level=level, unit=unit, n=self.cells.runs, method="parameter error only"),
            weight=float(self.weights[index]), hold_out_error=_hold_out_error(fit.law, self.trials),
        )  # fmt: skip

    def _hold_outs(self) -> tuple[HoldOut, ...]:
        import numpy as np

        able = tuple(fit.law for fit in self.fits)
        found: list[HoldOut] = []
        for fold, trial, joint in zip(self.folds, self.trials, self.joint, strict=True):
            observed = float(np.log(self.cells.loss[fold.held]).mean())
            found.append(
                HoldOut(
                    what=fold.what,
                    fitted_cells=int(fold.fitted.sum()),
                    held_out_cells=int(fold.held.sum()),
                    decades=float(joint.distance.mean()),
                    observed=math.exp(observed),
                    predicted=math.exp(observed + float(joint.errors.mean())),
                    relative_error=_size(joint.errors),
                    by_law={law.name: _size(trial[law.kind].errors) for law in able if law.kind in trial},
                )
            )
        return tuple(found)

    def _curve(self, target: Floats, level: float) -> tuple[CurvePoint, ...]:
        import numpy as np

        start = self.cells.logs[0]
        found: list[CurvePoint] = []
        for share in np.linspace(0.0, 1.0, 25):
            logs = start + share * (target - start)
            spread, _ = self.spread(logs)
            size, tokens, compute, _ = (float(value) for value in np.exp(logs))
            low, high = spread.bounds(level)
            found.append(
                CurvePoint(
                    flops=compute, parameters=size, tokens=tokens, low=low, value=math.exp(spread.centre), high=high
                )
            )
        return tuple(found)


def predict(
    points: Iterable[Point], parameters: float, tokens: float, *, level: float = 0.95, unit: str = "bits/byte",
    watch: Callable[[Any], None] = silent, **more: float | None,
) -> Prediction:  # fmt: skip
    """Return the loss that a run of ``parameters`` (counted as the points' are) and ``tokens`` would reach.

    Several laws are fitted (fit.py) and combined by their hold-out errors. The interval joins in quadrature the noise
    of one run, parameter error, model error (from hold-outs, growing with the decades to the target) and the
    disagreement of the laws, each as much as it counted on published tables (``Calibration``), times Student's t.

    Args:
        points: finished runs, in any order.
        parameters: size of the target run.
        tokens: its training tokens.
        level: of the interval.
        unit: of the losses.
        watch: told how far the work is.
        more: ``flops``, ``unique_tokens`` and ``batch_tokens`` of the target run, see ``Study.logs``.

    Raises:
        EvidenceError: fewer than three distinct cells, hardly any spread in compute, or a target inside the table.
    """
    if not 0 < level < 1:
        raise EvidenceError(f"level is {level!r}; expected a share between 0 and 1, such as 0.95")
    return Study.of(points, watch=watch).predict(parameters, tokens, level=level, unit=unit, **more)


def _size(errors: Floats) -> float:
    return math.sqrt(float((errors**2).mean()))


def _hold_out_error(law: Law, trials: Iterable[dict[str, Trial]]) -> float | None:
    seen = [trial[law.kind].per_decade for trial in trials if law.kind in trial]
    return math.sqrt(sum(error**2 for error in seen) / len(seen)) if seen else None
