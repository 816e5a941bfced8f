"""Optuna asked for the next points: its study is made anew from the ledger's results each time, so nothing else is kept."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pilotlight.pilot.space import Dimension, Point, Told
from pilotlight.randomness import seed_for
from pilotlight.spec import canonical

if TYPE_CHECKING:
    from optuna import Study
    from optuna.distributions import BaseDistribution
    from optuna.samplers import BaseSampler

TRIES = 20
"""Draws of a point before a round is ended short: the space is then as good as used up."""


@contextlib.contextmanager
def quiet() -> Generator[None]:
    """Silence what Optuna logs; errors still reach the user."""
    import optuna

    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)


def _distribution(dimension: Dimension) -> BaseDistribution:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if dimension.kind == "choice":
        return CategoricalDistribution(
            tuple(range(len(dimension.choices)))
        )  # a choice may be a whole part: its place is told
    if dimension.kind == "whole":
        return IntDistribution(int(dimension.low), int(dimension.high), log=dimension.log)
    return FloatDistribution(dimension.low, dimension.high, log=dimension.log)


def _encoded(dimensions: Sequence[Dimension], point: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for dimension in dimensions:
        value = point[dimension.path]
        places = [canonical(choice) for choice in dimension.choices]
        found[dimension.path] = places.index(canonical(value)) if dimension.kind == "choice" else value
    return found


def study_of(dimensions: Sequence[Dimension], told: Sequence[Told]) -> Study:
    """Return an Optuna study in memory that holds what was told.

    What gave no result counts as worse than the worst that did, by the whole range of results: a sampler that is told
    of nothing there would go there again. Points outside of the space, such as the baseline's, are left out.
    """
    import optuna

    losses = [one.loss for one in told if one.loss is not None]
    bad = max(losses, default=1.0) + (max(losses, default=1.0) - min(losses, default=0.0))
    study = optuna.create_study(direction="minimize")
    spread = {dimension.path: _distribution(dimension) for dimension in dimensions}
    for one in sorted(told, key=lambda item: item.number):
        if all(dimension.holds(one.point[dimension.path]) for dimension in dimensions):
            study.add_trial(optuna.trial.create_trial(
                params=_encoded(dimensions, one.point), distributions=spread, value=bad if one.loss is None else one.loss,
            ))  # fmt: skip
    return study


def propose(
    make: Callable[[int], BaseSampler], dimensions: Sequence[Dimension], told: Sequence[Told], count: int, seed: int
) -> list[Point]:
    """Return up to ``count`` new points. The sampler is made anew, with a seed of its own, for every point.

    Args:
        make: returns the sampler with a seed.
        dimensions: the fields and their bounds.
        told: what is known, in any order.
        count: how many points to return at most.
        seed: of the search.
    """
    import optuna

    with quiet():
        study = study_of(dimensions, told)
        spread = {dimension.path: _distribution(dimension) for dimension in dimensions}
        first = 1 + max((one.number for one in told), default=-1)
        seen = {canonical(dict(one.point)) for one in told}
        found: list[Point] = []
        while len(found) < count:
            for attempt in range(TRIES):
                study.sampler = make(seed_for(seed, "sampler", first + len(found), attempt) % 2**32)
                trial = study.ask(spread)
                point = {
                    one.path: one.choices[trial.params[one.path]] if one.kind == "choice"
                    else one.rounded(trial.params[one.path]) for one in dimensions
                }  # fmt: skip
                if canonical(point) not in seen:
                    break
                study.tell(trial, state=optuna.trial.TrialState.FAIL)
            else:
                break
            seen.add(canonical(point))
            found.append(point)
        return found


def importances(dimensions: Sequence[Dimension], told: Sequence[Told]) -> dict[str, float]:
    """Return the share of each field in what tells good results from the rest (PED-ANOVA, Watanabe et al. 2023).

    Empty where fewer than 8 results lie in the space, or nothing tells them apart.
    """
    from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances

    ended = [one for one in told if one.loss is not None]
    with quiet():
        study = study_of(dimensions, ended)
        if len(study.trials) < 8 or len({one.loss for one in ended}) < 2:
            return {}
        found = get_param_importances(study, evaluator=PedAnovaImportanceEvaluator())
    return {path: float(found[path]) for path in sorted(found)}
