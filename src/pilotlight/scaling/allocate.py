"""Which pilot to buy next: the one that lowers the expected regret of the full run's decision most per FLOP."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, final

from pilotlight.randomness import stream
from pilotlight.scaling.contest import Contest, judge, shares, within
from pilotlight.scaling.contest_cells import Better, Grid, PilotRun, Scale, arrange, places_of, scale_of
from pilotlight.scaling.contest_fit import Gaps

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

DRAWS = 256
"""Outcomes of a set of trials that are weighed; the same ones for every set, so that sets are compared fairly."""
CONTENDERS = 16
"""Variants whose chances decide what a trial is worth; the others are too far behind."""
FRONT = (2, 3, 4, 6, 10)
"""How many of the leading variants are tried together in a cell, besides all of them and those that were never run."""
LIKELY = 4
"""Settings of the contest's model that planning averages over: the likeliest."""
DOUBT = 8.0
"""Variances are multiplied by 1 + DOUBT / compared cells while trials are planned."""
STRIDE = 4.0
"""How many times dearer a trial may be than the dearest that was compared; the next dearer cell may always be tried."""
USELESS = 0.01
"""Share of ``worth`` below which a trial counts as changing nothing."""


@final
@dataclass(frozen=True, slots=True)
class Offer:
    """A trial that could be bought: a variant at a cell, with its cost."""

    variant: str
    cell: str
    flops: float
    parameters: float | None = None
    tokens: float | None = None
    seed: str = ""


@final
@dataclass(frozen=True, slots=True)
class Weighed:
    """Trials of one cell, bought together, and by how much they are expected to lower the regret of the pick."""

    offers: tuple[Offer, ...]
    gain: float

    @property
    def flops(self) -> float:
        """Of all of them."""
        return sum(offer.flops for offer in self.offers)


@final
@dataclass(frozen=True, slots=True)
class Question:
    """What is to be decided: the variants, the target, and the expected regret that is small enough to stop.

    ``worth`` is a share of the loss (0.001: a tenth of a percent), or in the metric's own units where it is no loss.
    """

    variants: tuple[str, ...]
    target: Scale
    better: Better = "lower"
    worth: float = 0.0005


@final
@dataclass(frozen=True, slots=True)
class Advice:
    """What to do next: ``buy`` the ``offers``, in their order, or stop and why.

    ``safe``: the expected regret of ``pick`` is below what it is worth. ``useless``: no affordable trial would change
    the decision. ``gain`` is by how much the offers together are expected to lower ``regret``. Offers come as a set
    because one run in a new cell says nothing by itself: gaps are seen between runs of one cell. Buying the first and
    asking again is as good as buying all.
    """

    action: Literal["buy", "safe", "useless"]
    offers: tuple[Offer, ...]
    pick: str | None
    regret: float | None
    gain: float

    @property
    def why(self) -> str:
        """In words, for a report."""
        if self.action == "safe":
            return f"the decision is safe: {self.pick} is expected to cost {self.regret:.2g} against the best variant"
        if self.action == "useless":
            return "no trial that can be afforded is expected to change the decision"
        names = ", ".join(offer.variant for offer in self.offers)
        if self.regret is None:
            return f"no two variants have been compared yet; start with {names} at {self.offers[0].cell}"
        return (
            f"{names} at {self.offers[0].cell} should lower the expected regret of {self.regret:.2g} by {self.gain:.2g}"
        )


def next_trial(bought: Sequence[PilotRun], menu: Sequence[Offer], budget: float, question: Question) -> Advice:
    """Return which trials of ``menu`` to buy next with ``budget`` FLOPs left, or that it is time to stop.

    The gain of a set of trials is how much lower the expected loss of the best-looking variant at the target will be
    once they are in, over what they may show (knowledge gradient; Frazier et al. 2009); the set with most gain per
    FLOP wins. Deterministic: the same runs and menu give the same advice.
    """
    affordable = [offer for offer in menu if offer.flops <= budget]
    if not _compared(bought):
        return _start(bought, affordable)
    found = _judged(bought, question)
    if found.regret < question.worth:
        return Advice("safe", (), found.pick, found.regret, 0.0)
    best = next(iter(_weighed(found, bought, affordable, budget, question)), None)
    if best is None or best.gain <= USELESS * question.worth:
        return Advice("useless", (), found.pick, found.regret, 0.0)
    return Advice("buy", best.offers, found.pick, found.regret, best.gain)


def ranked(bought: Sequence[PilotRun], menu: Sequence[Offer], budget: float, question: Question) -> list[Weighed]:
    """Return all sets of trials that ``next_trial`` weighs, most gain per FLOP first; none before anything is compared."""
    if not _compared(bought):
        return []
    affordable = [offer for offer in menu if offer.flops <= budget]
    return _weighed(_judged(bought, question), bought, affordable, budget, question)


def _judged(bought: Sequence[PilotRun], question: Question) -> Contest:
    return _doubted(judge(arrange(bought, question.target, question.better, question.variants)))


def _weighed(
    found: Contest, bought: Sequence[PilotRun], affordable: Sequence[Offer], budget: float, question: Question
) -> list[Weighed]:
    planner = _Planner.of(found, bought, affordable, question.target)
    sets = [Weighed(offers, planner.gain(offers)) for offers in _sets(found, affordable, budget)]
    return sorted(sets, key=lambda one: -one.gain / one.flops)


def _doubted(found: Contest) -> Contest:
    """Return ``found`` with wider errors: the fewer cells were compared, the less was seen of how gaps change."""
    compared = int(((found.grid.repeats > 0).sum(axis=0) > 1).sum())
    return replace(found, covariance=found.covariance * (1.0 + DOUBT / compared))


def _compared(bought: Sequence[PilotRun]) -> bool:
    cells: dict[str, set[str]] = {}
    for run in bought:
        cells.setdefault(run.cell, set()).add(run.variant)
    return any(len(variants) > 1 for variants in cells.values())


def _start(bought: Sequence[PilotRun], affordable: Sequence[Offer]) -> Advice:
    """Return every variant at the cheapest cell that can compare two, those that ran there already left out."""
    there = {(run.variant, run.cell) for run in bought}
    cells: dict[str, dict[str, Offer]] = {}
    for offer in sorted(affordable, key=lambda offer: offer.flops):
        cells.setdefault(offer.cell, {}).setdefault(offer.variant, offer)
    for cell, offers in sorted(cells.items(), key=lambda item: (max(o.flops for o in item[1].values()), item[0])):
        fresh = tuple(offer for name, offer in offers.items() if (name, cell) not in there)
        if fresh and len({run.variant for run in bought if run.cell == cell} | set(offers)) > 1:
            return Advice("buy", fresh, None, None, 0.0)
    return Advice("useless", (), None, None, 0.0)


def _sets(found: Contest, affordable: Sequence[Offer], budget: float) -> list[tuple[Offer, ...]]:
    """Return the sets of trials to weigh: in each cell one, the leading few, all, and those that were never run."""
    gaps: dict[str, float] = dict(zip(found.variants, map(float, found.gaps), strict=True))
    order = sorted(found.variants, key=lambda name: (-found.best[name], gaps[name]))
    never = {name for name, row in zip(found.variants, found.grid.repeats, strict=True) if not row.any()}
    cells: dict[str, dict[str, Offer]] = {}
    for offer in sorted(affordable, key=lambda offer: offer.flops):
        cells.setdefault(offer.cell, {}).setdefault(offer.variant, offer)
    found_sets: dict[tuple[tuple[str, str], ...], tuple[Offer, ...]] = {}
    for cell in _reachable(found.grid, cells):
        ranked = [cells[cell][name] for name in order if name in cells[cell]]
        groups = [ranked[:count] for count in (*FRONT, len(ranked))] + [[offer] for offer in ranked[:CONTENDERS]]
        groups.append([offer for offer in ranked if offer.variant in never])
        for group in groups:
            if group and sum(offer.flops for offer in group) <= budget:
                found_sets.setdefault(tuple((o.cell, o.variant) for o in group), tuple(group))
    return list(found_sets.values())


def _reachable(grid: Grid, cells: dict[str, dict[str, Offer]]) -> list[str]:
    """Return the cells to weigh, cheapest first: none far dearer than what was compared, for a step may show the way."""
    costs = {cell: max(offer.flops for offer in offers.values()) for cell, offers in cells.items()}
    ordered = sorted(costs, key=lambda cell: (costs[cell], cell))
    fresh = [cell for cell in ordered if cell not in grid.cells]
    limit = max(STRIDE * grid.dearest, min((costs[cell] for cell in fresh), default=0.0))
    return [cell for cell in ordered if cell in grid.cells or costs[cell] <= limit]


@final
@dataclass(frozen=True)
class _Planner:
    """The contest with all cells of the menu in it, ready to say what a set of trials would change.

    ``grid`` holds the pilots' cells and the menu's; ``fits`` the likeliest settings of both views with their say;
    ``now`` [fits] the covariance that the runs leave, ``front`` rows of the contenders.
    """

    found: Contest
    grid: Grid
    fits: tuple[tuple[float, Gaps], ...]
    now: tuple[Floats, ...]
    front: NDArray[np.intp]
    noise: Floats
    doubt: float

    @classmethod
    def of(cls, found: Contest, bought: Sequence[PilotRun], menu: Sequence[Offer], target: Scale) -> _Planner:
        """Return a planner for what ``found`` says of ``bought``, with the cells of ``menu`` added."""
        import numpy as np

        grid = _widened(found.grid, bought, menu, target)
        trending, lasting, dearest = shares(found.grid)
        fits = ((trending, _likeliest(found.views[0].fitted)), (lasting + dearest, _likeliest(found.views[1].fitted)))
        now = tuple(within(grid, fitted, grid.repeats) for _, fitted in fits)
        chances = np.array([found.best[name] for name in found.variants])
        front = np.sort(np.lexsort((found.gaps, -chances))[:CONTENDERS])
        half = stream(0, "allocate", len(front)).standard_normal((DRAWS // 2, len(front)))
        compared = int(((found.grid.repeats > 0).sum(axis=0) > 1).sum())
        return cls(found, grid, fits, now, front, np.concatenate([half, -half]), 1.0 + DOUBT / compared)

    def gain(self, offers: Sequence[Offer]) -> float:
        """Return by how much ``offers`` are expected to lower the regret of the pick."""
        import numpy as np

        repeats = self.grid.repeats.copy()
        for offer in offers:
            repeats[self.grid.variants.index(offer.variant), self.grid.cells.index(offer.cell)] += 1
        told = np.zeros_like(self.found.covariance)
        for (share, fitted), now in zip(self.fits, self.now, strict=True):
            told += share * (now - within(self.grid, fitted, repeats))
        told = self.doubt * told[np.ix_(self.front, self.front)] + self._settled(repeats)
        values, vectors = np.linalg.eigh((told + told.T) / 2)
        moved = self.noise @ (vectors * np.sqrt(np.maximum(values, 0.0))).T
        gaps = self.found.gaps[self.front]
        # antithetic draws: the mean of what moves is exactly 0, so a set that moves nothing gains nothing
        return float(gaps.min() - (gaps + moved).min(axis=1).mean())

    def _settled(self, repeats: Floats) -> Floats:
        """Return how much of the views' disagreement a comparison nearer to the target settles, for the contenders.

        In proportion to the squared distance: views that differ twice as far out differ twice as much.
        """
        import numpy as np

        far = np.abs(self.grid.places).sum(axis=1)
        before = far[(self.grid.repeats > 0).sum(axis=0) > 1].min()
        after = far[(repeats > 0).sum(axis=0) > 1].min()
        there = (repeats[:, int(np.where((repeats > 0).sum(axis=0) > 1, far, np.inf).argmin())] > 0)[self.front]
        apart = self.found.covariance / self.doubt - sum(
            share * view.covariance
            for share, view in zip((self.fits[0][0], self.fits[1][0]), self.found.views, strict=True)
        )
        share = 1.0 - (after / before) ** 2 if before > 0 else 0.0
        return self.doubt * share * apart[np.ix_(self.front, self.front)] * np.outer(there, there)


def _likeliest(fitted: Gaps) -> Gaps:
    import numpy as np

    keep = np.argsort(-fitted.weights, kind="stable")[:LIKELY]
    weights = fitted.weights[keep] / fitted.weights[keep].sum()
    return Gaps(fitted.settings.only(keep), weights, fitted.scales[keep], fitted.means[keep], fitted.common[keep])


def _widened(grid: Grid, bought: Sequence[PilotRun], menu: Sequence[Offer], target: Scale) -> Grid:
    import numpy as np

    members: dict[str, list[PilotRun | Offer]] = {cell: [] for cell in grid.cells}
    for one in (*bought, *menu):
        members.setdefault(one.cell, []).append(one)
    cells = (*grid.cells, *(cell for cell in members if cell not in grid.cells))
    places = places_of([scale_of(members[cell]) for cell in cells], target)
    repeats = np.zeros((len(grid.variants), len(cells)))
    repeats[:, : len(grid.cells)] = grid.repeats
    for run in bought:
        # a cell with one variant compares nothing yet, and its run still counts once a second one is there
        if run.cell not in grid.cells:
            repeats[grid.variants.index(run.variant), cells.index(run.cell)] += 1
    return replace(grid, cells=cells, values=np.full_like(repeats, np.nan), repeats=repeats, places=places)
