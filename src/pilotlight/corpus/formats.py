"""Records of text and JSON-lines files: decoded, cut where they are too long, set aside where they are broken."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from typing import Annotated, Any, cast

from pydantic import AfterValidator

from pilotlight.corpus.reading import BrokenFile, chunks, lines
from pilotlight.corpus.source import Content, Input, Raw, Unreadable

TEXT_ENDINGS = (".txt", ".md", ".markdown", ".text", ".rst")
JSONL_ENDINGS = (".jsonl", ".ndjson")
LONGEST = 64_000.0
_WIDE_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def _cuttable(name: str) -> str:
    try:
        known = "\n ".encode(name) == b"\n "
    except (LookupError, UnicodeError):
        known = False
    if not known:
        raise ValueError(
            f"{name!r} is no encoding that can be read; write utf-8, latin-1, cp1252 or another one of bytes"
        )
    return name


Encoding = Annotated[str, AfterValidator(_cuttable)]


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
            while limit and len(held) > limit:
                at = _cut(held, limit)
                yield bytes(held[:at])
                del held[:at]
    except BrokenFile as error:
        broken = error
    if held:
        yield bytes(held)
    if broken:
        raise broken


def _not_decoded(record: str, data: bytes, error: UnicodeDecodeError) -> Unreadable:
    detail = f"byte 0x{data[error.start]:02x} at {error.start}; convert the file, or set the encoding of the source"
    return Unreadable(record, f"not {error.encoding.upper()}", detail)


def read_text(file: Input, encoding: str, longest: float, content: Content) -> Iterator[Raw | Unreadable]:
    """Return the text of a file as one record, or in pieces of at most ``longest`` bytes cut at paragraph bounds.

    Pieces make it possible to hold out part of a corpus that is one large file. A piece that cannot be decoded, and
    the end of a damaged compressed file, come back as ``Unreadable``.
    """
    number = 0
    try:
        for number, data in enumerate(pieces(chunks(file.path), int(longest)), 1):
            if number == 1 and data.startswith(_WIDE_MARKS):
                yield Unreadable("1", "not UTF-8", "the file is UTF-16; convert it to UTF-8")
                return
            try:
                text = data.removeprefix(codecs.BOM_UTF8 if number == 1 else b"").decode(encoding)
            except UnicodeDecodeError as error:
                yield _not_decoded(str(number), data, error)
            else:
                yield Raw(text, str(number), content)
    except BrokenFile as error:
        yield Unreadable(str(number + 1), "damaged file", str(error))


def _text_of(record: str, line: bytes, field: str) -> str | Unreadable:
    """Return the text field of one JSON line, or why there is none."""
    try:
        row: Any = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        return _not_decoded(record, line, error)
    except (ValueError, RecursionError) as error:
        return Unreadable(record, "broken JSON", str(error)[:200])
    if not isinstance(row, dict):
        return Unreadable(
            record, "no JSON object", f"expected {{{field!r}: ...}}, found {line[:40].decode('utf-8', 'replace')}"
        )
    fields = cast("dict[str, Any]", row)
    if field not in fields:
        known = ", ".join(fields)[:200]
        return Unreadable(record, f"no field {field!r}", f"the fields are: {known}; set text_field of the source")
    text = fields[field]
    if not isinstance(text, str):
        return Unreadable(record, f"field {field!r} holds no text", f"it holds {json.dumps(text)[:80]}")
    return text


def _pieces_of(text: str, line: str, longest: float, content: Content) -> Iterator[Raw | Unreadable]:
    limit = int(longest)
    if not limit or len(text) * 4 <= limit:
        yield Raw(text, line, content)
        return
    try:
        data = text.encode()
    except UnicodeEncodeError:
        yield Raw(text, line, content)  # half a surrogate pair: the build sets it aside, for every source alike
        return
    if len(data) <= limit:
        yield Raw(text, line, content)
        return
    for number, piece in enumerate(pieces(iter([data]), limit), 1):
        yield Raw(piece.decode(), f"{line}.{number}", content)


def read_jsonl(file: Input, field: str, longest: float, content: Content) -> Iterator[Raw | Unreadable]:
    """Return the text of every line of a JSON-lines file; a text of more than ``longest`` bytes comes in pieces.

    The record is the number of the line from 1, with ``.1``, ``.2`` ... for its pieces. Blank lines are no records.
    """
    number = 0
    try:
        for number, line in enumerate(lines(file.path), 1):
            data = line.removeprefix(codecs.BOM_UTF8) if number == 1 else line
            if not data.strip():
                continue
            text = _text_of(str(number), data, field)
            if isinstance(text, Unreadable):
                yield text
            else:
                yield from _pieces_of(text, str(number), longest, content)
    except BrokenFile as error:
        yield Unreadable(str(number + 1), "damaged file", str(error))
