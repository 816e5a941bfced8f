"""Records of text and JSON files: decoded, cut where they are too long, set aside where they are broken."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, cast, final

from pilotlight.corpus.encodings import AUTO, SAMPLE, as_utf8, guess, is_binary, is_wide, marked, whole_characters
from pilotlight.corpus.reading import LONGEST_RECORD, BrokenFile, chunks, compression, opened
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
_SHOWN = 200  # characters of the names of fields in a message
_WINDOW = 1 << 16  # bytes after the end of a block in which a line may end


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
    header: bool = True
    """Whether the first row of a table as text names its columns; else they are called 1, 2 ..."""


def _cut(data: bytes | bytearray, limit: int) -> int:
    """Return where to cut so that at most ``limit`` bytes stand before: after a paragraph, line, word or character."""
    for separator in (b"\n\n", b"\n\r\n", b"\n", b" "):
        found = data.rfind(separator, limit // 2, limit)
        if found >= 0:
            return found + len(separator)
    return next((at for at in range(limit, max(limit - 4, 0), -1) if data[at] & 0xC0 != 0x80), limit)


def _last_bound(data: bytearray) -> int:
    """Return where the last whole line of ``data`` ends, or its last whole word, or its last whole character."""
    found = data.rfind(b"\n") + 1 or data.rfind(b" ") + 1
    return found or len(whole_characters(bytes(data[-4:]))) + max(len(data) - 4, 0)


def pieces(parts: Iterator[bytes], limit: int) -> Iterator[bytes]:
    """Return the bytes of ``parts`` in pieces of at most ``limit`` bytes (0: one piece), cut at paragraph bounds.

    The pieces joined are the parts joined. Where they break off, the last piece ends with the last whole line (or
    word, or character) before.

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
        del held[_last_bound(held) :]
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
    broken: BrokenFile | None = None

    def following() -> bytes | None:
        nonlocal broken
        try:
            return next(parts, None)
        except BrokenFile as error:
            broken = error
            return None

    def block(due: int) -> Iterator[bytes]:
        nonlocal begin, more
        while more and begin + len(held) < due + _WINDOW + 4:
            part = following()
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
        if broken and not held:
            raise broken

    while more or held:
        number += 1
        yield block(number * BLOCK)


def text_cuts(file: Input, target: int, encoding: str = AUTO) -> list[Cut]:
    """Return byte ranges of whole blocks, about ``target`` bytes each; ``first`` is the number of the block from 0.

    A text in an encoding of wide characters is one part: it is read through one decoder.

    Raises:
        DataError: the file cannot be opened.
    """
    if file.remote or compression(base_name(file.path)) or size_of(file.path) <= max(BLOCK, target) + _WINDOW:
        return [WHOLE]
    found: list[Cut] = []
    step = max(target // BLOCK, 1)
    start, first, size = 0, 0, size_of(file.path)
    with opened(file.path) as handle:
        sample = handle.read(SAMPLE)
        if is_wide(encoding_of(sample, encoding)) or is_wide(marked(sample)):
            return [WHOLE]
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


def encoding_of(start: bytes, encoding: str) -> str:
    """Return the encoding that is set, or the one that the start of a text shows."""
    return guess(start) if encoding == AUTO else encoding


def not_decoded(record: str, error: UnicodeDecodeError, encoding: str) -> Unreadable:
    """Return what becomes of a record that does not fit its encoding."""
    byte = error.object[error.start]
    detail = f"byte 0x{byte:02x} at {error.start}; convert the file, or set the encoding of the source"
    return Unreadable(record, f"not {encoding.upper()}", detail)


def contradiction(start: bytes, encoding: str) -> Unreadable | None:
    """Return why a text cannot be in the encoding that is set: its mark tells of another one; or None."""
    mark = marked(start)
    if encoding == AUTO or not is_wide(mark) or encoding.startswith(mark):
        return None
    shown = mark.upper()
    return Unreadable("1", f"not {encoding.upper()}", f"the file is {shown}; leave encoding out, or convert the file")


def head_of(parts: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """Return up to ``SAMPLE`` first bytes of ``parts``, and all of them again."""
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
    file decides, and another one than UTF-8 is a fact of every piece. Of a compressed file that is damaged, all whole
    lines before the damage are kept.
    """
    first = cut.first if cut and cut != WHOLE else 0
    head = b""
    if first and encoding == AUTO:
        head, _ = head_of(chunks(file.path))
    yield from text_records(chunks(file.path, cut), Reading(encoding, longest, content), first, head)


def text_records(parts: Iterator[bytes], how: Reading, first: int = 0, head: bytes = b"") -> Iterator[Raw | Unreadable]:
    """Return the records of a text, see ``read_text``.

    Args:
        parts: bytes of the text, unpacked.
        how: encoding, length of the records, content.
        first: number of the block that ``parts`` start with, from 0.
        head: start of the whole text where ``parts`` start later.
    """
    start, parts = head_of(parts)
    if not start:
        try:
            b"".join(parts)
        except BrokenFile as error:
            yield Unreadable("1", "damaged file", str(error))
        else:
            yield Unreadable("1", "empty file", "it has no byte")
        return
    if not first and (wrong := contradiction(start, how.encoding)):
        yield wrong
        return
    name = encoding_of(head or start, how.encoding)
    facts = {} if name in ("utf-8", "ascii") else {"encoding": name}
    if is_wide(name):
        parts, name = as_utf8(parts, name), "utf-8"
    number = first * BLOCK_NUMBERS
    try:
        for block, inside in enumerate(blocks(parts) if how.longest else iter([parts]), first):
            number = block * BLOCK_NUMBERS
            for number, data in enumerate(pieces(inside, int(how.longest)), number + 1):  # noqa: B020
                data = data.removeprefix(codecs.BOM_UTF8) if number == 1 else data
                yield _decoded(str(number), data, name, Raw("", "", how.content, facts=facts))
    except BrokenFile as error:
        yield Unreadable(str(number + 1), "damaged file", str(error))


def binary(record: str) -> Unreadable:
    """Return what becomes of a record that is no text, or text in a wide encoding that does not say so."""
    way = "if it is UTF-16 without a mark, set the encoding of the source to utf-16-le or utf-16-be"
    return Unreadable(record, "binary data", f"over 1 % are control characters; {way}")


def _decoded(record: str, data: bytes, encoding: str, like: Raw) -> Raw | Unreadable:
    if b"\0" in data and is_binary(data):
        return binary(record)
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        return not_decoded(record, error, encoding)
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


def _flat(fields: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield names and values of fields, those of fields inside fields as ``outer.inner``."""
    for name, value in fields.items():
        if isinstance(value, Mapping):
            yield from ((f"{name}.{inner}", item) for inner, item in cast("Mapping[str, Any]", value).items())
        else:
            yield name, value


def _known(fields: Mapping[str, Any], told: str) -> str:
    names = ", ".join(name for name, _ in _flat(fields))
    shown = names if len(names) <= _SHOWN else f"{names[:_SHOWN]} ..."
    return f"{told}: {shown or 'none'}; set text_field of the source"


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
        return Unreadable(record, f"no field {field!r}", _known(fields, "the fields are"))
    if isinstance(text, bytes):
        try:
            text = text.decode()
        except UnicodeDecodeError as error:
            return Unreadable(
                record, "not UTF-8", f"field {field!r} holds byte 0x{text[error.start]:02x} at {error.start}"
            )
    if not isinstance(text, str):
        held = f"it holds {json.dumps(text, default=str)[:80]}"
        others = {name: value for name, value in _flat(fields) if isinstance(value, str)}
        known = _known(others, "fields with text are") if others else "no field of it holds text"
        return Unreadable(record, f"field {field!r} holds no text", f"{held}; {known}")
    kept: dict[str, Any] = {}
    for name in how.keep:
        try:
            kept[name] = _fact(field_of(fields, name))
        except KeyError:
            continue
    return Raw(text, record, how.content, facts=kept)


def _fact(value: Any) -> Any:
    """Return a value as JSON has it: times, decimals, bytes and what is not finite as text."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
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


def too_long(record: str, size: int) -> Unreadable:
    """Return what becomes of a record that is not taken into memory."""
    return Unreadable(record, "record too long", f"over {size} bytes, where {LONGEST_RECORD} are the most")
