"""The predicted curve of one run as a record: for people, for programs and for a run that is under way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pilotlight.errors import EvidenceError
from pilotlight.scaling.curve import Curve, pick
from pilotlight.scaling.curve_forecast import CurvePrediction, CurveStudy
from pilotlight.scaling.intervals import judged
from pilotlight.spec import Record
from pilotlight.stats.estimate import Estimate


class TrajectoryLaw(Record):
    """A law with its numbers, its weight and its relative error on the curves that it was fitted to."""

    name: str
    equation: str
    weight: float
    misfit: float


class TrajectoryHoldOut(Record):
    """What was held out, and the root mean square relative error of the laws together there."""

    what: str
    error: float
    claimed: float
    """What the laws themselves expected of it: large where the other runs could not tell."""


class Trajectory(Record):
    """The predicted losses of a run at its ``steps`` with the interval of ``level``."""

    run: str
    pilots: tuple[str, ...]
    end: Estimate
    level: float
    steps: tuple[float, ...]
    values: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    laws: tuple[TrajectoryLaw, ...]
    hold_out: tuple[TrajectoryHoldOut, ...]
    observed_error: float | None = None
    """Mean relative error against the run's own losses, where the table holds any; they are not used."""
    observed_coverage: float | None = None
    """Share of its own losses within the interval."""


def trajectory(
    curves: Mapping[str, Curve], target: str, pilots: Sequence[str] = (), *, level: float = 0.95, unit: str = ""
) -> Trajectory:
    """Return the curve of the run ``target``, whose steps and learning rates are in ``curves``, from ``pilots``.

    By default the pilots are all other runs with losses. The target's own losses are compared with, never used.

    Raises:
        EvidenceError: a run is not there, the target is among the pilots, or no pilot has enough points.
    """
    (asked,) = pick(curves, [target])
    if target in pilots:
        raise EvidenceError(f"the run {target} cannot be predicted from itself; leave it out of the pilots")
    given = pick(curves, pilots or [name for name in curves if name != target])
    rates = asked.rates is not None and all(curve.rates is not None for curve in given)
    study = CurveStudy.of(given, rates=rates)
    found = study.predict(asked, level=level)
    method = f"{len(found.laws)} laws of curves, {len(found.trials)} hold-outs"
    end = Estimate(
        value=float(found.values[-1]), low=float(found.low[-1]), high=float(found.high[-1]), level=level, unit=unit,
        n=len(study.pilots), method=method, cautions=found.cautions,
    )  # fmt: skip
    error, coverage = _observed(asked, found)
    laws = tuple(
        TrajectoryLaw(name=fit.law.name, equation=_equation(fit.law.equation(fit.numbers), fit.numbers), weight=weight,
                      misfit=fit.misfit)
        for fit, weight in found.laws
    )  # fmt: skip
    return Trajectory(
        run=target, pilots=tuple(curve.run for curve in study.pilots), end=end, level=level,
        steps=tuple(found.steps.tolist()), values=tuple(found.values.tolist()), low=tuple(found.low.tolist()),
        high=tuple(found.high.tolist()), laws=laws,
        hold_out=tuple(TrajectoryHoldOut(what=what, error=size, claimed=claim) for what, size, claim in found.trials),
        observed_error=error, observed_coverage=coverage,
    )  # fmt: skip


def _equation(text: str, numbers: Mapping[str, float]) -> str:
    if "size exponent" not in numbers:
        return text
    return f"{text} + {numbers['size']:.4g}/n^{numbers['size exponent']:.2f} (n: size over the mean size)"


def _observed(asked: Curve, found: CurvePrediction) -> tuple[float | None, float | None]:
    import numpy as np

    truth = asked.losses[np.isin(asked.steps, found.steps)]
    known = np.isfinite(truth) & (truth > 0)
    if not known.any():
        return None, None
    values, low, high, losses = (part[known].tolist() for part in (found.values, found.low, found.high, truth))
    figures = judged(values, low, high, losses)
    return figures.error, figures.coverage
