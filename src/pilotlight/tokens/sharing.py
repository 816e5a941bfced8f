"""Packing done by several commands on several machines, or by a cluster."""

from __future__ import annotations

from pathlib import Path

from pilotlight.corpus.sharing import done_on_cluster, done_together
from pilotlight.events import Watcher, silent
from pilotlight.tokens.pack import Source, pack
from pilotlight.tokens.tokenizer import Tokenizer
from pilotlight.tokens.tokens import Tokens
from pilotlight.work.flow import Executor


def pack_share(
    corpus: Source,
    settings: Tokenizer,
    out: Path,
    share: tuple[int, int],
    *,
    workers: int = 1,
    watch: Watcher = silent,
) -> Tokens:
    """Return the token ids of ``corpus`` in ``out``, packed by several commands; the result is that of ``pack``.

    Raises:
        PilotlightError: as ``pack``.
    """

    def make(executor: Executor) -> Tokens:
        return pack(corpus, settings, out, watch=watch, executor=executor)

    return done_together(make, out, share, workers=workers, watch=watch)


def pack_on_cluster(corpus: Source, settings: Tokenizer, out: Path, address: str, *, watch: Watcher = silent) -> Tokens:
    """Return the token ids of ``corpus`` in ``out``, its units of work done by the Ray cluster at ``address``.

    Raises:
        ConfigError: ray is not installed, or no cluster answers.
        PilotlightError: as ``pack``.
    """
    return done_on_cluster(lambda executor: pack(corpus, settings, out, watch=watch, executor=executor), out, address)
