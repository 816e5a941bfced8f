"""Plans for the commands to refuse."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def plan(tmp_path, tiny_text):
    """Return a function that writes the tiny pilot with changes to `plan.yaml`."""
    from tiny_pilot import write_plan

    def write(text: Path | None = None, name: str = "plan.yaml", **changes) -> Path:
        return write_plan(tmp_path / name, text or tiny_text, **changes)

    return write
