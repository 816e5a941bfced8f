"""Several commands on several machines that share a folder also share the units of work.

Each is started with its share ``i/n`` and does every unit that no other has claimed, its own ``i``-th of ``n`` first.
A claim is a file made with O_EXCL and touched while the unit is under way; one that has not been touched for a minute
belongs to a dead command and is taken over. Units give the same files whoever does them, and of two that finish the
same one the first wins, so a claim that is lost to a slow disk costs time only.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import socket
import threading
import time
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import final

from pilotlight.errors import ConfigError
from pilotlight.events import Watcher, silent
from pilotlight.manifest import NAME
from pilotlight.work.flow import Executor
from pilotlight.work.unit import Outcome, Unit

STALE = float(os.environ.get("PILOTLIGHT_CLAIM_SECONDS", "60"))
"""Seconds after which an untouched claim is taken over; disks with lazy clocks may need more."""
_TOUCH = 10.0
_POLL, _LONGEST_POLL = 0.1, 5.0


def read_share(text: str) -> tuple[int, int]:
    """Return ``(i, n)`` of ``"i/n"``, counted from 0.

    Raises:
        ConfigError: it is no such share.
    """
    found = re.fullmatch(r"\s*(\d+)\s*/\s*(\d+)\s*", text)
    if found is None or int(found[1]) >= int(found[2]):
        raise ConfigError(
            f"{text!r} is no share of the work. Expected i/n with i from 0 to n - 1, such as 0/4 ... 3/4."
        )
    return int(found[1]), int(found[2])


@final
class Claims:
    """Does the units that nobody else has claimed through ``inner``, and waits for those that somebody has.

    Args:
        folder: on the shared disk, for the claims.
        share: which of how many commands this is, from ``read_share``.
        inner: who does the units here.
        together: units claimed at a time: as many as ``inner`` has workers.
        stale: seconds after which an untouched claim is taken over.
    """

    def __init__(
        self, folder: Path, share: tuple[int, int], inner: Executor, together: int = 1, stale: float = STALE
    ) -> None:
        self._folder, self._share, self._inner = folder, share, inner
        self._together, self._stale = max(1, together), stale
        folder.mkdir(parents=True, exist_ok=True)

    def run(self, units: Sequence[Unit], *, watch: Watcher = silent) -> Iterator[Outcome]:
        """Yield one outcome per unit as they complete, whoever does them. The folder of a unit says when it is done."""
        number, count = self._share
        waiting = deque(unit for at, unit in enumerate(units) if at % count == number)
        waiting += [unit for at, unit in enumerate(units) if at % count != number]
        pause = _POLL
        while waiting:
            mine: list[Unit] = []
            for _ in range(len(waiting)):
                unit = waiting.popleft()
                if _done(unit):
                    yield Outcome(unit=unit, status="finished", attempts=1)
                elif self._claim(unit):
                    mine.append(unit)
                    if len(mine) == self._together:
                        break
                else:
                    waiting.append(unit)  # somebody else's: it is looked at again after the others
            if mine:
                yield from self._do(mine, watch)
                pause = _POLL
            elif waiting:
                time.sleep(pause)
                pause = min(2 * pause, _LONGEST_POLL)

    def _do(self, mine: Sequence[Unit], watch: Watcher) -> Iterator[Outcome]:
        with self._held(mine):
            for outcome in self._inner.run(mine, watch=watch):
                if outcome.status != "finished" and _done(outcome.unit):
                    outcome = Outcome(unit=outcome.unit, status="finished", attempts=outcome.attempts)
                yield outcome

    def _path(self, unit: Unit) -> Path:
        return self._folder / hashlib.sha256(unit.key.encode()).hexdigest()[:32]

    def _claim(self, unit: Unit) -> bool:
        """Return whether the unit is this command's to do now."""
        path = self._path(unit)
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        except FileExistsError:
            self._free_if_stale(path)
            return False
        with os.fdopen(handle, "w") as file:
            file.write(f"{socket.gethostname()} {os.getpid()} {unit.key}\n")
        if _done(unit):  # by the one who had claimed it until now
            path.unlink(missing_ok=True)
            return False
        return True

    def _free_if_stale(self, path: Path) -> None:
        """Remove a claim that nobody touches; ages are compared by the clock of the disk, not of this machine."""
        clock = self._folder / f".clock.{socket.gethostname()}.{os.getpid()}"
        with contextlib.suppress(FileNotFoundError):
            clock.touch()
            told = path.read_text(encoding="utf-8")
            if clock.stat().st_mtime - path.stat().st_mtime <= self._stale:
                return
            gone = path.with_name(f"{path.name}.{socket.gethostname()}.{os.getpid()}.stale")
            path.rename(gone)  # of two that see it stale, one succeeds
            if gone.read_text(encoding="utf-8") != told:  # somebody had just taken it over: it is theirs again
                with contextlib.suppress(FileExistsError):
                    path.hardlink_to(gone)
            gone.unlink(missing_ok=True)

    @contextlib.contextmanager
    def _held(self, units: Sequence[Unit]) -> Generator[None]:
        """Touch the claims while the units are under way, and give them up in the end."""
        paths = [self._path(unit) for unit in units]
        over = threading.Event()

        def touch() -> None:
            while not over.wait(min(_TOUCH, self._stale / 4)):
                for path in paths:
                    with contextlib.suppress(OSError):
                        os.utime(path)

        thread = threading.Thread(target=touch, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
            for path in paths:
                path.unlink(missing_ok=True)


def _done(unit: Unit) -> bool:
    return (Path(unit.arguments["folder"]) / NAME).is_file()
