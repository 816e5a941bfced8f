"""Scores of one model on one task: every item, and what they come to, as a folder that is read without torch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal, final

from pilotlight.errors import RecordError
from pilotlight.manifest import building, finished, read_manifest
from pilotlight.record.run import read_lines
from pilotlight.spec import Record
from pilotlight.stats.estimate import Estimate

KIND = "scores"
FOLDER = "scores"
ITEMS = "items.jsonl"
REFUSED = "refused.jsonl"
SUMMARY = "summary.json"


@final
class ItemScore(Record):
    """One item: for each of its options the nats, tokens and UTF-8 bytes of the text that was scored.

    A text without options is one option, and nothing is right or wrong.
    """

    item: str
    nats: tuple[float, ...]
    tokens: tuple[int, ...]
    bytes: tuple[int, ...]
    right: int | None = None
    """Index of the right option."""
    cut: int = 0
    """Most tokens that were cut off the left of a prompt to fit the context."""


@final
class RefusedRow(Record):
    """One row of a task file that could not be used; the rest is scored."""

    line: int
    reason: str
    """What is wrong, in words that many rows can share."""
    detail: str = ""


@final
class Measured(Record):
    """One metric of one model, or of several runs of one set-up, on one task."""

    metric: str
    better: Literal["lower", "higher"]
    estimate: Estimate
    chance: float | None = None
    """What guessing without reading gives; None where the metric has no such level."""


@final
class Scored(Record):
    """What the runs of one set-up come to on one task."""

    task: str
    kind: str
    """choice, classification or passage."""
    model: str
    runs: tuple[str, ...]
    """Names of the runs behind the numbers."""
    items: int
    refused: int
    context: int
    """Tokens the model saw at a time."""
    cut_prompts: int
    """Items whose prompt was cut on the left, in the run that had the most of them."""
    measures: tuple[Measured, ...]


@final
class Difference(Record):
    """One metric of ``model`` minus that of ``against``, on the same items."""

    task: str
    model: str
    against: str
    metric: str
    better: Literal["lower", "higher"]
    estimate: Estimate


@final
class ScoreTable(Record):
    """All set-ups on all tasks, and their differences to the first set-up."""

    scores: tuple[Scored, ...]
    differences: tuple[Difference, ...] = ()
    folders: tuple[str, ...] = ()
    """Where the scores of every item are."""


def write_scores(
    folder: Path, fingerprint: str, settings: dict[str, Any], scored: Scored, items: list[ItemScore],
    refused: tuple[RefusedRow, ...] = (),
) -> Path:  # fmt: skip
    """Return the finished folder with the score of every item, the refused rows and the summary.

    Raises:
        ResourceError: the disk is full or the folder may not be written.
    """
    with building(folder, kind=KIND, fingerprint=fingerprint, settings=settings) as draft:
        for name, records in ((ITEMS, items), (REFUSED, refused)):
            text = "".join(record.to_json(indent=None) + "\n" for record in records)
            (draft.folder / name).write_text(text, encoding="utf-8", newline="\n")
        (draft.folder / SUMMARY).write_text(scored.to_json() + "\n", encoding="utf-8", newline="\n")
    return folder


def read_scores(folder: Path, fingerprint: str) -> tuple[list[ItemScore], Scored] | None:
    """Return the score of every item and the summary of a finished folder, None if there is none yet.

    Raises:
        RecordError: a file is damaged, or the folder holds the scores of something else.
    """
    if finished(folder, fingerprint) is None:
        return None
    read_manifest(folder, KIND, verify=True)
    try:
        items = [ItemScore.from_json(json.dumps(line)) for line in read_lines(folder / ITEMS)]
        return items, Scored.from_json((folder / SUMMARY).read_bytes())
    except ValueError as error:
        raise RecordError(f"{folder} holds scores of another version. Remove it and score again.") from error
