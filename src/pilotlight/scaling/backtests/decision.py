"""Decision tasks: which of several variants is better at the target, told from their pilots."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pilotlight.errors import EvidenceError
from pilotlight.scaling.backtests.loss import SIZES, is_sized
from pilotlight.scaling.contest import Contest, contest
from pilotlight.scaling.contest_cells import PilotRun, Scale, scale_of
from pilotlight.scaling.intervals import PENALTY
from pilotlight.scaling.tasks import Task, TaskRow, TaskScore

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

SETTINGS = ("lr", "batch_tokens", "n_params", "n_params_nonemb", "tokens")
"""Columns that, with the recipe, set rows of one variant and cell apart; rows that agree in all are repeats."""

BLIND = Scale(1.0)
"""Where a pilot lies if no run of its task says how large it was."""
UNKNOWN_STEP = 10.0
"""How many times the pilots' FLOPs a target is taken to have then."""


def run(task: Task) -> TaskScore:
    """Return how the contest of the pilots' variants foretold the target.

    Every pair of variants that differ at the target counts; a predicted tie is half right. Regret, error and interval
    are relative to the best value at the target.
    """
    pilots, target = pilot_runs(task), target_scale(task)
    truth = best_values(task, task.targets)
    counted = TaskScore(
        source=task.source, task=task.name, kind=task.kind, n_pilot=len(pilots), n_target=len(task.targets)
    )
    why = _cannot(pilots, truth)
    if why or target is None:
        return counted.model_copy(update={"abstained": True, "why": why or "the target's FLOPs are not known"})
    try:
        found = contest(pilots, target, task.better)
    except EvidenceError as error:
        return counted.model_copy(update={"abstained": True, "why": str(error)})
    return counted.model_copy(update=_scored(found, truth, task.better))


def best_values(task: Task, rows: tuple[TaskRow, ...]) -> dict[str, float]:
    """Return the best value of each variant among ``rows``."""
    found: dict[str, float] = {}
    choose = max if task.better == "higher" else min
    for row in rows:
        value = number(row, task.metric)
        if value is not None:
            found[row.variant] = choose(found.get(row.variant, value), value)
    return found


def number(row: TaskRow, name: str) -> float | None:
    """Return a finite number of any sign from a column; None where there is none."""
    try:
        value = float(row.facts.get(name) or "nan")
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _cannot(pilots: list[PilotRun], truth: dict[str, float]) -> str:
    variants = {run.variant for run in pilots} & set(truth)
    if len(variants) < 2:
        return f"{len(variants)} variants have both a pilot and a target; a comparison needs two"
    cells: dict[str, set[str]] = {}
    for one in pilots:
        cells.setdefault(one.cell, set()).add(one.variant)
    return "" if any(len(there) > 1 for there in cells.values()) else "no two variants were run in the same cell"


def pilot_runs(task: Task) -> list[PilotRun]:
    """Return the pilots that have a value and FLOPs; where no row of the task says how large a run was, all are alike."""
    blind, sized = _is_blind(task), is_sized(task.rows)
    found: list[PilotRun] = []
    for row in task.pilots:
        value, scale = number(row, task.metric), BLIND if blind else _row_scale(row, sized=sized)
        if value is None or scale is None:
            continue
        found.append(
            PilotRun(
                row.variant, row.cell, value, scale.flops, scale.parameters, scale.tokens,
                row.facts.get("seed", ""), _setting(row),
            )
        )  # fmt: skip
    return found


def target_scale(task: Task) -> Scale | None:
    """Return where the targets lie: their middle; None where neither FLOPs nor sizes of theirs are known but some pilot's."""
    if _is_blind(task):
        return Scale(UNKNOWN_STEP * BLIND.flops)
    sized = is_sized(task.rows)
    scales = [scale for row in task.targets if (scale := _row_scale(row, sized=sized))]
    return scale_of(scales) if scales else None


def _is_blind(task: Task) -> bool:
    return not any(row.positive("flops", "tokens", *SIZES) for row in task.rows)


def _row_scale(row: TaskRow, *, sized: bool) -> Scale | None:
    parameters, tokens, flops = row.positive(*SIZES), row.positive("tokens"), row.positive("flops")
    if not flops and parameters:
        # without tokens the order of the cells is still that of their sizes: 20 tokens per parameter stand in
        flops = 6 * parameters * (tokens or 20 * parameters)
    if not flops and tokens and not sized:
        # one model of a size that is not told: its tokens are what grows
        flops = 6 * tokens
    return Scale(flops, parameters, tokens) if flops else None


def _setting(row: TaskRow) -> str:
    numbers = (row.number(name) for name in SETTINGS)
    # three digits: repeats may differ by a step or two
    return "|".join([row.facts.get("recipe", ""), *("" if n is None else f"{n:.3g}" for n in numbers)])


def _scored(found: Contest, truth: dict[str, float], better: str) -> dict[str, float]:
    import numpy as np

    rows = [row for row, name in enumerate(found.variants) if name in truth]
    names = [found.variants[row] for row in rows]
    plain = np.array([truth[name] for name in names])
    sign = -1.0 if better == "higher" else 1.0
    turned = np.log(plain) if found.grid.logged else sign * plain
    one, other = np.triu_indices(len(rows), 1)
    true = turned[one] - turned[other]
    differ = true != 0
    one, other, true = one[differ], other[differ], true[differ]
    if not len(true):
        return {}
    gaps = found.gaps[rows]
    told, spread = gaps[one] - gaps[other], found.errors[np.ix_(rows, rows)][one, other]
    right = np.where(told == 0, 0.5, np.sign(told) == np.sign(true))
    chance = found.chances[np.ix_(rows, rows)][one, other]
    chosen, best = plain[int(gaps.argmin())], plain[turned.argmin()]
    # a share of the best one; of the middle one where the best is nothing at all
    share = float(abs(best) or np.median(np.abs(plain)) or 1.0)
    unit = 1.0 if found.grid.logged else share
    misses = (told - true) / unit
    half = 1.96 * spread / unit
    outside = np.maximum(np.abs(misses) - half, 0.0)
    return {
        "accuracy": float(right.mean()),
        "regret": float(abs(chosen - best) / share),
        "brier": float(((chance - (true < 0)) ** 2).mean()),
        "error": float(np.abs(misses).mean()),
        # a difference has no direction: the bias is of how large it is
        "bias": float((np.abs(told) - np.abs(true)).mean() / unit),
        "coverage": float((np.abs(misses) <= half).mean()),
        "half_width": float(half.mean()),
        "interval_score": float((2 * half + PENALTY * outside).mean()),
    }
