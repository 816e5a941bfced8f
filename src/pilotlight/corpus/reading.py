"""Bytes and lines of plain, gzip and Zstandard files, read as far as they are whole."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, final

from pilotlight.corpus.source import Input
from pilotlight.errors import DataError

COMPRESSIONS = (".gz", ".zst")
_CHUNK = 1 << 16


@final
class BrokenFile(Exception):
    """The compressed data breaks off or is damaged; everything before was handed out."""


def plain_name(name: str) -> str:
    """Return a file name without the ending of its compression, in small letters or capitals."""
    ending = compression(name)
    return name[: -len(ending)] if ending else name


def compression(name: str) -> str:
    """Return the ending that says how a file is compressed, in small letters; empty where it is not."""
    return next((ending for ending in COMPRESSIONS if name.lower().endswith(ending)), "")


def open_bytes(path: Path) -> IO[bytes]:
    """Return the file opened for reading.

    Raises:
        DataError: the file is missing or may not be read.
    """
    try:
        return path.open("rb")
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise DataError(
            f"{path} cannot be read ({reason}). Expected a readable text file; check path and rights."
        ) from error


def _unzip(file: IO[bytes]) -> Iterator[bytes]:
    """Yield what gzip members hold; a member that breaks off still gives all it had."""
    decoder: Any = None
    while data := file.read(_CHUNK):
        while data:
            if decoder is None:
                decoder = zlib.decompressobj(wbits=31)
            try:
                yield decoder.decompress(data)
            except zlib.error as error:
                raise BrokenFile(f"gzip: {error}") from error
            data, done = decoder.unused_data, decoder.eof
            if done:
                decoder = None
                data = data.lstrip(b"\0")  # padding after the last member is allowed
    if decoder is not None:
        raise BrokenFile("gzip: the file breaks off before its end")


def _unzstd(file: IO[bytes]) -> Iterator[bytes]:
    """Yield what Zstandard frames hold."""
    import zstandard

    decoder: Any = None
    while data := file.read(_CHUNK):
        while data:
            if decoder is None:
                decoder = zstandard.ZstdDecompressor().decompressobj()
            try:
                yield decoder.decompress(data)
            except zstandard.ZstdError as error:
                raise BrokenFile(f"Zstandard: {error}") from error
            data, done = decoder.unused_data, decoder.eof
            decoder = None if done else decoder
    if decoder is not None:
        raise BrokenFile("Zstandard: the file breaks off before its end")


def chunks(path: Path) -> Iterator[bytes]:
    """Return the unpacked bytes of a file in chunks, unpacking by the ending of its name.

    Raises:
        DataError: the file cannot be opened or read.
        BrokenFile: compressed data is damaged; raised after everything before the damage.
    """
    with open_bytes(path) as file:
        try:
            packed = compression(path.name)
            if packed == ".gz":
                yield from _unzip(file)
            elif packed == ".zst":
                yield from _unzstd(file)
            else:
                while data := file.read(_CHUNK):
                    yield data
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise DataError(f"{path} cannot be read ({reason}). Check the disk, or remove the file.") from error


def lines(path: Path) -> Iterator[bytes]:
    r"""Return the lines of a file without their ends, split at ``\n`` only (JSON text may hold other separators).

    Raises:
        DataError: the file cannot be opened or read.
        BrokenFile: compressed data is damaged; raised after the last whole line before the damage.
    """
    rest: list[bytes] = []
    for chunk in chunks(path):
        *whole, last = chunk.split(b"\n")
        for line in whole:
            yield b"".join((*rest, line))
            rest.clear()
        rest.append(last)
    if final_line := b"".join(rest):
        yield final_line


def shown_name(path: Path) -> str:
    """Return a path with forward slashes as valid Unicode, whatever bytes the file system holds."""
    return os.fsencode(path.as_posix()).decode("utf-8", "backslashreplace")


def walk(folder: Path, passed_over: frozenset[str] = frozenset()) -> list[Input]:
    """Return every file below a folder, sorted by relative path; hidden ones and links to folders are left out.

    Folders called one of ``passed_over`` are not entered.

    Raises:
        DataError: a folder may not be listed.
    """

    def refuse(error: OSError) -> None:
        raise DataError(f"{error.filename} cannot be listed ({error.strerror}). Check its rights.") from error

    found: list[Input] = []
    for parent, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".") and name not in passed_over]
        paths = [Path(parent, name) for name in names if not name.startswith(".")]
        found += [Input(path, shown_name(path.relative_to(folder))) for path in paths if path.is_file()]
    return sorted(found, key=lambda file: file.relative)
