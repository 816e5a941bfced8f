"""What each variant is worth beyond the rungs it was trained at: at the full size, and in compute."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from statistics import fmean

from pilotlight.errors import EvidenceError
from pilotlight.pilot.analyse import Analysis
from pilotlight.pilot.foretell import study_of
from pilotlight.pilot.pilot import Pilot
from pilotlight.record.decision import Finding
from pilotlight.record.results import BASELINE, Results
from pilotlight.scaling.fall import around, fall
from pilotlight.scaling.table import ladder_points
from pilotlight.stats.carry import carry
from pilotlight.stats.comparison import Comparison
from pilotlight.stats.estimate import Estimate
from pilotlight.stats.multiplier import Fall, Gain, multiplier


def with_outlook(pilot: Pilot, results: Results, analysis: Analysis) -> Analysis:
    """Return the analysis with, for every finding, its effect at the full size and its compute multiplier."""
    falls = _falls(pilot, results) if analysis.findings else {}
    full = pilot.goal.full_run.parameters * pilot.goal.full_run.tokens
    findings: list[Finding] = []
    for finding in analysis.findings:
        found = finding.comparison
        multipliers = _multipliers(found, falls, results)
        findings.append(finding.model_copy(update={
            "carried": carry(found, full, pilot.rule.worth, pilot.rule.level) if found.sizes else None,
            "multiplier": multipliers.get(found.scale), "multipliers": multipliers,
        }))  # fmt: skip
    return replace(analysis, findings=tuple(findings))


def _falls(pilot: Pilot, results: Results) -> dict[str, Fall]:
    """Return how steeply the baseline's law falls at every rung; none where its runs carry no law."""
    import numpy as np

    if pilot.goal.is_of_task:
        return {}
    try:
        study = study_of(ladder_points(results, pilot.goal.metric))
    except EvidenceError:
        return {}
    falls: dict[str, Fall] = {}
    for scale in pilot.scales:
        places = np.stack([study.logs(size, tokens) for size, tokens in around(scale.parameters, scale.tokens)])
        found = fall(study.fits, places)
        if found is not None:
            falls[scale.name] = found
    return falls


def _multipliers(found: Comparison, falls: dict[str, Fall], results: Results) -> dict[str, Estimate]:
    """Return the multiplier at every scale at which one can be told, in FLOPs of the whole training."""
    told: dict[str, Estimate] = {}
    for scale, effect in found.by_scale.items():
        error = found.errors.get(scale, 0.0)
        price = _flops(results, found.variant, scale), _flops(results, BASELINE, scale)
        if scale not in falls or error <= 0.0 or not all(price):
            continue
        gain = Gain(math.log1p(effect.value), error, found.degrees, effect.n)
        estimate = multiplier(gain, falls[scale], effect.level, price=price[0] / price[1])
        if estimate is not None:
            told[scale] = estimate
    return told


def _flops(results: Results, variant: str, scale: str) -> float:
    rows: Sequence[float] = [row.flops for row in results.finished(variant) if row.scale == scale and not row.repeat]
    return fmean(rows) if rows else 0.0
