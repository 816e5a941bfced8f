"""Which reader takes a file: by the ending of its name, the same in folders, patterns and zip files."""

from __future__ import annotations

import codecs
import io
import lzma
import shutil
import stat
import tempfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any, cast

from pilotlight.corpus.encodings import AUTO, SAMPLE
from pilotlight.corpus.extraction import HTML_ENDINGS, html_records
from pilotlight.corpus.formats import (
    JSON_ENDINGS,
    JSONL_ENDINGS,
    TEXT_ENDINGS,
    Reading,
    contradiction,
    encoding_of,
    not_decoded,
    pieces_of,
    read_text,
    text_cuts,
    text_of,
    text_records,
    too_long,
)  # fmt: skip
from pilotlight.corpus.json_lines import jsonl_cuts, jsonl_records, read_jsonl
from pilotlight.corpus.reading import (
    LONGEST_RECORD,
    BrokenFile,
    Expansion,
    PartsFile,
    chunks,
    opened,
    plain_name,
    unpacked,
)  # fmt: skip
from pilotlight.corpus.remote import Barred
from pilotlight.corpus.source import WHOLE, Cut, Input, Raw, Unreadable, may_not_be_read
from pilotlight.corpus.tables import (
    CSV_ENDINGS,
    PARQUET_ENDINGS,
    csv_records,
    parquet_cuts,
    parquet_records,
    read_parquet,
)  # fmt: skip
from pilotlight.corpus.web_archives import WARC_ENDINGS, read_warc, warc_cuts, warc_records

ZIP_ENDINGS = (".zip",)
FORMATS = {
    "text": TEXT_ENDINGS, "jsonl": JSONL_ENDINGS, "json": JSON_ENDINGS, "html": HTML_ENDINGS, "csv": CSV_ENDINGS,
    "parquet": PARQUET_ENDINGS, "warc": WARC_ENDINGS, "zip": ZIP_ENDINGS,
}  # fmt: skip
_UNPACKED_BY_READER = ("parquet", "zip")
_CHUNK = 1 << 16


def format_of(name: str) -> str:
    """Return the format of a file by the ending of its name; empty where no reader takes it."""
    lower = name.lower()
    plain = plain_name(lower)
    found = next((kind for kind, endings in FORMATS.items() if plain.endswith(endings)), "")
    return "" if found in _UNPACKED_BY_READER and plain != lower else found


def ending_of(name: str) -> str:
    """Return the ending that a file is counted by where it is not read."""
    return PurePosixPath(plain_name(name)).suffix.lower() or "(no ending)"


def cut_file(file: Input, target: int, kind: str = "", encoding: str = AUTO) -> list[Cut]:
    """Return the parts of about ``target`` bytes in which a file of a format can be read; see ``Source.cuts``.

    Raises:
        DataError: the file cannot be opened.
    """
    kind = kind or format_of(file.relative)
    target = max(target, 1)
    if kind in ("text", "jsonl"):
        return (text_cuts if kind == "text" else jsonl_cuts)(file, target, encoding)
    ways = {"parquet": parquet_cuts, "warc": warc_cuts, "zip": zip_cuts}
    return ways[kind](file, target) if kind in ways else [WHOLE]


def read_file(
    file: Input, how: Reading, cut: Cut | None = None, kind: str = "", delimiter: str = ""
) -> Iterator[Raw | Unreadable]:
    """Return the records of a file, or of a cut of it, in its format (by default that of its ending).

    A file, or folder of files, whose rights forbid to read it is one record.
    """
    try:
        yield from _opened_file(file, how, cut, kind or format_of(file.relative), delimiter)
    except Barred as error:
        yield may_not_be_read(error)


def _opened_file(file: Input, how: Reading, cut: Cut | None, kind: str, delimiter: str) -> Iterator[Raw | Unreadable]:
    if file.unlisted or kind == "text":
        yield from read_text(file, how.encoding, how.longest, how.content, cut)
    elif kind == "jsonl":
        yield from read_jsonl(file, how, cut)
    elif kind == "parquet":
        yield from read_parquet(file, how, cut)
    elif kind == "warc":
        yield from read_warc(file, how, cut)
    elif kind == "zip":
        yield from read_zip(file, how, cut)
    else:
        yield from part_records(kind, chunks(file.path), how, file.relative, delimiter)


def part_records(
    kind: str, parts: Iterator[bytes], how: Reading, name: str, delimiter: str = ""
) -> Iterator[Raw | Unreadable]:
    """Return the records of unpacked bytes that come in parts, in a format; ``name`` is that of the file."""
    if kind == "text":
        yield from text_records(parts, how)
    elif kind == "jsonl":
        yield from jsonl_records(parts, how)
    elif kind == "html":
        yield from html_records(parts, how)
    elif kind == "json":
        yield from json_records(parts, how)
    elif kind == "csv":
        yield from csv_records(parts, how, delimiter or ("\t" if plain_name(name.lower()).endswith(".tsv") else ""))
    elif kind == "warc":
        yield from warc_records(parts, how)
    elif kind == "parquet":
        yield from _spooled(parts, how)
    else:
        yield Unreadable("1", "archive inside an archive", "unpack it first")


def _spooled(parts: Iterator[bytes], how: Reading) -> Iterator[Raw | Unreadable]:
    """Yield the records of Parquet that cannot be positioned in, through a file on the local disk."""
    with tempfile.TemporaryFile() as file:
        try:
            shutil.copyfileobj(io.BufferedReader(PartsFile(parts)), file)
        except BrokenFile as error:
            yield Unreadable("1", "damaged file", str(error))
            return
        file.seek(0)
        yield from parquet_records(file, how)


def json_records(parts: Iterator[bytes], how: Reading) -> Iterator[Raw | Unreadable]:
    """Return the objects of a JSON array, numbered from 1, or one object; JSON lines under this name are read too."""
    import orjson

    held = bytearray()
    broken = ""
    try:
        for part in parts:
            held += part
            if len(held) > LONGEST_RECORD:
                yield too_long("1", len(held))
                return
    except BrokenFile as error:
        broken = str(error)
    data, facts = _json_text(bytes(held), how)
    if isinstance(data, Unreadable):
        yield replace(data, reason="damaged file", detail=broken) if broken else data
        return
    try:
        found: Any = orjson.loads(data)
    except ValueError as error:
        if not broken and data.count(b"\n") and not data.lstrip().startswith(b"[") and _first_line_is_json(data):
            yield from jsonl_records(iter([bytes(held)]), how)
            return
        reason = "damaged file" if broken else "broken JSON" if data.strip() else "empty file"
        yield Unreadable("1", reason, broken or str(error)[:200])
        return
    rows = cast("list[Any]", found) if isinstance(found, list) else [found]
    for number, row in enumerate(rows, 1):
        record = text_of(str(number), row, how)
        if isinstance(record, Unreadable):
            yield record
        else:
            yield from pieces_of(replace(record, facts={**facts, **record.facts}), how.longest)


def _json_text(data: bytes, how: Reading) -> tuple[bytes | Unreadable, dict[str, Any]]:
    """Return JSON as UTF-8 without mark, or why it is none; and its encoding as a fact where it is another one."""
    if wrong := contradiction(data, how.encoding):
        return wrong, {}
    name = encoding_of(data[:SAMPLE], how.encoding)
    if name in ("utf-8", "ascii"):
        return data.removeprefix(codecs.BOM_UTF8), {}
    try:
        return data.decode(name).removeprefix("\ufeff").encode(), {"encoding": name}
    except UnicodeDecodeError as error:
        return not_decoded("1", error, name), {}


def _first_line_is_json(data: bytes) -> bool:
    import orjson

    line = bytes(data.lstrip().partition(b"\n")[0])
    try:
        return isinstance(orjson.loads(line), dict)
    except ValueError:
        return False


def _members(archive: zipfile.ZipFile) -> list[tuple[str, zipfile.ZipInfo]]:
    """Return the files of an archive in its order, with names that are unique; hidden ones are left out."""
    seen: Counter[str] = Counter()
    found: list[tuple[str, zipfile.ZipInfo]] = []
    for info in archive.infolist():
        parts = PurePosixPath(info.filename).parts
        hidden = any((part.startswith(".") and part != "..") or part == "__MACOSX" for part in parts)
        if info.is_dir() or hidden or stat.S_ISLNK(info.external_attr >> 16):
            continue
        name = info.filename.encode("utf-8", "backslashreplace").decode()
        seen[name] += 1
        found.append((name if seen[name] == 1 else f"{name} ({seen[name]})", info))
    return found


def zip_cuts(file: Input, target: int) -> list[Cut]:
    """Return runs of members of about ``target`` packed bytes.

    Raises:
        DataError: the file cannot be opened.
    """
    found: list[Cut] = []
    try:
        with opened(file.path) as handle, zipfile.ZipFile(handle) as archive:
            members = _members(archive)
    except (zipfile.BadZipFile, RuntimeError, ValueError):
        return [WHOLE]  # reading it says why
    start = held = 0
    for number, (_, info) in enumerate(members, 1):
        held += info.compress_size
        if held >= target or number == len(members):
            found.append(Cut(start=start, stop=number))
            start, held = number, 0
    return found if len(found) > 1 else [WHOLE]


def zip_passed_over(file: Input) -> Counter[str]:
    """Return how many members of a zip file no reader takes, by ending."""
    try:
        with opened(file.path) as handle, zipfile.ZipFile(handle) as archive:
            return Counter(ending_of(name) for name, _ in _members(archive) if not format_of(name))
    except (Barred, zipfile.BadZipFile, RuntimeError, ValueError):
        return Counter()


def read_zip(file: Input, how: Reading, cut: Cut | None = None) -> Iterator[Raw | Unreadable]:
    """Return the records of the members of a zip file, each read by its ending, called ``folder/member:record``.

    A member that is encrypted or damaged is one ``Unreadable``; the others are read.
    """
    try:
        with opened(file.path) as handle, zipfile.ZipFile(handle) as archive:
            cut = cut or WHOLE
            for name, info in _members(archive)[cut.start : cut.stop]:
                kind = format_of(info.filename)
                if not kind:
                    continue
                if info.flag_bits & 1:
                    yield Unreadable(name, "encrypted", "it needs a password; unpack it first")
                    continue
                for record in part_records(kind, _member(archive, info), how, info.filename):
                    yield replace(record, record=f"{name}:{record.record}")
    except (zipfile.BadZipFile, RuntimeError, ValueError, EOFError) as error:
        yield Unreadable("archive", "damaged file", f"zip: {error}"[:200])


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    """Yield the unpacked bytes of a member.

    Raises:
        BrokenFile: it is damaged, or unpacks without end.
    """
    expansion = Expansion(info.compress_size)
    try:
        with archive.open(info) as handle:
            for part in unpacked(cast("Any", handle), info.filename):
                expansion.check(len(part))
                yield part
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, RuntimeError, ValueError) as error:
        raise BrokenFile(f"zip: {error}"[:200]) from error
