"""Simulated coverage of what a campaign makes of its effects: shrunken, carried to the full size, as compute."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from campaigns import BASELINE, CORRELATIONS, RULE, Campaign, adopted
from coverage_cells import cell, table
from pilotlight.randomness import stream
from pilotlight.scaling.fall import around, fall
from pilotlight.scaling.points import Point
from pilotlight.scaling.predict import Study
from pilotlight.stats.carry import BEND, DOUBT, DRIFT, carry
from pilotlight.stats.comparison import USUAL, Comparison, Observation, compare
from pilotlight.stats.estimate import Estimate
from pilotlight.stats.multiplier import Gain, multiplier
from pilotlight.stats.rule import Rule

AHEAD = math.log(30.0)
"""How much larger the full run of the simulated campaigns is than their largest rung, in e-folds of size."""
WORTH = math.log1p(RULE.worth)
MOST = 100.0
"""Worths beyond which no spread of effects is drawn: the belief has tails that no losses have."""


def _drawn(
    seeds: tuple[int, ...], variants: int, spread: float | None, drift: float | None, count: int
) -> Iterator[tuple[tuple[Comparison, ...], np.ndarray, np.ndarray]]:
    """Return simulated campaigns with their true effects at the largest replicated rung and at the full size.

    Without a ``spread`` of effects, or a ``drift``, that of each campaign is drawn from what the intervals believe of it.
    """
    generator = stream(0, "effects", repr(seeds), variants, str(spread), str(drift))
    rung = max(place for place, runs in enumerate(seeds) if runs > 1)
    ahead = AHEAD + math.log(3.0) * (len(seeds) - 1 - rung)
    for _ in range(count):
        wide = WORTH * min(MOST, abs(generator.standard_cauchy()) * USUAL) if spread is None else spread
        effects = wide * generator.standard_normal(variants)
        slopes, beyond = _drifting(generator, effects, drift)
        beyond *= math.sqrt(ahead)
        made = Campaign(seeds, (0.5,) * variants, effects=tuple(effects), noise=0.003)
        observations = made.observations(generator)
        head = 2e6 * 3.0**rung
        turned = [
            item if item.variant == BASELINE else item.model_copy(update={
                "value": item.value * math.exp(slopes[int(item.variant[1:])] * math.log(item.size / head))
            })
            for item in observations
        ]  # fmt: skip
        yield compare(turned, BASELINE, RULE).comparisons, effects, effects + slopes * ahead + beyond


def _drifting(
    generator: np.random.Generator, effects: np.ndarray, drift: float | None
) -> tuple[np.ndarray, np.ndarray]:
    """Return the change of every effect per e-fold of size, and how far it leaves that line per square root of one."""
    if drift is not None:
        return drift * np.abs(effects) * generator.standard_normal(len(effects)), np.zeros(len(effects))
    share = DRIFT * math.exp(DOUBT * generator.standard_normal())
    reckoned = np.maximum(np.abs(effects), math.log1p(RULE.worth / 2.0))
    slopes = share * reckoned * generator.standard_normal(len(effects))
    return slopes, BEND * reckoned * generator.standard_normal(len(effects))


def shrunken(count: int) -> str:
    """Return coverage of shrunken effects drawn from a normal distribution, and what the best of them is overstated by."""
    rows: list[list[object]] = []
    for variants in (1, 3, 6):
        for spread in (0.0, 0.5, 1.0, 2.0, 4.0, None):
            hits: list[bool] = []
            raw: list[float] = []
            drawn: list[float] = []
            errors: list[tuple[float, float]] = []
            wide = None if spread is None else spread * WORTH
            for found, effects, _ in _drawn((3, 3), variants, wide, 0.0, max(2, count)):
                values = [math.log1p(item.effect.value) for item in found]
                shrunk = [item.shrunken for item in found]
                hits += [one.low <= math.expm1(truth) <= one.high for one, truth in zip(shrunk, effects, strict=True)]
                errors += [
                    ((value - truth) ** 2, (math.log1p(one.value) - truth) ** 2)
                    for value, one, truth in zip(values, shrunk, effects, strict=True)
                ]
                best = int(np.argmin(values))
                raw.append(effects[best] - values[best])
                drawn.append(effects[best] - math.log1p(shrunk[best].value))
            share = float(np.mean(hits))
            shown = "drawn" if spread is None else f"{spread:g}"
            cell(
                f"shrunken effect{'' if spread is None else ', spread given'}",
                f"{variants} variants, spread {shown}",
                share,
            )
            squares = np.mean(errors, axis=0)
            rows.append([
                variants, shown, share, f"{100 * np.mean(raw):.2f} %", f"{100 * np.mean(drawn):.2f} %",
                f"{math.sqrt(squares[1] / squares[0]):.2f}",
            ])  # fmt: skip
    return table(
        ["variants", "spread of true effects, worths", "coverage", "best one overstated, as measured",
         "best one overstated, shrunken", "error over that of the measured effect"], rows,
    )  # fmt: skip


@dataclass
class Foretold:
    """What simulated campaigns said of their effects at the full size, one entry for each variant."""

    hits: list[bool] = field(default_factory=list)
    reversals: list[float] = field(default_factory=list)
    turned: list[bool] = field(default_factory=list)
    widths: list[float] = field(default_factory=list)

    @classmethod
    def of(cls, seeds: tuple[int, ...], drift: float | None, count: int) -> Foretold:
        """Return what ``count`` campaigns of three variants said; see ``_drawn``."""
        made = cls()
        size = 2e6 * 3.0 ** (len(seeds) - 1) * math.exp(AHEAD)
        for found, _, truths in _drawn(seeds, 3, 2.0 * WORTH, drift, count):
            for item, truth in zip(found, truths, strict=True):
                one = carry(item, size, RULE.worth, RULE.level, found)
                made.hits.append(one.effect.low <= math.expm1(truth) <= one.effect.high)
                made.reversals.append(one.reversal)
                made.turned.append((truth > 0.0) != (item.effect.value > 0.0))
                made.widths.append(one.effect.half_width)
        return made


def carried(count: int) -> str:
    """Return coverage of effects carried to a size 30 times the largest, and how the risk of a reversal is calibrated."""
    rows: list[list[object]] = []
    for seeds in ((3, 3), (3, 3, 3), (2, 2, 1)):
        for drift in (None, 0.0, 0.1, 0.2, 0.4):
            made = Foretold.of(seeds, drift, max(2, count // 2))
            share, shown = float(np.mean(made.hits)), "drawn" if drift is None else f"{drift:g}"
            label = " + ".join(map(str, seeds))
            cell(f"effect at the full size{'' if drift is None else ', drift given'}", f"{label}, drift {shown}", share)
            rows.append([
                label, shown, share, f"{100 * np.median(made.widths):.2f} %", float(np.mean(made.reversals)),
                float(np.mean(made.turned)), float(np.mean((np.array(made.reversals) - np.array(made.turned)) ** 2)),
            ])  # fmt: skip
    return table(
        ["seeds per rung", "drift per e-fold", "coverage", "half width", "reversals foretold", "reversals", "Brier"],
        rows,
    )


RUNGS = {"2M": (2e6, 4e7), "6M": (6e6, 1.2e8), "18M": (1.8e7, 3.6e8)}
"""Parameters and tokens."""
TOP = "18M"


@dataclass(frozen=True)
class Truth:
    """A law of the loss: a floor and two powers, all as shares of the loss at the top rung."""

    floor: float
    of_size: float
    """Share of what is above the floor that falls with the size; the rest falls with the tokens."""
    exponents: tuple[float, float]

    def loss(self, size: float, tokens: float) -> float:
        """Return the loss of a run."""
        top_size, top_tokens = RUNGS[TOP]
        by_size = self.of_size * (size / top_size) ** -self.exponents[0]
        by_tokens = (1.0 - self.of_size) * (tokens / top_tokens) ** -self.exponents[1]
        return self.floor + (1.0 - self.floor) * (by_size + by_tokens)

    @classmethod
    def drawn(cls, generator: np.random.Generator) -> Truth:
        """Return one as the published fits have them: exponents about 0.3, a floor of a fifth to four fifths of the loss."""
        exponents = 0.3 * np.exp(0.25 * generator.standard_normal(2))
        floor, of_size = generator.uniform((0.2, 0.3), (0.8, 0.7))
        return cls(float(floor), float(of_size), (float(exponents[0]), float(exponents[1])))


def multipliers(count: int) -> str:
    """Return how often the interval of the compute multiplier holds the one that was planted."""
    rows: list[list[object]] = []
    for sought in (0.8, 1.0, 1.2, 1.5):
        for seeds in (3, 5):
            found = list(planted(sought, seeds, max(2, count)))
            told = [one for one in found if one is not None]
            share = sum(one.low <= sought <= one.high for one in told) / len(found)
            cell("compute multiplier", f"{sought:g}x, {seeds} seeds", share)
            middle, width = np.median([one.value for one in told]), np.median([one.high / one.low for one in told])
            rows.append([f"{sought:.2f}", seeds, share, f"{middle:.2f}", f"{width:.2f}"])
    return table(["planted", "seeds per rung", "coverage", "median", "high over low, median"], rows)


def planted(sought: float, seeds: int, studies: int) -> Iterator[Estimate | None]:
    """Return the multiplier that simulated ladders tell of a variant that needs ``sought`` times less compute."""
    generator = stream(0, "multiplier", str(sought), seeds)
    for _ in range(studies):
        observations, points = _ladders(generator, Truth.drawn(generator), sought, seeds)
        study = Study.of(points)
        (found,) = compare(observations, BASELINE, RULE).comparisons
        places = np.stack([study.logs(*place) for place in around(*RUNGS[TOP])])
        gain = Gain(math.log1p(found.effect.value), found.error, found.degrees, found.seeds)
        yield multiplier(gain, fall(study.fits, places, study.weights), RULE.level)


def _ladders(
    generator: np.random.Generator, truth: Truth, sought: float, seeds: int
) -> tuple[list[Observation], list[Point]]:
    """Return runs of a baseline that follows a law, and of a variant that needs ``sought`` times less compute."""
    observations: list[Observation] = []
    points: list[Point] = []
    more = math.sqrt(sought)
    for name, (size, tokens) in RUNGS.items():
        for seed in range(seeds):
            shared, *own = generator.standard_normal(3) * 0.003 * math.sqrt(0.5)
            old = truth.loss(size, tokens) * math.exp(shared + own[0])
            new = truth.loss(size * more, tokens * more) * math.exp(shared + own[1])
            points.append(Point(size, tokens, old, seed=str(seed)))
            observations += [
                Observation(variant=variant, scale=name, size=size * tokens, seed=seed, value=value)
                for variant, value in ((BASELINE, old), ("new", new))
            ]
    return observations, points


def adoption(count: int) -> str:
    """Return how often a variant that is the baseline is adopted by the whole rule, fresh seeds included."""
    rows: list[list[object]] = []
    total = wins = 0
    half = max(2, count // 2)
    for seeds in ((2, 2), (3, 3), (5, 5), (3, 3, 1)):
        cells: list[object] = []
        for correlation in CORRELATIONS:
            made = Campaign(seeds, (correlation,))
            generator = stream(0, "adoption", repr(made))
            won = sum(made.wins(generator) for _ in range(half))
            total, wins = total + half, wins + won
            cells.append(won / half)
        rows.append([" + ".join(map(str, seeds)), *cells])
    rows.append(["all pairs", wins / total, *([""] * (len(CORRELATIONS) - 1))])
    return table(["seeds per rung", *(f"{c:+.2f}" for c in CORRELATIONS)], rows)


def real(folder: Path) -> str:
    """Return what the rule makes of real runs of one set-up, split into a baseline and a variant that is the same.

    Every cell of a table with at least four seeds is used, two neighbouring sizes as a ladder; the first two seeds are
    one arm, the next two the other, and once more with the seeds in another order. Seeds are not paired: none is in both.
    """
    rows: list[list[object]] = []
    total = called = wins = 0
    for path in sorted(folder.glob("*.csv")):
        pairs = list(_real_pairs(path))
        if not pairs:
            continue
        different, won = 0, 0
        for observations in pairs:
            # Any gain is called worth having, so that only chance stands between the baseline and its adoption.
            (found,) = compare(observations, BASELINE, RULE).comparisons
            different += found.p_value <= 1.0 - RULE.level
            top = found.scale
            won += adopted(observations, [item for item in observations if item.scale == top], Rule(worth=1e-6))
        rows.append([path.stem, len(pairs), different, won])
        total, called, wins = total + len(pairs), called + different, wins + won
    rows.append(["all", total, called, wins])
    return table(["source", "A/A pairs", "called different (p below 0.05)", "adopted at no worth, unconfirmed"], rows)


def _real_pairs(path: Path) -> Iterator[list[Observation]]:
    import csv

    cells: dict[tuple[str, ...], dict[float, dict[str, float]]] = defaultdict(lambda: defaultdict(dict))
    with path.open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            if not all(row.get(name) for name in ("seed", "flops", "loss")):
                continue
            recipe = tuple(row.get(name, "") for name in ("recipe", "lr", "batch_tokens", "loss_split"))
            cells[recipe][float(row["flops"])].setdefault(row["seed"], float(row["loss"]))
    for sizes in cells.values():
        able = sorted(size for size, runs in sizes.items() if len(runs) >= 4)
        for low, high in zip(able[::2], able[1::2], strict=False):
            for order in ((0, 1, 2, 3), (-1, 1, 0, 2)):
                yield [
                    Observation(
                        variant=BASELINE if place < 2 else "same", scale=scale, size=size, seed=place, value=value
                    )
                    for scale, size in (("low", low), ("high", high))
                    for place, value in enumerate(_ordered(sizes[size], order))
                ]


def _ordered(runs: Mapping[str, float], order: tuple[int, ...]) -> list[float]:
    values = [runs[seed] for seed in sorted(runs)]
    return [values[place] for place in order]
