"""Tasks for the tests of flows."""

from __future__ import annotations

from pathlib import Path

from pilotlight.errors import DataError
from pilotlight.events import Note


def add(out: Path, inputs: list[Path], settings: dict, watch) -> dict:
    """Write and return the sum of a number and what the inputs hold."""
    whole = settings["number"] + sum(int((unit / "sum.txt").read_text(encoding="utf-8")) for unit in inputs)
    (out / "sum.txt").write_text(str(whole), encoding="utf-8")
    watch(Note(f"added {whole}"))
    return {"sum": whole}


def refuse(out: Path, inputs: list[Path], settings: dict, watch) -> dict:
    """Raise an error of the user's."""
    raise DataError(f"{settings['what']} is no number. Expected one.")


def crash(out: Path, inputs: list[Path], settings: dict, watch) -> dict:
    """Raise an error that nobody expected."""
    return {"never": 1 // 0}
