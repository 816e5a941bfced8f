"""Whether a run fitted too little or too much, by a stated rule over its learning curve."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pilotlight.record.run import Fit

RISE = 0.005
"""Held-out bits per byte this share above its best, while the training loss fell on repeated text, are overfitting."""
GAP = 0.10
"""A gap to the training text of this share, after ``EPOCHS`` passes, is overfitting."""
EPOCHS = 4.0
"""Passes up to which repeated text is almost as good as new (Muennighoff et al. 2023, arXiv 2305.16264)."""
FALL = 0.05
"""A fall of this share over the last quarter of the steps, without a gap, is underfitting."""


def judge_fit(
    lines: Sequence[dict[str, Any]], *, gap: float, loss: float, epochs: float, metric: str = "bits_per_byte"
) -> tuple[Fit, str]:
    """Return ``ok``, ``underfit`` or ``overfit``, and the rule with its numbers.

    Args:
        lines: metrics of the run, steps and evaluations.
        gap: held-out minus training loss at the end.
        loss: of held-out text at the end.
        epochs: passes over the training text.
        metric: what both are in.
    """
    words = metric.replace("_", " ")
    curve = [(line["step"], line[metric]) for line in lines if line["kind"] == "evaluation"]
    losses = [(line["step"], line["loss"]) for line in lines if line["kind"] == "step"]
    if curve:
        best_step, best = min(curve, key=lambda point: (point[1], point[0]))
        last_step, last = curve[-1]
        if epochs > 1 and last > best * (1 + RISE) and _mean_after(losses, last_step) < _mean_after(losses, best_step):
            return "overfit", (f"held-out {words} rose from {best:.4f} at step {best_step} to {last:.4f} while the "
                               f"training loss fell, over {epochs:.2f} epochs: use fewer steps or more text")  # fmt: skip
        share = gap / loss
        if epochs >= EPOCHS and share > GAP:
            return "overfit", (f"training text is {100 * share:.1f} % better predicted than held-out text (limit "
                               f"{100 * GAP:.0f} %) after {epochs:.2f} epochs: use fewer steps or more text")  # fmt: skip
        quarter = [value for step, value in curve if step <= 0.75 * last_step]
        if quarter and share < GAP / 2 and quarter[-1] > last * (1 + FALL):
            fall = 100 * (1 - last / quarter[-1])
            return "underfit", (f"held-out {words} still fell by {fall:.1f} % over the last quarter of the steps "
                                f"(limit {100 * FALL:.0f} %): more steps would go on improving it")  # fmt: skip
    return "ok", f"no rise of held-out {words}; gap to training text {gap:.4f} after {epochs:.2f} epochs"


def _mean_after(losses: Sequence[tuple[int, float]], step: int) -> float:
    """Return the mean training loss of the up to 50 steps that end at ``step``; NaN compares false."""
    near = [loss for at, loss in losses if step - 50 < at <= step]
    return sum(near) / len(near) if near else float("nan")
