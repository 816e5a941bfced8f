"""One case in a process of its own: its CPU seconds, its wall seconds and what it says about its result.

A case is a function of a ``Job``; ``run`` finds it by name, and prints one line of JSON behind a mark. Only the standard
library is used here, because the peers' environments import this file too.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MARK = "\n@measured "
FEW = "few"
"""Folder in that of a corpus: a few of its documents, with the same files beside them."""


def cpu() -> float:
    """Return the CPU seconds of this process and of its children that ended."""
    both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(use.ru_utime + use.ru_stime for use in both)


@dataclass
class Job:
    """What a case gets: the corpus, an empty folder, and the number of worker processes (0: none)."""

    given: Path
    work: Path
    workers: int
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def docs(self) -> Path:
        """Return the folder of JSON lines."""
        return self.given / "docs"

    def rows(self) -> Iterator[dict[str, str]]:
        """Yield the records of the corpus: id, source and text."""
        for path in sorted(self.docs.glob("*.jsonl")):
            with path.open(encoding="utf-8", newline="\n") as file:
                for line in file:
                    yield json.loads(line)

    def spend(self, work: Callable[[], Any]) -> Any:
        """Return what ``work`` returns; its seconds are those of the case (a second call adds to them)."""
        spent, clock = cpu(), time.perf_counter()
        found = work()
        for name, value in (("cpu", cpu() - spent), ("wall", time.perf_counter() - clock)):
            self.seconds[name] = self.seconds.get(name, 0.0) + value
        return found


def run(cases: dict[str, Callable[[Job], dict[str, Any]]]) -> None:
    """Do the case that the command line names, and print its seconds and facts.

    It is done over a handful of documents first: what a program imports, compiles and loads when it is first used is
    left out for everybody alike.
    """
    name, given, work, workers = sys.argv[1:5]
    cores = max(1, int(workers))
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
    for corpus, folder in ((Path(given) / FEW, "first"), (Path(given), "then")):
        place = Path(work) / folder
        place.mkdir()
        job = Job(corpus, place, int(workers))
        facts = cases[name](job)
    print(MARK + json.dumps({**job.seconds, **facts}))
