"""Pilotlight: small pilot trainings that decide whether, and how, to launch an expensive pre-training.

The names below are loaded when first used, so that ``import pilotlight`` is quick and needs no torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pilotlight.pilot.execute import run
    from pilotlight.pilot.pilot import Pilot
    from pilotlight.report.page import write_report

__all__ = ["Pilot", "run", "write_report"]

_HOMES = {
    "Pilot": "pilotlight.pilot.pilot",
    "run": "pilotlight.pilot.execute",
    "write_report": "pilotlight.report.page",
}


def __getattr__(name: str) -> Any:
    """Return a public name from the module it lives in."""
    if name not in _HOMES:
        raise AttributeError(f"module 'pilotlight' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_HOMES[name]), name)
