"""Points drawn at random."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, final

from pilotlight.pilot.samplers import Sampler
from pilotlight.pilot.space import Dimension, Point, Told


@final
class Random(Sampler):
    """Independent uniform draws (on a logarithmic scale where the range is one): Optuna's RandomSampler."""

    learns: ClassVar[bool] = False

    def ask(self, dimensions: Sequence[Dimension], told: Sequence[Told], count: int, seed: int) -> list[Point]:
        """Return draws that depend on the seed and their number alone."""
        from optuna.samplers import RandomSampler

        from pilotlight.pilot.proposals import propose

        return propose(lambda number: RandomSampler(seed=number), dimensions, told, count, seed)
