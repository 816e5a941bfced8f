"""A quantile of the losses of finished trials at the same share of their steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, final

from pydantic import Field

from pilotlight.pilot.course import SHARES, Course, between
from pilotlight.pilot.pruners import Prune
from pilotlight.units import Share


@final
class Quantile(Prune):
    """A trial is given up where it is worse than a share of the finished trials were: Vizier's median rule (Golovin et al. 2017).

    Assumes nothing but that trials keep their order about from there on. It gives up a steady share of the trials, however
    clear or unclear it is that they would not have won.
    """

    keep: Share = Field(default=0.5, gt=0, lt=1)
    """Share of the finished trials of earlier rounds that a trial has to be better than the worst of: 50 % is the median
    rule, 25 % is harsh as successive halving with a factor of 4 is."""
    after: Share = Field(default=0.3, ge=0, lt=1)
    """Share of the steps before which nothing is given up: early losses say little about late ones."""
    least: int = Field(default=5, ge=1)
    """Finished trials from which on others are given up."""

    def demand(self, earlier: Sequence[Course], number: int) -> dict[str, Any] | None:
        """Return at every share of the steps the loss of which ``keep`` of the finished trials were better."""
        del number
        finished = [course for course in earlier if course.end is not None]
        found: list[tuple[float, float]] = []
        for share in SHARES:
            values = sorted(value for course in finished if (value := course.at(share)) is not None)
            if share >= self.after and len(values) >= self.least:
                places = [float(number) for number in range(len(values))]
                value = between(places, values, self.keep * (len(values) - 1))
                found.append((share, values[-1] if value is None else value))
        if not found:
            return None
        return {"shares": [share for share, _ in found], "losses": [loss for _, loss in found], "runs": len(finished),
                "keep": self.keep}  # fmt: skip

    @classmethod
    def verdict(cls, demand: Mapping[str, Any], course: Course) -> str:
        """Return why the last loss is out of bounds, which are interpolated between the shares."""
        bound = between(demand["shares"], demand["losses"], course.shares[-1])
        if bound is None or course.losses[-1] <= bound:
            return ""
        return f"and the better {100 * demand['keep']:.0f} % of {demand['runs']} earlier trials were below {bound:.4f} there"
