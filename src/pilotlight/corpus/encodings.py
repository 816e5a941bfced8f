"""Which encoding a text is in: the one that is set, or the one that its bytes show."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator

from pilotlight.corpus.reading import BrokenFile

AUTO = "auto"
SAMPLE = 1 << 18
"""Bytes from the start of a text that decide about its encoding."""
_EVIDENCE = 16  # bytes above 127 before a guess is better than asking: on three or four a detector is often wrong
_UNUSED = {"iso8859-4": "cp1252"}  # what detectors take some Catalan and French for; Baltic text is in cp1257
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
_ORDERS = {
    "utf-16": (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE), "utf-32": (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE),
}  # fmt: skip
_HIGH = bytes(range(128, 256))
_CONTROLS = bytes(code for code in range(32) if code not in b"\t\n\v\f\r\x1b") + b"\x7f"


def is_wide(name: str) -> bool:
    """Return whether an encoding has two or four bytes for a line feed, so that its bytes cannot be cut at lines."""
    return name.startswith(("utf-16", "utf-32"))


def _readable(name: str) -> str:
    try:
        found = codecs.lookup(name).name if name != AUTO else AUTO
        if is_wide(found):
            return found
        if found == "utf-8":
            return found
        known = name == AUTO or "\n ".encode(name) == b"\n "
    except (LookupError, UnicodeError):
        known = False
    if not known:
        raise ValueError(
            f"{name!r} is no encoding that can be read; write auto, utf-8, utf-16-le, latin-1, cp1252 or another one whose "
            "line feeds are those of ASCII"
        )
    return name


Encoding = Annotated[str, AfterValidator(_readable)]
"""Name of an encoding whose line feeds and spaces are those of ASCII, of UTF-16 or UTF-32, or ``auto``."""


def marked(data: bytes) -> str:
    """Return the encoding that a byte order mark at the start of ``data`` tells, or an empty string."""
    return next((name for mark, name in _MARKS if data.startswith(mark)), "")


def as_utf8(parts: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    """Return text in an encoding of wide characters as UTF-8; without mark and order of bytes it is little-endian.

    Raises:
        BrokenFile: ``parts`` raised it, or bytes are no such text; what came before was handed out.
    """
    start = b""
    while len(start) < 4 and (part := next(parts, None)) is not None:
        start += part
    if encoding in ("utf-16", "utf-32"):
        little, big = _ORDERS[encoding]
        encoding += "-be" if start.startswith(big) and not start.startswith(little) else "-le"
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    try:
        yield decoder.decode(start).encode("utf-8", "surrogatepass")
        for part in parts:
            yield decoder.decode(part).encode("utf-8", "surrogatepass")
        yield decoder.decode(b"", True).encode()
    except UnicodeDecodeError as error:
        yield error.object[: error.start].decode(encoding, "ignore").encode()
        raise BrokenFile(f"{encoding.upper()}: {error.reason}") from error


def is_binary(data: bytes) -> bool:
    """Return whether more than one byte in a hundred is a control character that text does not have."""
    return (len(data) - len(data.translate(None, _CONTROLS))) * 100 > len(data)


def whole_characters(data: bytes) -> bytes:
    """Return ``data`` without a character of UTF-8 that breaks off at its end."""
    for back in range(1, min(4, len(data)) + 1):
        byte = data[-back]
        if byte >= 0xC0:
            return data[:-back] if back < (2 if byte < 0xE0 else 3 if byte < 0xF0 else 4) else data
        if byte < 0x80:
            break
    return data


def is_utf8(data: bytes) -> bool:
    """Return whether ``data``, which may break off inside a character, is UTF-8."""
    try:
        whole_characters(data).decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _mostly_utf8(data: bytes) -> bool:
    """Return whether damage, and not another encoding, is why ``data`` is no UTF-8: most of its marks are valid."""
    high = len(data) - len(data.translate(None, _HIGH))
    valid = data.decode("utf-8", "ignore")
    return sum(len(character.encode()) for character in valid if character > "\x7f") * 2 > high


def guess(data: bytes) -> str:
    """Return the encoding of the start of a text: UTF-8 where it fits, else what the bytes show.

    The result is ``utf-8`` too where there are too few bytes above 127 to tell, so that the text is set aside and
    asked about instead of being read wrongly. ISO 8859-1 is read as Windows-1252, as browsers do.
    """
    if name := marked(data):
        return name
    if is_utf8(data):
        return "utf-8"
    high = len(data) - len(data.translate(None, _HIGH))
    if high < _EVIDENCE or is_binary(data) or _mostly_utf8(data):
        return "utf-8"
    from resiliparse.parse.encoding import detect_encoding

    name = detect_encoding(data, max_len=0)
    try:
        found = codecs.lookup(name or "utf-8").name
        data[:1].decode(found, "ignore")
        return _UNUSED.get(found, found)
    except (LookupError, UnicodeError):
        return "utf-8"


def web_encoding(label: str) -> str:
    """Return Python's name of an encoding that a web page declares, read as browsers do; empty where unknown."""
    from resiliparse.parse.encoding import map_encoding_to_html5

    return map_encoding_to_html5(label.strip().strip("\"'").lower(), fallback_utf8=False) or ""
