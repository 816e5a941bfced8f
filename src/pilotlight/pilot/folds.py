"""Cross-validation of the baseline at the lowest rung: other parts of the text held out, one training each.

Seeds of its own, and ledger entries of their own kind: nothing of it enters the comparison.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import final

from pilotlight.events import Watcher
from pilotlight.pilot.pilot import Pilot, Variant
from pilotlight.pilot.prepare import Ready, tokens_folder, tokens_of
from pilotlight.pilot.space import value_at
from pilotlight.pilot.trials import Trial
from pilotlight.record.decision import CrossValidation
from pilotlight.record.results import Results
from pilotlight.stats.folds import apart, k_fold
from pilotlight.stats.metric import metric
from pilotlight.tokens.tokens import Tokens

SEEDS = 3_000  # seeds from here on: neither the comparison's, nor those of its confirmation or of tuning


@final
@dataclass(frozen=True)
class Round:
    """The trainings of a cross-validation."""

    pilot: Pilot
    """The pilot with a variant for each part that is held out."""
    trials: tuple[Trial, ...]

    def prepare(self, out: Path, watch: Watcher) -> Ready:
        """Return the tokens of each part, built where they are missing."""
        names = [trial.variant for trial in self.trials]
        return Ready({name: tokens_of(self.pilot.variant(name), out, watch) for name in names})


def round_of(pilot: Pilot) -> Round | None:
    """Return the trainings, each with another part held out; None where no folds are asked for.

    The first part is what the comparison holds out; the others begin at equal distances from it.
    """
    if not pilot.folds:
        return None
    start = pilot.corpus.held_out_start
    names = [f"fold.{part + 1}of{pilot.folds}" for part in range(pilot.folds)]
    rate = {pilot.tune.path: value_at(pilot.variant(), pilot.tune.path, "tune.path")} if pilot.tune else {}
    variants = {
        name: Variant(set={**rate, "corpus.held_out_start": (start + part / pilot.folds) % 1.0})
        for part, name in enumerate(names)
    }
    trials = tuple(Trial(name, pilot.lowest.name, SEEDS + part) for part, name in enumerate(names))
    return Round(pilot.model_copy(update={"variants": variants, "tune": None, "tuned": {}, "folds": 0}), trials)


def cross_validation(wanted: Round, results: Results, out: Path) -> CrossValidation | None:
    """Return what the trainings came to; None where the first of them or all but two failed.

    Raises:
        RecordError: the tokens that a run was trained on are gone.
    """
    goal, level = wanted.pilot.goal, wanted.pilot.rule.level
    rows = {row.variant: row for row in results.finished()}
    ended = [trial.variant for trial in wanted.trials if trial.variant in rows]
    if wanted.trials[0].variant not in rows or len(ended) < 3:
        return None
    scores = tuple(rows[name].metrics[goal.metric] for name in ended)
    shares = [_share(wanted.pilot, name, out) for name in ended]
    score = k_fold(scores, unit=metric(goal.metric).unit, level=level, share=sum(shares) / len(shares))
    if len(ended) < len(wanted.trials):
        lost = f"{len(wanted.trials) - len(ended)} of {len(wanted.trials)} trainings failed"
        score = score.model_copy(update={"cautions": (*score.cautions, lost)})
    return CrossValidation(rung=wanted.trials[0].scale, scores=scores, score=score, first=apart(scores, level=level))


def _share(pilot: Pilot, name: str, out: Path) -> float:
    """Return the bytes that are scored over those that are trained on."""
    setup = pilot.variant(name)
    tokens = Tokens.open(tokens_folder(setup, out))
    scored = min(float(tokens.split("held_out").bytes.sum()), setup.train.score_bytes)
    return scored / float(tokens.split("train").bytes.sum())
