"""Predictions and decisions on published run tables, into bench/RESULTS.md.

    python bench/decisions.py FOLDER                    the back-test of the folder, beside plain baselines
    python bench/decisions.py FOLDER --calibrate        the constants of the intervals, each source left out in turn
    python bench/decisions.py FOLDER --cross-validate   the constants of the fit, each source left out in turn
    python bench/decisions.py FOLDER --dry              print, do not write

FOLDER (default: PILOTLIGHT_SHARED_DATA + /scaling) holds tasks.csv and a table for each source, as ``pilot backtest``
takes it. The baseline is the Chinchilla form by Huber's loss on logarithms (Hoffmann et al. 2022, approach 3) with the
percentile bootstrap over runs that most code ships; for decisions the cheapest and the dearest cell that all variants share.
"""

from __future__ import annotations

import argparse
import math
import os
import re
import statistics
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.stats import t as student

from decisions_baseline import baseline, single_cell
from pilotlight.errors import EvidenceError
from pilotlight.scaling import fit, predict
from pilotlight.scaling.backtest import Backtest, backtest
from pilotlight.scaling.backtests.loss import is_sized, points
from pilotlight.scaling.points import Point
from pilotlight.scaling.predict import CALIBRATION, Calibration, Study
from pilotlight.scaling.tasks import Task, read_tasks
from results_page import facts, write_section

KINDS = {
    "ladder": ("gemstones", "supercollapse", "vocab", "pythia_evals", "revisiting_lang", "datablations"),
    "isoFLOP": ("chinchilla_svg", "porian", "marin_isoflop", "llama3_isoflop", "nqs"),
    "hyper-parameter grid": ("misfitting",),
    "mixtures": ("dmsl_mixtures", "regmix"),
}
PAGE = Path(__file__).parents[1] / "docs" / "statistics.md"
RAW = Calibration(laws=1.0, parameter=1.0, hold_out=1.0, distance=1.0, widen=1.0)
ALTERNATIVES: dict[str, dict[str, Any]] = {
    "as shipped": {},
    "misfit 0.008": {"fit.MISFIT": 0.008},
    "misfit 0.03": {"fit.MISFIT": 0.03},
    "narrow prior": {"fit.PRIOR_WIDTH": 0.2},
    "wide prior": {"fit.PRIOR_WIDTH": 0.6},
    "equal weights": {"predict.TRUST": 1.0},
    "sharper weights": {"predict.TRUST": 0.002},
}


def losses(folder: Path) -> list[Task]:
    """Return the loss tasks of a folder."""
    return [task for task in read_tasks(folder) if task.kind == "loss"]


def raw_errors(folder: Path) -> Iterator[tuple[str, int, np.ndarray]]:
    """Yield source, number of the task and [error, laws, parameter, hold-out, distance, noise] for every target."""
    for number, task in enumerate(losses(folder)):
        try:
            sized = is_sized(task.rows)
            study = Study.of(points(task.pilots, task.metric, sized=sized))
        except EvidenceError:
            continue
        rows = []
        for target in points(task.targets, task.metric, sized=sized):
            logs = where(study, target)
            spread, parts = study.spread(logs, RAW)
            far = parts["model"] / math.hypot(study.hold_out_error, 1.0)
            row = (parts["law_spread"], parts["parameter"], far * study.hold_out_error, far, parts["seed_noise"])
            rows.append((spread.centre - math.log(target.loss), *row))
        yield task.source, number, np.array(rows)


def where(study: Study, target: Point) -> np.ndarray:
    """Return what the laws take of a target."""
    return study.logs(
        target.parameters, target.tokens, flops=target.compute, unique_tokens=target.unique_tokens,
        batch_tokens=target.batch_tokens,
    )  # fmt: skip


class Errors:
    """The errors of all targets, each source, task and target weighing equally among its like."""

    def __init__(self, folder: Path) -> None:
        given = list(raw_errors(folder))
        tasks: dict[str, int] = defaultdict(int)
        for source, _, _ in given:
            tasks[source] += 1
        self.rows = np.concatenate([rows for _, _, rows in given])
        self.source = np.concatenate([[source] * len(rows) for source, _, rows in given])
        self.weight = np.concatenate([np.full(len(rows), 1 / tasks[source] / len(rows)) for source, _, rows in given])

    def scale(self, theta: np.ndarray, keep: np.ndarray) -> np.ndarray:
        """Return the standard deviations for the logarithms of the four constants."""
        laws, parameter, hold_out, distance = np.exp(theta)
        _, *parts, noise = self.rows[keep].T
        sizes = (laws, parameter, hold_out, distance)
        return np.sqrt(sum((size * part) ** 2 for size, part in zip(sizes, parts, strict=True)) + noise**2)

    def learn(self, keep: np.ndarray) -> tuple[np.ndarray, float]:
        """Return the constants (logarithms) and the factor that puts 95 % of the targets inside."""
        error, weight = self.rows[keep, 0], self.weight[keep]
        centre = np.array([-0.5, -1.0, -2.0, -6.0])

        def objective(theta: np.ndarray) -> float:
            scale = self.scale(theta, keep)
            told = weight * (np.log(scale) - student.logpdf(error / scale, CALIBRATION.df))
            return float(told.sum()) + 0.05 * float(((theta - centre) ** 2).sum())

        theta = minimize(objective, centre, method="Nelder-Mead", options={"maxiter": 2000}).x
        ratio = np.abs(error) / self.scale(theta, keep) / student.ppf(0.975, CALIBRATION.df)
        order = ratio.argsort()
        inside = np.cumsum(weight[order]) / weight.sum()
        return theta, float(ratio[order][np.searchsorted(inside, 0.95)])


def calibrate(folder: Path) -> list[str]:
    """Return the constants learned from all sources and what each source gets from those of the others."""
    errors = Errors(folder)
    everything = np.ones(len(errors.source), dtype=bool)
    theta, factor = errors.learn(everything)
    laws, parameter, hold_out, distance = np.exp(theta)
    lines = [
        f"All sources: laws {laws:.3f}, parameter {parameter:.3f}, hold-out {hold_out:.3f}, distance {distance:.4f}, "
        f"widen {factor:.2f}. Shipped: {CALIBRATION}.", "",
        "| left out | laws | parameter | hold-out | distance | factor | coverage of the source | half width % |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]  # fmt: skip
    covers = []
    for source in dict.fromkeys(errors.source):
        there = errors.source == source
        theta, factor = errors.learn(~there)
        half = max(factor, CALIBRATION.widen) * student.ppf(0.975, CALIBRATION.df) * errors.scale(theta, there)
        weight = errors.weight[there]
        covers.append(float(weight @ (np.abs(errors.rows[there, 0]) <= half) / weight.sum()))
        width = 100 * float(weight @ np.sinh(half) / weight.sum())
        told = " | ".join(f"{value:.3f}" for value in np.exp(theta))
        lines.append(f"| {source} | {told} | {factor:.2f} | {covers[-1]:.2f} | {width:.1f} |")
    mean, half = interval(covers)
    lines += [
        "",
        f"Coverage of sources left out: {100 * mean:.1f} % ({100 * (mean - half):.0f} to {100 * min(mean + half, 1):.0f} %).",
    ]
    return lines


def interval(values: Sequence[float]) -> tuple[float, float]:
    """Return the mean and the half width of its 95 % interval."""
    half = student.ppf(0.975, len(values) - 1) * statistics.stdev(values) / math.sqrt(len(values))
    return statistics.fmean(values), float(half)


@contextmanager
def constants(changes: dict[str, Any]) -> Iterator[None]:
    """Set constants of the fit for a while."""
    rooms = {"fit": fit, "predict": predict}
    before = {name: getattr(rooms[name.split(".")[0]], name.split(".")[1]) for name in changes}
    try:
        for name, value in changes.items():
            setattr(rooms[name.split(".")[0]], name.split(".")[1], value)
        yield
    finally:
        for name, value in before.items():
            setattr(rooms[name.split(".")[0]], name.split(".")[1], value)


def cross_validate(folder: Path) -> list[str]:
    """Return the error of every alternative, and of the one that is best on the other sources."""
    table: dict[str, dict[str, float]] = {}
    for name, changes in ALTERNATIVES.items():
        with constants(changes):
            errors: dict[str, list[float]] = defaultdict(list)
            for source, _, rows in raw_errors(folder):
                errors[source].append(float(np.abs(np.expm1(rows[:, 0])).mean()))
            table[name] = {source: statistics.fmean(values) for source, values in errors.items()}
    sources = list(table["as shipped"])
    lines = ["| constants | mean of sources % |", "| --- | --- |"]
    lines += [f"| {name} | {100 * statistics.fmean(found.values()):.2f} |" for name, found in table.items()]
    chosen = []
    for source in sources:
        best = min(table, key=lambda name: statistics.fmean(table[name][other] for other in sources if other != source))
        chosen.append(table[best][source])
    mean, half = interval(chosen)
    lines += [
        "",
        f"Each source with the constants that are best on all others: {100 * mean:.2f} % (plus or minus {100 * half:.2f}).",
    ]
    return lines


def loss_table(found: Backtest, plain: dict[str, list[dict[str, float]]]) -> list[str]:
    """Return the table of losses, ours beside the baseline, by source and by kind of source."""
    head = "error % | bias % | coverage | half width % | interval score % | baseline: error % | coverage | interval score %"
    lines = [f"| source | tasks | {head} |", f"|{' --- |' * 10}"]
    ours = {one.source: one for one in found.sources if one.kind == "loss"}
    kept = ("error", "coverage", "interval_score")
    base = {
        source: {key: statistics.fmean(one[key] for one in rows) for key in kept}
        for source, rows in plain.items()
        if rows
    }
    for source, one in ours.items():
        told = " | ".join(f"{100 * (getattr(one, key) or 0):.1f}" for key in ("half_width", "interval_score"))
        beside = base.get(source)
        other = (
            f"{100 * beside['error']:.2f} | {beside['coverage']:.2f} | {100 * beside['interval_score']:.1f}"
            if beside
            else "- | - | -"
        )
        lines.append(
            f"| {source} | {one.tasks} | {100 * (one.error or 0):.2f} | {100 * (one.bias or 0):+.2f} | {one.coverage or 0:.2f} | "
            f"{told} | {other} |"
        )
    for kind, members in KINDS.items():
        there = [ours[name] for name in members if name in ours]
        if there:
            errors, covers = ([getattr(one, key) for one in there] for key in ("error", "coverage"))
            score = statistics.fmean(one.interval_score or 0 for one in there)
            lines.append(
                f"| *{kind}* | {sum(one.tasks for one in there)} | {100 * statistics.fmean(errors):.2f} | | "
                f"{statistics.fmean(covers):.2f} | | {100 * score:.1f} | | | |"
            )
    both = [name for name in ours if name in base]
    mean = {key: statistics.fmean(getattr(ours[name], key) for name in both) for key in kept}
    beside = {key: statistics.fmean(base[name][key] for name in both) for key in kept}
    told = [
        f"{name} {100 * mean[key]:.{digits}f} % (baseline {100 * beside[key]:.{digits}f})"
        for key, name, digits in (
            ("error", "error", 2),
            ("coverage", "coverage", 0),
            ("interval_score", "interval score", 1),
        )
    ]
    lines += ["", f"Over the {len(both)} sources that the baseline can be fitted to: {', '.join(told)}."]
    return lines


def write_page(found: Backtest) -> None:
    """Put error, coverage and half width by source into docs/statistics.md."""
    lines = ["| source | tasks | error % | in 95 % interval | half width % |", "| --- | --- | --- | --- | --- |"]
    for one in found.sources:
        if one.kind == "loss" and one.error is not None:
            told = f"{100 * one.error:.2f} | {one.coverage or 0:.2f} | {100 * (one.half_width or 0):.1f}"
            lines.append(f"| {one.source} | {one.tasks} | {told} |")
    means = next(kind.means for kind in found.kinds if kind.kind == "loss")
    told = f"{100 * means['error']:.2f} | {means['coverage']:.2f} | {100 * means['half_width']:.1f}"
    count = sum(one.tasks for one in found.sources if one.kind == "loss")
    lines.append(f"| mean of sources | {count} | {told} |")
    block = "\n".join(("<!-- losses -->", "", *lines, "", "<!-- end -->"))
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(re.sub(r"<!-- losses -->.*?<!-- end -->", lambda _: block, page, flags=re.DOTALL), encoding="utf-8")


def other_tables(found: Backtest) -> Iterator[str]:
    """Yield the tables of decisions, curves and seeds."""
    for kind in found.kinds:
        if kind.kind == "loss":
            continue
        names = list(kind.means)
        yield from (
            "",
            f"### {kind.kind}",
            "",
            f"| source | tasks | abstained | {' | '.join(names)} |",
            f"|{' --- |' * (3 + len(names))}",
        )
        for one in (source for source in found.sources if source.kind == kind.kind):
            told = " | ".join("-" if (value := getattr(one, name)) is None else f"{value:.4f}" for name in names)
            yield f"| {one.source} | {one.tasks} | {one.abstained} | {told} |"
        yield f"| mean of sources | | | {' | '.join(f'{kind.means[name]:.4f}' for name in names)} |"


def single_cells(folder: Path) -> list[str]:
    """Return the share of pairs that the cheapest and the dearest single cell orders as the target does, by source."""
    found: dict[str, list[tuple[float, float, int]]] = defaultdict(list)
    for task in read_tasks(folder):
        if task.kind == "decision" and (one := single_cell(task)) is not None:
            found[task.source].append(one)
    lines = ["", "| source | cheapest cell | dearest cell |", "| --- | --- | --- |"]
    for source, rows in found.items():
        pairs = sum(count for _, _, count in rows)
        means = (sum(row[which] * row[2] for row in rows) / pairs for which in (0, 1))
        lines.append(f"| {source} | {' | '.join(f'{mean:.4f}' for mean in means)} |")
    return lines


def main() -> None:
    """Measure, print, and write the section."""
    default = os.environ.get("PILOTLIGHT_SHARED_DATA", "../shared/data")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=Path(default) / "scaling")
    parser.add_argument("--draws", type=int, default=100, help="of the baseline's bootstrap")
    for name in ("calibrate", "cross-validate", "dry"):
        parser.add_argument(f"--{name}", action="store_true")
    given = parser.parse_args()
    loads = [os.getloadavg()[0]]
    if given.calibrate or given.cross_validate:
        title = "Decisions: constants of the intervals" if given.calibrate else "Decisions: constants of the fit"
        lines = calibrate(given.folder) if given.calibrate else cross_validate(given.folder)
        words = "--calibrate" if given.calibrate else "--cross-validate"
    else:
        begun = time.process_time()
        found = backtest(given.folder)
        seconds = time.process_time() - begun
        plain: dict[str, list[dict[str, float]]] = defaultdict(list)
        for task in losses(given.folder):
            if (one := baseline(task, given.draws)) is not None:
                plain[task.source].append(one)
        title, words = "Decisions: back-test on published run tables", f"--draws {given.draws}"
        lines = [
            f"`pilot backtest` took {seconds:.0f} CPU-seconds.",
            "",
            *loss_table(found, plain),
            *other_tables(found),
            *single_cells(given.folder),
        ]
    print("\n".join(lines))
    if not given.dry:
        head = facts(("numpy", "scipy"), [*loads, os.getloadavg()[0]])
        write_section(title, [head, "", f"`python bench/decisions.py FOLDER {words}`.", "", *lines])


if __name__ == "__main__":
    main()
