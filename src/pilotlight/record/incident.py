"""What went wrong in a run, and what was done about it."""

from __future__ import annotations

from typing import Literal, final

from pilotlight.spec import Record


@final
class Incident(Record):
    """One fault: what was seen at which step, what was done, what a person can do. The card of a stopped run too."""

    kind: Literal[
        "non_finite", "spike", "budget", "rewind", "slower", "stopped", "damaged_checkpoint", "unsaved_checkpoint"
    ]
    """``rewind``: the run went back and on another way; ``slower``: and at a lower learning rate; ``budget`` and
    ``stopped``: so many steps were skipped, or rewinds done, that the run stopped."""

    step: int
    """Updates done before it."""

    seen: str
    """What was measured."""

    action: str
    """What the run did."""

    advice: str = ""
    """What a person can do, where the run could not help itself."""
