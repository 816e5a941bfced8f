"""Stages of units of work whose results are finished folders: done once, by whichever process comes to it."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, final

import psutil

from pilotlight.errors import PilotlightError, RecordError, RunError
from pilotlight.events import Note, Progress, Watcher, silent
from pilotlight.manifest import NAME, drafting, read_manifest, write_atomic
from pilotlight.spec import fingerprint
from pilotlight.work.unit import Outcome, Unit

KIND = "unit"
_SAME_BOOT = 60.0  # seconds by which the time of the boot may seem to change as clocks are set


class Executor(Protocol):
    """Whatever does units of work: this process, a pool of processes, a share of several machines, a cluster."""

    def run(self, units: Sequence[Unit], *, watch: Watcher = silent) -> Iterator[Outcome]:
        """Return the outcome of each unit as it comes."""
        ...


@final
@dataclass(frozen=True, slots=True)
class Task:
    """One unit of a stage: a function, the finished folders it reads, and its settings (JSON types)."""

    call: str
    """``"module:function"``, called as ``function(out, inputs, settings, watch)``; returns facts (JSON types)."""
    inputs: tuple[Path, ...] = ()
    settings: dict[str, Any] | None = None
    cost: float = 0.0
    """Seconds expected on one worker; 0 where nobody knows."""


@final
class Flow:
    """Runs stages of tasks in ``folder`` through ``executor``.

    The folder of a unit is named by a hash of its call, settings and inputs, and exists when it is finished. So a
    changed setting never meets old results, a killed run goes on where it was, and two runs in one folder share
    their work.

    Args:
        folder: where the folders of units lie.
        executor: who does the units.
        version: what else decides the results, such as the format of the files.
        watch: sees the progress of each stage.
    """

    def __init__(self, folder: Path, executor: Executor, version: str = "", watch: Watcher = silent) -> None:
        self.folder = folder
        _check_after_a_crash(folder, watch)
        self._executor, self._version, self._watch = executor, version, watch

    def forget(self, stage: str, task: Task) -> None:
        """Let a task be done again that has been done: what it made elsewhere is gone."""
        shutil.rmtree(self.folder / stage / self._name(task), ignore_errors=True)

    def run(self, stage: str, tasks: Sequence[Task]) -> list[Path]:
        """Return the folders of the finished units of ``tasks``, in their order.

        Raises:
            PilotlightError: a unit failed.
        """
        folders = [self.folder / stage / self._name(task) for task in tasks]
        waiting = {
            str(folder): Unit(
                key=f"{stage}/{folder.name}", call="pilotlight.work.flow:perform_task", cost=task.cost,
                arguments={
                    "folder": str(folder), "call": task.call, "inputs": [str(path) for path in task.inputs],
                    "settings": task.settings or {}, "fingerprint": folder.name,
                },
            )
            for folder, task in zip(folders, tasks, strict=True) if not (folder / NAME).is_file()
        }  # fmt: skip
        done = len(tasks) - len(waiting)
        self._watch(Progress(stage, done, len(tasks), "parts"))
        for outcome in self._executor.run(list(waiting.values()), watch=self._watch):
            if outcome.status != "finished":
                raise _error(stage, outcome)
            done += 1
            self._watch(Progress(stage, done, len(tasks), "parts"))
        return folders

    def _name(self, task: Task) -> str:
        inputs = [path.name for path in task.inputs]
        return fingerprint(self._version, task.call, inputs, task.settings or {})


def _check_after_a_crash(folder: Path, watch: Watcher) -> None:
    """Remove units that a crash of this machine damaged.

    Units are not forced to disk one by one, so after a crash, and only then, the hashes of all of them are checked.
    """
    mark = folder / f"boot.{socket.gethostname()}"
    boot = f"{psutil.boot_time():.0f}"
    if mark.is_file() and abs(float(mark.read_text(encoding="utf-8") or 0) - float(boot)) > _SAME_BOOT:
        units = sorted(folder.glob(f"*/*/{NAME}"))
        for number, path in enumerate(units):
            watch(Progress("checking what the crash left", number, len(units), "parts"))
            try:
                read_manifest(path.parent, KIND, verify=True)
            except RecordError:
                watch(Note(f"{path.parent} was damaged when the machine stopped; it is done again.", "warning"))
                shutil.rmtree(path.parent)
    write_atomic(mark, boot)


def _error(stage: str, outcome: Outcome) -> PilotlightError:
    from pilotlight import errors

    named = getattr(errors, outcome.error_class, None)
    if isinstance(named, type) and issubclass(named, PilotlightError):
        return named(outcome.error)
    where = f" The traceback is in {outcome.traceback}." if outcome.traceback else ""
    return RunError(f"{stage}: a unit of work {outcome.status}: {outcome.error}.{where}")


def perform_task(arguments: dict[str, Any], watch: Watcher) -> dict[str, Any]:
    """Do one task: the folder it names is finished afterwards."""
    from pilotlight.work.perform import find

    folder = Path(arguments["folder"])
    if (folder / NAME).is_file():
        return {}
    inputs = [Path(path) for path in arguments["inputs"]]
    for path in inputs:
        if not (path / NAME).is_file():
            read_manifest(path, KIND)  # says what is missing
    mark: str = arguments["fingerprint"]
    with drafting(folder, kind=KIND, fingerprint=mark) as draft:
        call: Any = find(arguments["call"])
        draft.facts.update(call(draft.folder, inputs, arguments["settings"], watch))
    return {}
