"""What was measured for every interval, and tables of it."""

from __future__ import annotations

from collections.abc import Sequence

NOMINAL = 0.95
MEASURED: dict[str, list[tuple[str, float, float]]] = {}
"""By interval: label of the cell, nominal share, measured share."""


def cell(interval: str, label: str, share: float, nominal: float = NOMINAL) -> float:
    """Return ``share``, kept for the summary."""
    MEASURED.setdefault(interval, []).append((label, nominal, share))
    return share


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a Markdown table; shares are shown with three digits."""
    lines = [
        [f"{entry:.3f}" if isinstance(entry, float) else str(entry) for entry in line]
        for line in (head, ["---"] * len(head), *rows)
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
