"""Why a record is where it is: its fate, its twin, and everything that was measured on it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from pilotlight.corpus.corpus import Corpus, Fate
from pilotlight.corpus.records_table import BASE
from pilotlight.corpus.store import excerpt, rows
from pilotlight.errors import DataError
from pilotlight.spec import Record

if TYPE_CHECKING:
    import duckdb

_MOST_MATCHES = 5


class Explanation(Record):
    """What became of one record and why."""

    id: str
    fate: Fate
    source: str
    origin: str
    step: str = ""
    """Step that dropped it; empty where it was kept."""
    reason: str = ""
    twin: str = ""
    """id of the document that stays in its place, or the benchmark item it holds, where it was dropped for that."""
    similarity: float | None = None
    values: dict[str, float | str] = Field(default_factory=dict[str, float | str])
    """Everything that was measured on it, by step and column."""
    excerpt: str = ""
    """Beginning of the text."""
    twin_excerpt: str = ""
    """Beginning of the text of its twin."""

    def __str__(self) -> str:
        """Return the explanation as sentences."""
        where = f"{self.id} ({self.source}: {self.origin})"
        if self.fate == "train":
            return f"{where} is trained on: no step dropped it."
        if self.fate == "held_out":
            chosen = "it was chosen by the hash of its id or group before any step ran"
            return f"{where} is held out: {chosen}, and is kept as it was read."
        if self.fate == "quarantined":
            return f"{where} could not be read and is quarantined: {self.reason}."
        alike = f" (similarity {self.similarity:.3f})" if self.similarity is not None else ""
        # A benchmark item is named file#number, and is not in the corpus; a document is named by an id.
        held = "It holds the benchmark item" if "#" in self.twin else "What stays in its place is"
        twin = f" {held} {self.twin}{alike}." if self.twin else ""
        return f"{where} was dropped by {self.step}: {self.reason}.{twin}"


def connect(corpus: Corpus) -> duckdb.DuckDBPyConnection:
    """Return a DuckDB connection with the view ``records``: a row for every record, and the ``filename`` it is from.

    Columns are those of ``records_table.BASE`` and ``<step>.<column>`` for everything that was measured.
    """
    import duckdb

    connection = duckdb.connect()
    connection.execute("SET threads = 1")
    files = [str(path) for path in corpus.tables()]
    table = connection.read_parquet(files, union_by_name=True, filename=True)  # type: ignore[arg-type]
    table.create_view("records")
    return connection


def why(corpus: Corpus, id: str) -> Explanation:
    """Return what became of the record whose id is or begins with ``id``, or whose origin is ``id``.

    Raises:
        DataError: no record has that id or origin, or several do.
    """
    wanted = id.strip()
    connection = connect(corpus)
    named = "starts_with(id, $wanted) OR origin = $wanted OR starts_with(origin, $wanted || '#')"
    query = f"SELECT * FROM records WHERE {named} ORDER BY id LIMIT $most"
    asked = connection.execute(query, {"wanted": wanted, "most": _MOST_MATCHES + 1})
    names = [column[0] for column in asked.description or ()]
    found = [dict(zip(names, row, strict=True)) for row in asked.fetchall()] if wanted else []
    if not found:
        raise DataError(
            f"{corpus.folder} holds no record {id!r}. Expected the first digits of an id, or an origin such as "
            "notes.txt#1, as they stand in the files of dropped and train."
        )
    if len(found) > 1:
        shown = ", ".join(f"{row['id']} ({row['source']}: {row['origin']})" for row in found[:_MOST_MATCHES])
        more = ", ..." if len(found) > _MOST_MATCHES else ""
        raise DataError(f"{id!r} means more than one record of {corpus.folder}: {shown}{more}. Give more digits.")
    return _explained(corpus, connection, found[0])


def _explained(corpus: Corpus, connection: duckdb.DuckDBPyConnection, row: dict[str, Any]) -> Explanation:
    base = {key: row[key] for key in Explanation.model_fields if row.get(key) is not None}
    known = {*BASE, "filename"}
    base["values"] = {name: value for name, value in row.items() if name not in known and value is not None}
    base["excerpt"] = _begin(corpus, row)
    if twin := base.get("twin"):
        other = connection.execute("SELECT id, fate, filename FROM records WHERE id = $id", {"id": twin}).fetchone()
        if other is not None:
            base["twin_excerpt"] = _begin(corpus, dict(zip(("id", "fate", "filename"), other, strict=True)))
    return Explanation(**base)


def _begin(corpus: Corpus, row: dict[str, Any]) -> str:
    """Return the beginning of the text of a record; it stands in the file with the number of its table."""
    fate: Fate = row["fate"]
    if fate == "quarantined":
        return ""
    files = corpus.files(fate)
    file = files[0] if fate == "held_out" else files[int(Path(row["filename"]).stem) - 1]
    for found in rows(file):
        if found["id"] == row["id"]:
            return excerpt(found["text"])
    return ""
