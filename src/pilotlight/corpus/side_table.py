"""Scores by id that were made elsewhere: tables in Parquet, CSV or JSON lines, joined without being held in memory."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import xxhash

from pilotlight.corpus.pile import Pile, read_split
from pilotlight.corpus.ranking import RankedRows, group_of
from pilotlight.corpus.reading import lines
from pilotlight.corpus.target_text import content_digest, files_of
from pilotlight.errors import DataError

if TYPE_CHECKING:
    from jaxtyping import Float

ROW = np.dtype([("id", "<u8"), ("score", "<f8")])
RUN = 1_000_000
"""Rows that are sorted together; a table is kept as runs of so many."""
_ID_NAMES = ("id", "item")
_TO_BITS = 1 / math.log(2)


def load_tables(pile: Pile, paths: Sequence[Path], id: str, score: str) -> list[Path]:
    """Return units that hold the scores of the tables, sorted by a hash of the ids."""
    given = [{"path": str(path), "digest": content_digest(path), "id": id, "score": score} for path in paths]
    return pile.run("table", "pilotlight.corpus.side_table:sort_table", [((), one) for one in given])


def sort_table(out: Path, inputs: Sequence[Path], settings: dict[str, Any], watch: Any) -> dict[str, Any]:
    """Write the table as sorted runs (a unit of work).

    Raises:
        DataError: a row has no id or its score is no number, or an id has two scores.
    """
    del inputs, watch
    rows = read_scores(Path(settings["path"]), settings["id"], settings["score"])
    runs, total = 0, 0
    while part := list(islice(rows, RUN)):
        table = np.array([(_key(id), score) for id, score in part], ROW)
        table = np.sort(table, order=["id", "score"])
        same = np.flatnonzero((table["id"][1:] == table["id"][:-1]) & (table["score"][1:] != table["score"][:-1]))
        if len(same):
            twice = next(id for id, _ in part if _key(id) == int(table["id"][same[0]]))
            raise DataError(
                f"{settings['path']}: {twice} has two different scores; expected one row for each document."
            )
        np.save(out / f"run{runs:05d}.npy", table, allow_pickle=False)
        runs, total = runs + 1, total + len(part)
    return {"runs": runs, "rows": total}


def _key(id: str) -> int:
    return xxhash.xxh3_64_intdigest(id.encode("utf-8", "surrogateescape"))


def lookup(unit: Path, ids: Iterable[str]) -> Float[np.ndarray, " ids"]:
    """Return the score of each id; NaN where the table has none."""
    keys = np.fromiter((_key(id) for id in ids), np.uint64)
    found = np.full(len(keys), np.nan)
    for path in sorted(unit.glob("run*.npy")):
        run = np.load(path, mmap_mode="r", allow_pickle=False)
        place = np.minimum(np.searchsorted(run["id"], keys), len(run) - 1)
        hit = run["id"][place] == keys
        found[hit] = run["score"][place[hit]]
    return found


def score_split(out: Path, inputs: Sequence[Path], settings: dict[str, Any], watch: Any) -> dict[str, Any]:
    """Write the scores of the documents of a split (a unit of work): the first table's, less the second's."""
    del watch
    split, *tables = inputs
    documents = [(one.id, group_of(one, settings["groups"]), one) for one in _without_text(split)]
    ids = [id for id, _, _ in documents]
    values = lookup(tables[0], ids)
    if len(tables) > 1:
        values = values - lookup(tables[1], ids)
    rows = RankedRows(int(settings["seed"]))
    for (_, group, document), value in zip(documents, values.tolist(), strict=True):
        rows.add((document,), (value,), (group,))
    return rows.write(out)


def _without_text(split: Path) -> Iterator[Any]:
    """Return the documents of a split as their sizes: texts are let go one by one."""
    from pilotlight.corpus.ranking import Sized

    for document in read_split(split):
        yield Sized(document.id, document.source, document.bytes, document.facts)


def refuse_missing(table: Path, measured: Sequence[dict[str, Any]]) -> None:
    """Return if every document has a score.

    Raises:
        DataError: some have none.
    """
    missing = sum(int(one["missing"]) for one in measured)
    if missing:
        total = sum(int(one["documents"]) for one in measured)
        raise DataError(
            f"{missing} of {total} documents have no score in {table}; expected one for each. Set missing: keep or "
            "missing: drop, or make the table anew over the documents that reach this step."
        )


def read_scores(path: Path, id: str = "", score: str = "") -> Iterator[tuple[str, float]]:
    """Return ids and scores of a table, or of the tables of a folder, row by row.

    Raises:
        DataError: the file is no table, lacks a column, or a score is no finite number.
    """
    for file in files_of(path):
        for number, row in enumerate(_rows(file), 1):
            name = id or next((name for name in _ID_NAMES if name in row), "id")
            value = _score(row, score)
            if row.get(name) is None or value is None or not math.isfinite(value):
                raise DataError(
                    f"{file}, row {number} has no {name!r} with a finite score; expected the columns {name!r} and "
                    f"{score or 'score'!r} (or 'nats' and 'bytes'). It has {', '.join(map(str, row))}. Set id and score "
                    "to the names of the columns."
                )
            yield str(row[name]), value


def _score(row: dict[str, Any], score: str) -> float | None:
    try:
        if score or "score" in row:
            return float(row[score or "score"])
        return float(row["nats"]) / float(row["bytes"]) * _TO_BITS
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None


def _rows(file: Path) -> Iterator[dict[str, Any]]:
    endings = file.suffixes
    if ".parquet" in endings:
        parquet: Any = import_module("pyarrow.parquet")
        with parquet.ParquetFile(file) as table:
            for batch in table.iter_batches(batch_size=1 << 16):
                yield from batch.to_pylist()
    elif ".csv" in endings or ".tsv" in endings:
        text = (line.decode("utf-8-sig", "replace") for line in lines(file))
        yield from csv.DictReader(text, delimiter="\t" if ".tsv" in endings else ",")
    elif ".jsonl" in endings or ".ndjson" in endings:
        for line in lines(file):
            if line.strip():
                yield _json_row(line, file)
    else:
        raise DataError(f"{file} is no table; expected a name that ends in .parquet, .csv, .tsv or .jsonl.")


def _json_row(line: bytes, file: Path) -> dict[str, Any]:
    try:
        row: Any = json.loads(line)
    except ValueError:
        row = None
    if type(row) is not dict:
        raise DataError(f"{file} holds a line that is no JSON object: {line[:60]!r}. Repair the file.")
    return cast("dict[str, Any]", row)
