"""Cross-validation of the baseline at the lowest rung: each part of the text held out in turn, one training each.

Seeds and a folder of their own, and ledger entries of their own kind: nothing of it enters the comparison.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

from pilotlight.errors import DataError
from pilotlight.events import Watcher
from pilotlight.pilot.pilot import Pilot, Variant
from pilotlight.pilot.prepare import LEAST_HELD_OUT_BYTES, Ready, tokens_folder, tokens_of
from pilotlight.pilot.space import value_at
from pilotlight.pilot.trials import Trial
from pilotlight.record.decision import CrossValidation
from pilotlight.record.results import ASIDE, FOLD, Results
from pilotlight.stats.folds import apart, k_fold
from pilotlight.stats.metric import metric
from pilotlight.tokens.tokens import Tokens
from pilotlight.units import show_bytes

FOLDER = "folds"
"""Where in the pilot's folder the corpora and tokens of the parts are; those of the comparison lie beside it."""
SEEDS = 3_000  # seeds from here on: neither the comparison's, nor those of its confirmation or of tuning


@final
@dataclass(frozen=True)
class Round:
    """The trainings of a cross-validation."""

    pilot: Pilot
    """The pilot with a variant for each part that is held out."""
    trials: tuple[Trial, ...]


def round_of(pilot: Pilot) -> Round | None:
    """Return the trainings, each with another part held out; None where no folds are asked for.

    The first part is what the comparison holds out; the others begin at equal distances from it.
    """
    if not pilot.folds:
        return None
    start = pilot.corpus.held_out_start
    names = [f"{ASIDE[FOLD]}{part + 1}of{pilot.folds}" for part in range(pilot.folds)]
    rate = {pilot.tune.path: value_at(pilot.variant(), pilot.tune.path, "tune.path")} if pilot.tune else {}
    variants = {
        name: Variant(set={**rate, "corpus.held_out_start": (start + part / pilot.folds) % 1.0})
        for part, name in enumerate(names)
    }
    trials = tuple(Trial(name, pilot.lowest.name, SEEDS + part) for part, name in enumerate(names))
    return Round(pilot.model_copy(update={"variants": variants, "tune": None, "tuned": {}, "folds": 0}), trials)


def prepare(pilot: Pilot, out: Path, watch: Watcher) -> Ready:
    """Return the tokens of each part, built where they are missing: before anything is trained.

    Raises:
        DataError: a part leaves too little text for an honest held-out loss.
    """
    wanted, tokens = round_of(pilot), dict[str, Tokens]()
    if wanted is None:
        return Ready(tokens)
    for name in (trial.variant for trial in wanted.trials):
        tokens[name] = tokens_of(wanted.pilot.variant(name), out / FOLDER, watch)
        held_out = int(tokens[name].split("held_out").bytes.sum())
        if held_out < LEAST_HELD_OUT_BYTES:
            raise DataError(
                f"{name} leaves {show_bytes(held_out)} of held-out text, fewer than {show_bytes(LEAST_HELD_OUT_BYTES)}: too "
                "little to measure a loss on. Give more text, raise corpus.held_out, or set folds to 0."
            )
    return Ready(tokens)


def cross_validation(wanted: Round, results: Results, out: Path) -> CrossValidation | None:
    """Return what the trainings came to; None where the first of them or all but two have no result.

    Raises:
        RecordError: the tokens that a run was trained on are gone.
    """
    goal, level = wanted.pilot.goal, wanted.pilot.rule.level
    rows = {row.variant: row for row in results.finished()}
    ended = [trial.variant for trial in wanted.trials if trial.variant in rows]
    if wanted.trials[0].variant not in rows or len(ended) < 3:
        return None
    scores = tuple(rows[name].metrics[goal.metric] for name in ended)
    tokens = [Tokens.open(tokens_folder(wanted.pilot.variant(name), out / FOLDER)) for name in ended]
    share = sum(_share(one, wanted.pilot.train.score_bytes) for one in tokens) / len(tokens)
    score = k_fold(scores, unit=metric(goal.metric).unit, level=level, share=share)
    score = score.model_copy(update={"cautions": (*score.cautions, *_overlap(tokens))})
    return CrossValidation(rung=wanted.trials[0].scale, scores=scores, score=score, first=apart(scores, level=level))


def lost(wanted: Round, results: Results) -> tuple[str, ...]:
    """Return a sentence on the trainings without a result; nothing where all have one."""
    rows = {row.variant: row for row in results.rows}
    without = [rows[trial.variant] for trial in wanted.trials if rows[trial.variant].status != "finished"]
    if not without:
        return ()
    return (
        f"Cross-validation: {len(without)} of {len(wanted.trials)} trainings have no result, the first is {without[0].name}: "
        f"{without[0].error}",
    )


def _share(tokens: Tokens, score_bytes: float) -> float:
    """Return the bytes that are scored over those that are there to be trained on."""
    held_out, train = (float(tokens.split(name).bytes.sum()) for name in ("held_out", "train"))
    return min(held_out, score_bytes) / train


def _overlap(tokens: Sequence[Tokens]) -> tuple[str, ...]:
    """Return a caution where documents are held out in several parts: of a small corpus each takes what it needs at least."""
    held = [document for one in tokens for document in one.split("held_out").document_ids]
    twice = len(held) - len(set(held))
    return (f"{twice} of {len(held)} held-out documents are in more than one part",) if twice else ()
