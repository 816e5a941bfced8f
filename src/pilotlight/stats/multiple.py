"""Corrections for looking at several variants at once."""

from __future__ import annotations

from collections.abc import Sequence


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Return adjusted p-values in the given order: at or below q, the false discovery rate is at most q.

    Source: Benjamini & Hochberg 1995; holds for tests that share a baseline (positive dependence, Benjamini &
    Yekutieli 2001, theorem 1.2).
    """
    order = sorted(range(len(p_values)), key=p_values.__getitem__, reverse=True)
    adjusted = [1.0] * len(p_values)
    smallest = 1.0
    for step, index in enumerate(order):
        smallest = min(smallest, p_values[index] * len(p_values) / (len(p_values) - step))
        adjusted[index] = smallest
    return adjusted


def coverage_level(level: float, selected: int, total: int, *, is_selected: bool) -> float:
    """Return the confidence level that a variant's interval needs so that looking at several stays honest.

    Selected variants get 1 - R q / m, which bounds the share of selected intervals that miss (false coverage rate,
    Benjamini & Yekutieli 2005, definition 1). The others get 1 - (R + 1) q / m: the level of the step at which the
    selection stopped, so that an interval leaves out zero exactly when its variant was selected.
    """
    steps = selected if is_selected else min(selected + 1, total)
    return 1.0 - (1.0 - level) * steps / total
