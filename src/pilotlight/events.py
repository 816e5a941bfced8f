"""What a long step can tell whoever watches it.

A step takes ``watch``, a function of one event, and never prints. The command line turns events into talk; tests
and notebooks collect them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a task is: ``done`` of ``total`` units (``total`` is None where it cannot be known)."""

    task: str
    done: float
    total: float | None
    unit: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """One sentence for people; a warning says what was expected and what to do."""

    text: str
    level: Literal["info", "warning"] = "info"


Watcher = Callable[[Any], None]


def silent(event: Any) -> None:
    """Return nothing and tell nobody: the watcher of whoever does not watch."""
    del event
