"""Worker processes on this machine that do units of work.

Workers are started once, by name and never by fork, and kept: what a unit imports is there for the next one. A lost
worker costs time only: its unit is started again on a fresh one, because units are idempotent and resume.
"""

from __future__ import annotations

import contextlib
import json
import queue
import signal
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Self, final

from pilotlight.errors import ConfigError, ResourceError
from pilotlight.events import Watcher, silent
from pilotlight.units import show_seconds
from pilotlight.work.cores import available_cores, share_out
from pilotlight.work.message import read_event, write_event
from pilotlight.work.perform import Terminated, perform
from pilotlight.work.process import WorkerProcess
from pilotlight.work.unit import Outcome, Unit, UnitEvent, UnitRetried, UnitStarted

_TICK = 1.0
_MOST_FALSE_STARTS = 10


@final
@dataclass
class _Try:
    """A unit on its way to its outcome."""

    unit: Unit
    attempts: int = 0
    began: bool = False
    silence: float = 0.0
    hung: str = ""


@final
class Pool:
    """``workers`` processes of ``threads`` threads each; 0 workers do the units in this process.

    Use it as a context manager: leaving it, for whatever reason, ends every worker. On an error or signal the workers
    get SIGTERM, ``grace`` seconds to tidy up, then SIGKILL. If this process is killed, they end by themselves at once.

    Args:
        workers: number of processes.
        threads: threads that numerical libraries may use in each.
        keep: file descriptors that the workers hold open as long as they live, such as those of a lease.
        logs: folder for the tracebacks of unexpected exceptions; None: a temporary folder.
        retries: how often a unit is started again after its worker was lost.
        grace: seconds between SIGTERM and SIGKILL.
    """

    def __init__(
        self,
        workers: int,
        threads: int = 1,
        *,
        keep: Sequence[int] = (),
        logs: Path | None = None,
        retries: int = 2,
        grace: float = 5.0,
    ) -> None:
        if workers < 0 or threads < 1:
            raise ConfigError(
                f"a pool of {workers} workers with {threads} threads each is impossible: expected at least 0 workers "
                "(0 means in this process) and 1 thread."
            )
        self._workers, self._threads = workers, threads
        self._keep, self._logs, self._retries, self._grace = tuple(keep), logs, retries, grace
        self._inbox: queue.SimpleQueue[tuple[WorkerProcess, dict[str, Any] | None]] = queue.SimpleQueue()
        self._idle: list[WorkerProcess] = []
        self._busy: dict[WorkerProcess, _Try] = {}
        self._places = share_out(available_cores(), workers, threads)
        self._false_starts = 0
        self._running = False
        self._looked = 0.0
        self._handler_before: Any = None

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            before = signal.getsignal(signal.SIGTERM)
            if before is signal.SIG_DFL:  # whoever has a handler of their own knows what to do
                self._handler_before = before
                signal.signal(signal.SIGTERM, _terminate)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        del error, trace
        try:
            self._abandon(0.0 if kind is None else self._grace)
            for worker in self._idle:
                worker.dismiss()  # upon which it ends by itself
            for worker in self._idle:
                worker.bury()
            self._idle.clear()
        finally:
            if self._handler_before is not None:
                signal.signal(signal.SIGTERM, self._handler_before)
                self._handler_before = None

    @property
    def pids(self) -> list[int]:
        """Process ids of the living workers."""
        return [worker.pid for worker in [*self._idle, *self._busy]]

    def run(self, units: Sequence[Unit], *, watch: Watcher = silent) -> Iterator[Outcome]:
        """Yield one outcome per unit as they complete; units are started in the given order.

        ``watch`` gets ``UnitStarted``, ``UnitEvent`` (what a unit told its watcher) and ``UnitRetried``, each in the
        thread that iterates. Leaving the iteration early abandons the units under way.

        Raises:
            ConfigError: two units have the same key.
            ResourceError: workers cannot be started.
        """
        (key, count) = next(iter(Counter(unit.key for unit in units).most_common(1)), ("", 0))
        if count > 1:
            raise ConfigError(f"{count} units of work are called {key!r}: expected different keys.")
        if self._running:
            raise ConfigError("this pool is busy with another run: finish that one first, or make a second pool.")
        return self._run(units, watch) if self._workers else self._run_here(units, watch)

    def _run_here(self, units: Sequence[Unit], watch: Watcher) -> Iterator[Outcome]:
        for unit in units:
            watch(UnitStarted(unit.key, 1))
            arguments = json.loads(json.dumps(unit.arguments))

            def relay(event: Any, key: str = unit.key) -> None:
                watch(UnitEvent(key, read_event(write_event(event))))

            answer = perform(unit.key, unit.call, arguments, relay, self._logs)
            yield _outcome(unit, answer, attempts=1, output="")

    def _run(self, units: Sequence[Unit], watch: Watcher) -> Iterator[Outcome]:
        self._running, self._looked = True, time.monotonic()
        waiting = deque(_Try(unit) for unit in units)
        try:
            while waiting or self._busy:
                self._assign(waiting)
                worker, message = self._next_message()
                outcome = self._hear(worker, message, waiting, watch) if worker is not None else None
                if outcome is not None:
                    self._assign(waiting)  # before the caller looks at the outcome, so that no worker stands idle
                    yield outcome
        finally:
            self._running = False
            self._abandon(self._grace)

    def _assign(self, waiting: deque[_Try]) -> None:
        while waiting and len(self._busy) < self._workers:
            task = waiting.popleft()
            worker = self._idle.pop() if self._idle else self._start()
            task.began, task.silence, task.hung = False, 0.0, ""
            self._busy[worker] = task
            worker.take(task.unit)

    def _start(self) -> WorkerProcess:
        taken = [worker.cores for worker in [*self._idle, *self._busy]]
        place = next((place for place in self._places if place not in taken), ())
        try:
            return WorkerProcess(self._inbox, cores=place, threads=self._threads, keep=self._keep, logs=self._logs)
        except OSError as error:
            raise ResourceError(
                f"a worker process cannot be started ({error.strerror}). Use fewer workers, "
                "or free memory and processes."
            ) from error

    def _next_message(self) -> tuple[WorkerProcess | None, dict[str, Any] | None]:
        """Return the next message, or (None, None) after a silent while."""
        now = time.monotonic()
        if now - self._looked > _TICK:
            self._look_for_the_dead(now)
            self._looked = now
        try:
            return self._inbox.get(timeout=_TICK)
        except queue.Empty:
            return None, None

    def _look_for_the_dead(self, now: float) -> None:
        """Kill what is left of dead workers, and workers that hang; their last message then reaches the inbox.

        Silence is counted look by look, so that a pool that was itself asleep or waited for its caller (its workers
        may have stood still with it) finds nobody silent for that long.
        """
        for worker, task in self._busy.items():
            limit = task.unit.limit
            if worker.is_dead():
                worker.kill()  # a child of it may hold its pipes open
                continue
            unheard = min(now - worker.heard, now - self._looked, 2 * _TICK)
            task.silence = unheard + (task.silence if worker.heard < self._looked else 0.0)
            if limit is not None and task.silence > limit:
                task.hung = f"it gave no sign of life for {show_seconds(limit)}"
                worker.kill()

    def _hear(
        self, worker: WorkerProcess, message: dict[str, Any] | None, waiting: deque[_Try], watch: Watcher
    ) -> Outcome | None:
        task = self._busy.get(worker)
        if message is None:
            return self._mourn(worker, waiting, watch)
        if task is None:
            return None
        if "began" in message:
            self._false_starts = 0
            task.began = True
            task.attempts += 1
            watch(UnitStarted(task.unit.key, task.attempts))
        elif "event" in message:
            watch(UnitEvent(task.unit.key, read_event(message)))
        elif "finished" in message or "failed" in message:
            del self._busy[worker]
            self._idle.append(worker)
            output = worker.tail() if "failed" in message else ""
            return _outcome(task.unit, message, task.attempts, output)
        return None

    def _mourn(self, worker: WorkerProcess, waiting: deque[_Try], watch: Watcher) -> Outcome | None:
        """Return the outcome of a dead worker's unit, or None if the unit is to be tried again."""
        worker.bury()
        if worker in self._idle:
            self._idle.remove(worker)
        task = self._busy.pop(worker, None)
        if task is None:
            return None
        if not task.began:
            self._count_false_start(worker)
            waiting.appendleft(task)
            return None
        cause = task.hung or worker.cause()
        if task.attempts > self._retries:
            text = f"its worker was lost {task.attempts} times; the last time {cause}."
            return Outcome(unit=task.unit, status="killed", error=text, attempts=task.attempts, output=worker.tail())
        watch(UnitRetried(task.unit.key, task.attempts, cause))
        waiting.appendleft(task)
        return None

    def _count_false_start(self, worker: WorkerProcess) -> None:
        self._false_starts += 1
        if self._false_starts >= _MOST_FALSE_STARTS:
            raise ResourceError(
                f"worker processes do not start: {worker.cause()}, {self._false_starts} times in a row. "
                f"Its last words: {worker.tail()[-400:] or 'none'}"
            )

    def _abandon(self, grace: float) -> None:
        """End the workers that are in the middle of a unit."""
        try:
            _end(list(self._busy), grace)
        finally:
            self._busy.clear()


def _end(workers: Sequence[WorkerProcess], grace: float) -> None:
    """Return when the workers are gone: asked first, killed after ``grace`` seconds or on a second signal."""
    end = time.monotonic() + grace
    try:
        for worker in workers:
            worker.terminate()
        for worker in workers:
            worker.wait(end - time.monotonic())
    finally:
        for worker in workers:
            worker.kill()
        for worker in workers:
            worker.bury()


def _outcome(unit: Unit, answer: dict[str, Any], attempts: int, output: str) -> Outcome:
    if "finished" in answer:
        return Outcome(unit=unit, status="finished", result=answer["finished"], attempts=attempts)
    return Outcome(
        unit=unit,
        status="failed",
        error=answer["failed"],
        error_class=answer["error_class"],
        traceback=answer["traceback"],
        output=output,
        attempts=attempts,
    )


def _terminate(number: int, frame: FrameType | None) -> None:
    del frame
    with contextlib.suppress(ValueError, OSError):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once is enough
    raise Terminated(128 + number)
