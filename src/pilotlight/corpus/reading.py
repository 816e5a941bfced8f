"""Bytes and lines of plain, gzip and Zstandard files, read as far as they are whole."""

from __future__ import annotations

import io
import zlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, final

from pilotlight.corpus.listing import shown_name
from pilotlight.corpus.listing import walk as walk  # those who read files find it here
from pilotlight.corpus.remote import Barred, base_name, is_address, open_address
from pilotlight.corpus.source import WHOLE, Cut
from pilotlight.errors import DataError

COMPRESSIONS = (".gz", ".zst")
LONGEST_RECORD = 100_000_000
"""Bytes of the longest line, page or member that is taken into memory; a longer one is set aside."""
MOST_EXPANSION = 1000
"""Unpacked bytes per packed one that text never reaches: deflate ends near 1,032, ordinary text below 20."""
_CHUNK = 1 << 16
_UNPACKED = 1 << 20
_FRAME_PART = 1 << 12  # packed bytes given to Zstandard at once: even then they may unpack to 128 MB
_CHECKSUM = 4  # bytes at the end of a frame
_BOMB = 1 << 28  # unpacked bytes before expansion is judged


@final
class BrokenFile(Exception):
    """The compressed data breaks off or is damaged; everything before was handed out."""


@final
class LongLine:
    """Stands for a line of more bytes than are taken into memory."""

    def __init__(self, size: int) -> None:
        self.size = size


@final
class PartsFile(io.RawIOBase):
    """Bytes that come in parts, as a file that can be read once."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        super().__init__()
        self._parts, self._held = parts, memoryview(b"")

    def readable(self) -> bool:
        """Return true."""
        return True

    def readinto(self, buffer: Any, /) -> int:
        """Return how many bytes were put into ``buffer``; 0 at the end."""
        while not self._held:
            part = next(self._parts, None)
            if part is None:
                return 0
            self._held = memoryview(part)
        size = min(len(buffer), len(self._held))
        buffer[:size] = self._held[:size]
        self._held = self._held[size:]
        return size


def plain_name(name: str) -> str:
    """Return a file name without the ending of its compression, in small letters or capitals."""
    ending = compression(name)
    return name[: -len(ending)] if ending else name


def compression(name: str) -> str:
    """Return the ending that says how a file is compressed, in small letters; empty where it is not."""
    return next((ending for ending in COMPRESSIONS if name.lower().endswith(ending)), "")


def open_bytes(path: Path | str) -> IO[bytes]:
    """Return the file at a path or an address opened for reading: the only place where sources open files.

    Raises:
        Barred: its rights forbid to read it, or it is a folder.
        ConfigError: a package for such addresses is not installed.
        DataError: the file is missing or cannot be opened.
    """
    if is_address(path):
        return open_address(str(path))
    try:
        return Path(path).open("rb")
    except (PermissionError, IsADirectoryError) as error:
        raise Barred(path, error.strerror) from error
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise DataError(
            f"{shown_name(Path(path))} cannot be read ({reason}). Expected a readable text file; check path and rights."
        ) from error


@contextmanager
def opened(path: Path | str) -> Generator[IO[bytes]]:
    """Return the file opened; what the disk or the network does to it while it is read becomes a DataError.

    Raises:
        DataError: the file cannot be opened or read.
    """
    with open_bytes(path) as file:
        try:
            yield file
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise DataError(f"{path} cannot be read ({reason}). Check the disk, or remove the file.") from error


@final
class Expansion:
    """Counts packed and unpacked bytes, and refuses data that was made to fill a disk."""

    def __init__(self, packed: int = 0) -> None:
        self.packed, self.unpacked = packed, 0

    def check(self, unpacked: int) -> None:
        """Return if ``unpacked`` more bytes are still believable.

        Raises:
            BrokenFile: they are not.
        """
        self.unpacked += unpacked
        if self.unpacked > _BOMB and self.unpacked > MOST_EXPANSION * self.packed:
            raise BrokenFile(f"it unpacks to more than {MOST_EXPANSION} times its size, as text never does")


def _before_damage(decoder: Any, data: bytes) -> Iterator[bytes]:
    """Yield what a decoder makes of ``data`` up to the byte at which it refuses."""
    try:
        for at in range(len(data)):
            yield decoder.decompress(data[at : at + 1])
    except zlib.error:
        return


def gzip_parts(file: IO[bytes]) -> Iterator[bytes]:
    """Return what gzip members hold; one that breaks off or has a wrong checksum still gives all that was unpacked.

    Raises:
        BrokenFile: the data is damaged, breaks off, or unpacks without end.
    """
    decoder: Any = None
    expansion = Expansion()
    while data := file.read(_CHUNK):
        expansion.packed += len(data)
        while data:
            if decoder is None:
                decoder = zlib.decompressobj(wbits=31)
            before = decoder.copy()
            try:
                part = decoder.decompress(data, _UNPACKED)
            except zlib.error as error:
                yield from _before_damage(before, data)
                raise BrokenFile(f"gzip: {error}") from error
            expansion.check(len(part))
            yield part
            done = decoder.eof
            data = decoder.unused_data if done else decoder.unconsumed_tail
            if done:
                decoder = None
                data = data.lstrip(b"\0")  # padding after the last member is allowed
    if decoder is not None:
        if part := decoder.flush():
            yield part
        if not decoder.eof:
            raise BrokenFile("gzip: the file breaks off before its end")


def _but_checksum(file: IO[bytes]) -> Iterator[bytes]:
    """Yield the bytes of a file in parts, the checksum at its end apart: a part that is refused gives nothing."""
    held = b""
    while data := file.read(_FRAME_PART):
        held += data
        yield held[:-_CHECKSUM]
        held = held[-_CHECKSUM:]
    yield held


def zstd_parts(file: IO[bytes]) -> Iterator[bytes]:
    """Return what Zstandard frames hold; a frame that breaks off gives its whole blocks (of up to 128 kB).

    Raises:
        BrokenFile: the data is damaged, breaks off, or unpacks without end.
    """
    import zstandard

    decoder: Any = None
    expansion = Expansion()
    for data in _but_checksum(file):
        expansion.packed += len(data)
        while data:
            if decoder is None:
                decoder = zstandard.ZstdDecompressor().decompressobj()
            try:
                part = decoder.decompress(data)
            except (zstandard.ZstdError, MemoryError) as error:
                raise BrokenFile(f"Zstandard: {error}") from error
            expansion.check(len(part))
            yield part
            data, done = decoder.unused_data, decoder.eof
            decoder = None if done else decoder
    if decoder is not None:
        raise BrokenFile("Zstandard: the file breaks off before its end")


def unpacked(file: IO[bytes], name: str) -> Iterator[bytes]:
    """Return the bytes of an open file in chunks, unpacked by the ending of its name.

    Raises:
        BrokenFile: compressed data is damaged; raised after everything before the damage.
    """
    packed = compression(name)
    if packed == ".gz":
        yield from gzip_parts(file)
    elif packed == ".zst":
        yield from zstd_parts(file)
    else:
        while data := file.read(_CHUNK):
            yield data


def chunks(path: Path | str, cut: Cut | None = None) -> Iterator[bytes]:
    """Return the unpacked bytes of a file, or of a range of a file that is not compressed, in chunks.

    Raises:
        DataError: the file cannot be opened or read.
        BrokenFile: compressed data is damaged; raised after everything before the damage.
    """
    with opened(path) as file:
        if cut is None or cut == WHOLE:
            yield from unpacked(file, base_name(path))
            return
        file.seek(cut.start)
        left = -1 if cut.stop is None else cut.stop - cut.start
        while left and (data := file.read(_CHUNK if left < 0 else min(left, _CHUNK))):
            left -= len(data) if left > 0 else 0
            yield data


def lines(path: Path | str) -> Iterator[bytes]:
    r"""Return the lines of a file without their ends, split at ``\n`` only (JSON text may hold other separators).

    Raises:
        DataError: the file cannot be opened or read.
        BrokenFile: compressed data is damaged; raised after the last whole line before the damage.
    """
    for line in split_lines(chunks(path), 0):
        assert isinstance(line, bytes)  # without a limit none is too long
        yield line


def split_lines(parts: Iterator[bytes], limit: int = LONGEST_RECORD) -> Iterator[bytes | LongLine]:
    r"""Return the lines of ``parts`` without their ends, split at ``\n`` only.

    A line of more than ``limit`` bytes (0: none is too long) comes back as ``LongLine`` and is never held whole.

    Raises:
        BrokenFile: ``parts`` raised it; raised after the last whole line before.
    """
    rest: list[bytes] = []
    held = 0
    for chunk in parts:
        *whole, last = chunk.split(b"\n")
        for line in whole:
            held += len(line)
            yield LongLine(held) if limit and held > limit else b"".join((*rest, line))
            rest.clear()
            held = 0
        held += len(last)
        if limit and held > limit:
            rest.clear()
        else:
            rest.append(last)
    if limit and held > limit:
        yield LongLine(held)
    elif final_line := b"".join(rest):
        yield final_line


def line_cuts(path: Path, target: int) -> list[Cut]:
    r"""Return byte ranges of about ``target`` bytes that start after ``\n``; ``first`` is the number of the line.

    Raises:
        DataError: the file cannot be opened or read.
    """
    found: list[Cut] = []
    start, first, number, at = 0, 1, 1, 0
    with opened(path) as file:
        while data := file.read(_UNPACKED):
            begin = 0
            while (edge := data.find(b"\n", max(begin, start + target - at - 1))) >= 0:
                number += data.count(b"\n", begin, edge + 1)
                begin = edge + 1
                found.append(Cut(start=start, stop=at + begin, first=first))
                start, first = at + begin, number
            number += data.count(b"\n", begin)
            at += len(data)
    if at > start or not found:
        found.append(Cut(start=start, stop=at, first=first))
    return found if len(found) > 1 else [WHOLE]
