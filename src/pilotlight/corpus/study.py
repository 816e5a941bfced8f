"""Going over a finished corpus again in units of work: topics, difficulty, whatever a function of a pile computes."""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from pathlib import Path
from typing import Any

from pilotlight.corpus.corpus import Corpus
from pilotlight.corpus.pile import Pile
from pilotlight.events import Watcher, silent
from pilotlight.work.cores import available_cores
from pilotlight.work.flow import Flow, Task
from pilotlight.work.pool import Pool


@contextlib.contextmanager
def pile_over(
    corpus: Corpus, work: Path, *, workers: int | None = None, watch: Watcher = silent, step: str = "study"
) -> Generator[Pile]:
    """Yield the training text of ``corpus`` as a pile, whose units lie in ``work`` (and are found there again).

    ``workers`` are processes; None: one per core.
    """
    with Pool(len(available_cores()) if workers is None else workers) as pool:
        flow = Flow(work, pool, corpus.fingerprint, watch)
        tasks = [Task("pilotlight.corpus.pile:take_file", (), _marked(corpus, path)) for path in corpus.files("train")]
        yield Pile(flow, step, tuple(flow.run("taking the text", tasks)))


def _marked(corpus: Corpus, path: Path) -> dict[str, Any]:
    return {"path": str(path), "mark": f"{corpus.fingerprint} {path.name}"}
