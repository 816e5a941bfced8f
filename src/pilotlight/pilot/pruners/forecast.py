"""The end of a trial, forecast from what finished trials came to."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, final

from pydantic import Field

from pilotlight.pilot.course import SHARES, Course, between
from pilotlight.pilot.pruners import Prune
from pilotlight.stats.student import critical, mean, products, tail
from pilotlight.units import Share

SLOPE_SPREAD = 0.5
"""Standard deviation of what is believed of the slope before anything is seen; its mean is 1."""
LEAST_SPREAD = 0.003
"""Distance of an end from its forecast that is added to those seen: a few trials exactly in line do not prove a line."""


@final
class Forecast(Prune):
    """A trial is given up when the chance that it ends below the best finished trial is small.

    All trials of a search train at one scale, so the best model of the rest of a curve is the rest of its siblings: at each
    share of the steps the logarithm of the final loss is regressed on the logarithm of the loss there, over the finished trials
    of earlier rounds. Before anything is seen the slope is believed to be 1 +- 0.5 (a trial ends as much better or worse, in
    percent, as it is on the way), and one distance of 0.3 % is added to those seen; both matter with few trials only. The
    chance is that of Student's t with the doubt about line and slope in it.

    Assumes: the trials share the shape of the schedule (steps may differ, shares of them are compared); ends spread evenly and
    about normally round one straight line in logarithms; the finished trials tell what the others would have come to. They were
    not given up, so among those that are alike on the way they are a little better than all: the forecast errs to the good side,
    and gives up a little too few. What is worse on the way never has the larger chance.
    """

    chance: Share = Field(default=0.05, gt=0, le=0.5)
    """Chance to end below the best finished trial below which a trial is given up."""
    after: Share = Field(default=0.2, ge=0, lt=1)
    """Share of the steps before which nothing is given up."""
    least: int = Field(default=5, ge=3)
    """Finished trials from which on others are given up."""

    def demand(self, earlier: Sequence[Course], number: int) -> dict[str, Any] | None:
        """Return the line and its doubt at every share of the steps, and the end that has to be beaten."""
        del number
        finished = [course for course in earlier if course.end is not None and course.end > 0]
        fits: list[dict[str, float]] = []
        for share in SHARES:
            pairs = [(math.log(loss), math.log(course.end)) for course in finished
                     if course.end is not None and (loss := course.at(share)) is not None and loss > 0]  # fmt: skip
            if share >= self.after and len(pairs) >= self.least:
                fit = line([x for x, _ in pairs], [y for _, y in pairs])
                if fit["slope"] > 0:
                    fits.append({"share": share, **fit})
        if not fits:
            return None
        best = min(course.end for course in finished if course.end is not None)
        return {"fits": fits, "best": best, "runs": len(finished), "chance": self.chance}

    @classmethod
    def verdict(cls, demand: Mapping[str, Any], course: Course) -> str:
        """Return what the trial would come to and with which chance below the best, where that is too small."""
        fit = _between_fits(demand["fits"], course.shares[-1])
        if fit is None:
            return ""
        loss = course.losses[-1]
        if not math.isfinite(loss) or loss <= 0:
            return "from which no end can be forecast"
        chance = chance_below(fit, math.log(demand["best"]), math.log(loss))
        if chance >= demand["chance"]:
            return ""
        value, error = predicted(fit, math.log(loss))
        reach = critical(0.95, fit["degrees"]) * error
        low, end, high = (math.exp(value + way * reach) for way in (-1, 0, 1))
        runs, best = demand["runs"], demand["best"]
        return (
            f"from where {runs} earlier trials lead to {end:.4f} [{low:.4f}, {high:.4f}] (95 %) at the end; the chance to end "
            f"below the best of them, {best:.4f}, is {100 * chance:.2g} %, less than {100 * demand['chance']:.2g} %"
        )


def line(xs: Sequence[float], ys: Sequence[float]) -> dict[str, float]:
    """Return the regression of ``ys`` on ``xs`` with a slope that is drawn to 1, as numbers by name.

    A ridge: the slope has a normal prior about 1, whose width is held against the scatter about slope 1. The slope takes as many
    degrees of freedom as the data, not the prior, decide on it: so nominal 90 % held 91 to 96 % of simulated ends after 5 to 12
    trials, where one degree for each trial held 82 to 95 %.
    """
    count, centre, middle = len(xs), mean(xs), mean(ys)
    across = products(xs, xs)

    def scatter(slope: float) -> float:
        return math.fsum((y - middle - slope * (x - centre)) ** 2 for x, y in zip(xs, ys, strict=True))

    prior = (scatter(1.0) + LEAST_SPREAD**2) / count / SLOPE_SPREAD**2
    slope = (products(xs, ys) + prior) / (across + prior)
    degrees = count - 1 - across / (across + prior)
    spread = math.sqrt((scatter(slope) + LEAST_SPREAD**2) / degrees)
    return {
        "centre": centre, "middle": middle, "slope": slope, "spread": spread, "weight": across + prior, "count": float(count),
        "degrees": degrees,
    }  # fmt: skip


def predicted(fit: Mapping[str, float], x: float) -> tuple[float, float]:
    """Return the logarithm of the end forecast for a logarithm of the loss on the way, and its standard error."""
    away = x - fit["centre"]
    doubt = 1 + 1 / fit["count"] + away**2 / fit["weight"]
    return fit["middle"] + fit["slope"] * away, fit["spread"] * math.sqrt(doubt)


def chance_below(fit: Mapping[str, float], best: float, x: float) -> float:
    """Return the chance that a trial at ``x`` on the way ends below ``best``, all in logarithms.

    Far off the doubt about the slope would make it rise again; it is held at its least there.
    """
    ahead = fit["middle"] - best
    if ahead > 0:
        turn = fit["slope"] * (1 + 1 / fit["count"]) * fit["weight"] / ahead
        x = min(x, fit["centre"] + turn)
    value, error = predicted(fit, x)
    return tail((value - best) / error, fit["degrees"])


def _between_fits(fits: Sequence[Mapping[str, float]], share: float) -> dict[str, float] | None:
    """Return the line at a share of the steps, interpolated between those that were fitted; None outside of them."""
    shares = [fit["share"] for fit in fits]
    found: dict[str, float] = {}
    for name in fits[0]:
        value = between(shares, [fit[name] for fit in fits], share)
        if value is None:
            return None
        found[name] = value
    return found
