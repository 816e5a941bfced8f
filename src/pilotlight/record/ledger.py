"""The ledger: what happened in a study, in order, in a file that shows when it was altered.

``ledger.jsonl`` holds one entry per line. Each carries the SHA-256 of its index, kind, facts and of the hash before
it, so that an edited, removed, inserted or moved entry breaks the chain at that place. ``at``, the time of writing,
is for people only: it is outside the hash and must never enter a decision, because two runs of the same study differ
in it. A chain cannot show that its last entries were cut off: keep ``Ledger.head`` in what is decided from it and hand
it to ``verify``. It does not protect against somebody who writes the whole file anew; it makes tampering a lie, not an
accident.

An entry is on disk when ``append`` returns. A process killed while it appends leaves at most a torn last line; that
is passed over by readers and moved to ``ledger.jsonl.torn`` before the next append.

One process at a time may append: hold a lease on the folder (``pilotlight.work.lease``) as long as the ledger is in
use. Reading needs none. An append to a file that somebody else changed since it was read is refused.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, final

from pydantic import Field

from pilotlight.errors import RecordError, ResourceError
from pilotlight.events import Note, Watcher, silent
from pilotlight.manifest import sync
from pilotlight.spec import Record, canonical, plain

NAME = "ledger.jsonl"
FIRST = "0" * 64


@final
class Entry(Record):
    """One thing that happened."""

    index: int = Field(ge=0)
    """Place in the ledger, from 0."""

    kind: str = Field(min_length=1)
    """What happened, such as ``trial`` or ``calibration``."""

    facts: dict[str, Any]
    """What is to be known about it: JSON types only."""

    previous: str
    """Hash of the entry before; zeros in the first."""

    hash: str
    """SHA-256 of all the above, in hex."""

    at: str = ""
    """When it was written (UTC, ISO 8601); not part of the hash."""


def _digest(index: int, kind: str, facts: dict[str, Any], previous: str) -> str:
    text = canonical({"index": index, "kind": kind, "facts": facts, "previous": previous})
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _parse(line: bytes) -> Entry:
    """Return the entry written in a line; raises ValueError where there is none."""
    try:
        return Entry.model_validate(json.loads(line, parse_constant=_refuse_constant))
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


@final
class Ledger:
    """The entries of one ledger file, which need not exist yet.

    Opening never fails because of what the file holds, so that a page can show a broken ledger and say so; but a
    broken ledger refuses to be appended to, and its entries are handed out only to who says ``trusted=False``.
    """

    def __init__(self, path: Path, *, watch: Watcher = silent) -> None:
        self.path = path
        self._entries: list[Entry] = []
        self._problem = ""
        self._torn = b""
        self._lacks_line_end = False
        self._size = 0
        self._read()
        if self._torn:
            text = f"{path}: an unfinished last line ({len(self._torn)} bytes) of a killed process is left out."
            watch(Note(text, level="warning"))

    @property
    def head(self) -> str:
        """Hash of the last entry; zeros if there is none."""
        return self._entries[-1].hash if self._entries else FIRST

    def __len__(self) -> int:
        return len(self._entries)

    def append(self, kind: str, /, **facts: Any) -> Entry:
        """Return the new last entry, which is on disk by then.

        Raises:
            RecordError: the ledger is broken, somebody else appended to it, or a fact is not a finite JSON value.
            ResourceError: the disk is full or the file may not be written.
        """
        self.verify()
        try:
            facts = json.loads(json.dumps(plain(facts), allow_nan=False))
        except (TypeError, ValueError) as error:
            raise RecordError(
                f"{self.path}: a fact of {kind!r} cannot be recorded ({error}). Give JSON types."
            ) from error
        entry = self._next(kind, facts)
        self._write(json.dumps(entry.model_dump()).encode("ascii") + b"\n")
        self._entries.append(entry)
        return entry

    def _next(self, kind: str, facts: dict[str, Any]) -> Entry:
        index, previous = len(self._entries), self.head
        return Entry(
            index=index,
            kind=kind,
            facts=facts,
            previous=previous,
            hash=_digest(index, kind, facts, previous),
            at=datetime.now(UTC).isoformat(timespec="seconds"),
        )

    def entries(self, kind: str | None = None, *, trusted: bool = True) -> list[Entry]:
        """Return the entries in order, all or those of one kind.

        Args:
            kind: None for all.
            trusted: False also returns the readable entries of a broken ledger, for showing only.

        Raises:
            RecordError: the ledger is broken and ``trusted`` is asked for.
        """
        if trusted:
            self.verify()
        return [entry for entry in self._entries if kind in (None, entry.kind)]

    def verify(self, head: str | None = None) -> None:
        """Return nothing if every entry is as it was written.

        Args:
            head: hash of an entry, noted elsewhere, that must still be there: shows a ledger that was cut short.

        Raises:
            RecordError: names the first entry that was altered, removed, moved or put in.
        """
        if self._problem:
            raise RecordError(self._problem)
        if head not in (None, FIRST) and all(entry.hash != head for entry in self._entries):
            raise RecordError(
                f"{self.path} was cut short or replaced: none of its {len(self._entries)} entries has the hash {head} "
                "that a later record relies on. Restore the file; what was decided from it is void otherwise."
            )

    def _read(self) -> None:
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return
        except OSError as error:
            raise RecordError(f"{self.path} cannot be read ({error.strerror}). Expected a ledger file.") from error
        self._size = len(content)
        *lines, last = content.split(b"\n")
        for line in lines:
            self._take(line)
        if not last:
            return
        # A whole entry that lacks nothing but its line end (an editor may have cut it) is an entry.
        if self._reason(last) == "":
            self._take(last)
            self._lacks_line_end = True
        else:
            self._torn = last

    def _reason(self, line: bytes) -> str:
        """Return why a line cannot be the next entry, or an empty string."""
        try:
            entry = _parse(line)
        except ValueError:
            return "is not readable"
        index, previous = len(self._entries), self.head
        if entry.index != index:
            return f"is missing, moved or put in: entry {entry.index} stands in its place"
        if entry.hash != _digest(entry.index, entry.kind, entry.facts, entry.previous):
            return "was altered: its contents do not match its hash"
        if entry.previous != previous:
            return "does not follow from the entry before it"
        return ""

    def _take(self, line: bytes) -> None:
        reason = self._reason(line) if not self._problem else ""
        if reason:
            self._problem = (
                f"{self.path}, line {len(self._entries) + 1}: entry {len(self._entries)} {reason}. "
                "The ledger was changed after it was written; restore it from a copy, or start again in another --out."
            )
        with contextlib.suppress(ValueError):
            self._entries.append(_parse(line))

    def _write(self, line: bytes) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            size = self.path.stat().st_size if self.path.exists() else 0
            if size != self._size:
                raise RecordError(
                    f"{self.path} was changed by another process since it was read. "
                    "Stop the other process and run the same command again."
                )
            self._set_torn_aside()
            is_new = self._size == 0
            self._append_bytes(line)
            if is_new:
                sync(self.path.parent)
        except OSError as error:
            reason = "no space left" if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG) else error.strerror
            raise ResourceError(
                f"{self.path} cannot be written ({reason}). Nothing recorded was lost: make room, or allow writing, "
                "and run the same command again."
            ) from error

    def _set_torn_aside(self) -> None:
        if self._torn:
            with self.path.with_name(f"{self.path.name}.torn").open("ab") as aside:
                aside.write(self._torn + b"\n")
                aside.flush()
                os.fsync(aside.fileno())
            self._cut(self._size - len(self._torn))
            self._torn = b""
        elif self._lacks_line_end:
            self._append_bytes(b"\n")
            self._lacks_line_end = False

    def _append_bytes(self, content: bytes) -> None:
        try:
            with self.path.open("ab", buffering=0) as file:
                rest = memoryview(content)
                while rest:
                    rest = rest[file.write(rest) :]
                os.fsync(file.fileno())
        except OSError:
            with contextlib.suppress(OSError):
                self._cut(self._size)
            raise
        self._size += len(content)

    def _cut(self, size: int) -> None:
        with self.path.open("r+b") as file:
            file.truncate(size)
            os.fsync(file.fileno())
        self._size = size
