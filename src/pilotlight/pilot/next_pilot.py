"""The training that would settle whether the target is met, and whether it is worth its price."""

from __future__ import annotations

import math
from statistics import NormalDist

from pilotlight.pilot.calibration import Calibration
from pilotlight.pilot.forecast import Forecast
from pilotlight.pilot.pilot import Pilot
from pilotlight.record.decision import Evidence
from pilotlight.record.forecast import Prediction
from pilotlight.record.results import Results
from pilotlight.units import show_count, show_seconds, show_share

STEPS = (0.2, 0.35, 0.5, 0.65)
"""Places between the largest rung and the full run, on a logarithmic axis, where another rung is thought of."""
LEAST_HELP = 0.2
"""Chance of settling the question below which a pilot is no help."""
_NORMAL = NormalDist()


def settling_pilot(pilot: Pilot, results: Results, calibration: Calibration, found: Forecast) -> Evidence | None:
    """Return the one further training of the baseline that is worth most, or None where none is affordable and would help.

    What model and parameters add to the interval is taken to shrink with the decades of FLOPs that are left to the full run;
    the noise of one run and the doubt about adopted changes stay. From that follows the chance that the question is settled,
    either way, once the training is done. It is affordable if it takes no more than this pilot may take or took, or than the
    expected regret of deciding now: the smaller of the chances to meet and to miss the target, of the full run's FLOPs, times
    the chance that the question is settled.
    """
    base, chance = found.baseline, found.target.probability
    if base is None or chance is None:
        return None
    top = max(results.ladder(), key=lambda row: (row.flops, row.name), default=None)
    if top is None or base.reach <= 1 or base.flops <= top.flops:
        return None
    allowed = max(calibration.budget_flops(pilot.budget), sum(row.flops for row in results.finished()))
    best: tuple[float, Evidence] | None = None
    for step in STEPS:
        parameters = top.parameters * (base.parameters / top.parameters) ** step
        tokens = top.tokens * (base.tokens / top.tokens) ** step
        flops = top.flops * (base.flops / top.flops) ** step
        settles = chance_to_settle(base, found, pilot.goal.confidence, 1 - step)
        regret = min(chance, 1 - chance) * settles * base.flops
        if settles < LEAST_HELP or flops > max(allowed, regret):
            continue
        worth = min(chance, 1 - chance) * settles - flops / base.flops
        if best is None or worth > best[0]:
            best = worth, _evidence(parameters, tokens, flops, flops / calibration.rate, settles)
    return best[1] if best else None


def chance_to_settle(base: Prediction, found: Forecast, confidence: float, left: float) -> float:
    """Return the chance that the target is met, or missed, with ``confidence`` once ``left`` of the way is left.

    ``left`` is the decades of FLOPs that remain beyond the largest rung, as a share of those there are now.
    """
    prediction, chance = found.target.prediction, found.target.probability
    if prediction is None or chance is None:
        return 0.0
    wide = math.log(prediction.high / prediction.low) / 2 / _NORMAL.inv_cdf(0.5 + prediction.level / 2)
    alone = math.log(base.loss.high / base.loss.low) / 2 / _NORMAL.inv_cdf(0.5 + base.loss.level / 2)
    doubt = max(0.0, wide**2 - alone**2)
    noise = min(alone, base.components.get("seed_noise", 0.0)) ** 2
    after = math.sqrt(noise + doubt + (alone**2 - noise) * left**2) / wide if wide else 1.0
    moves = math.sqrt(max(1e-12, 1 - after**2))
    margin, wanted = _NORMAL.inv_cdf(min(1 - 1e-9, max(1e-9, chance))), _NORMAL.inv_cdf(confidence)
    above = _NORMAL.cdf((margin - wanted * after) / moves)
    below = _NORMAL.cdf((-margin - wanted * after) / moves)
    return min(1.0, above + below)


def _evidence(parameters: float, tokens: float, flops: float, seconds: float, settles: float) -> Evidence:
    size, text = show_count(_round(parameters)), show_count(_round(tokens))
    return Evidence(
        what=f"one more training of the baseline with {size} parameters and {text} tokens ({flops:.2g} FLOPs, about "
             f"{show_seconds(seconds)} here) would settle this with {show_share(settles, 0)} probability: scales: "
             f"{{parameters: {size}, tokens: {text}, seeds: 1, baseline_only: true}}.",
        parameters=_round(parameters), tokens=_round(tokens), seeds=1, flops=flops, seconds=seconds,
    )  # fmt: skip


def _round(value: float) -> float:
    """Return the value to two figures: as people write sizes."""
    return float(f"{value:.1e}")
