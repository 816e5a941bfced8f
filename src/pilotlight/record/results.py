"""Results: every trial of a pilot as one tidy row, read from its ledger and checked against the run folders."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal, Self

from pilotlight.errors import RecordError
from pilotlight.manifest import NAME, read_manifest, sha256
from pilotlight.record.ledger import Ledger
from pilotlight.spec import Record

BASELINE = "baseline"
WITHOUT = "without_"  # names of variants that lack one part of the baseline begin so
TRIAL = "trial"  # kind of the ledger entries that hold a row
TUNING = "tuning"  # and of those whose rows tuned the learning rates, before and apart from the comparison
TUNED = "tuned"  # kind of the entry that holds the multiples that tuning found
FOLD = "fold"  # kind of the entries whose rows had other text held out: cross-validation
ASIDE = {
    TUNING: "tune.",
    FOLD: "fold.",
}  # kinds whose rows are no part of the comparison: how names of their variants begin
SEARCH = "search"  # kind of the entries whose rows `pilot search` trained


class Row(Record):
    """One trial as it ended: what was trained, how it went, what was measured."""

    name: str
    """Folder of the run below ``runs/``; unique in the pilot."""
    variant: str
    scale: str
    seed: int
    repeat: str = ""
    """Name of the one random stream that an A/A repeat of the baseline reseeds; empty otherwise."""
    round: Literal["main", "confirmation"] = "main"
    status: Literal["finished", "failed", "killed", "pruned"]
    """``pruned``: a search gave it up on its way, for the reason in ``error``."""
    fingerprint: str
    manifest_sha256: str = ""
    """Hash of the run's manifest, which holds the hash of every file of the run."""
    parameters: float = 0
    """Non-embedding parameters."""
    total_parameters: float = 0
    tokens: float = 0
    flops: float = 0
    epochs: float = 0
    metrics: dict[str, float] = {}
    fit: str = ""
    """``ok``, ``underfit`` or ``overfit`` with the reason."""
    incidents: int = 0
    error: str = ""
    course: tuple[tuple[float, float], ...] = ()
    """Of a trial that was given up: share of the steps and held-out loss at each of its evaluations."""


def _void(name: str, folder: Path, state: str) -> RecordError:
    return RecordError(
        f"the run {name} {state} since it was entered in the ledger, so no verdict can stand on it. "
        f"Restore {folder}, or run the pilot in a new --out."
    )


class Results(Record):
    """All rows of a pilot, sorted by name so that the order of arrival never matters."""

    rows: tuple[Row, ...]

    @classmethod
    def open(cls, out: Path, *, verify: bool = True, kind: str = TRIAL) -> Self:
        """Return the results of the pilot in folder ``out``, or its rows of another ``kind``.

        A trial that was run again after a kill counts once, with its last row.

        Raises:
            RecordError: there is no ledger, an entry was altered, or a finished run is missing or was edited.
        """
        path = out / "ledger.jsonl"
        if not path.is_file():
            raise RecordError(f"{out} holds no ledger.jsonl. Give the output folder of `pilot run`.")
        ledger = Ledger(path)
        ledger.verify()
        rows: dict[str, Row] = {}
        for entry in ledger.entries(kind):
            row = Row.model_validate(entry.facts)
            rows[row.name] = row
        results = cls(rows=tuple(rows[name] for name in sorted(rows)))
        if verify:
            results.verify(out)
        return results

    def verify(self, out: Path) -> None:
        """Check that the folder of every finished trial is the one that was entered in the ledger.

        Raises:
            RecordError: a run is missing or was edited; the pilot's report is void.
        """
        for row in self.finished():
            folder = out / "runs" / row.name
            manifest = folder / NAME
            if not manifest.is_file() or sha256(manifest) != row.manifest_sha256:
                raise _void(row.name, folder, "is missing" if not manifest.is_file() else "was edited")
            try:
                read_manifest(folder, verify=True)
            except RecordError as error:
                raise _void(row.name, folder, "was edited") from error

    def finished(self, variant: str | None = None) -> Iterator[Row]:
        """Yield the finished rows, of one variant or of all."""
        return (row for row in self.rows if row.status == "finished" and variant in (None, row.variant))

    def lost(self) -> tuple[Row, ...]:
        """Return the rows of trials that failed or were killed for good."""
        return tuple(row for row in self.rows if row.status != "finished")

    def ladder(self) -> tuple[Row, ...]:
        """Return the finished rows of the baseline, repeats included: the points a law is fitted to."""
        return tuple(self.finished(BASELINE))
