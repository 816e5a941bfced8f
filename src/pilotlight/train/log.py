"""The lines of ``metrics.jsonl``: buffered, and cut back to a checkpoint's length on resume."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any, final

from pilotlight.errors import RecordError, ResourceError
from pilotlight.record.run import kept_lines
from pilotlight.train.history import History

_FLUSH_SECONDS = 1.0


@final
class MetricsLog:
    """An append-only JSON-lines file whose bytes depend on the training alone, however often it was killed."""

    def __init__(self, path: Path, keep: int = 0) -> None:
        self._path = path
        self._pending: list[bytes] = []
        self._flushed_at = time.monotonic()
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        length = os.fstat(self._file).st_size
        if length < keep:
            os.close(self._file)
            raise RecordError(f"{path} has {length} bytes, the checkpoint was made with {keep}: lines were lost. "
                              "Put the file back, or remove the run folder to train again from the start.")  # fmt: skip
        os.ftruncate(self._file, keep)
        self._written = keep
        self.history = self._read()

    def add(self, line: dict[str, Any]) -> None:
        """Append one line; it reaches the disk within about a second, or stays in memory while the disk is full."""
        self._pending.append(json.dumps(line, allow_nan=False).encode() + b"\n")
        if line.get("kind") == "rewind":
            self.history = self._read()
        else:
            self.history.add(line)
        now = time.monotonic()
        if now - self._flushed_at >= _FLUSH_SECONDS:
            self._flushed_at = now
            try:
                self._write()
            except OSError:
                return  # the next checkpoint reports it, and writes these lines again

    def _read(self) -> History:
        """Return the history of all lines, on disk and not yet."""
        data = os.pread(self._file, self._written, 0) + b"".join(self._pending)
        return History(kept_lines(json.loads(line) for line in data.splitlines()))

    def _write(self) -> None:
        data = memoryview(b"".join(self._pending))
        done = 0
        while done < len(data):
            done += os.pwrite(self._file, data[done:], self._written + done)
        self._written += len(data)
        self._pending.clear()

    def sync(self) -> int:
        """Force all lines to disk and return the length of the file in bytes.

        Raises:
            ResourceError: the disk is full.
        """
        try:
            self._write()
            os.fsync(self._file)
        except OSError as error:
            raise ResourceError(
                f"{self._path} cannot be written ({error.strerror}). Free some space; the run goes on where it was."
            ) from error
        return self._written

    def close(self) -> None:
        """Write what is pending, if the disk has room, and close the file."""
        try:
            self._write()
        except OSError:
            pass
        finally:
            os.close(self._file)
