"""The predictions of one user and what came of them, one line each in a file of their own: how far to believe the next."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import BinaryIO

from pilotlight.record.commitment import Track
from pilotlight.spec import Record
from pilotlight.stats.share import wilson
from pilotlight.units import show_share

NAME = "scorecards.jsonl"


class Scorecard(Record):
    """One prediction and the run that tested it."""

    criteria: str
    decision: str
    """SHA-256 of the decision."""
    run: str
    """SHA-256 of the full run's manifest."""
    metric: str
    unit: str
    predicted: float
    low: float
    high: float
    level: float
    reached: float
    threshold: float
    reach: float | None
    """FLOPs of the full run as a multiple of those of the largest pilot."""

    @property
    def inside(self) -> bool:
        """Whether the run ended inside the interval."""
        return self.low <= self.reached <= self.high


def library() -> Path:
    """Return where this user's scorecards are kept (``$XDG_CACHE_HOME/pilotlight/scorecards.jsonl``)."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "pilotlight" / NAME


def read() -> tuple[Scorecard, ...]:
    """Return the scorecards that can be read, each run once, oldest first."""
    try:
        lines = library().read_bytes().split(b"\n")
    except OSError:
        return ()
    found: dict[str, Scorecard] = {}
    for line in lines:
        try:
            card = Scorecard.from_json(line)
        except ValueError:
            continue  # a torn line costs one scorecard, not the file
        found[card.run] = card
    return tuple(found.values())


def keep(card: Scorecard) -> None:
    """Add a scorecard, once; a home folder that cannot be written loses it, and nothing else.

    Behind a line that a killed process left unfinished it begins one of its own.
    """
    if any(other.run == card.run for other in read()):
        return
    path = library()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a+b") as file:
            file.write((b"" if _ends_a_line(file) else b"\n") + json.dumps(card.model_dump()).encode("ascii") + b"\n")
    except OSError:
        return


def _ends_a_line(file: BinaryIO) -> bool:
    """Return whether what is appended begins a line: the file is empty, or its last line is whole."""
    if not file.seek(0, os.SEEK_END):
        return True
    file.seek(-1, os.SEEK_END)
    return file.read(1) == b"\n"


def track(cards: tuple[Scorecard, ...], but: str = "") -> Track:
    """Return how many of the scorecards, but that of one run, were inside."""
    counted = [card for card in cards if card.run != but]
    return Track(predictions=len(counted), inside=sum(card.inside for card in counted))


def sentence(found: Track) -> str:
    """Return the record in words; nothing where there is none."""
    if not found.predictions:
        return ""
    low, high = wilson(found.inside, found.predictions)
    noun = "prediction" if found.predictions == 1 else "predictions"
    return (
        f"of {found.predictions} earlier {noun} of yours, {found.inside} {'was' if found.inside == 1 else 'were'} inside "
        f"{'its' if found.predictions == 1 else 'their'} interval ({show_share(low, 0)} to {show_share(high, 0)}, Wilson 95 %)"
    )
