"""What went wrong in a run, and what was done about it."""

from __future__ import annotations

from typing import Literal, final

from pilotlight.spec import Record


@final
class Incident(Record):
    """One fault: what was seen at which step, what was done, what a person can do. The card of a stopped run too."""

    kind: Literal["non_finite", "spike", "budget", "damaged_checkpoint", "unsaved_checkpoint"]
    """``budget``: so many steps were skipped that the run stopped."""

    step: int
    """Updates done before it."""

    seen: str
    """What was measured."""

    action: str
    """What the run did."""

    advice: str = ""
    """What a person can do, where the run could not help itself."""
