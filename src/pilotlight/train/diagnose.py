"""Why a loss does not fall as expected, from what the run itself has seen, and the change to try."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import NamedTuple, final

from pilotlight.record.diagnosis import Cause, Diagnosis
from pilotlight.train.expected import LEAST_MARGIN, Expected, learned
from pilotlight.train.fit import EPOCHS
from pilotlight.train.history import History
from pilotlight.train.plan import Plan

RATIOS = 1e-3, 2e-2
"""Update-to-weight ratios of the blocks, at the full learning rate, of trainings that went well: measured with AdamW on models
of 2 to 6 blocks at the rates within a factor of 3 of the best one."""
GROWTH = 10.0
"""Activations that have grown this many times since they were first looked at are on their way out of bounds."""
DEAD = 0.2
"""Share of dead units of one matrix that is worth a word."""
PLATEAU = 0.002
"""Share of the loss below which the fall over three evaluations is none."""
NOTHING_LEARNED = 0.98
"""Share of the nats of a uniform guess above which nothing has been learned, from a tenth of the steps on."""
LITTLE_LEARNED = 0.8
"""Share of the nats of a uniform guess above which little has been learned, from half of the steps on."""
_JUMP = 6.0  # robust standard deviations between the steps before and after a change of the text
_SIDE = 24  # steps on each side of it


@final
class Setting(NamedTuple):
    """What a diagnosis has to know of the plan."""

    steps: int
    vocabulary: int
    drops_rate_after: int
    """Updates after which the schedule has brought the rate below a tenth of its peak for good."""

    @classmethod
    def of(cls, plan: Plan, vocabulary: int) -> Setting:
        """Return what is to be known of ``plan``."""
        stride = max(1, plan.steps // 200)
        low = plan.steps
        for step in range(plan.steps - 1, -1, -stride):
            if plan.train.schedule.factor(step, plan.steps) >= 0.1:
                break
            low = step
        return cls(plan.steps, vocabulary, low)


def diagnose(history: History, setting: Setting, expected: Expected | None = None) -> Diagnosis | None:
    """Return what is not as expected at the last evaluation, with likely causes; None where all is well.

    Args:
        history: metrics of the run up to now, the evaluation in question last.
        setting: of the plan.
        expected: a predicted curve; without one, and where it says nothing, the run's own curve is what is expected.
            What it says of the end is for ``diagnose_end``.
    """
    if not history.evaluations or "bits_per_byte" not in history.evaluations[-1]:  # nothing is known of masked losses
        return None
    seen = _seen(history, setting, expected)
    return _with_causes(history, setting, seen, history.evaluations[-1]["bits_per_byte"]) if seen else None


def diagnose_end(history: History, setting: Setting, expected: Expected, bits_per_byte: float) -> Diagnosis | None:
    """Return why ``bits_per_byte`` of all held-out text is above what was expected of the end; None where it is not."""
    point = expected.at(setting.steps)
    if point is None or bits_per_byte <= point.high or not history.evaluations:
        return None
    seen = f"{bits_per_byte:.4f} bits per byte at the end, where {expected.source} says {point.value:.4f} and at most "
    return _with_causes(history, setting, f"{seen}{point.high:.4f}", bits_per_byte)


def _with_causes(history: History, setting: Setting, seen: str, bits_per_byte: float) -> Diagnosis:
    causes = [cause for rule in _RULES if (cause := rule(history, setting))] or [_unknown(history, setting)]
    return Diagnosis(step=history.evaluations[-1]["step"], bits_per_byte=bits_per_byte, seen=seen, causes=tuple(causes))


def _seen(history: History, setting: Setting, expected: Expected | None) -> str | None:
    line = history.evaluations[-1]
    step, loss, nats = line["step"], line["bits_per_byte"], line["nats_per_token"]
    curve = [(one["step"], one["bits_per_byte"]) for one in history.evaluations[:-1]]
    uniform = math.log(setting.vocabulary)
    if step >= 0.1 * setting.steps and len(curve) >= 1 and nats > NOTHING_LEARNED * uniform:
        return (f"{nats:.4f} nats per token after {step} of {setting.steps} steps is no better than a uniform guess "
                f"({uniform:.4f})")  # fmt: skip
    if step >= 0.5 * setting.steps and nats > LITTLE_LEARNED * uniform:
        return (f"{nats:.4f} nats per token after {step} of {setting.steps} steps is little better than a uniform guess "
                f"({uniform:.4f})")  # fmt: skip
    point = expected.at(step) if expected and step < setting.steps else None
    if expected and point and loss > point.high:
        return f"{loss:.4f} bits per byte, where {expected.source} says {point.value:.4f} and at most {point.high:.4f}"
    if curve and loss > (best := min(curve, key=lambda one: one[1]))[1] * (1 + LEAST_MARGIN):
        return f"{loss:.4f} bits per byte, up from {best[1]:.4f} at step {best[0]}"
    if point is None and (point := learned(_after_warmup(curve, history), step)) and loss > point.high:
        return (f"{loss:.4f} bits per byte, where the run's own curve led to {point.value:.4f} and at most "
                f"{point.high:.4f}")  # fmt: skip
    if len(curve) >= 3 and step < 0.8 * setting.steps and curve[-3][1] - loss < PLATEAU * loss:
        return f"{loss:.4f} bits per byte, hardly less than {curve[-3][1]:.4f} at step {curve[-3][0]}"
    return None


def _after_warmup(curve: list[tuple[int, float]], history: History) -> list[tuple[int, float]]:
    """Return the curve without its first point, in which the learning rate was still rising."""
    return curve[1:] if len(curve) > 1 and history.peak else curve


def _blocks(values: dict[str, float]) -> list[float]:
    return [value for layer, value in values.items() if layer.startswith("blocks.")]


def _median(values: Iterable[float]) -> float:
    ordered = sorted(values)
    return ordered[len(ordered) // 2]


def _ratio(history: History) -> float | None:
    """Return the update-to-weight ratio of the blocks as it would be at the highest learning rate so far."""
    steps = {line["step"]: line["lr"] for line in history.steps}
    found = [
        _median(_blocks(probe["update_ratio"])) * history.peak / steps[probe["step"]]
        for probe in history.probes if steps.get(probe["step"], 0.0) > 0 and _blocks(probe["update_ratio"])
    ]  # fmt: skip
    return _median(found) if found else None


def _rate_too_high(history: History, setting: Setting) -> Cause | None:
    del setting
    evidence: list[str] = []
    ratio = _ratio(history)
    if ratio is not None and ratio > RATIOS[1]:
        evidence.append(f"updates of {ratio:.2g} of the weights at the peak rate, where up to {RATIOS[1]:.2g} is usual")
    if history.probes and history.first_probe is not None:
        first, last = (
            max(_blocks(one["activation_rms"]), default=0.0) for one in (history.first_probe, history.probes[-1])
        )
        if first > 0 and last > GROWTH * first:
            evidence.append(f"activations have grown from {first:.3g} to {last:.3g}")
    flagged = [line for line in history.changes if line["kind"] in ("skip", "rewind")]
    if len(flagged) >= 3:
        evidence.append(f"{len(flagged)} batches skipped or rewinds, the last at step {flagged[-1]['step']}")
    norms = [line["gradient_norm"] for line in history.steps]
    if len(norms) >= 64 and _median(norms[-16:]) > 3 * _median(norms[:32]):
        evidence.append(f"gradient norms have grown from {_median(norms[:32]):.3g} to {_median(norms[-16:]):.3g}")
    if not evidence:
        return None
    return Cause(kind="rate_too_high", evidence="; ".join(evidence),
                 change="halve train.optim.lr, or lengthen train.schedule.warmup (`pilot margin` measures how far the rate "
                        "is from the edge)")  # fmt: skip


def _rate_too_low(history: History, setting: Setting) -> Cause | None:
    step, ratio = history.evaluations[-1]["step"], _ratio(history)
    if ratio is not None and ratio < RATIOS[0]:
        return Cause(kind="rate_too_low",
                     evidence=f"updates of {ratio:.2g} of the weights at the peak rate, where {RATIOS[0]:.2g} and more is usual",
                     change="double train.optim.lr")  # fmt: skip
    if setting.drops_rate_after < step <= 0.8 * setting.steps:
        return Cause(kind="rate_too_low",
                     evidence=f"the schedule left less than a tenth of the rate from step {setting.drops_rate_after} on",
                     change="a schedule that keeps the rate longer, such as train.schedule.kind: wsd")  # fmt: skip
    return None


def _text_repeated(history: History, setting: Setting) -> Cause | None:
    del setting
    line = history.evaluations[-1]
    epochs, losses = line.get("epoch", 0.0), [one["loss"] for one in history.steps]
    if epochs <= 1 or len(losses) < 8:
        return None
    half, held_out = len(losses) // 2, line["nats_per_token"]
    gap = 1 - _median(losses[half:]) / held_out
    falls = _median(losses[half:]) < _median(losses[:half])
    if epochs < EPOCHS and not (gap > 0.1 and falls):
        return None
    return Cause(kind="text_repeated", evidence=f"{epochs:.1f} passes over the text; the last training batches are "
                 f"{100 * gap:.1f} % better predicted than held-out text", change="more text, or fewer steps")  # fmt: skip


def _units_dead(history: History, setting: Setting) -> Cause | None:
    del setting
    dead = history.probes[-1]["dead_units"] if history.probes else {}
    worst = max(dead, key=lambda layer: dead[layer], default="")
    if not worst or dead[worst] < DEAD:
        return None
    return Cause(kind="units_dead", evidence=f"{100 * dead[worst]:.0f} % of the units of a matrix in {worst} got no gradient",
                 change="a lower train.optim.lr with a longer warm-up, or model.feedforward.kind: swiglu")  # fmt: skip


def _text_shifted(history: History, setting: Setting) -> Cause | None:
    """Look for a jump between two levels, each quiet by itself; weights that go wrong do not settle at once."""
    del setting
    lines = list(history.steps)
    best: tuple[float, int, float, float] | None = None
    for at in range(_SIDE, len(lines) - _SIDE + 1):
        before, after = ([one["loss"] for one in part] for part in (lines[at - _SIDE : at], lines[at : at + _SIDE]))
        low, high = _median(before), _median(after)
        spread = 1.4826 * max(_median(abs(loss - low) for loss in before), _median(abs(loss - high) for loss in after))
        size = (high - low) / max(spread, 0.005 * low)
        if size > _JUMP and (best is None or size > best[0]):
            best = size, lines[at]["step"], low, high
    if best is None:
        return None
    shares = [
        line["step"] for line in history.changes if line["kind"] == "shares" and abs(line["step"] - best[1]) <= _SIDE
    ]
    after_shares = f", after the shares of sources changed at step {shares[-1]}" if shares else ""
    return Cause(kind="text_shifted",
                 evidence=f"the training loss went from {best[2]:.4f} to {best[3]:.4f} nats per token around step "
                          f"{best[1]}{after_shares}",
                 change="look at the text from that step on; mix it in from the start, or shuffle")  # fmt: skip


def _unknown(history: History, setting: Setting) -> Cause:
    step = history.evaluations[-1]["step"]
    ratio = _ratio(history)
    updates = f"updates are {ratio:.2g} of the weights, as usual" if ratio is not None else "layers were not looked at"
    return Cause(kind="plateau", evidence=f"{updates}; no dead units, no jump in the training loss, little text repeated",
                 change="let the rate fall now (a shorter run with the same schedule), or take a larger model: "
                        f"{setting.steps - step} more steps like these bring little")  # fmt: skip


_RULES: tuple[Callable[[History, Setting], Cause | None], ...] = (
    _rate_too_high, _units_dead, _text_shifted, _text_repeated, _rate_too_low,
)  # fmt: skip
