"""Learning-rate schedules, one per file. ``plan.train.schedule.kind`` is the file's name."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

from pilotlight.spec import Part


class Schedule(Part):
    """The share of the peak learning rate at each step."""

    folder: ClassVar[str] = "pilotlight.train.schedules"

    def check(self, steps: int) -> None:
        """Return if the schedule fits a training of ``steps`` updates.

        Raises:
            ValueError: it does not, and why.
        """
        del steps

    @abstractmethod
    def factor(self, step: int, steps: int) -> float:
        """Return the multiplier, from 0 to 1, of the peak rate for update ``step`` of ``steps`` (counted from 0)."""
