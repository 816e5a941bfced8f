"""Ways to give trials of a search up before their end, one per file. ``search.prune.kind`` is the file's name."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pilotlight.pilot.course import Course
from pilotlight.spec import Part


class Prune(Part):
    """Says before a round what its trials have to meet on their way, and of a trial on its way whether it does.

    The first comes from trials of earlier rounds and from nothing else, and is handed to each trial with its plan. So what is
    given up depends neither on which trial of a round is the faster one, nor on how many are trained at a time, nor on kills.
    """

    folder: ClassVar[str] = "pilotlight.pilot.pruners"
    usual: ClassVar[str] = "quantile"

    @abstractmethod
    def demand(self, earlier: Sequence[Course], number: int) -> dict[str, Any] | None:
        """Return what a trial has to meet on its way, as JSON types; None: nothing.

        Args:
            earlier: the trials of earlier rounds that finished or were given up, in order of their numbers.
            number: of the trial in its search; 0 is the plan as it is.
        """

    @classmethod
    @abstractmethod
    def verdict(cls, demand: Mapping[str, Any], course: Course) -> str:
        """Return why a trial is given up at its last evaluation so far, the numbers named; empty: it goes on.

        The text goes on after ``2.5100 bits per byte``, the loss of that evaluation. A loss that is no number meets nothing.
        """
