"""Records of text and JSON files: decoded, cut where they are too long, set aside where they are broken."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, cast, final

from pilotlight.corpus.encodings import AUTO, SAMPLE, guess, is_binary, marked
from pilotlight.corpus.reading import LONGEST_RECORD, BrokenFile, LongLine, chunks, compression, split_lines
from pilotlight.corpus.remote import base_name, size_of
from pilotlight.corpus.source import WHOLE, Content, Cut, Input, Raw, Unreadable

TEXT_ENDINGS = (".txt", ".md", ".markdown", ".text", ".rst")
JSONL_ENDINGS = (".jsonl", ".ndjson")
JSON_ENDINGS = (".json",)
LONGEST = 64_000.0
BLOCK = 64_000_000
"""Bytes of text that are numbered on their own, so that a piece is called the same wherever a file is cut."""
BLOCK_NUMBERS = 100_000_000
"""The pieces of block ``b`` (from 0) are called ``b * BLOCK_NUMBERS + 1`` and so on: a block has fewer bytes."""
_READY = 1 << 20
_WINDOW = 1 << 16  # bytes after the end of a block in which a line may end
_WIDE_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@final
@dataclass(frozen=True, slots=True)
class Reading:
    """How the records of a source are read, whatever the format of its files."""

    encoding: str = AUTO
    longest: float = LONGEST
    content: Content = "prose"
    text_field: str = "text"
    """Field or column that holds the text; dots lead into fields of fields."""
    keep: tuple[str, ...] = ()
    """Other fields to keep as facts."""
    extraction: str = "main"
    """What is taken of a web page: ``main``, ``whole`` or ``trafilatura``."""


def _cut(data: bytes | bytearray, limit: int) -> int:
    """Return where to cut so that at most ``limit`` bytes stand before: after a paragraph, line, word or character."""
    for separator in (b"\n\n", b"\n\r\n", b"\n", b" "):
        found = data.rfind(separator, limit // 2, limit)
        if found >= 0:
            return found + len(separator)
    return next((at for at in range(limit, max(limit - 4, 0), -1) if data[at] & 0xC0 != 0x80), limit)


def pieces(parts: Iterator[bytes], limit: int) -> Iterator[bytes]:
    """Return the bytes of ``parts`` in pieces of at most ``limit`` bytes (0: one piece), cut at paragraph bounds.

    The pieces joined are the parts joined.

    Raises:
        BrokenFile: ``parts`` raised it; what came before was handed out.
    """
    held = bytearray()
    broken: BrokenFile | None = None
    try:
        for part in parts:
            held += part
            start = 0
            while limit and len(held) - start > limit:
                at = start + _cut(held[start : start + limit + 1], limit)
                yield bytes(held[start:at])
                start = at
            del held[:start]
            if not limit and len(held) > LONGEST_RECORD:
                broken = BrokenFile(f"a text of more than {LONGEST_RECORD} bytes; set longest of the source")
                held.clear()
                break
    except BrokenFile as error:
        broken = error
    if held:
        yield bytes(held)
    if broken:
        raise broken


def block_end(data: bytes | bytearray, at: int) -> int:
    """Return where the block ends that is due to end at byte ``at`` of ``data``: after a line, or a character."""
    found = data.find(b"\n", at - 1, at + _WINDOW)
    if found >= 0:
        return found + 1
    last = min(at + 4, len(data))
    return next((place for place in range(at, last) if data[place] & 0xC0 != 0x80), last)


def blocks(parts: Iterator[bytes]) -> Iterator[Iterator[bytes]]:
    """Return the bytes of ``parts`` in blocks of about ``BLOCK`` bytes, each as its own parts; use them in order."""
    held = bytearray()
    begin = number = 0  # ``begin``: place in the file of the first byte that is held
    more = True

    def block(due: int) -> Iterator[bytes]:
        nonlocal begin, more
        while more and begin + len(held) < due + _WINDOW + 4:
            part = next(parts, None)
            more = part is not None
            held.extend(part or b"")
            if (ready := min(len(held), due - begin - 1)) > _READY:  # the byte before ``due`` is looked at below
                yield bytes(held[:ready])
                del held[:ready]
                begin += ready
        end = block_end(held, due - begin) if begin + len(held) > due else len(held)
        rest = bytes(held[:end])
        del held[:end]
        begin += end
        yield rest

    while more or held:
        number += 1
        yield block(number * BLOCK)


def text_cuts(file: Input, target: int) -> list[Cut]:
    """Return byte ranges of whole blocks, about ``target`` bytes each; ``first`` is the number of the block from 0.

    Raises:
        DataError: the file cannot be opened.
    """
    if file.remote or compression(base_name(file.path)) or size_of(file.path) <= max(BLOCK, target) + _WINDOW:
        return [WHOLE]
    from pilotlight.corpus.reading import opened

    found: list[Cut] = []
    step = max(target // BLOCK, 1)
    start, first, size = 0, 0, size_of(file.path)
    with opened(file.path) as handle:
        if marked(handle.read(4)) not in ("", "utf-8"):
            return [WHOLE]  # characters of several bytes are read through one decoder
        for number in range(step, size // BLOCK + 1, step):
            due = number * BLOCK
            handle.seek(due - 1)
            data = handle.read(_WINDOW + 4)
            end = due - 1 + block_end(data, 1)
            if end >= size:
                break
            found.append(Cut(start=start, stop=end, first=first))
            start, first = end, number
    return [*found, Cut(start=start, stop=size, first=first)] if found else [WHOLE]


def _not_decoded(record: str, data: bytes, error: UnicodeDecodeError) -> Unreadable:
    detail = f"byte 0x{data[error.start]:02x} at {error.start}; convert the file, or set the encoding of the source"
    return Unreadable(record, f"not {error.encoding.upper()}", detail)


def _wide(parts: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    """Yield text in an encoding of wide characters as UTF-8."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    try:
        for part in parts:
            yield decoder.decode(part).encode("utf-8", "surrogatepass")
        yield decoder.decode(b"", True).encode()
    except UnicodeDecodeError as error:
        raise BrokenFile(f"{encoding.upper()}: {error.reason}") from error


def _head(parts: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """Return the first bytes of ``parts``, and all of them again."""
    taken: list[bytes] = []
    size = 0
    try:
        while size < SAMPLE and (part := next(parts, None)) is not None:
            taken.append(part)
            size += len(part)
    except BrokenFile as error:
        return b"".join(taken), chain(taken, _raising(error))
    return b"".join(taken)[:SAMPLE], chain(taken, parts)


def _raising(error: BrokenFile) -> Iterator[bytes]:
    yield b""
    raise error


def read_text(
    file: Input, encoding: str, longest: float, content: Content, cut: Cut | None = None
) -> Iterator[Raw | Unreadable]:
    """Return the text of a file as one record, or in pieces of at most ``longest`` bytes cut at paragraph bounds.

    Pieces make it possible to hold out part of a corpus that is one large file. A piece that cannot be decoded, and
    the end of a damaged compressed file, come back as ``Unreadable``. With the encoding ``auto`` the start of the
    file decides, and another one than UTF-8 is a fact of every piece.
    """
    first = cut.first if cut and cut != WHOLE else 0
    head = b""
    if first and encoding == AUTO:
        head, _ = _head(chunks(file.path))
    yield from text_records(chunks(file.path, cut), Reading(encoding, longest, content), first, head)


def text_records(parts: Iterator[bytes], how: Reading, first: int = 0, head: bytes = b"") -> Iterator[Raw | Unreadable]:
    """Return the records of a text, see ``read_text``.

    Args:
        parts: bytes of the text, unpacked.
        how: encoding, length of the records, content.
        first: number of the block that ``parts`` start with, from 0.
        head: start of the whole text where ``parts`` start later.
    """
    start, parts = _head(parts)
    if not start:
        try:
            b"".join(parts)
        except BrokenFile as error:
            yield Unreadable("1", "damaged file", str(error))
        else:
            yield Unreadable("1", "empty file", "it has no byte")
        return
    name = how.encoding
    if name == AUTO:
        name = guess(head or start)
        if name in ("utf-16", "utf-32"):
            parts, name, how = _wide(parts, name), "utf-8", replace(how, encoding=name)
        else:
            how = replace(how, encoding=name)
    elif not first and start.startswith(_WIDE_MARKS):
        yield Unreadable("1", "not UTF-8", "the file is UTF-16; convert it to UTF-8")
        return
    facts = {} if how.encoding in ("utf-8", "ascii") else {"encoding": how.encoding}
    number = first * BLOCK_NUMBERS
    try:
        for block, inside in enumerate(blocks(parts) if how.longest else iter([parts]), first):
            number = block * BLOCK_NUMBERS
            for number, data in enumerate(pieces(inside, int(how.longest)), number + 1):  # noqa: B020
                data = data.removeprefix(codecs.BOM_UTF8) if number == 1 else data
                yield _decoded(str(number), data, name, Raw("", "", how.content, facts=facts))
    except BrokenFile as error:
        yield Unreadable(str(number + 1), "damaged file", str(error))


def _decoded(record: str, data: bytes, encoding: str, like: Raw) -> Raw | Unreadable:
    if b"\0" in data and is_binary(data):
        return Unreadable(
            record, "binary data", "over 1 % are control characters; is it text in UTF-16 without a mark?"
        )
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        return _not_decoded(record, data, error)
    return replace(like, text=text, record=record)


def field_of(row: Mapping[str, Any], name: str) -> Any:
    """Return what a field of a row holds; dots lead into fields of fields.

    Raises:
        KeyError: there is no such field.
    """
    if name in row or "." not in name:
        return row[name]
    inside: Any = row
    for part in name.split("."):
        if not isinstance(inside, Mapping):
            raise KeyError(name)
        inside = cast("Mapping[str, Any]", inside)[part]
    return inside


def _parsed(line: bytes) -> Any:
    """Return the value of a line of JSON; the fast reader first, and Python's where that one refuses."""
    import orjson

    try:
        return orjson.loads(line)
    except ValueError:
        return json.loads(line.decode("utf-8"))  # half surrogates, NaN, and the message that people know


def text_of(record: str, row: Any, how: Reading, shown: bytes = b"") -> Raw | Unreadable:
    """Return the text field of a row of JSON or of a table, or why there is none."""
    field = how.text_field
    if not isinstance(row, Mapping):
        found = (shown or json.dumps(row).encode())[:40].decode("utf-8", "replace")
        return Unreadable(record, "no JSON object", f"expected {{{field!r}: ...}}, found {found}")
    fields = cast("Mapping[str, Any]", row)
    try:
        text = field_of(fields, field)
    except KeyError:
        known = ", ".join(fields)[:200]
        return Unreadable(record, f"no field {field!r}", f"the fields are: {known}; set text_field of the source")
    if not isinstance(text, str):
        return Unreadable(record, f"field {field!r} holds no text", f"it holds {json.dumps(text, default=str)[:80]}")
    kept: dict[str, Any] = {}
    for name in how.keep:
        try:
            kept[name] = _fact(field_of(fields, name))
        except KeyError:
            continue
    return Raw(text, record, how.content, facts=kept)


def _fact(value: Any) -> Any:
    """Return a value as JSON has it: times, decimals and what is not finite as text."""
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        return str(value)
    return value


def pieces_of(whole: Raw, longest: float) -> Iterator[Raw]:
    """Return a record as it is, or in pieces called ``record.1``, ``record.2`` ... where it is too long."""
    limit = int(longest)
    if not limit or len(whole.text) * 4 <= limit:
        yield whole
        return
    try:
        data = whole.text.encode()
    except UnicodeEncodeError:
        yield whole  # half a surrogate pair: the build sets it aside, for every source alike
        return
    if len(data) <= limit:
        yield whole
        return
    for number, piece in enumerate(pieces(iter([data]), limit), 1):
        yield replace(whole, text=piece.decode(), record=f"{whole.record}.{number}")


def read_jsonl(
    file: Input, field: str, longest: float, content: Content, cut: Cut | None = None
) -> Iterator[Raw | Unreadable]:
    """Return the text of every line of a JSON-lines file; a text of more than ``longest`` bytes comes in pieces.

    The record is the number of the line from 1, with ``.1``, ``.2`` ... for its pieces. Blank lines are no records.
    """
    how = Reading(longest=longest, content=content, text_field=field)
    yield from jsonl_records(chunks(file.path, cut), how, cut.first if cut else 1)


def jsonl_records(parts: Iterator[bytes], how: Reading, first: int = 1) -> Iterator[Raw | Unreadable]:
    """Return the records of JSON lines, see ``read_jsonl``; ``first`` is the number of the first line."""
    number = first - 1
    try:
        for number, line in enumerate(split_lines(parts), first):
            if isinstance(line, LongLine):
                yield too_long(str(number), line.size)
                continue
            data = line.removeprefix(codecs.BOM_UTF8) if number == 1 else line
            if data.strip():
                yield from _line(str(number), data, how)
    except BrokenFile as error:
        yield Unreadable(str(number + 1), "damaged file", str(error))
    else:
        if first == 1 and not number:
            yield Unreadable("1", "empty file", "it has no byte")


def _line(record: str, data: bytes, how: Reading) -> Iterator[Raw | Unreadable]:
    try:
        row = _parsed(data)
    except UnicodeDecodeError as error:
        yield _not_decoded(record, data, error)
        return
    except (ValueError, RecursionError) as error:
        yield Unreadable(record, "broken JSON", str(error)[:200])
        return
    found = text_of(record, row, how, data)
    if isinstance(found, Unreadable):
        yield found
    else:
        yield from pieces_of(found, how.longest)


def too_long(record: str, size: int) -> Unreadable:
    """Return what becomes of a record that is not taken into memory."""
    return Unreadable(record, "record too long", f"over {size} bytes, where {LONGEST_RECORD} are the most")
