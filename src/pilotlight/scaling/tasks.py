"""A folder of published run tables with tasks: which runs may be used, and which are to be foretold from them."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal, final

from pilotlight.errors import DataError, nearest
from pilotlight.scaling.table import MISSING
from pilotlight.spec import Record
from pilotlight.units import read_count

KINDS = ("loss", "decision", "curve", "seed")
COLUMNS = ("source", "task", "kind", "metric", "better", "run_id", "role")
ALLOWED = {"kind": KINDS, "role": ("pilot", "target"), "better": ("lower", "higher", "")}
"""What a task may say; ``better`` may be left empty where the metric is a loss."""


@final
@dataclass(frozen=True)
class TaskRow:
    """One run of a task: whether it may be used (pilot) or is to be foretold (target), and its row of the table."""

    run: str
    role: Literal["pilot", "target"]
    variant: str
    cell: str
    facts: Mapping[str, str]

    def number(self, *names: str) -> float | None:
        """Return the first of the columns that holds a finite number; None where none does."""
        for name in names:
            text = self.facts.get(name, "").strip()
            if text.lower() in MISSING:
                continue
            try:
                value = read_count(text)
            except ValueError:
                continue
            if math.isfinite(value):
                return value
        return None

    def positive(self, *names: str) -> float | None:
        """Return the first of the columns that holds a finite number above 0; None where none does."""
        return next((value for name in names if (value := self.number(name)) is not None and value > 0), None)


@final
@dataclass(frozen=True)
class Task:
    """One question to a table of runs. ``folder`` holds the table, and ``<source>_curves.csv`` where there are curves."""

    source: str
    name: str
    kind: str
    metric: str
    better: Literal["lower", "higher"]
    rows: tuple[TaskRow, ...]
    folder: Path

    @cached_property
    def pilots(self) -> tuple[TaskRow, ...]:
        """The rows that may be used."""
        return tuple(row for row in self.rows if row.role == "pilot")

    @cached_property
    def targets(self) -> tuple[TaskRow, ...]:
        """The rows to be foretold."""
        return tuple(row for row in self.rows if row.role == "target")

    @property
    def unchanged(self) -> float | None:
        """Mean relative error of saying that nothing gets better than the best pilot; None where nothing tells it."""
        known = [value for row in self.pilots if (value := row.positive(self.metric)) is not None]
        truth = [value for row in self.targets if (value := row.positive(self.metric)) is not None]
        if not known or not truth:
            return None
        best = max(known) if self.better == "higher" else min(known)
        return sum(abs(best / one - 1) for one in truth) / len(truth)


class TaskScore(Record):
    """How a task went. All rates are fractions, errors relative to the truth; None where a number has no meaning."""

    source: str
    task: str
    kind: str
    n_pilot: int
    n_target: int
    error: float | None = None
    """Mean absolute relative error."""
    bias: float | None = None
    """Mean relative error: above 0 where the prediction is too high."""
    coverage: float | None = None
    """Share of targets within the 95 % interval."""
    half_width: float | None = None
    """Mean half width of the interval over the truth."""
    interval_score: float | None = None
    """Mean of width plus 40 times what lies outside, over the truth (Gneiting and Raftery 2007, equation 43)."""
    accuracy: float | None = None
    """Share of pairs of variants that are ordered as at the target."""
    regret: float | None = None
    """How much worse the picked variant is at the target than the best one, relative."""
    brier: float | None = None
    """Mean squared error of the probabilities that one variant of a pair is better."""
    abstained: bool = False
    why: str = ""
    """Why it was abstained from."""
    unchanged: float | None = None
    """Error of saying that nothing gets better than the best pilot: what an abstained loss task counts with."""


def read_tasks(folder: Path) -> tuple[Task, ...]:
    """Return the tasks of ``folder``, which holds ``tasks.csv`` and a ``<source>.csv`` for every source in it.

    Raises:
        DataError: a file is missing lacks a column or holds an unknown word, or a task names a run that its table does not hold.
    """
    path = folder / "tasks.csv"
    members: dict[tuple[str, str, str], list[dict[str, str]]] = {}
    for row in _read(path, COLUMNS):
        for name, known in ALLOWED.items():
            if row[name] not in known:
                raise DataError(
                    f"{path}: {name} is {row[name]!r} in {row['task']}; expected one of {', '.join(filter(None, known))}"
                    f"{nearest(row[name], known)}"
                )
        members.setdefault((row["source"], row["task"], row["kind"]), []).append(row)
    tables: dict[str, dict[str, dict[str, str]]] = {}
    found: list[Task] = []
    for (source, name, kind), rows in members.items():
        if source not in tables:
            tables[source] = {row["run_id"]: row for row in _read(folder / f"{source}.csv", ("run_id",))}
        first = rows[0]
        better = "higher" if first["better"] == "higher" else "lower"
        runs = tuple(_row(path, tables[source], row) for row in rows)
        found.append(Task(source, name, kind, first["metric"], better, runs, folder))
    return tuple(found)


def _row(path: Path, table: Mapping[str, dict[str, str]], row: Mapping[str, str]) -> TaskRow:
    run = row["run_id"]
    if run not in table:
        raise DataError(f"{path}: {row['task']} names the run {run!r}, which {row['source']}.csv does not hold")
    role = "target" if row["role"] == "target" else "pilot"
    return TaskRow(run, role, row.get("variant") or "", row.get("cell") or "", table[run])


def _read(path: Path, wanted: tuple[str, ...]) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream, restval="")
            rows = list(reader)
            names = reader.fieldnames or ()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise DataError(
            f"there is no file {path}; a back-test needs tasks.csv and a table for each of its sources"
        ) from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} cannot be read as a CSV file in UTF-8: {error}") from error
    lacking = [name for name in wanted if name not in names]
    if lacking:
        raise DataError(f"{path} lacks the columns {', '.join(lacking)}; it has {', '.join(names) or 'none'}")
    return rows
