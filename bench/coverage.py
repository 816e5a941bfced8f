"""Simulated coverage of every interval in docs/statistics.md, and the share of false verdicts.

python bench/coverage.py            print the tables
python bench/coverage.py --write    put them into docs/statistics.md, between its markers
python bench/coverage.py --write --cells FILE --table NAME    one table now, its cells kept in FILE for the summary
python bench/coverage.py --real FOLDER    false adoptions among runs of one set-up in published run tables
"""

from __future__ import annotations

import argparse
import json
import math
import re
from pathlib import Path

import numpy as np

from campaigns import CORRELATIONS, RULE, Campaign, folds_covered, scores_covered, shared_items_covered
from coverage_cells import MEASURED, NOMINAL, cell, table
from coverage_effects import adoption, carried, multipliers, real, shrunken
from coverage_text import other_text
from pilotlight.stats.comparison import Comparison, compare
from pilotlight.stats.ladder import GROWTH
from pilotlight.stats.pairing import Pairing
from pilotlight.stats.power import expected, power
from pilotlight.stats.student import critical
from pilotlight.stats.verdict import Verdict

PAGE = Path(__file__).parents[1] / "docs" / "statistics.md"


def _label(seeds: tuple[int, ...]) -> str:
    return " + ".join(map(str, seeds))


def comparison_coverage(count: int) -> str:
    """Return coverage over seeds, correlations and numbers of variants."""
    rows = []
    for variants in (1, 3):
        for seeds in ((2,), (3,), (4,), (5,), (2, 2), (2, 2, 1), (3, 3, 1), (3, 2)):
            label = f"{variants} variants, {_label(seeds)} seeds, correlation"
            cells = [
                cell(
                    "effect at a scale",
                    f"{label} {c:+.2f}",
                    np.mean(Campaign(seeds, (c,) * variants).covered(max(2, count // 2))),
                )
                for c in CORRELATIONS
            ]
            rows.append([variants, _label(seeds), *cells])
    return table(["variants", "seeds per rung", *(f"{c:+.2f}" for c in CORRELATIONS)], rows)


def widths(count: int) -> str:
    """Return median half widths, in standard deviations of one run."""
    rows = []
    for variants in (1, 3):
        for seeds in ((2,), (3,), (5,), (2, 2, 1), (3, 3, 1)):
            cells = [f"{Campaign(seeds, (c,) * variants).half_width(max(2, count // 4)):.2f}" for c in CORRELATIONS]
            rows.append([variants, _label(seeds), *cells])
    return table(["variants", "seeds per rung", *(f"{c:+.2f}" for c in CORRELATIONS)], rows)


BROKEN = {
    "correlations 0.9, 0.5 and -0.4 in one campaign": {"correlations": (0.9, 0.5, -0.4)},
    "noise 0.65, 1 and 1.5 times the baseline's": {"correlations": (0.5, 0.5, 0.5), "spreads": (0.65, 1.0, 1.5)},
    "noise halves from rung to rung": {"correlations": (0.5, 0.5, 0.5), "rung_noise": 0.5},
    "noise grows by half from rung to rung": {"correlations": (0.5, 0.5, 0.5), "rung_noise": 1.5},
    "noise changes from rung to rung as is believed": {"correlations": (0.5, 0.5, 0.5), "rung_doubt": GROWTH},
    "heavy tails (t with 3 degrees of freedom)": {"correlations": (0.5, 0.5, 0.5), "tails": 3.0},
    "the effect changes by one noise SD per rung": {"correlations": (0.5, 0.5, 0.5), "trend": 0.005},
}


def assumptions_broken(count: int) -> str:
    """Return coverage where an assumption does not hold, mean over variants and worst variant."""
    rows = []
    for name, settings in BROKEN.items():
        cells = []
        for seeds in ((2, 2, 1), (3, 3, 1), (3, 3, 3), (5, 5, 1)):
            found = Campaign(seeds, **settings).covered(max(2, count // 2))
            cell("effect, an assumption broken", f"{name}, {_label(seeds)}", float(np.mean(found)))
            cells.append(f"{np.mean(found):.3f} / {min(found):.3f}")
        rows.append([name, *cells])
    return table(["what is broken", "2 + 2 + 1", "3 + 3 + 1", "3 + 3 + 3", "5 + 5 + 1"], rows)


def false_verdicts(count: int) -> str:
    """Return how often a variant that is the baseline is adopted, and how often called anything else."""
    rows = []
    for seeds in (2, 3, 4, 5):
        for correlation in CORRELATIONS:
            shares = Campaign((seeds, seeds), (correlation,)).verdicts(max(2, count // 2))
            rows.append([seeds, f"{correlation:+.2f}", *(shares[verdict] for verdict in Verdict)])
    return table(["seeds", "correlation", *(verdict.value for verdict in Verdict)], rows)


def selection(count: int) -> str:
    """Return the false coverage rate of selected intervals, beside the share of selected variants."""
    rows = []
    for effects in ((0.0,) * 6, (0.01, 0.0, 0.0, 0.0, 0.0, 0.0), (0.01, -0.01, 0.02, 0.0, 0.0, 0.0)):
        cells = [
            Campaign((3, 3, 1), (c,) * 6, effects=effects).false_coverage(max(2, count // 2)) for c in (0.0, 0.5, 0.88)
        ]
        rows.append([f"{sum(e != 0.0 for e in effects)} of 6", *cells])
    return table(["variants with an effect", "0.00", "+0.50", "+0.88"], rows)


def scores(count: int) -> str:
    """Return coverage of the two-level interval."""
    rows = []
    for kind in ("normal", "right or wrong", "bits per byte"):
        for runs in (1, 2, 3, 5):
            spread = 0.0 if runs == 1 else 0.15
            cells = [
                cell("score over items", f"{kind}, {runs} runs, {items} items",
                     scores_covered(runs, items, spread, kind, count))
                for items in (20, 100, 400)
            ]  # fmt: skip
            rows.append([kind, runs, *cells])
    return table(["scores", "runs", "20 items", "100 items", "400 items"], rows)


def shared_items(count: int) -> str:
    """Return coverage of the interval of a high share where runs answer the same items alike."""
    rows = []
    for runs, items, accuracy in ((3, 50, 0.97), (5, 20, 0.95), (5, 100, 0.95)):
        cells = [
            cell("high share", f"{runs} runs, {items} items, {accuracy} right, {flips:g} differ",
                 shared_items_covered(runs, items, accuracy, flips, count))
            for flips in (0.0, 0.01, 0.05)
        ]  # fmt: skip
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


def apart(count: int) -> str:
    """Return coverage where no seed is shared, so that nothing is paired."""
    rows = []
    for variants in (1, 3):
        for seeds in ((2,), (3,), (5,), (2, 2, 1), (3, 3, 1)):
            found = Campaign(seeds, (0.0,) * variants, apart=True).covered(max(2, count // 2))
            rows.append(
                [
                    variants,
                    _label(seeds),
                    cell("effect, seeds not shared", f"{variants}, {_label(seeds)}", np.mean(found)),
                ]
            )
    return table(["variants", "seeds per rung", "coverage"], rows)


def corrected(count: int) -> str:
    """Return the level of the intervals that are corrected for several variants, and their coverage."""
    rows = []
    for effects in ((0.0,) * 3, (0.0,) * 6, (0.01, -0.01, 0.02, 0.0, 0.0, 0.0)):
        for seeds in ((3, 3), (2, 2, 1), (5, 5)):
            level, share = Campaign(seeds, (0.5,) * len(effects), effects=effects).corrected(max(2, count // 2))
            label = f"{sum(e != 0.0 for e in effects)} of {len(effects)}"
            cell("corrected effect", f"{label}, {_label(seeds)}", share, level)
            rows.append([label, _label(seeds), level, share])
    return table(["variants with an effect", "seeds per rung", "mean level", "coverage"], rows)


def noise(count: int) -> str:
    """Return coverage of the noise floor's interval, and of the trend over sizes."""
    rows = []
    for seeds in ((3,), (3, 3, 1), (5, 5)):
        for correlation in (0.0, 0.5, 0.9):
            made = Campaign(seeds, (correlation,) * 2)
            hits, slopes, trends = 0, 0, 0
            for observations in made.runs(count):
                found = compare(observations, "baseline", RULE)
                hits += found.noise.sd.low <= made.noise <= found.noise.sd.high
                first = found.comparisons[0]
                if first.trend_error > 0.0:
                    trends += 1
                    slopes += first.p_trend > 1.0 - RULE.level
            label = f"{_label(seeds)} seeds, correlation {correlation:g}"
            shown = [cell("noise floor", label, hits / count)]
            shown.append(cell("trend", label, slopes / trends) if trends else "–")
            rows.append([_label(seeds), f"{correlation:+.2f}", *shown])
    return table(["seeds per rung", "correlation", "noise floor", "trend"], rows)


def powers(count: int) -> str:
    """Return the power that is foretold from the true noise, beside the share of simulated campaigns that see the effect."""
    rows = []
    for seeds in ((3, 3), (5, 5), (3, 3, 3)):
        for correlation in (0.0, 0.5, 0.9):
            noise, effect = 0.005, 0.005 if correlation == 0.9 else 0.01
            pairing = Pairing(correlation=correlation, used="paired", n=0)
            spread = expected(noise, seeds[0], pairing, scales=len(seeds))
            told = power(math.log1p(effect), math.sqrt(spread.variance), spread.degrees, RULE.level)
            made = Campaign(seeds, (correlation,), effects=(math.log1p(effect),), noise=noise)
            seen = float(np.mean([found.p_value <= 1.0 - RULE.level for (found,) in made.studies(count)]))
            cell("power", f"{_label(seeds)} seeds, correlation {correlation:g}", seen, told)
            rows.append([_label(seeds), f"{correlation:+.2f}", f"{100 * effect:g} %", told, seen])
    return table(["seeds per rung", "correlation", "effect", "foretold", "seen"], rows)


def metrics(count: int) -> str:
    """Return coverage for the metrics that are ratios or bent, and of k-fold."""
    rows = []
    for kind in ("recall", "precision", "f1", "perplexity"):
        cells = [
            cell("score over items", f"{kind}, {runs} runs, 100 items",
                 scores_covered(runs, 100, 0.0 if runs == 1 else 0.15, kind, count))
            for runs in (1, 2, 3, 5)
        ]  # fmt: skip
        rows.append([kind, *cells])
    return table(["metric, 100 items", "1 run", "2 runs", "3 runs", "5 runs"], rows)


def folds(count: int) -> str:
    """Return coverage of the k-fold interval for a least-squares fit of five inputs."""
    rows = [
        [k, *(cell("k-fold", f"{k} folds of {size}", folds_covered(k, size, count)) for size in (30, 60, 200))]
        for k in (3, 5, 10)
    ]
    return table(["folds", "30 items", "60 items", "200 items"], rows)


INTERVALS = (
    "effect at a scale", "effect, seeds not shared", "effect, an assumption broken", "corrected effect", "shrunken effect",
    "shrunken effect, spread given", "effect at the full size", "effect at the full size, drift given", "compute multiplier",
    "noise floor", "trend", "power", "score over items", "high share", "k-fold", "effect on other text",
)  # fmt: skip
WITHIN = 0.02


def summary(count: int) -> str:
    """Return one line for each interval, of what the tables before it measured."""
    del count
    rows = []
    for name in INTERVALS:
        cells = MEASURED.get(name, [])
        if not cells:
            rows.append([name, "–", "–", "–", "–", "not measured"])
            continue
        nominal = f"{NOMINAL:g}" if all(level == NOMINAL for _, level, _ in cells) else "its own"
        shares = [share for _, _, share in cells]
        outside = [(label, share) for label, level, share in cells if abs(share - level) > WITHIN + 1e-9]
        shown = "; ".join(f"{label}: {share:.3f}" for label, share in sorted(outside, key=lambda one: one[1])[:3])
        if len(outside) > 3:
            shown += f"; … {max(outside, key=lambda one: one[1])[0]}: {max(share for _, share in outside):.3f}"
        rows.append([name, nominal, f"{min(shares):.3f}–{max(shares):.3f}", len(cells), len(outside), shown or "–"])
    return table(["interval", "nominal", "measured, lowest to highest", "cells", "beyond 2 points", "which"], rows)


TABLES = {
    "comparison": comparison_coverage,
    "apart": apart,
    "corrected": corrected,
    "noise": noise,
    "power": powers,
    "shrunken": shrunken,
    "carried": carried,
    "multiplier": multipliers,
    "adoption": adoption,
    "metrics": metrics,
    "folds": folds,
    "text": other_text,
    "widths": widths,
    "broken": assumptions_broken,
    "borrowed": borrowed,
    "false": false_verdicts,
    "selection": selection,
    "scores": scores,
    "shared": shared_items,
    "summary": summary,
}


def main() -> None:
    """Print the tables, or write them into the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="replace the tables in docs/statistics.md")
    parser.add_argument("--studies", type=int, default=1000, help="simulated studies per cell")
    parser.add_argument("--fast", action="store_true", help="50 studies, to see that it runs")
    parser.add_argument(
        "--real", type=Path, metavar="FOLDER", help="A/A pairs of the run tables in this folder instead"
    )
    parser.add_argument("--table", choices=list(TABLES), help="only this one")
    parser.add_argument(
        "--cells", type=Path, metavar="FILE", help="what was measured so far, for tables made one by one"
    )
    given = parser.parse_args()
    if given.real:
        print(real(given.real))
        return
    studies = 50 if given.fast else given.studies
    kept: dict[str, dict[str, list[tuple[str, float, float]]]] = {}
    if given.cells and given.cells.exists():
        kept = json.loads(given.cells.read_text(encoding="utf-8"))
    for name in [given.table] if given.table else list(TABLES):
        MEASURED.clear()
        if name == "summary":
            for made_of in kept.values():
                for interval, cells in made_of.items():
                    MEASURED.setdefault(interval, []).extend(cells)
        made = TABLES[name](studies)
        kept[name] = {interval: list(cells) for interval, cells in MEASURED.items()} if name != "summary" else {}
        print(f"{name} ({studies} studies)\n\n{made}\n", flush=True)
        if given.cells:
            given.cells.write_text(json.dumps(kept, indent=1), encoding="utf-8")
        if given.write:
            write(name, made)


def write(name: str, made: str) -> None:
    """Put the table into the page, as it is now."""
    text = PAGE.read_text(encoding="utf-8")
    place = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end -->)", flags=re.DOTALL)
    PAGE.write_text(place.sub(lambda match: f"{match[1]}\n{made}\n\n{match[2]}", text), encoding="utf-8")


if __name__ == "__main__":
    main()
