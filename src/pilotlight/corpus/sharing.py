"""One build by several commands on several machines, or by a cluster."""

from __future__ import annotations

from pathlib import Path

from pilotlight.corpus.build import build, clear_work, work_folder
from pilotlight.corpus.corpus import Corpus
from pilotlight.corpus.recipe import Recipe
from pilotlight.events import Watcher, silent
from pilotlight.manifest import write_atomic
from pilotlight.work.claims import Claims
from pilotlight.work.cluster import Cluster
from pilotlight.work.pool import Pool


def build_share(
    recipe: Recipe, out: Path, share: tuple[int, int], *, workers: int = 1, watch: Watcher = silent
) -> Corpus:
    """Return the corpus of ``recipe`` in ``out``, on a disk that all commands with a ``share`` of the build see.

    Each command does what no other has claimed, also the share of one that died, and returns when the corpus is
    finished; the last one removes the work. The result is that of ``build``.

    Raises:
        PilotlightError: as ``build``.
    """
    number, count = share
    work = work_folder(out)
    with Pool(workers if workers > 1 else 0) as pool:
        corpus = build(recipe, out, watch=watch, executor=Claims(work / "claims", share, pool, workers))
    # A command that comes late, to a build that is finished and cleared, finds nothing left to do.
    ended = work / "ended"
    write_atomic(ended / str(number), "")
    if {path.name for path in ended.iterdir()} >= {str(other) for other in range(count)}:
        clear_work(out)
    return corpus


def build_on_cluster(recipe: Recipe, out: Path, address: str, *, watch: Watcher = silent) -> Corpus:
    """Return the corpus of ``recipe`` in ``out``, its units of work done by the Ray cluster at ``address``.

    Raises:
        ConfigError: ray is not installed, or no cluster answers.
        PilotlightError: as ``build``.
    """
    with Cluster(address) as cluster:
        corpus = build(recipe, out, watch=watch, executor=cluster)
    clear_work(out)
    return corpus
