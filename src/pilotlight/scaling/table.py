"""Runs as points of a scaling study: from anybody's CSV file, or from a pilot's own results."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

from pilotlight.errors import DataError, EvidenceError, nearest
from pilotlight.record.results import Results
from pilotlight.scaling.points import Point
from pilotlight.scaling.task_score import ScorePoint
from pilotlight.stats.metric import METRICS
from pilotlight.units import read_count

SIZE_COLUMNS = (
    "parameters", "n_params_nonemb", "n_params", "total_parameters", "num_params", "num_parameters", "params",
    "model_size",
)  # fmt: skip
"""Columns that can hold the size; the first that no run leaves empty counts."""
TOKEN_COLUMNS = (
    "tokens",
    "training_tokens",
    "train_tokens",
    "n_tokens",
    "num_tokens",
    "tokens_seen",
    "consumed_tokens",
    "num_input_tokens_seen",
)
LOSS_COLUMNS = (
    "loss", "bits_per_byte", "val_loss", "eval_loss", "valid_loss", "validation_loss", "val_bpb", "bpb", "train_loss",
)  # fmt: skip
RECIPE_COLUMNS = ("recipe", "variant", "lr", "learning_rate", "batch_tokens", "batch", "batch_size")
"""Columns that set one recipe apart from another."""
STATES = ("", "finished", "completed", "done", "success")
"""What a column ``state`` says of runs that count; Weights & Biases also writes running, crashed, failed and killed."""
MISSING = ("", "nan", "none", "null", "na")


@final
@dataclass(frozen=True, slots=True)
class Table:
    """Runs as points, which column held their size (empty: a pilot's own) and their loss, and how many rows were left out."""

    points: tuple[Point, ...]
    size: str
    loss: str
    left_out: int = 0

    @property
    def unit(self) -> str:
        """Unit of the losses; the name of their column where the metric is not one of ours."""
        return METRICS[self.loss].unit if self.loss in METRICS else self.loss

    @property
    def counts(self) -> str:
        """What the sizes count, in words."""
        return f"parameters as in column {self.size}" if self.size else "non-embedding parameters"


def runs_of(source: Path, metric: str = "") -> Table:
    """Return the runs of a pilot's folder, or of a CSV file; ``metric`` is the loss, by default bits per byte or what is there.

    Raises:
        DataError: the file cannot be read.
        RecordError: the folder is not a pilot's.
        EvidenceError: no run of the pilot has ``metric``.
    """
    if not source.is_dir():
        return read_table(source, loss=metric)
    loss = metric or "bits_per_byte"
    return Table(ladder_points(Results.open(source), loss), "", loss)


def read_table(path: Path, *, loss: str = "") -> Table:
    """Return the runs of a CSV file, one row each: written by hand, by another trainer, or exported by a tracker.

    Columns: size (one of ``SIZE_COLUMNS``), tokens (``TOKEN_COLUMNS``), loss (``LOSS_COLUMNS``, or the column that ``loss``
    names), and where there are any ``flops``, ``seed``, ``run_id`` (rows that share one are checkpoints of one run),
    ``unique_tokens`` (where text was repeated), ``batch_tokens`` and ``RECIPE_COLUMNS``. Names count in any case, with
    any of ``/ . -`` and blanks for ``_``, and without a leading ``config.`` or ``summary.``. Rows without a loss, or
    whose ``state`` is not one of ``STATES``, are left out; rows alike in every cell count once; numbers may be written as
    18M or 1.8e7.

    Raises:
        DataError: the file is missing, not readable, lacks a column, or holds something that is not a number.
    """
    every, names = _rows(path)
    rows = [(line, row) for line, row in every if row.get("state", "").strip().lower() in STATES]
    target = _column(path, names, rows, (_plain_name(loss),) if loss else LOSS_COLUMNS)
    rows = [(line, row) for line, row in rows if not _empty(row, target)]
    if not rows:
        raise DataError(f"{path} holds no run with a {target}; a table needs one row per finished run")
    size = _column(path, names, rows, SIZE_COLUMNS)
    tokens = _column(path, names, rows, TOKEN_COLUMNS)
    points = tuple(_point(f"{path}:{line}", row, (size, tokens, target)) for line, row in rows)
    return Table(points, size, target, len(every) - len(rows))


def read_scores(path: Path, loss: str, name: str) -> tuple[ScorePoint, ...]:
    """Return every row of a table that has both ``loss`` and the score ``name`` (from 0 to 1), checkpoints included.

    Raises:
        DataError: the table lacks the column, or holds something that is not a number there.
    """
    rows, names = _rows(path)
    column, wanted = _column(path, names, rows, (_plain_name(name),)), _plain_name(loss)
    found: list[ScorePoint] = []
    for line, row in rows:
        if _empty(row, column) or _empty(row, wanted):
            continue
        try:
            score, value = float(row[column]), float(row[wanted])
        except ValueError as error:
            raise DataError(f"{path}:{line}: {name} is {row[column]!r}; expected a number from 0 to 1") from error
        found.append(ScorePoint(loss=value, score=score, run=row.get("run_id", "").strip()))
    return tuple(found)


def ladder_scores(results: Results, loss: str, name: str) -> tuple[ScorePoint, ...]:
    """Return loss and score ``name`` of every finished run of a pilot that has both."""
    return tuple(
        ScorePoint(loss=row.metrics[loss], score=row.metrics[name], run=row.name)
        for row in results.finished() if loss in row.metrics and name in row.metrics
    )  # fmt: skip


def ladder_points(results: Results, metric: str = "bits_per_byte") -> tuple[Point, ...]:
    """Return the baseline's finished runs of a pilot, A/A repeats included.

    Raises:
        EvidenceError: no run has ``metric``.
    """
    found = tuple(
        Point(
            parameters=row.parameters, tokens=row.tokens, loss=row.metrics[metric], flops=row.flops or None,
            seed=f"{row.seed}{row.repeat}", run=row.name,
            unique_tokens=row.tokens / row.epochs if row.epochs > 1 else None,
        )
        for row in results.ladder() if metric in row.metrics
    )  # fmt: skip
    if not found:
        raise EvidenceError(
            f"no finished run of the baseline has {metric}; finish the pilot with `pilot run`, or name another metric"
        )
    return found


def _rows(path: Path) -> tuple[list[tuple[int, dict[str, str]]], list[str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.reader(stream, strict=True)
            names = [_plain_name(name) for name in next(reader, ())]
            # a row that is there twice is one run, and no repeat that could tell of noise
            lines = {tuple(cells): reader.line_num for cells in reader if any(cells)}
            rows = [(line, dict(zip(names, cells, strict=False))) for cells, line in lines.items()]
    except FileNotFoundError as error:
        raise DataError(f"there is no file {path}; give a pilot's output folder or a CSV of runs") from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} cannot be read as a CSV file in UTF-8: {error}") from error
    return rows, names


def _plain_name(name: str) -> str:
    """Return a column's name as it is looked for: ``config.n_params`` and ``Eval/Loss`` are n_params and eval_loss."""
    plain = re.sub(r"[\s/.\-]+", "_", name.strip().lower())
    return re.sub(r"^(config|summary)_", "", plain)


def _empty(row: Mapping[str, str], name: str) -> bool:
    return row.get(name, "").strip().lower() in MISSING


def _column(
    path: Path, names: Sequence[str], rows: Sequence[tuple[int, Mapping[str, str]]], wanted: Sequence[str]
) -> str:
    there = [name for name in wanted if name in names]
    full = [name for name in there if not any(_empty(row, name) for _, row in rows)]
    if there:
        return (full or there)[0]
    hint = next((text for name in wanted if (text := nearest(name, names))), "")
    raise DataError(
        f"{path} has no column {' or '.join(wanted)}; it has {', '.join(names) or 'no columns'}. "
        f"Rename the column that holds it.{hint}"
    )


def _point(where: str, row: Mapping[str, str], columns: tuple[str, str, str]) -> Point:
    def number(name: str) -> float:
        text = row.get(name, "").strip()
        try:
            value = read_count(text)
        except ValueError as error:
            raise DataError(f"{where}: {name} is {text!r}; expected a number above 0 such as 1.8e7 or 18M") from error
        if value <= 0:
            raise DataError(f"{where}: {name} is {text!r}; expected a number above 0")
        return value

    def known(*names: str) -> float | None:
        return next((number(name) for name in names if not _empty(row, name)), None)

    size, tokens, loss = columns
    return Point(
        parameters=number(size), tokens=number(tokens), loss=number(loss),
        flops=None if _empty(row, "flops") else number("flops"),
        seed=row.get("seed", "").strip(), run=row.get("run_id", "").strip(),
        recipe="|".join(row.get(name, "").strip() for name in RECIPE_COLUMNS),
        unique_tokens=known("unique_tokens"), batch_tokens=known("batch_tokens"),
    )  # fmt: skip
