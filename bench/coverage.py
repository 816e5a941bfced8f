"""Simulated coverage of every interval in docs/statistics.md, and the share of false verdicts.

python bench/coverage.py            print the tables
python bench/coverage.py --write    put them into docs/statistics.md, between its markers
"""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from pilotlight.randomness import stream
from pilotlight.stats.bootstrap import ratio_of_sums, two_level
from pilotlight.stats.comparison import Comparison, Observation, compare
from pilotlight.stats.rule import Rule
from pilotlight.stats.student import critical
from pilotlight.stats.verdict import Verdict, judge

PAGE = Path(__file__).parents[1] / "docs" / "statistics.md"
CORRELATIONS = (-0.4, 0.0, 0.5, 0.88, 0.95)
RULE = Rule()
BASELINE = "baseline"


@dataclass(frozen=True)
class Campaign:
    """A ladder to simulate; effects are logarithmic, the noise of the baseline is ``noise`` at the lowest rung."""

    seeds: tuple[int, ...]
    correlations: tuple[float, ...]
    """With the baseline, one per variant."""

    effects: tuple[float, ...] = ()
    trend: float = 0.0
    """Added to every effect per rung below the top one."""

    noise: float = 0.005
    spreads: tuple[float, ...] = ()
    """Noise of each variant over the baseline's."""

    rung_noise: float = 1.0
    """Noise of a rung over that of the rung below."""

    tails: float = math.inf
    """Degrees of freedom of t-distributed noise."""

    names: tuple[str, ...] = field(default=("2M", "6M", "18M"))

    def effect(self, variant: int, rung: int) -> float:
        """Return the true logarithmic effect of a variant at a rung."""
        top = len(self.seeds) - 1
        return (self.effects[variant] if self.effects else 0.0) + self.trend * (top - rung)

    def observations(self, generator: np.random.Generator) -> list[Observation]:
        """Return one simulated campaign."""
        found: list[Observation] = []
        for rung, seeds in enumerate(self.seeds):
            scale = {"scale": self.names[rung], "size": 2e6 * 3.0**rung}
            sd = self.noise * self.rung_noise**rung
            shared = self._draw(generator, seeds)
            logs = {BASELINE: sd * shared}
            for variant, correlation in enumerate(self.correlations):
                own = math.sqrt(1.0 - correlation**2) * self._draw(generator, seeds)
                spread = self.spreads[variant] if self.spreads else 1.0
                logs[f"v{variant}"] = sd * spread * (correlation * shared + own) + self.effect(variant, rung)
            found += [
                Observation(variant=name, seed=seed, value=1.5 * math.exp(value), **scale)
                for name, values in logs.items()
                for seed, value in enumerate(values.tolist())
            ]
        return found

    def _draw(self, generator: np.random.Generator, count: int) -> np.ndarray:
        if math.isinf(self.tails):
            return generator.standard_normal(count)
        return generator.standard_t(self.tails, count) * math.sqrt((self.tails - 2.0) / self.tails)

    def studies(self, count: int, seed: int = 0) -> Iterator[tuple[Comparison, ...]]:
        """Return the comparisons of ``count`` simulated campaigns."""
        generator = stream(seed, "coverage", repr(self))
        for _ in range(count):
            yield compare(self.observations(generator), BASELINE, RULE).comparisons

    def covered(self, count: int, seed: int = 0) -> list[float]:
        """Return, per variant, how often the uncorrected interval at the headline scale holds the true effect."""
        hits = np.zeros(len(self.correlations))
        for comparisons in self.studies(count, seed):
            for variant, found in enumerate(comparisons):
                interval = found.by_scale[found.scale]
                truth = math.expm1(self.effect(variant, self.names.index(found.scale)))
                hits[variant] += interval.low <= truth <= interval.high
        return (hits / count).tolist()

    def half_width(self, count: int, seed: int = 0) -> float:
        """Return the median half width of the first variant's interval, in standard deviations of one run."""
        widths = [found[0].by_scale[found[0].scale].half_width for found in self.studies(count, seed)]
        return float(np.median(widths)) / self.noise

    def verdicts(self, count: int, seed: int = 0) -> dict[Verdict, float]:
        """Return the share of each verdict over all variants."""
        given = [judge(found, RULE).verdict for study in self.studies(count, seed) for found in study]
        return {verdict: given.count(verdict) / len(given) for verdict in Verdict}

    def false_coverage(self, count: int, seed: int = 0) -> float:
        """Return the mean share of the selected variants' intervals that miss (0 where none is selected)."""
        shares: list[float] = []
        for comparisons in self.studies(count, seed):
            missed: list[bool] = []
            for variant, found in enumerate(comparisons):
                if found.p_adjusted <= 1.0 - RULE.level:
                    truth = math.expm1(self.effect(variant, self.names.index(found.scale)))
                    missed.append(not found.effect.low <= truth <= found.effect.high)
            shares.append(sum(missed) / len(missed) if missed else 0.0)
        return float(np.mean(shares))


def scored(generator: np.random.Generator, runs: int, items: int, spread: float, kind: str) -> tuple[np.ndarray, float]:
    """Return scores [runs items ...] of one simulated evaluation, and the true mean over runs and items."""
    of_run, of_item = spread * generator.standard_normal((runs, 1)), generator.standard_normal((1, items))
    if kind == "normal":
        return of_run + of_item + 0.5 * generator.standard_normal((runs, items)), 0.0
    if kind == "right or wrong":
        from scipy.special import ndtr

        chance = ndtr(1.3 + of_run + of_item)
        return (generator.random((runs, items)) < chance).astype(float), float(ndtr(1.3 / math.sqrt(2.0 + spread**2)))
    size = generator.lognormal(6.0, 0.6, (1, items)) + np.zeros((runs, 1))
    bits = size * (1.5 + 0.2 * of_run + 0.2 * of_item + 0.1 * generator.standard_normal((runs, items)))
    return np.stack([bits, size], axis=-1), 1.5


def scores_covered(runs: int, items: int, spread: float, kind: str, count: int) -> float:
    """Return how often the two-level interval holds the true mean."""
    generator = stream(0, "scores", runs, items, str(spread), kind)
    statistic = ratio_of_sums if kind == "bits per byte" else None
    hits = 0
    for _ in range(count):
        scores, truth = scored(generator, runs, items, spread, kind)
        found = two_level(scores, unit="x", statistic=statistic)
        hits += found.low <= truth <= found.high
    return hits / count


def shared_items_covered(runs: int, items: int, accuracy: float, flips: float, count: int) -> float:
    """Return how often the interval holds the true share, where all runs are right on the same items but for ``flips``."""
    generator = stream(0, "shared items", runs, items, str(accuracy), str(flips))
    truth = accuracy * (1.0 - flips) + (1.0 - accuracy) * flips
    hits = 0
    for _ in range(count):
        right = generator.random((1, items)) < accuracy
        found = two_level((right ^ (generator.random((runs, items)) < flips)).astype(float), unit="x")
        hits += found.low <= truth <= found.high
    return hits / count


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a Markdown table; shares are shown with three digits."""
    lines = [
        [f"{cell:.3f}" if isinstance(cell, float) else str(cell) for cell in line]
        for line in (head, ["---"] * len(head), *rows)
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _label(seeds: tuple[int, ...]) -> str:
    return " + ".join(map(str, seeds))


def comparison_coverage(count: int) -> str:
    """Return coverage over seeds, correlations and numbers of variants."""
    rows = []
    for variants in (1, 3):
        for seeds in ((2,), (3,), (4,), (5,), (2, 2, 1), (3, 3, 1)):
            cells = [float(np.mean(Campaign(seeds, (c,) * variants).covered(count))) for c in CORRELATIONS]
            rows.append([variants, _label(seeds), *cells])
    return table(["variants", "seeds per rung", *(f"{c:+.2f}" for c in CORRELATIONS)], rows)


def widths(count: int) -> str:
    """Return median half widths, in standard deviations of one run."""
    rows = []
    for variants in (1, 3):
        for seeds in ((2,), (3,), (5,), (2, 2, 1), (3, 3, 1)):
            cells = [f"{Campaign(seeds, (c,) * variants).half_width(count):.2f}" for c in CORRELATIONS]
            rows.append([variants, _label(seeds), *cells])
    return table(["variants", "seeds per rung", *(f"{c:+.2f}" for c in CORRELATIONS)], rows)


BROKEN = {
    "correlations 0.9, 0.5 and -0.4 in one campaign": {"correlations": (0.9, 0.5, -0.4)},
    "noise 0.65, 1 and 1.5 times the baseline's": {"correlations": (0.5, 0.5, 0.5), "spreads": (0.65, 1.0, 1.5)},
    "noise halves from rung to rung": {"correlations": (0.5, 0.5, 0.5), "rung_noise": 0.5},
    "noise grows by half from rung to rung": {"correlations": (0.5, 0.5, 0.5), "rung_noise": 1.5},
    "heavy tails (t with 3 degrees of freedom)": {"correlations": (0.5, 0.5, 0.5), "tails": 3.0},
    "the effect changes by one noise SD per rung": {"correlations": (0.5, 0.5, 0.5), "trend": 0.005},
}


def assumptions_broken(count: int) -> str:
    """Return coverage where an assumption does not hold, mean over variants and worst variant."""
    rows = []
    for name, settings in BROKEN.items():
        cells = []
        for seeds in ((2, 2, 1), (3, 3, 1), (3, 3, 3), (5, 5, 1)):
            found = Campaign(seeds, **settings).covered(count)
            cells.append(f"{np.mean(found):.3f} / {min(found):.3f}")
        rows.append([name, *cells])
    return table(["what is broken", "2 + 2 + 1", "3 + 3 + 1", "3 + 3 + 3", "5 + 5 + 1"], rows)


def false_verdicts(count: int) -> str:
    """Return how often a variant that is the baseline is adopted, and how often called anything else."""
    rows = []
    for seeds in (2, 3, 4, 5):
        for correlation in CORRELATIONS:
            shares = Campaign((seeds, seeds), (correlation,)).verdicts(count)
            rows.append([seeds, f"{correlation:+.2f}", *(shares[verdict] for verdict in Verdict)])
    return table(["seeds", "correlation", *(verdict.value for verdict in Verdict)], rows)


def selection(count: int) -> str:
    """Return the false coverage rate of selected intervals, beside the share of selected variants."""
    rows = []
    for effects in ((0.0,) * 6, (0.01, 0.0, 0.0, 0.0, 0.0, 0.0), (0.01, -0.01, 0.02, 0.0, 0.0, 0.0)):
        cells = [Campaign((3, 3, 1), (c,) * 6, effects=effects).false_coverage(count) for c in (0.0, 0.5, 0.88)]
        rows.append([f"{sum(e != 0.0 for e in effects)} of 6", *cells])
    return table(["variants with an effect", "0.00", "+0.50", "+0.88"], rows)


def scores(count: int) -> str:
    """Return coverage of the two-level interval."""
    rows = []
    for kind in ("normal", "right or wrong", "bits per byte"):
        cost = 2 if kind == "bits per byte" else 1
        for runs in (1, 2, 3, 5):
            spread = 0.0 if runs == 1 else 0.15
            cells = [scores_covered(runs, items, spread, kind, max(50, count // cost)) for items in (20, 100, 400)]
            rows.append([kind, runs, *cells])
    return table(["scores", "runs", "20 items", "100 items", "400 items"], rows)


def shared_items(count: int) -> str:
    """Return coverage of the interval of a high share where runs answer the same items alike."""
    rows = []
    for runs, items, accuracy in ((3, 50, 0.97), (5, 20, 0.95), (5, 100, 0.95)):
        cells = [shared_items_covered(runs, items, accuracy, flips, count) for flips in (0.0, 0.01, 0.05)]
        rows.append([runs, items, str(accuracy), *cells])
    return table(["runs", "items", "share right", "none differ", "1 % differ", "5 % differ"], rows)


def borrowed(count: int) -> str:
    """Return how often intervals around three estimates hold the effect at the top rung, where it has a trend."""
    trends = (0.0, 0.0025, 0.005, 0.01)
    hits = {name: [0] * len(trends) for name in ("its own rung only", "the mean of all rungs", "a straight line")}
    for column, trend in enumerate(trends):
        for (found,) in Campaign((3, 3, 3), (0.5,), trend=trend).studies(count):
            for name, (value, variance) in zip(hits, _three_ways(found), strict=True):
                reach = critical(RULE.level, found.degrees) * math.sqrt(variance) * found.error
                hits[name][column] += abs(value) <= reach
    rows = [[name, *(hit / count for hit in found)] for name, found in hits.items()]
    return table(["the effect is taken from", *(f"{trend / 0.005:g} SD per rung" for trend in trends)], rows)


def _three_ways(found: Comparison) -> list[tuple[float, float]]:
    """Return the logarithmic effect at the third of three equal rungs and its variance over that of one rung."""
    low, middle, high = (math.log1p(estimate.value) for estimate in found.by_scale.values())
    mean = (low + middle + high) / 3.0
    return [(high, 1.0), (mean, 1.0 / 3.0), (mean + (high - low) / 2.0, 1.0 / 3.0 + 1.0 / 2.0)]


TABLES = {
    "comparison": comparison_coverage,
    "widths": widths,
    "broken": assumptions_broken,
    "borrowed": borrowed,
    "false": false_verdicts,
    "selection": selection,
    "scores": scores,
    "shared": shared_items,
}


def main() -> None:
    """Print the tables, or write them into the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="replace the tables in docs/statistics.md")
    parser.add_argument("--studies", type=int, default=1000, help="simulated studies per cell")
    parser.add_argument("--fast", action="store_true", help="50 studies, to see that it runs")
    parser.add_argument("--table", choices=list(TABLES), help="only this one")
    given = parser.parse_args()
    studies = 50 if given.fast else given.studies
    text = PAGE.read_text(encoding="utf-8") if given.write else ""
    for name in [given.table] if given.table else list(TABLES):
        made = TABLES[name](studies)
        print(f"{name} ({studies} studies)\n\n{made}\n", flush=True)
        place = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end -->)", flags=re.DOTALL)
        text = place.sub(lambda match, made=made: f"{match[1]}\n{made}\n\n{match[2]}", text)
    if given.write:
        PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
