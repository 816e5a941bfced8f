"""The part of a run's metrics that is kept at hand: what a diagnosis looks at."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any, final

STEPS = 256
"""Last steps that are kept."""


@final
class History:
    """All evaluations, the first and the last probes, the last steps; lines as in ``metrics.jsonl``.

    It follows from the lines of the file alone, so a run that was killed and one that was not have the same one.
    """

    def __init__(self, lines: Iterable[dict[str, Any]] = ()) -> None:
        self.evaluations: list[dict[str, Any]] = []
        self.first_probe: dict[str, Any] | None = None
        self.probes: deque[dict[str, Any]] = deque(maxlen=3)
        self.steps: deque[dict[str, Any]] = deque(maxlen=STEPS)
        self.first_step: dict[str, Any] | None = None
        self.peak = 0.0
        """Highest learning rate so far."""
        self.changes: deque[dict[str, Any]] = deque(maxlen=16)
        """Skips, rewinds and new shares of sources."""
        for line in lines:
            self.add(line)

    def add(self, line: dict[str, Any]) -> None:
        """Take one more line into account."""
        kind = line.get("kind")
        if kind == "step":
            self.first_step = self.first_step or line
            self.peak = max(self.peak, line["lr"])
            self.steps.append(line)
        elif kind == "evaluation":
            self.evaluations.append(line)
        elif kind == "probe":
            self.first_probe = self.first_probe or line
            self.probes.append(line)
        elif kind in ("skip", "rewind", "shares"):
            self.changes.append(line)
