"""Records of files with one JSON object per line."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from pilotlight.corpus.encodings import AUTO, SAMPLE, as_utf8, is_binary, is_wide
from pilotlight.corpus.formats import (
    Reading,
    binary,
    contradiction,
    encoding_of,
    head_of,
    not_decoded,
    pieces_of,
    text_of,
    too_long,
)  # fmt: skip
from pilotlight.corpus.reading import BrokenFile, LongLine, chunks, compression, line_cuts, opened, split_lines
from pilotlight.corpus.remote import base_name
from pilotlight.corpus.source import WHOLE, Cut, Input, Raw, Unreadable


def jsonl_cuts(file: Input, target: int, encoding: str = AUTO) -> list[Cut]:
    """Return byte ranges of about ``target`` bytes that start with a line; ``first`` is its number.

    Compressed files and those in an encoding of wide characters are one part.

    Raises:
        DataError: the file cannot be opened.
    """
    if file.remote or compression(base_name(file.path)):
        return [WHOLE]
    with opened(file.path) as handle:
        start = handle.read(SAMPLE)
    whole = is_wide(encoding_of(start, encoding)) or contradiction(start, encoding)
    return [WHOLE] if whole else line_cuts(cast("Path", file.path), target)


def read_jsonl(file: Input, how: Reading, cut: Cut | None = None) -> Iterator[Raw | Unreadable]:
    """Return the text of every line of a JSON-lines file; a text longer than ``how.longest`` comes in pieces.

    The record is the number of the line from 1, with ``.1``, ``.2`` ... for its pieces. Blank lines are no records.
    With the encoding ``auto`` the start of the file decides, and another one than UTF-8 is a fact of every record.
    """
    part = cut or WHOLE
    head = b""
    if part != WHOLE and how.encoding == AUTO:
        head, _ = head_of(chunks(file.path))
    yield from jsonl_records(chunks(file.path, cut), how, part.first, head)


def jsonl_records(
    parts: Iterator[bytes], how: Reading, first: int = 1, head: bytes = b""
) -> Iterator[Raw | Unreadable]:
    """Return the records of JSON lines, see ``read_jsonl``.

    Args:
        parts: bytes of whole lines, unpacked.
        how: encoding, which field, lengths.
        first: number of the first line.
        head: start of the whole file where ``parts`` are a part of it.
    """
    start, parts = head_of(parts)
    if first == 1 and (wrong := contradiction(start, how.encoding)):
        yield wrong
        return
    name = encoding_of(head or start, how.encoding)
    facts = {} if name in ("utf-8", "ascii") else {"encoding": name}
    if is_wide(name):
        parts, name = as_utf8(parts, name), "utf-8"
    number = first - 1
    try:
        for number, line in enumerate(split_lines(parts), first):
            if isinstance(line, LongLine):
                yield too_long(str(number), line.size)
                continue
            data = line.removeprefix(codecs.BOM_UTF8) if number == 1 else line
            if data.strip():
                yield from _line(str(number), data, name, how, facts)
    except BrokenFile as error:
        yield Unreadable(str(number + 1), "damaged file", str(error))
    else:
        if first == 1 and not number:
            yield Unreadable("1", "empty file", "it has no byte")


def _parsed(line: bytes) -> Any:
    """Return the value of a line of JSON; the fast reader first, and Python's where that one refuses."""
    import orjson

    try:
        return orjson.loads(line)
    except ValueError:
        return json.loads(line.decode("utf-8"))  # half surrogates, NaN, and the message that people know


def _line(record: str, data: bytes, encoding: str, how: Reading, facts: dict[str, Any]) -> Iterator[Raw | Unreadable]:
    try:
        row = _parsed(data if encoding == "utf-8" else data.decode(encoding).encode())
    except UnicodeDecodeError as error:
        yield not_decoded(record, error, encoding)
        return
    except (ValueError, RecursionError) as error:
        if b"\0" in data and is_binary(data):
            yield binary(record)
            return
        yield Unreadable(record, "broken JSON", str(error)[:200])
        return
    found = text_of(record, row, how, data)
    if isinstance(found, Unreadable):
        yield found
    else:
        yield from pieces_of(replace(found, facts={**facts, **found.facts}) if facts else found, how.longest)
