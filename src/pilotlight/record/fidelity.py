"""How like the full run its pilots were, setting by setting, as a record."""

from __future__ import annotations

from typing import Any, Literal

from pilotlight.spec import Record


class FidelityRow(Record):
    """One difference between the pilots as they were trained and the plan of the full run, and what follows from it."""

    setting: str
    """Dotted path in the plan, or the name of what follows from several of them, such as ``tokens per parameter``."""
    pilot: dict[str, Any]
    """What the baseline had, by rung."""
    full: Any
    """What the full run has."""
    kind: Literal["scaled by rule", "measured", "harmless", "confound"]
    """``scaled by rule``: size, schedule or law take it to the full size. ``measured``: a variant had the full run's value.
    ``harmless``: it does not change what the loss is on average. ``confound``: it may change the loss, and no trial says by how
    much."""
    because: str
    is_open: bool = False
    """Whether nothing in the prediction carries it: an open confound stands in the way of a GO."""
    way_out: str = ""


class FidelityAudit(Record):
    """Every difference, open confounds first."""

    rows: tuple[FidelityRow, ...] = ()
    compared: int = 0
    """Trainings of the baseline that were compared with the plan of the full run."""

    @property
    def open(self) -> tuple[FidelityRow, ...]:
        """The confounds that nothing in the prediction carries."""
        return tuple(row for row in self.rows if row.is_open)
