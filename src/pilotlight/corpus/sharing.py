"""One build by several commands on several machines, or by a cluster."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

from pilotlight.corpus.build import build, clear_work, work_folder
from pilotlight.corpus.corpus import Corpus
from pilotlight.corpus.recipe import Recipe
from pilotlight.events import Note, Watcher, silent
from pilotlight.manifest import NAME, write_atomic
from pilotlight.work.claims import Claims
from pilotlight.work.cluster import Cluster
from pilotlight.work.flow import Executor
from pilotlight.work.pool import Pool


class Made(Protocol):
    """What a shared work makes: something with a fingerprint."""

    @property
    def fingerprint(self) -> str:
        """Sixteen hex digits of what it was made from."""
        ...


_Made = TypeVar("_Made", bound=Made)


def done_together(
    make: Callable[[Executor], _Made],
    out: Path,
    share: tuple[int, int],
    *,
    workers: int = 1,
    watch: Watcher = silent,
) -> _Made:
    """Return what ``make`` makes in ``out``, on a disk that all commands with a ``share`` of the work see.

    Each command does what no other has claimed, also the share of one that died, and returns when the whole is
    finished; the last one removes the work.

    Raises:
        PilotlightError: as ``make``.
    """
    number, count = share
    work = work_folder(out.absolute())
    late = (out / NAME).is_file() and not work.exists()
    # In a process of its own: a unit that holds the interpreter for long must not keep this one from touching claims.
    with Pool(max(1, workers)) as pool:
        made = make(Claims(work / "claims", share, pool, max(1, workers)))
    ended = work / "ended" / made.fingerprint
    write_atomic(ended / f"{number} of {count}", "")
    if late or {path.name for path in ended.iterdir()} >= {f"{other} of {count}" for other in range(count)}:
        clear_work(out)
    else:
        watch(Note(f"{work} is left for the other commands; the last of them removes it."))
    return made


def done_on_cluster(make: Callable[[Executor], _Made], out: Path, address: str) -> _Made:
    """Return what ``make`` makes in ``out``, its units of work done by the Ray cluster at ``address``.

    Raises:
        ConfigError: ray is not installed, or no cluster answers.
        PilotlightError: as ``make``.
    """
    with Cluster(address) as cluster:
        made = make(cluster)
    clear_work(out)
    return made


def build_share(
    recipe: Recipe, out: Path, share: tuple[int, int], *, workers: int = 1, watch: Watcher = silent
) -> Corpus:
    """Return the corpus of ``recipe`` in ``out``, built by several commands; the result is that of ``build``.

    Raises:
        PilotlightError: as ``build``.
    """

    def make(executor: Executor) -> Corpus:
        return build(recipe, out, watch=watch, executor=executor)

    return done_together(make, out, share, workers=workers, watch=watch)


def build_on_cluster(recipe: Recipe, out: Path, address: str, *, watch: Watcher = silent) -> Corpus:
    """Return the corpus of ``recipe`` in ``out``, its units of work done by the Ray cluster at ``address``.

    Raises:
        ConfigError: ray is not installed, or no cluster answers.
        PilotlightError: as ``build``.
    """
    return done_on_cluster(lambda executor: build(recipe, out, watch=watch, executor=executor), out, address)
