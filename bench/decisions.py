"""Back-test of the loss predictions on published run tables: error and coverage per source.

usage: python bench/decisions.py [FOLDER] [--json] [--only SOURCE]

FOLDER (default: the environment variable PILOTLIGHT_SHARED_DATA + /scaling) holds <source>.csv files and tasks.csv.
Every task of kind ``loss`` is predicted from its pilot rows alone; sources weigh equally.

The global constants of pilotlight.scaling (MISFIT, PRIOR_WIDTH, KNOWN, MODEL_ERROR, TRUST) were chosen by looking at
the shared half of these tables and at planted ladders, so its figures on that half are in-sample, not cross-validated.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import statistics
import time
from collections import defaultdict
from pathlib import Path

import numpy as np

from pilotlight.errors import EvidenceError
from pilotlight.scaling.points import Point
from pilotlight.scaling.predict import Study

BASELINE = {  # mean absolute relative error, %: Chinchilla form; power law in compute (the tables' own README)
    "chinchilla_svg": (2.11, 1.48), "porian": (8.71, 4.49), "misfitting": (1.70, 11.72), "gemstones": (4.53, 2.66),
    "datablations": (15.01, 17.00), "supercollapse": (None, 0.32), "dmsl_mixtures": (6.26, 11.73),
    "marin_isoflop": (3.67, 1.09), "llama3_isoflop": (0.73, 2.19), "nqs": (11.54, 15.68), "vocab": (5.90, 9.00),
    "revisiting_lang": (2.11, 0.10), "pythia_evals": (18.97, 7.14),
}  # fmt: skip


def number(text: str | None) -> float | None:
    """Return the number in a cell, None where it is blank."""
    return float(text) if text and text.lower() not in ("nan", "none") else None


def read_point(row: dict[str, str], metric: str) -> Point | None:
    """Return one row as a point, None where it has no loss above 0."""
    loss = number(row.get(metric))
    if loss is None or loss <= 0:
        return None
    size = number(row.get("n_params")) or number(row.get("n_params_nonemb"))
    tokens, flops = number(row.get("tokens")), number(row.get("flops"))
    if size is None:  # a table of one model with its size not given
        size = flops / 6 / tokens if flops and tokens else 1.0
    if tokens is None:
        tokens = (flops or 0.0) / 6 / size
    recipe = "|".join(row.get(name, "") for name in ("lr", "batch_tokens", "unique_tokens"))
    return Point(parameters=size, tokens=tokens, loss=loss, flops=flops, seed=row.get("seed", ""), recipe=recipe)


def read_tasks(folder: Path, only: str | None) -> list[tuple[str, str, list[Point], list[Point]]]:
    """Return the loss tasks as (source, task, pilots, targets)."""
    members = defaultdict(list)
    with (folder / "tasks.csv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            if row["kind"] == "loss" and only in (None, row["source"]):
                members[row["source"], row["task"]].append(row)
    tables: dict[str, dict[str, dict[str, str]]] = {}
    found = []
    for (source, task), rows in members.items():
        if source not in tables:
            with (folder / f"{source}.csv").open(encoding="utf-8", newline="") as stream:
                tables[source] = {row["run_id"]: row for row in csv.DictReader(stream)}
        points: dict[str, list[Point]] = {"pilot": [], "target": []}
        for row in rows:
            point = read_point(tables[source][row["run_id"]], row["metric"])
            if point is not None:
                points[row["role"]].append(point)
        found.append((source, task, points["pilot"], points["target"]))
    return found


def run_task(pilots: list[Point], targets: list[Point]) -> dict[str, float | int | bool]:
    """Return the scores of one task as fractions: errors relative, the interval score divided by the loss."""
    try:
        study = Study.of(pilots)
    except EvidenceError:
        return {"n_pilot": len(pilots), "n_target": len(targets), "abstained": True}
    errors, covered, widths, scores, below = [], [], [], [], []
    answers = {}
    for target in targets:
        key = (target.parameters, target.tokens, target.compute)
        if key not in answers:
            answers[key] = study.spread(np.log(key))[0].estimate(level=0.95, unit="", n=1, method="")
        found = answers[key]
        errors.append(found.value / target.loss - 1)
        covered.append(found.low <= target.loss <= found.high)
        widths.append(found.half_width / target.loss)
        outside = max(found.low - target.loss, 0) + max(target.loss - found.high, 0)
        scores.append((found.high - found.low + 2 / 0.05 * outside) / target.loss)
        below.append(target.loss < found.low)
    mean = statistics.fmean
    return {
        "n_pilot": len(pilots), "n_target": len(targets), "abstained": False,
        "error": mean(map(abs, errors)), "bias": mean(errors), "coverage": mean(covered),
        "half_width": mean(widths), "interval_score": mean(scores),
    }  # fmt: skip


def main() -> None:
    """Print the back-test, one line per source, or one JSON object per task."""
    default = os.environ.get("PILOTLIGHT_SHARED_DATA", "../shared/data")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", default=str(Path(default) / "scaling"))
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--only")
    options = parser.parse_args()
    begun = time.perf_counter()
    by_source = defaultdict(list)
    for source, task, pilots, targets in read_tasks(Path(options.folder), options.only):
        result = {"source": source, "task": task, "kind": "loss", **run_task(pilots, targets)}
        by_source[source].append(result)
        if options.json:
            print(json.dumps(result))
    if options.json:
        return
    keys = ("error", "bias", "coverage", "half_width", "interval_score")
    print(f"{'source':18}{'tasks':>6}{'error %':>9}{'bias':>7}{'cover':>7}{'half':>7}{'score':>7}   Chinchilla, L(C) %")
    means = []
    for source, results in by_source.items():
        kept = [result for result in results if not result["abstained"]]
        if not kept:
            print(f"{source:18}{len(results):6} abstained")
            continue
        row = [100 * statistics.fmean(result[key] for result in kept) for key in keys]
        means.append(row)
        plain = ", ".join("-" if value is None else f"{value:.2f}" for value in BASELINE.get(source, (None, None)))
        print(f"{source:18}{len(kept):6}{row[0]:9.2f}{row[1]:7.1f}{row[2]:7.0f}{row[3]:7.1f}{row[4]:7.1f}   {plain}")
    row = [statistics.fmean(column) for column in zip(*means, strict=True)]
    print(f"{'mean of sources':24}{row[0]:9.2f}{row[1]:7.1f}{row[2]:7.0f}{row[3]:7.1f}{row[4]:7.1f}")
    print(f"{time.perf_counter() - begun:.1f} s")


if __name__ == "__main__":
    main()
