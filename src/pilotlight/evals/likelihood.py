"""Likelihoods of many spans: tokenized, cut into windows of the model's context, batched by length."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np

from pilotlight.evals.item import Span
from pilotlight.events import Progress, Watcher, silent

if TYPE_CHECKING:
    from pilotlight.evals.scorer import Scorer


@final
@dataclass(frozen=True, slots=True)
class Likelihood:
    """Nats of a continuation, its tokens, and tokens that were cut off the left of its context."""

    nats: float
    tokens: int
    cut: int


@final
@dataclass(frozen=True, slots=True)
class Window:
    """Ids to read at a time; the targets from ``first`` on are scored. Target t is ``ids[t + 1]``."""

    span: int
    ids: np.ndarray
    first: int


def likelihoods(
    scorer: Scorer, spans: Sequence[Span], *, task: str = "scoring", context: int | None = None, watch: Watcher = silent
) -> list[Likelihood]:
    """Return the likelihood of every span's continuation given its context.

    Context and continuation are tokenized as one text, as they would stand in a document; scored are the tokens after
    those that the context alone shares with it. Every one of them is scored exactly once. Where the whole does not
    fit, the context loses tokens on the left; a continuation longer than the model's context is read in windows
    that overlap by half. A text without context is read in windows side by side, as held-out text is in training.

    Args:
        scorer: the model.
        spans: what to score.
        task: name for the progress.
        context: tokens to show at a time, where fewer are wanted than the model can take.
        watch: is told the progress.
    """
    limit = min(scorer.context, context or scorer.context)
    sequences, firsts = _encoded(scorer, spans)
    windows: list[Window] = []
    cuts: list[int] = []
    for number, (sequence, first) in enumerate(zip(sequences, firsts, strict=True)):
        found, cut = windows_of(sequence, first, limit, overlap=bool(spans[number].context))
        windows += [Window(number, ids, skipped) for ids, skipped in found]
        cuts.append(cut)
    nats = _nats(scorer, windows, len(spans), task, watch)
    return [
        Likelihood(float(value), len(sequence) - first, cut)
        for value, sequence, first, cut in zip(nats, sequences, firsts, cuts, strict=True)
    ]


def _encoded(scorer: Scorer, spans: Sequence[Span]) -> tuple[list[np.ndarray], list[int]]:
    """Return [start] + the ids of each whole text, and the place of the first id of its continuation."""
    contexts = sorted({span.context for span in spans if span.context})
    known = dict(zip(contexts, scorer.encoder.encode_batch(contexts), strict=True))
    known[""] = np.zeros(0, dtype=np.uint32)
    whole = scorer.encoder.encode_batch([span.context + span.continuation for span in spans])
    start = np.array([scorer.start], dtype=np.int64)
    sequences = [np.concatenate([start, ids.astype(np.int64)]) for ids in whole]
    return sequences, [1 + _shared(known[span.context], ids) for span, ids in zip(spans, whole, strict=True)]


def _shared(left: np.ndarray, right: np.ndarray) -> int:
    length = min(len(left), len(right))
    different = np.flatnonzero(left[:length] != right[:length])
    return int(different[0]) if len(different) else length


def windows_of(
    sequence: np.ndarray, first: int, limit: int, *, overlap: bool
) -> tuple[list[tuple[np.ndarray, int]], int]:
    """Return windows of at most ``limit`` predictions that score ``sequence[first:]`` once, and how many ids were cut.

    Each window is its ids and the number of its targets that are only read.
    """
    found: list[tuple[np.ndarray, int]] = []
    # What every window reads before its first scored target; more if the continuation leaves room for it.
    least = limit // 2 + 1 if overlap else 1
    before = min(first, max(least, limit + 1 - (len(sequence) - first)))
    cut = first - before
    place = first
    while place < len(sequence):
        stop = min(len(sequence), place + limit + 1 - before)
        found.append((sequence[place - before : stop], before - 1))
        place, before = stop, min(stop, least)
    return found, cut


def _nats(scorer: Scorer, windows: list[Window], spans: int, task: str, watch: Watcher) -> np.ndarray:
    total = np.zeros(spans, dtype=np.float64)
    order = sorted(range(len(windows)), key=lambda index: -len(windows[index].ids))
    done = 0
    while done < len(order):
        longest = len(windows[order[done]].ids) - 1
        rows = max(1, scorer.tokens_at_once // longest)
        part = [windows[index] for index in order[done : done + rows]]
        ids = np.full((len(part), longest + 1), scorer.start, dtype=np.int64)
        mask = np.zeros((len(part), longest), dtype=bool)
        for row, window in enumerate(part):
            ids[row, : len(window.ids)] = window.ids
            mask[row, window.first : len(window.ids) - 1] = True
        np.add.at(total, [window.span for window in part], scorer.nats(ids[:, :-1], ids[:, 1:], mask))
        done += len(part)
        watch(Progress(task, done, len(order), "windows"))
    return total
