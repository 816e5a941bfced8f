"""Every combination."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import ClassVar, final

from pilotlight.pilot.samplers import Sampler
from pilotlight.pilot.space import Dimension, Point, Told
from pilotlight.randomness import stream
from pilotlight.spec import canonical


@final
class Grid(Sampler):
    """Every combination of the choices and of ``points`` values of each range, in a shuffled order.

    Shuffled, so that a search of fewer trials than combinations sees something of every corner.
    """

    learns: ClassVar[bool] = False

    def ask(self, dimensions: Sequence[Dimension], told: Sequence[Told], count: int, seed: int) -> list[Point]:
        """Return the next combinations that were not told; none when all were."""
        paths = [dimension.path for dimension in dimensions]
        combinations = list(itertools.product(*(dimension.grid() for dimension in dimensions)))
        seen = {canonical(one.point) for one in told}
        found: list[Point] = []
        for place in stream(seed, "grid").permutation(len(combinations)).tolist():
            point = dict(zip(paths, combinations[place], strict=True))
            if len(found) < count and canonical(point) not in seen:
                found.append(point)
        return found
