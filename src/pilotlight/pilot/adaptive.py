"""The trials of a pilot whose budget is allocated as results come in: ``allocation: adaptive``.

First the baseline's ladder and repeats, which the law and the noise need, and every variant once at the lowest rung that
trains variants. Then round after round what ``scaling.allocate`` expects to help the choice most for its price. A round is
chosen from the finished results in order of their names, and stands in the ledger before it is trained; as many trials
whatever the number of workers. So a pilot that was killed goes on, and ends, as if it had not been.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

from pilotlight.pilot import trials
from pilotlight.pilot.analyse import winners
from pilotlight.pilot.asked import Asked, asked, sentence, worth_of
from pilotlight.pilot.calibration import Calibration
from pilotlight.pilot.pilot import Pilot
from pilotlight.pilot.trials import Schedule, Trial
from pilotlight.record.ledger import Ledger
from pilotlight.record.results import BASELINE, Results
from pilotlight.scaling.allocate import USELESS, Advice, Offer, next_trial, ranked
from pilotlight.scaling.contest import contest

ROUND = "allocation round"  # kind of the ledger entries that hold the trials of a round, and why they were chosen
STOP = "allocation stop"  # and of the one that says why no further round follows
BATCH = 2
"""Most trials in a round: more at a time would be chosen knowing less."""


@final
@dataclass(frozen=True)
class Choice:
    """The next round; without trials, why there is none."""

    trials: tuple[Trial, ...]
    because: str


def opening(pilot: Pilot) -> list[Trial]:
    """Return the trials that do not hang on any result, in the order of a planned pilot.

    The baseline once at every rung, with all its seeds where it trains alone, its repeats; every variant once, and the
    baseline twice, at the lowest rung that trains variants, so that there is a spread to judge by.
    """
    if not pilot.variants:
        return trials.wanted(pilot)
    lowest = pilot.lowest.name
    alone = {scale.name for scale in pilot.scales if scale.baseline_only}
    found = [
        trial for trial in trials.wanted(pilot)
        if (trial.variant == BASELINE and (trial.seed == 0 or trial.repeat or trial.scale in alone))
        or (trial.seed == 0 and trial.scale == lowest)
    ]  # fmt: skip
    second = Trial(BASELINE, lowest, 1)
    return found if second in found else [*found, second]


def schedule(pilot: Pilot, calibration: Calibration, ledger: Ledger) -> Schedule:
    """Return the main trials of a pilot so far: all that the budget pays for, or the opening and the rounds in the ledger.

    Raises:
        EvidenceError: the budget does not even pay for one trial at the smallest rung.
    """
    if pilot.allocation == "planned":
        return trials.schedule(pilot, calibration)
    rounds = [
        Trial(str(one["variant"]), str(one["scale"]), int(one["seed"]))
        for entry in ledger.entries(ROUND) for one in entry.facts["trials"]
    ]  # fmt: skip
    return trials.schedule(pilot, calibration, [*opening(pilot), *rounds])


def is_over(pilot: Pilot, ledger: Ledger) -> bool:
    """Return whether no further round follows; a planned pilot has none."""
    return pilot.allocation == "planned" or bool(ledger.entries(STOP))


def why_stopped(ledger: Ledger) -> str:
    """Return why no further round followed, in words; nothing where none was to follow, or where some still are."""
    entry = next(reversed(ledger.entries(STOP)), None)
    if entry is None:
        return ""
    rounds = ledger.entries(ROUND)
    count = sum(len(item.facts["trials"]) for item in rounds)
    chosen = f"{count} trial{'s' if count != 1 else ''} chosen in {len(rounds)} round{'s' if len(rounds) != 1 else ''}"
    return f"Allocated as results came in, {chosen}; stopped because {entry.facts['because']}."


def enter_round(pilot: Pilot, out: Path, ledger: Ledger, calibration: Calibration) -> None:
    """Enter the next round in the ledger, or that there is none; all earlier trials have ended."""
    choice = choose(pilot, Results.open(out), calibration, schedule(pilot, calibration, ledger))
    if choice.trials:
        chosen = [{"variant": one.variant, "scale": one.scale, "seed": one.seed} for one in choice.trials]
        ledger.append(ROUND, trials=chosen, because=choice.because)
    else:
        ledger.append(STOP, because=choice.because)


def choose(pilot: Pilot, results: Results, calibration: Calibration, so_far: Schedule) -> Choice:
    """Return the next round after the trials ``so_far``, from their results alone."""
    ours = {trial.name for trial in so_far.inside}
    results = Results(rows=tuple(row for row in results.rows if row.name in ours))
    most = {scale.name: pilot.seeds_at(scale) for scale in pilot.scales}
    known = asked(pilot, results, calibration, pilot.budget, most)
    if len(known.question.variants) < 2:
        return Choice((), "no variant is left to compare")
    state = _State(pilot, calibration, so_far, known)
    menu = [offer for offer in known.menu if _trial(offer).name not in ours]
    inside = [offer for offer in menu if state.affordable([_trial(offer)])]
    advice = next_trial(known.bought, inside, so_far.left, known.question)
    if advice.action == "buy":
        return state.bought(advice, inside)
    proof = state.proof(advice.pick, results)
    if proof:
        return Choice(proof, f"{advice.pick} is the choice; its effect is not shown yet as the rule asks")
    second = state.second_seeds(most)
    if second:
        return Choice(second, "a second seed at the lowest rung gives every verdict a spread to stand on")
    told = sentence(pilot, known, advice)
    if advice.action == "safe":
        return Choice((), told)
    left = "every seed of every rung was trained: " if not menu else "the budget is spent: " if not inside else ""
    return Choice((), left + told)


def _trial(offer: Offer) -> Trial:
    return Trial(offer.variant, offer.cell, int(offer.seed))


@final
@dataclass(frozen=True)
class _State:
    """What is known before a round is chosen."""

    pilot: Pilot
    calibration: Calibration
    so_far: Schedule
    known: Asked

    def affordable(self, wanted: Iterable[Trial]) -> tuple[Trial, ...]:
        """Return those of ``wanted`` that the budget still pays for, as ``schedule`` will find again."""
        inside = trials.schedule(self.pilot, self.calibration, [*self.so_far.inside, *wanted]).inside
        return inside[len(self.so_far.inside) :]

    def bought(self, advice: Advice, inside: Sequence[Offer]) -> Choice:
        """Return the round that ``advice`` leads to, filled up with the next best sets where its own is smaller."""
        question = self.known.question
        wanted = list(advice.offers)
        if len(wanted) < BATCH and advice.regret is not None:
            for one in ranked(self.known.bought, inside, self.so_far.left, question):
                worthy = one.offers if one.gain > USELESS * question.worth else ()
                wanted += [offer for offer in worthy if offer not in wanted]
        chosen = self.affordable(map(_trial, wanted))[:BATCH]
        because = sentence(self.pilot, self.known, advice)
        if chosen != tuple(map(_trial, advice.offers)):
            because += f"; in this round: {', '.join(trial.name for trial in chosen)}"
        return Choice(chosen, because)

    def proof(self, pick: str | None, results: Results) -> tuple[Trial, ...]:
        """Return what shows the effect of the choice as the rule asks: further planned trials of it and of the baseline.

        None where the baseline is the choice, where less than what matters is gained by it, where it is shown, or no more
        is planned that the budget pays for.
        """
        if pick is None or pick == BASELINE or pick in winners(results, self.pilot):
            return ()
        question = self.known.question
        found = contest(self.known.bought, question.target, question.better, question.variants)
        gain = float(found.gaps[found.variants.index(BASELINE)] - found.gaps[found.variants.index(pick)])
        if gain < worth_of(self.pilot, self.known.bought, 1.0):
            return ()
        ours = {trial.name for trial in self.so_far.inside}
        rungs = {scale.name for scale in self.pilot.compared}
        missing = [
            trial for trial in trials.wanted(self.pilot)
            if trial.variant in (BASELINE, pick) and trial.scale in rungs and not trial.repeat and trial.name not in ours
        ]  # fmt: skip
        return self.affordable(missing)[:BATCH]

    def second_seeds(self, most: Mapping[str, int]) -> tuple[Trial, ...]:
        """Return second seeds of what has one at the lowest rung: without, a verdict has no spread of its own."""
        rung = self.pilot.lowest.name
        ours = {trial.name for trial in self.so_far.inside}
        second = [Trial(name, rung, 1) for name in self.known.question.variants if most[rung] > 1]
        return self.affordable(trial for trial in second if trial.name not in ours)[:BATCH]
