"""How hard each document is, as a side table: what a curriculum orders by."""

from __future__ import annotations

import math
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pilotlight.corpus.hashed_words import HashedWords, split_batches
from pilotlight.corpus.ngram_model import bits_per_byte, half_of, load_model, train
from pilotlight.corpus.pile import Pile
from pilotlight.corpus.side_table import load_tables, lookup
from pilotlight.corpus.target_text import content_digest
from pilotlight.errors import ConfigError, nearest

if TYPE_CHECKING:
    from jaxtyping import Float, Integer

TABLE = "difficulty.parquet"
MEASURES = {
    "length": "bytes of the text",
    "perplexity": "bits per byte under an n-gram model that has not seen the document",
    "rare_words": "share of the words that stand at most once per million words elsewhere in the corpus",
    "loss": "score of the document in the table of losses",
}
ORDER = 3
CELLS = 1 << 22
LEARN_FROM = 64e6
_RARE = 1e-6
_MODULE = "pilotlight.corpus.difficulty:"


def difficulty(
    pile: Pile, by: str = "perplexity", *, losses: Path | None = None, target: Path | None = None, seed: int = 0
) -> Path:
    """Return a Parquet file with the difficulty of every document: what ``by`` names is the column ``score``.

    ``by`` is one of ``MEASURES``; larger is harder. All measures that can be had are columns beside it. The table has
    one row per document in the order of the ids (columns ``id``, ``score``, ...), so the step ``scores`` reads it.
    ``losses`` is a table as the step ``scores`` reads it, ``target`` text that the n-gram model learns instead.

    Raises:
        ConfigError: ``by`` is unknown, or is ``loss`` and there are no losses.
        DataError: a file cannot be read, or there are no words.
    """
    by = measure_named(by, losses=losses is not None)
    training: dict[str, Any] = {"order": ORDER, "cells": CELLS, "most_bytes": LEARN_FROM, "seed": seed, "source": ""}
    if target is not None:
        training |= {"path": str(target), "digest": content_digest(target)}
    model = train(pile, training)
    tables = load_tables(pile, [losses], "", "") if losses is not None else []
    measured = pile.run("difficulty", f"{_MODULE}measure", [((split, model, *tables), {}) for split in pile.splits])
    [merged] = pile.run("table", f"{_MODULE}merge", [(measured, {"by": by})])
    return merged / TABLE


def measure_named(by: str, *, losses: bool) -> str:
    """Return the measure of ``MEASURES`` that ``by`` names: with spaces, hyphens or underscores, in any case.

    Raises:
        ConfigError: there is none of this name, or it is ``loss`` and there are no ``losses``.
    """
    name = "_".join(by.lower().replace("-", " ").replace("_", " ").split())
    if name not in MEASURES:
        raise ConfigError(
            f"difficulty by {by!r} cannot be measured; expected one of {', '.join(MEASURES)}.{nearest(name, MEASURES)}"
        )
    if name == "loss" and not losses:
        raise ConfigError("difficulty by loss needs a table of losses per document; give one with --losses.")
    return name


def write_table(found: Path, out: Path) -> None:
    """Write the table ``found`` to ``out``: CSV where its name ends in .csv, otherwise Parquet as it is."""
    from pilotlight.manifest import write_atomic

    if out.suffix.lower() != ".csv":
        write_atomic(out, found.read_bytes())
        return
    arrow_csv: Any = import_module("pyarrow.csv")
    arrow: Any = import_module("pyarrow")
    parquet: Any = import_module("pyarrow.parquet")
    buffer = arrow.BufferOutputStream()
    arrow_csv.write_csv(parquet.read_table(found), buffer)
    write_atomic(out, buffer.getvalue().to_pybytes())


def check_ending(out: Path) -> None:
    """Return if a table can be written to ``out``.

    Raises:
        ConfigError: its name ends neither in .parquet nor in .csv.
    """
    if out.suffix.lower() not in (".parquet", ".csv"):
        raise ConfigError(f"{out} is no name for the table; expected one that ends in .parquet or .csv.")


def rare_share(
    words: HashedWords, model: Integer[np.ndarray, "2 order cells"], half: Integer[np.ndarray, " documents"]
) -> Float[np.ndarray, " documents"]:
    """Return which share of the words of each document is rare in the half that it is not in."""
    cells = model.shape[2]
    totals = np.array([model[side, 0].sum(dtype=np.float64) for side in (0, 1)])
    other = 1 - half[words.document]
    shift = np.uint64(64 - (cells.bit_length() - 1))
    seen = model.reshape(-1)[(words.hashes >> shift).astype(np.int64) + other * (model.shape[1] * cells)]
    rare = seen <= np.maximum(1.0, _RARE * totals[other])
    sizes = np.diff(words.ends)
    return np.where(sizes > 0, words.sums(rare.astype(np.float64)) / np.maximum(sizes, 1), np.nan)


def measure(out: Path, inputs: Sequence[Path], settings: dict[str, Any], watch: Any) -> dict[str, Any]:
    """Write the measures of the documents of a split, in the order of their ids (a unit of work)."""
    del settings, watch
    arrow: Any = import_module("pyarrow")
    parquet: Any = import_module("pyarrow.parquet")
    split, unit, *tables = inputs
    model = load_model(unit)
    columns: dict[str, list[Any]] = {"id": [], "source": [], "length": [], "perplexity": [], "rare_words": []}
    for batch, words in split_batches(split):
        half = half_of(words)
        columns["id"] += [one.id for one in batch]
        columns["source"] += [one.source for one in batch]
        columns["length"] += [one.bytes for one in batch]
        columns["perplexity"] += _rounded(bits_per_byte(words, model, half))
        columns["rare_words"] += _rounded(rare_share(words, model, half))
    if tables:
        columns["loss"] = _rounded(lookup(tables[0], columns["id"]))
    order = sorted(range(len(columns["id"])), key=columns["id"].__getitem__)
    types = {"id": arrow.string(), "source": arrow.string(), "length": arrow.int64()}
    table = arrow.table({
        name: arrow.array([column[place] for place in order], types.get(name, arrow.float64()))
        for name, column in columns.items()
    })  # fmt: skip
    parquet.write_table(table, out / TABLE, compression="zstd")
    return {"documents": len(order)}


def _rounded(values: Float[np.ndarray, " documents"]) -> list[float | None]:
    return [None if math.isnan(value) else round(value, 6) for value in values.tolist()]


def merge(out: Path, inputs: Sequence[Path], settings: dict[str, Any], watch: Any) -> dict[str, Any]:
    """Write one table of all splits, sorted by id, with ``score``; no document without it (a unit of work)."""
    del watch
    import duckdb

    paths = [str(path / TABLE) for path in inputs]
    with duckdb.connect(config={"threads": 1, "memory_limit": "1GB", "temp_directory": str(out / "spill")}) as base:
        base.execute(
            f"copy (select id, {settings['by']}::double as score, * exclude (id) from read_parquet(?) "
            f"where {settings['by']} is not null order by id) to '{_quoted(out / TABLE)}' (format parquet, compression zstd)",
            [paths],
        )
        counts = [
            base.execute("select count(*) from read_parquet(?)", [source]).fetchall()[0][0]
            for source in ([str(out / TABLE)], paths)
        ]
    return {"documents": counts[0], "without_score": counts[1] - counts[0]}


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
