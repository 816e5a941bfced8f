"""How scoring goes: its settings, without torch."""

from __future__ import annotations

from pathlib import Path
from typing import final

from pydantic import Field

from pilotlight.spec import Spec


@final
class Scoring(Spec):
    """How scoring goes, whatever the task."""

    items: int | None = Field(default=None, ge=2)
    """Items to score, the first ones of each file; by default all."""
    context: int | None = Field(default=None, ge=8)
    """Tokens that every model may see at a time; by default what it was trained on."""
    device: str = Field(default="auto", pattern=r"^(auto|cpu|cuda(:\d+)?)$")
    """cpu, cuda, cuda:1, or auto: the accelerator where there is one."""
    threads: int | None = Field(default=None, ge=1)
    """Threads on the CPU; by default all cores."""
    out: Path | None = None
    """Folder for the scores of every item; by default beside each run, and out/reference for other models."""
