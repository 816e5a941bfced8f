"""Ways of spending a pilot's budget: ours, a uniform grid, and successive halving as Optuna does it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from pilotlight.randomness import stream
from pilotlight.scaling.allocate import Offer, Question, next_trial
from pilotlight.scaling.contest import contest
from pilotlight.scaling.contest_cells import PilotRun


@dataclass(frozen=True)
class Shop:
    """What can be bought in one replay, and what it will show."""

    question: Question
    menu: tuple[Offer, ...]
    values: Mapping[tuple[str, str], float]
    replay: int
    best: str
    """The best variant at the target: for bounds alone."""

    @property
    def cells(self) -> list[str]:
        """Cells from cheapest to dearest, by the middle unit's cost."""
        costs: dict[str, list[float]] = {}
        for offer in self.menu:
            costs.setdefault(offer.cell, []).append(offer.flops)
        return sorted(costs, key=lambda cell: (sorted(costs[cell])[len(costs[cell]) // 2], cell))

    @property
    def sign(self) -> float:
        """Multiplies a value so that lower is better."""
        return -1.0 if self.question.better == "higher" else 1.0

    def offer(self, variant: str, cell: str) -> Offer | None:
        """Return what a unit costs; None where the table has none."""
        return next((offer for offer in self.menu if (offer.variant, offer.cell) == (variant, cell)), None)

    def buy(self, offer: Offer) -> PilotRun:
        """Return the run."""
        value = self.values[offer.variant, offer.cell]
        return PilotRun(offer.variant, offer.cell, value, offer.flops, offer.parameters, offer.tokens)

    def shuffled(self) -> list[str]:
        """Return the variants in an order of this replay's own, so that no strategy lives by their names."""
        order = stream(self.replay, "order").permutation(len(self.question.variants))
        return [self.question.variants[place] for place in order]


Strategy = Callable[[Shop], Iterator[tuple[float, str]]]
"""Yields, for every purchase, its FLOPs and the pick after it."""


def best_in(shop: Shop, runs: list[PilotRun]) -> str:
    """Return the variant with the best value among ``runs``."""
    return min(runs, key=lambda run: (shop.sign * run.value, run.variant)).variant


def ours(shop: Shop) -> Iterator[tuple[float, str]]:
    """Buy what the allocator advises, until it stops; the pick is the contest's."""
    runs: list[PilotRun] = []
    place = {name: turn for turn, name in enumerate(shop.shuffled())}
    left = sorted(shop.menu, key=lambda offer: place[offer.variant])
    while True:
        advice = next_trial(runs, left, math.inf, shop.question)
        if advice.action != "buy":
            return
        for offer in advice.offers:
            runs.append(shop.buy(offer))
            left.remove(offer)
            yield offer.flops, _contest_pick(shop, runs)


def _contest_pick(shop: Shop, runs: list[PilotRun]) -> str:
    cells: dict[str, set[str]] = {}
    for run in runs:
        cells.setdefault(run.cell, set()).add(run.variant)
    if not any(len(there) > 1 for there in cells.values()):
        return best_in(shop, runs)
    return contest(runs, shop.question.target, shop.question.better, shop.question.variants).pick


def uniform(shop: Shop) -> Iterator[tuple[float, str]]:
    """Buy every variant in every cell, cheapest cell first; the pick is the best of the dearest cell that is complete."""
    complete: list[PilotRun] = []
    for cell in shop.cells:
        here: list[PilotRun] = []
        offers = [offer for name in shop.shuffled() if (offer := shop.offer(name, cell))]
        for offer in offers:
            here.append(shop.buy(offer))
            if len(here) == len(offers):
                complete = here
            yield offer.flops, best_in(shop, complete or here)


def uniform_judged(shop: Shop) -> Iterator[tuple[float, str]]:
    """Buy the uniform grid with our contest as the judge: what the judging alone is worth."""
    runs: list[PilotRun] = []
    for cell in shop.cells:
        for name in shop.shuffled():
            if offer := shop.offer(name, cell):
                runs.append(shop.buy(offer))
                yield offer.flops, _contest_pick(shop, runs)


def clairvoyant(shop: Shop) -> Iterator[tuple[float, str]]:
    """Buy the cheapest cell as everybody has to, and know the truth from then on: a bound, no strategy."""
    yield from _cheapest(shop)
    yield 0.0, shop.best


def given_the_rest(shop: Shop) -> Iterator[tuple[float, str]]:
    """Buy the cheapest cell, and get all others for nothing: the bound of every allocator with our judge."""
    yield from _cheapest(shop)
    yield 0.0, _contest_pick(shop, [shop.buy(offer) for offer in shop.menu])


def _cheapest(shop: Shop) -> Iterator[tuple[float, str]]:
    runs: list[PilotRun] = []
    for name in shop.shuffled():
        if offer := shop.offer(name, shop.cells[0]):
            runs.append(shop.buy(offer))
            yield offer.flops, best_in(shop, runs)


def halving(factor: int) -> Strategy:
    """Return Optuna's successive halving; each cell is a rung, and the pick is the best of the highest rung reached."""

    def strategy(shop: Shop) -> Iterator[tuple[float, str]]:
        import optuna
        from optuna.pruners import SuccessiveHalvingPruner

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        pruner = SuccessiveHalvingPruner(min_resource=1, reduction_factor=factor)
        direction = "maximize" if shop.question.better == "higher" else "minimize"
        study = optuna.create_study(direction=direction, pruner=pruner)
        alive = {name: study.ask() for name in shop.shuffled()}
        highest: list[PilotRun] = []
        for rung, cell in enumerate(shop.cells):
            here: list[PilotRun] = []
            for name, trial in alive.items():
                if offer := shop.offer(name, cell):
                    here.append(shop.buy(offer))
                    trial.report(here[-1].value, step=factor**rung)
                    complete = len(here) == len(alive)
                    yield offer.flops, best_in(shop, here if complete or not highest else highest)
            highest = here or highest
            # all of a rung report before any is judged: the most favourable order for the pruner
            alive = {name: trial for name, trial in alive.items() if not trial.should_prune()}

    return strategy


STRATEGIES: dict[str, Strategy] = {
    "ours": ours,
    "uniform grid": uniform,
    "uniform grid, our judge": uniform_judged,
    "Optuna's successive halving, factor 2": halving(2),
    "Optuna's successive halving, factor 4": halving(4),
    "bound: the cheapest cell, then all others for nothing, our judge": given_the_rest,
    "bound: the cheapest cell, then the truth": clairvoyant,
}
