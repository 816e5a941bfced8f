"""Records of web archives (WARC): the pages and texts in them, whatever else they hold passed over."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Any, final

from pilotlight.corpus.extraction import decoded, guarded, page_records
from pilotlight.corpus.formats import Reading, pieces_of, too_long
from pilotlight.corpus.reading import LONGEST_RECORD, BrokenFile, chunks, compression, opened
from pilotlight.corpus.remote import base_name
from pilotlight.corpus.source import WHOLE, Cut, Input, Raw, Unreadable

WARC_ENDINGS = (".warc",)
_HTML = ("text/html", "application/xhtml+xml")
_CHUNK = 1 << 16
_HEAD = 1 << 13
_LENGTH = re.compile(rb"\r\nContent-Length:\s*(\d+)", re.IGNORECASE)


@final
class _Forward:
    """Bytes that come in parts, as the stream that the reader of archives asks for: it only goes forward."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        self._parts, self._at = parts, 0

    def read(self, size: int = -1) -> bytes:
        """Return the next part, which the caller takes to be shorter than asked for; empty at the end."""
        del size
        part = next((part for part in self._parts if part), b"")
        self._at += len(part)
        return part

    def seek(self, offset: int, whence: int = 0) -> int:
        """Refuse.

        Raises:
            UnsupportedOperation: always.
        """
        raise io.UnsupportedOperation(f"seek({offset}, {whence})")

    def tell(self) -> int:
        """Return how many bytes were read."""
        return self._at

    def close(self) -> None:
        """Close nothing: the file belongs to whoever opened it."""


def warc_cuts(file: Input, target: int) -> list[Cut]:
    """Return runs of records of about ``target`` bytes of an archive that is not compressed, found by their headers.

    Raises:
        DataError: the file cannot be opened.
    """
    if file.remote or compression(base_name(file.path)):
        return [WHOLE]
    found: list[Cut] = []
    start = at = 0
    with opened(file.path) as handle:
        while True:
            handle.seek(at)
            head = handle.read(_HEAD)
            end = head.find(b"\r\n\r\n")
            length = _LENGTH.search(head[: end + 2]) if end >= 0 and head.startswith(b"WARC/") else None
            if length is None:  # the end, or what is no record: the last cut reads it and says so
                break
            at += end + 4 + int(length[1]) + 4
            if at - start >= target:
                found.append(Cut(start=start, stop=at))
                start = at
        size = handle.seek(0, io.SEEK_END)
    if start < size or not found:
        found.append(Cut(start=start))
    return found if len(found) > 1 else [WHOLE]


def read_warc(file: Input, how: Reading, cut: Cut | None = None) -> Iterator[Raw | Unreadable]:
    """Return the pages and plain texts of a web archive; the record is the byte at which it starts in the file.

    Responses with status 200, resources and conversions are read where they are HTML or plain text. Other responses
    come back as ``Unreadable`` that is ordinary; requests, metadata and revisits are no records.
    """
    if compression(base_name(file.path)):
        with opened(file.path) as stream:
            yield from warc_records(iter(lambda: stream.read(_CHUNK), b""), how)
    else:
        yield from warc_records(chunks(file.path, cut), how, (cut or WHOLE).start)


def warc_records(parts: Iterator[bytes], how: Reading, begin: int = 0) -> Iterator[Raw | Unreadable]:
    """Return the records in the bytes of an archive from byte ``begin`` of its file on, see ``read_warc``."""
    from fastwarc.warc import ArchiveIterator, WarcRecordType

    types = WarcRecordType.response | WarcRecordType.resource | WarcRecordType.conversion
    at, number = begin, 0
    try:
        for record in ArchiveIterator(_Forward(parts), parse_http=False):
            number += 1
            at = begin + record.stream_pos
            if record.record_type & types:
                yield from _record(record, str(at), how)
    except BrokenFile as error:
        yield Unreadable(f"{at}.end", "damaged file", str(error))
    except BaseException as error:
        # the records before were handed out; where the next one begins cannot be told
        yield Unreadable(f"{at}.end" if number else str(begin), "damaged file", guarded(error))
    else:
        if not number and not begin:
            yield Unreadable("0", "empty file", "it holds no record")


def _record(record: Any, name: str, how: Reading) -> Iterator[Raw | Unreadable]:
    from fastwarc.warc import WarcRecordType

    length = record.content_length
    if length > LONGEST_RECORD:
        yield too_long(name, length)
        return
    data = record.reader.read()
    if len(data) < length or record.headers.get("Content-Length") is None:
        yield Unreadable(name, "damaged file", f"the record breaks off after {len(data)} of {length} bytes")
        return
    url = record.headers.get("WARC-Target-URI", "") or ""
    kind, charset = _kind(record.headers.get("Content-Type", "") or "")
    if record.record_type == WarcRecordType.response:
        if not kind.startswith("application/http"):
            yield Unreadable(name, "no web page", f"a response of type {kind or 'unknown'}", ordinary=True)
            return
        try:
            status, kind, charset, data = _http(record, data)
        except BaseException as error:
            yield Unreadable(name, "damaged response", guarded(error))
            return
        if status != 200:
            yield Unreadable(name, "no page, but a status", f"HTTP {status} {url}"[:200], ordinary=True)
            return
        if len(data) > LONGEST_RECORD:
            yield too_long(name, len(data))
            return
    yield from _content(data, (kind, charset, url), name, how)


def _kind(header: str) -> tuple[str, str]:
    kind, _, rest = header.partition(";")
    found = re.search(r"charset\s*=\s*[\"']?([\w.:-]+)", rest, re.IGNORECASE)
    return kind.strip().lower(), found[1] if found else ""


def _http(record: Any, data: bytes) -> tuple[int, str, str, bytes]:
    """Return status, type, character set and decoded body of an HTTP response."""
    record.set_bytes_content(data)
    record.parse_http(auto_decode="all")
    headers = record.http_headers
    kind, charset = _kind(headers.get("Content-Type", "") or "")
    return headers.status_code or 0, kind, charset, record.reader.read(LONGEST_RECORD + 1)


def _content(data: bytes, what: tuple[str, str, str], name: str, how: Reading) -> Iterator[Raw | Unreadable]:
    kind, charset, url = what
    if kind in _HTML or (not kind and data[:512].lstrip()[:14].lower().startswith((b"<!doctype html", b"<html"))):
        yield from page_records(data, how, name, charset, url)
    elif kind == "text/plain":
        text, encoding = decoded(data, charset)
        if text is None or "\0" in text[:4096]:
            yield Unreadable(name, f"not {encoding.upper()}" if text is None else "binary data", url[:200])
            return
        facts = {"url": url} if url else {}
        facts |= {} if encoding in ("utf-8", "ascii") else {"encoding": encoding}
        yield from pieces_of(Raw(text, name, how.content, facts=facts), how.longest)
    else:
        yield Unreadable(name, "no HTML or plain text", f"{kind or 'no type'} {url}"[:200], ordinary=True)
