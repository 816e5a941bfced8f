"""Records of tables: CSV with any delimiter and quotes, and Parquet by row groups."""

from __future__ import annotations

import csv
import io
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import IO, Any, cast

from pilotlight.corpus.encodings import as_utf8, is_binary, is_wide
from pilotlight.corpus.formats import Reading, binary, contradiction, encoding_of, head_of, pieces_of, text_of
from pilotlight.corpus.reading import LONGEST_RECORD, BrokenFile, PartsFile, chunks, opened
from pilotlight.corpus.source import WHOLE, Cut, Input, Raw, Unreadable
from pilotlight.errors import PilotlightError

CSV_ENDINGS = (".csv", ".tsv")
PARQUET_ENDINGS = (".parquet", ".pq")
ANY_COLUMN = ("", "text")
"""Names of the text column, the default one among them, with which the longest column is taken if it is missing."""
_DELIMITERS = ",;\t|"
_SAMPLE_ROWS = 50
_BATCH = 256  # rows of Parquet in memory at once
_BATCH_BYTES = 1 << 25


def read_csv(file: Input, how: Reading, delimiter: str = "") -> Iterator[Raw | Unreadable]:
    """Return the text of every row of a table as text; the record is the number of the row from 1, without the header.

    Args:
        file: the table; its first row names the columns, unless ``how.header`` is false: then they are 1, 2 ...
        how: which column, encoding and lengths. Where there is no column ``text`` and no other one is asked for, the
            one with the longest text is taken, and that is a fact of every record.
        delimiter: what stands between columns; empty: tabulators for .tsv, and found in the first rows for others.
    """
    yield from csv_records(chunks(file.path), how, delimiter or ("\t" if ".tsv" in file.relative.lower() else ""))


def csv_records(parts: Iterator[bytes], how: Reading, delimiter: str = "") -> Iterator[Raw | Unreadable]:
    """Return the records of a table as text, see ``read_csv``."""
    number = 0
    try:
        head, parts = head_of(parts)
        if not head:
            b"".join(parts)  # says what is wrong where there is a reason
            yield Unreadable("1", "empty file", "it has no byte")
            return
        encoding = encoding_of(head, how.encoding)
        if wrong := contradiction(head, how.encoding):
            yield wrong
            return
        if is_binary(head) and not is_wide(encoding):
            yield binary("1")
            return
        facts = {} if encoding in ("utf-8", "ascii") else {"encoding": encoding}
        if is_wide(encoding):
            (head, parts), encoding = head_of(as_utf8(parts, encoding)), "utf-8"
        stream = io.BufferedReader(PartsFile(parts), 1 << 20)
        text = io.TextIOWrapper(stream, "utf-8-sig" if encoding == "utf-8" else encoding, "surrogateescape", newline="")
        for number, row in enumerate(_rows(text, head.decode(encoding, "replace"), delimiter, how), 1):
            yield from _table_record(str(number), row, how, facts, encoding)
    except BrokenFile as error:
        yield Unreadable(str(number + 1), "damaged file", str(error))
    except (csv.Error, UnicodeError) as error:
        yield Unreadable(str(number + 1), "broken table", str(error)[:200])


def _sniffed(sample: str) -> str:
    """Return the delimiter that cuts the first lines into the most columns that all of them have."""
    best = (0, ",")
    for candidate in _DELIMITERS:
        rows = list(csv.reader(io.StringIO(sample, newline=""), delimiter=candidate))
        rows = [row for row in rows[: _SAMPLE_ROWS + 1][: -1 if len(rows) > 1 else None] if row]
        widths = [len(row) for row in rows]
        if widths and widths[0] > 1:
            alike = sum(width == widths[0] for width in widths) / len(widths)
            best = max(best, (alike, candidate), key=lambda pair: pair[0])
    return best[1]


def _rows(text: Any, sample: str, delimiter: str, how: Reading) -> Iterator[tuple[list[str], list[str] | None, str]]:
    """Yield for each row its cells, the names of the columns (None: too few or many cells) and of the text column."""
    csv.field_size_limit(LONGEST_RECORD)
    reader = csv.reader(text, delimiter=delimiter or _sniffed(sample.removeprefix("\ufeff")))
    header = next((row for row in reader if row), list[str]())
    before: list[list[str]] = []
    if not how.header:
        before, header = [header], [str(number) for number in range(1, len(header) + 1)]
    held: list[list[str]] = before
    column = how.text_field
    if column not in header and column in ANY_COLUMN:
        for row in reader:
            held.append(row)
            if len(held) >= _SAMPLE_ROWS:
                break
        lengths = [sum(len(row[at]) for row in held if len(row) == len(header)) for at in range(len(header))]
        column = header[lengths.index(max(lengths))] if header and held else column
    for rows in (held, reader):
        for row in rows:
            if row:
                yield row, header if len(row) == len(header) else None, column


def _table_record(
    record: str, row: tuple[list[str], list[str] | None, str], how: Reading, facts: dict[str, Any], encoding: str
) -> Iterator[Raw | Unreadable]:
    cells, header, column = row
    if header is None:
        yield Unreadable(record, "another number of columns", f"it has {len(cells)}; set the delimiter of the source")
        return
    found = text_of(record, dict(zip(header, cells, strict=True)), replace(how, text_field=column))
    if isinstance(found, Unreadable):
        yield found
        return
    try:
        found.text.encode()
    except UnicodeEncodeError:  # bytes that the encoding does not have were let through as half surrogate pairs
        yield Unreadable(record, f"not {encoding.upper()}", "convert the file, or set the encoding of the source")
        return
    chosen = {} if how.text_field == column else {"column": column}
    yield from pieces_of(replace(found, facts={**facts, **chosen, **found.facts}), how.longest)


@contextmanager
def _parquet(path: Path | str) -> Generator[Any]:
    with opened(path) as file:
        yield _opened_parquet(file)


def _opened_parquet(file: IO[bytes]) -> Any:
    parquet: Any = import_module("pyarrow.parquet")
    try:
        return parquet.ParquetFile(file, memory_map=False, pre_buffer=False)
    except PilotlightError:
        raise
    except Exception as error:
        # pyarrow raises its own errors, ValueError and OSError for damaged files
        raise BrokenFile(f"Parquet: {error}"[:200]) from error


def parquet_cuts(file: Input, target: int) -> list[Cut]:
    """Return runs of row groups of about ``target`` bytes; ``first`` is the number of the first row from 1.

    Raises:
        DataError: the file cannot be opened.
    """
    try:
        with _parquet(file.path) as table:
            groups = [table.metadata.row_group(at) for at in range(table.metadata.num_row_groups)]
            sizes = [(sum(group.column(at).total_compressed_size for at in range(group.num_columns)), group.num_rows)
                     for group in groups]  # fmt: skip
    except BrokenFile:
        return [WHOLE]  # reading it says why
    found: list[Cut] = []
    start, first, held, row = 0, 1, 0, 1
    for number, (size, count) in enumerate(sizes, 1):
        held, row = held + size, row + count
        if held >= target or number == len(sizes):
            found.append(Cut(start=start, stop=number, first=first))
            start, first, held = number, row, 0
    return found if len(found) > 1 else [WHOLE]


def read_parquet(file: Input, how: Reading, cut: Cut | None = None) -> Iterator[Raw | Unreadable]:
    """Return the text of every row of a Parquet file, reading the text column and those to keep only.

    The record is the number of the row from 1. A row group that cannot be read is one ``Unreadable``; the next ones
    are read.
    """
    try:
        with _parquet(file.path) as table:
            yield from _groups(table, how, cut or WHOLE)
    except BrokenFile as error:
        yield Unreadable(str((cut or WHOLE).first), "damaged file", str(error))


def parquet_records(file: IO[bytes], how: Reading) -> Iterator[Raw | Unreadable]:
    """Return the records of an open Parquet file, see ``read_parquet``."""
    try:
        yield from _groups(_opened_parquet(file), how, WHOLE)
    except BrokenFile as error:
        yield Unreadable("1", "damaged file", str(error))


def _groups(table: Any, how: Reading, cut: Cut) -> Iterator[Raw | Unreadable]:
    schema = table.schema_arrow
    field = how.text_field
    field = _longest_column(table) if field in ANY_COLUMN and field not in schema.names else field
    names = [name for name in (field, *how.keep) if name in schema.names or name.partition(".")[0] in schema.names]
    column = schema.field(field.partition(".")[0]) if field in names else None
    if column is None:
        known = ", ".join(schema.names)[:200]
        detail = f"the columns are: {known}; set text_field of the source"
        yield from _every_row(table, cut, f"no field {field!r}", detail)
        return
    if "." not in field and not _holds_text(column.type):
        known = ", ".join(item.name for item in schema if _holds_text(item.type))[:200] or "none"
        detail = f"the column is of type {column.type}; columns of text: {known}; set text_field of the source"
        yield from _every_row(table, cut, f"field {field!r} holds no text", detail)
        return
    chosen = replace(how, text_field=field)
    facts = {} if how.text_field == field else {"column": field}
    first = cut.first
    for group in _numbers(table, cut):
        meta = table.metadata.row_group(group)
        yield from _group_records(table, group, (first, names), chosen, facts)
        first += meta.num_rows


def _numbers(table: Any, cut: Cut) -> range:
    """Return the numbers of the row groups of a cut."""
    return range(cut.start, table.metadata.num_row_groups if cut.stop is None else cut.stop)


def _every_row(table: Any, cut: Cut, reason: str, detail: str) -> Iterator[Unreadable]:
    """Yield the same for every row: records are counted alike wherever a file is cut, as those of other formats are."""
    rows = sum(table.metadata.row_group(group).num_rows for group in _numbers(table, cut))
    for number in range(cut.first, cut.first + rows):
        yield Unreadable(str(number), reason, detail)


def _holds_text(kind: Any, *, binary: bool = True) -> bool:
    """Return whether a column is of text, or of bytes, which may be UTF-8."""
    arrow: Any = import_module("pyarrow")
    types = arrow.types
    kind = kind.value_type if types.is_dictionary(kind) else kind
    if types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind):
        return True
    return binary and (types.is_binary(kind) or types.is_large_binary(kind) or types.is_binary_view(kind))


def _longest_column(table: Any) -> str:
    """Return the column of text that takes the most bytes, else of those of bytes; ``text`` where there is none."""
    schema = table.schema_arrow
    binary = not any(_holds_text(item.type, binary=False) for item in schema)
    best = (0, "text")
    for item in schema:
        name = item.name
        if _holds_text(item.type, binary=binary):
            size = sum(
                meta.column(place).total_uncompressed_size
                for meta in map(table.metadata.row_group, range(min(table.metadata.num_row_groups, 8)))
                for place in range(meta.num_columns) if meta.column(place).path_in_schema == name
            )  # fmt: skip
            best = max(best, (size, name), key=lambda pair: pair[0])
    return best[1]


def _group_records(
    table: Any, group: int, begin: tuple[int, Sequence[str]], how: Reading, facts: dict[str, Any]
) -> Iterator[Raw | Unreadable]:
    first, names = begin
    number = first
    last = first + table.metadata.row_group(group).num_rows - 1
    meta = table.metadata.row_group(group)
    rows = max(1, min(_BATCH, _BATCH_BYTES * meta.num_rows // max(1, meta.total_byte_size)))
    try:
        for batch in table.iter_batches(batch_size=rows, row_groups=[group], columns=list(names)):
            for row in cast("list[dict[str, Any]]", batch.to_pylist()):
                found = text_of(str(number), row, how)
                number += 1
                if isinstance(found, Unreadable):
                    yield found
                elif len(found.text) > LONGEST_RECORD:
                    yield Unreadable(found.record, "record too long", f"over {LONGEST_RECORD} characters")
                else:
                    yield from pieces_of(replace(found, facts={**facts, **found.facts}), how.longest)
    except (GeneratorExit, PilotlightError):
        raise
    except Exception as error:
        # a damaged page of the column, or text that is no UTF-8: pyarrow has a class of error for each
        lost = f"rows {number} to {last} of row group {group}: {type(error).__name__}: {error}"[:200]
        yield Unreadable(str(number), "damaged row group", lost)
