"""Rungs of successive halving: shares of the steps at which only the best of the trials that came so far go on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pilotlight.pilot.course import CLOSE, Course


def rungs(factor: float, first: float) -> tuple[float, ...]:
    """Return the powers of 1 / ``factor`` between ``first`` and 1, smallest first; the end itself is no rung."""
    found: list[float] = []
    share = 1 / factor
    while share >= first - CLOSE:
        found.append(share)
        share /= factor
    return tuple(reversed(found))


def places(count: int, factor: float) -> int:
    """Return which place among itself and ``count`` others a trial needs at a rung: within the best 1 / ``factor``, or first."""
    return max(1, int((count + 1) / factor + CLOSE))


def climb(earlier: Sequence[Course], shares: Sequence[float], factor: float, least: int) -> list[dict[str, Any]]:
    """Return for each rung that ``least`` trials have reached the loss that a trial needs there.

    A trial that was given up at a rung has reached it: without those the bar would rise with every trial.
    """
    found: list[dict[str, Any]] = []
    for share in shares:
        values = sorted(value for course in earlier if (value := course.at(share)) is not None)
        if len(values) >= least:
            place = places(len(values), factor)
            found.append({"share": share, "loss": values[place - 1], "place": place, "trials": len(values)})
    return found


def stopped(found: Sequence[Mapping[str, Any]], course: Course) -> str:
    """Return at which rung, passed since the evaluation before, a trial falls behind, and the numbers; empty: at none.

    Its loss at the rung is that between the two evaluations. A rung before the first evaluation is passed over.
    """
    last = course.shares[-1]
    before = course.shares[-2] if len(course.shares) > 1 else last - 2 * CLOSE
    for rung in found:
        if before + CLOSE < rung["share"] <= last + CLOSE:
            own = course.at(rung["share"])
            if own is not None and not own <= rung["loss"]:
                best = "the best" if rung["place"] == 1 else f"the best {rung['place']}"
                return (
                    f"and {own:.4f} at the rung at {100 * rung['share']:.0f} % of the steps, where {best} of {rung['trials']} "
                    f"earlier trials had {rung['loss']:.4f} or less"
                )
    return ""
