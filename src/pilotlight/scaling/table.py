"""Anybody's table of runs, read from a CSV file."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from pathlib import Path

from pilotlight.errors import DataError, nearest
from pilotlight.scaling.points import Point
from pilotlight.units import read_count

SIZE_COLUMNS = ("parameters", "n_params_nonemb", "n_params", "total_parameters")
"""Columns that can hold the size; the first that is there and not empty counts."""
TOKEN_COLUMNS = ("tokens", "training_tokens")
LOSS_COLUMNS = ("loss", "bits_per_byte", "val_loss")
RECIPE_COLUMNS = ("recipe", "variant", "lr", "learning_rate", "batch_tokens", "batch")


def read_points(path: Path, *, loss: str = "") -> tuple[Point, ...]:
    """Return the runs of a CSV file, one row each.

    Columns: size (``SIZE_COLUMNS``; the first of them that the file has), ``tokens``, ``loss`` (or the column named
    by ``loss``), and where there are any ``flops``, ``seed``, ``run_id``, and what sets one recipe apart from
    another (``RECIPE_COLUMNS``). Rows without a loss are left out; numbers may be written as 18M or 1.8e7.

    Raises:
        DataError: the file is missing, not readable, lacks a column, or holds something that is not a number.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream, strict=True)
            names = [name.strip() for name in reader.fieldnames or () if name]
            reader.fieldnames = names
            size = _column(path, names, SIZE_COLUMNS)
            tokens = _column(path, names, TOKEN_COLUMNS)
            target = _column(path, names, (loss,) if loss else LOSS_COLUMNS)
            found: list[Point] = []
            for row in reader:
                where = f"{path}:{reader.line_num}"
                if (row.get(target) or "").strip().lower() in ("", "nan", "none", "null"):
                    continue
                found.append(_point(where, row, size, tokens, target))
    except FileNotFoundError as error:
        raise DataError(f"there is no file {path}; give a pilot's output folder or a CSV of runs") from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} cannot be read as a CSV file in UTF-8: {error}") from error
    if not found:
        raise DataError(f"{path} holds no run with a {target}; a table needs one row per finished run")
    return tuple(found)


def size_column(path: Path) -> str:
    """Return which column of the CSV file at ``path`` holds the size of a run."""
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return _column(path, [name.strip() for name in next(csv.reader(stream), [])], SIZE_COLUMNS)


def _column(path: Path, names: list[str], wanted: tuple[str, ...]) -> str:
    for name in wanted:
        if name in names:
            return name
    hint = next((text for name in wanted if (text := nearest(name, names))), "")
    raise DataError(
        f"{path} has no column {' or '.join(wanted)}; it has {', '.join(names) or 'no columns'}. "
        f"Rename the column that holds it.{hint}"
    )


def _point(where: str, row: Mapping[str, str | None], size: str, tokens: str, loss: str) -> Point:
    def text(name: str) -> str:
        return (row.get(name) or "").strip()

    def number(name: str) -> float:
        try:
            value = read_count(text(name))
        except ValueError as error:
            raise DataError(f"{where}: {name} is {text(name)!r}; expected a number such as 1.8e7 or 18M") from error
        if not (math.isfinite(value) and value > 0):
            raise DataError(f"{where}: {name} is {text(name)!r}; expected a number above 0")
        return value

    return Point(
        parameters=number(size), tokens=number(tokens), loss=number(loss),
        flops=number("flops") if text("flops") else None, seed=text("seed"), run=text("run_id"),
        recipe="|".join(text(name) for name in RECIPE_COLUMNS),
    )  # fmt: skip
