"""What each variant is worth beyond the rungs it was trained at: at the full size, and in compute."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
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
from pilotlight.stats.multiplier import Fall, Gain, Price, Step, multiplier, trend


def with_outlook(pilot: Pilot, results: Results, analysis: Analysis) -> Analysis:
    """Return the analysis with, for every finding, its effect at the full size and its compute multiplier with its trend."""
    falls = falls_of(pilot, results) if analysis.findings else {}
    full = pilot.goal.full_run.parameters * pilot.goal.full_run.tokens
    among = [finding.comparison for finding in analysis.findings]
    findings: list[Finding] = []
    for finding in analysis.findings:
        found = finding.comparison
        steps = steps_of(found, falls, results)
        multipliers = multipliers_of(steps, pilot.rule.level)
        findings.append(finding.model_copy(update={
            "carried": carry(found, full, pilot.rule.worth, pilot.rule.level, among) if found.sizes else None,
            "multiplier": multipliers.get(found.scale), "multipliers": multipliers,
            "multiplier_trend": trend([steps[scale] for scale in multipliers], pilot.rule.level),
        }))  # fmt: skip
    return replace(analysis, findings=tuple(findings))


def falls_of(pilot: Pilot, results: Results) -> dict[str, Fall]:
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
        found = fall(study.fits, places, study.weights)
        if found is not None:
            falls[scale.name] = found
    return falls


def steps_of(found: Comparison, falls: Mapping[str, Fall], results: Results) -> dict[str, Step]:
    """Return what tells the multiplier at every scale that has it all, priced in FLOPs of the whole training."""
    steps: dict[str, Step] = {}
    for scale, effect in found.by_scale.items():
        old, new = (_flops(results, arm, scale) for arm in (BASELINE, found.variant))
        error = found.errors.get(scale, 0.0)
        if scale in falls and error > 0.0 and old and new:
            gain = Gain(math.log1p(effect.value), error, found.degrees, effect.n)
            steps[scale] = Step(math.log(old), gain, falls[scale], Price(math.log(new / old)))
    return steps


def multipliers_of(steps: Mapping[str, Step], level: float) -> dict[str, Estimate]:
    """Return the multiplier at every scale at which one can be told."""
    told = {scale: multiplier(step.gain, step.fall, level, step.price) for scale, step in steps.items()}
    return {scale: one for scale, one in told.items() if one is not None}


def _flops(results: Results, variant: str, scale: str) -> float:
    rows: Sequence[float] = [row.flops for row in results.finished(variant) if row.scale == scale and not row.repeat]
    return fmean(rows) if rows else 0.0
