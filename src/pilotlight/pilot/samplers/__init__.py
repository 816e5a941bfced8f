"""Ways to choose what a search tries next, one per file. ``search.sampler.kind`` is the file's name."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from pilotlight.pilot.space import Dimension, Point, Told
from pilotlight.spec import Part


class Sampler(Part):
    """Chooses points from what earlier points came to, and from nothing else: no clock, no order of arrival."""

    folder: ClassVar[str] = "pilotlight.pilot.samplers"

    learns: ClassVar[bool]
    """Whether results matter to what is tried next; if not, all trials are chosen at once."""

    @abstractmethod
    def ask(self, dimensions: Sequence[Dimension], told: Sequence[Told], count: int, seed: int) -> list[Point]:
        """Return up to ``count`` further points, none of which was told; fewer where there are no more.

        Args:
            dimensions: the fields and their bounds.
            told: all points so far in order of their numbers, which begin at 0.
            count: how many to return at most.
            seed: of the search. The random numbers of a point are addressed by its number.
        """
