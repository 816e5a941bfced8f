"""Tree-structured Parzen estimator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, final

from pydantic import Field

from pilotlight.pilot.samplers import Sampler
from pilotlight.pilot.space import Dimension, Point, Told


@final
class Tpe(Sampler):
    """Draws where good points are dense and bad ones rare (Bergstra et al. 2011): Optuna's TPESampler.

    Every argument that Optuna 5 changed the default of is a field, so that a search is the same with another version.
    """

    learns: ClassVar[bool] = True

    startup: int = Field(default=8, ge=1)
    """Random points before the first that is chosen."""
    candidates: int = Field(default=24, ge=1)
    """Draws among which the most promising is taken."""
    multivariate: bool = True
    """Whether fields are drawn together, so that what goes with what is seen."""
    constant_liar: bool = True
    """Whether points that are under way count as bad ones, so that a round spreads out."""

    def ask(self, dimensions: Sequence[Dimension], told: Sequence[Told], count: int, seed: int) -> list[Point]:
        """Return draws from the ratio of the two densities."""
        from optuna.samplers import TPESampler

        from pilotlight.pilot.proposals import propose

        def make(number: int) -> TPESampler:
            return TPESampler(
                n_startup_trials=self.startup, n_ei_candidates=self.candidates, multivariate=self.multivariate,
                group=False, constant_liar=self.constant_liar, seed=number,
            )  # fmt: skip

        return propose(make, dimensions, told, count, seed)
