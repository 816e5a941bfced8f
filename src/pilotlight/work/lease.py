"""Exclusive leases on output folders: one command at a time writes into a folder.

The lease is a lock on ``.lock`` in the folder that the system itself releases when the last process that holds it is
gone, so a killed command leaves nothing to clean up. Workers inherit it: a command that is started again waits until
the workers of the killed one are really gone, and no late result of theirs can mix with its own. The file stays (a
removed lock file could be locked twice) and says who held the lease last.

On Windows, workers do not inherit the lease; it ends with the process that took it. On file systems without locks
the error says so. Over NFS, locks are seen by all hosts, but not inherited.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import socket
import sys
import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from pilotlight.errors import RecordError, ResourceError
from pilotlight.units import show_seconds

NAME = ".lock"
_POLL = 0.1
_BUSY = (errno.EAGAIN, errno.EACCES, errno.EDEADLK)
_FAR_OFF = 1 << 30


@final
@dataclass(frozen=True, slots=True)
class Lease:
    """A held lease; hand ``keep`` to the pool whose workers write into ``folder``."""

    folder: Path
    keep: tuple[int, ...]


@contextlib.contextmanager
def hold(folder: Path, wait: float = 30.0) -> Generator[Lease]:
    """Yield an exclusive lease on ``folder``, which is made if it does not exist.

    Args:
        folder: output folder.
        wait: seconds to wait for another holder to be done.

    Raises:
        RecordError: another process still holds the folder after ``wait`` seconds.
        ResourceError: the folder cannot be made or locked.
    """
    path = folder / NAME
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o644)
    except OSError as error:
        raise ResourceError(
            f"{folder} cannot be used as an output folder ({error.strerror}). Choose one you may write to with --out."
        ) from error
    try:
        _wait_for(handle, path, wait)
        _sign(handle)
        yield Lease(folder, (handle,) if os.name == "posix" else ())
    finally:
        os.close(handle)  # not unlocked: workers that are still alive keep the lease


def _wait_for(handle: int, path: Path, wait: float) -> None:
    end = time.monotonic() + wait
    while not _lock(handle, path):
        if time.monotonic() >= end:
            raise RecordError(_refusal(handle, path, wait))
        time.sleep(_POLL)


def _lock(handle: int, path: Path) -> bool:
    """Return whether the lock was free and is now ours."""
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(handle, _FAR_OFF, os.SEEK_SET)  # beyond the text, which others have to read
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _BUSY:
            return False
        raise ResourceError(
            f"{path} cannot be locked ({error.strerror}): its file system has no locks. "
            "Choose an --out folder on a local disk."
        ) from error
    return True


def _sign(handle: int) -> None:
    text = json.dumps({"pid": os.getpid(), "host": socket.gethostname()}).encode()
    with contextlib.suppress(OSError):  # a full disk does not matter: the lock is ours, the text is for people
        os.ftruncate(handle, 0)
        os.lseek(handle, 0, os.SEEK_SET)
        os.write(handle, text)


def _refusal(handle: int, path: Path, wait: float) -> str:
    waited = f"after waiting {show_seconds(wait)}" if wait > 0 else "now"
    holder: dict[str, Any] = {}
    with contextlib.suppress(OSError, ValueError):
        os.lseek(handle, 0, os.SEEK_SET)
        holder = dict(json.loads(os.read(handle, 4096)))
    pid, host = holder.get("pid"), holder.get("host")
    if not isinstance(pid, int):
        return f"{path.parent} is in use by another process {waited}. Wait for it to end, or choose another --out."
    if host != socket.gethostname():
        return (
            f"{path.parent} is in use {waited} by process {pid} on {host}. "
            f"Wait for it to end, stop it there, or choose another --out."
        )
    if _is_alive(pid):
        return (
            f"{path.parent} is in use {waited} by process {pid}. "
            f"Wait for it to end, stop it (kill {pid}), or choose another --out."
        )
    return (
        f"{path.parent} is still held {waited} by workers of process {pid}, which itself has ended. "
        f"Wait a moment and run the same command again; `fuser {path}` names the workers."
    )


def _is_alive(pid: int) -> bool:
    if os.name != "posix":
        return True  # a signal 0 would end the process there; the lock says that somebody lives
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
