"""Trials of a search that are given up on the way, by bounds that were fixed before their round began."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, final

from pilotlight.events import Watcher
from pilotlight.pilot.search_settings import Prune
from pilotlight.record.run import METRICS, Run, read_lines

SHARES = tuple(step / 20 for step in range(1, 20))
"""Shares of the steps at which bounds are kept; in between they are interpolated."""


_LOSSES = ("bits_per_byte", "nats_per_token", "perplexity", "masked_nats_per_token")


@final
class Pruned(Exception):
    """A trial is given up: says why; ``metrics`` are those of its last evaluation."""

    def __init__(self, why: str, metrics: dict[str, float]) -> None:
        super().__init__(why)
        self.metrics = metrics


def _between(xs: Sequence[float], ys: Sequence[float], x: float) -> float | None:
    """Return the value at ``x`` of the line through points in order; None outside of them."""
    if not xs or x < xs[0] - 1e-9 or x > xs[-1] + 1e-9:
        return None
    place = min(len(xs) - 1, bisect_left(xs, x))
    if place == 0 or xs[place] == xs[place - 1]:
        return ys[place]
    share = (x - xs[place - 1]) / (xs[place] - xs[place - 1])
    return ys[place - 1] + min(1.0, share) * (ys[place] - ys[place - 1])


def bounds(runs: Sequence[Path], settings: Prune) -> dict[str, Any] | None:
    """Return what a trial has to be better than on its way, from finished runs; None where there are too few.

    At every share of the steps that is the loss of which ``settings.keep`` of the runs were better.
    """
    curves: list[tuple[list[float], list[float]]] = []
    for folder in runs:
        run = Run.open(folder)
        lines = run.evaluations()
        curves.append(([line["step"] / run.facts.steps for line in lines], [line[run.facts.metric] for line in lines]))
    if len(curves) < settings.least:
        return None
    found: list[tuple[float, float]] = []
    for share in SHARES:
        values = sorted(value for curve in curves if (value := _between(*curve, share)) is not None)
        if share >= settings.after and len(values) >= settings.least:
            place = settings.keep * (len(values) - 1)
            value = _between([float(number) for number in range(len(values))], values, place)
            found.append((share, values[-1] if value is None else value))
    if not found:
        return None
    return {"shares": [share for share, _ in found], "losses": [loss for _, loss in found], "runs": len(curves),
            "keep": settings.keep}  # fmt: skip


@final
@dataclass(frozen=True)
class Bounds:
    """The bounds of one trial, and where it is trained."""

    told: Mapping[str, Any] | None
    steps: int
    out: Path

    @classmethod
    def of(cls, arguments: Mapping[str, Any]) -> Self:
        """Return the bounds in the arguments of a trial's unit; without ``prune`` there are none."""
        return cls(arguments.get("prune"), int(arguments["plan"]["steps"]), Path(arguments["out"]))

    def look_back(self) -> None:
        """Judge what an earlier process evaluated before it was killed: it may have ended just before giving up.

        Raises:
            Pruned: it should have.
        """
        if self.told is not None and (self.out / METRICS).is_file() and (self.out / "plan.json").is_file():
            for line in read_lines(self.out / METRICS):
                if line.get("kind") == "evaluation":
                    self._judge(line["step"], {name: line[name] for name in _LOSSES if name in line})

    def watching(self, watch: Watcher) -> Watcher:
        """Return ``watch``, which now also gives the trial up at an evaluation that is out of bounds."""
        if self.told is None:
            return watch
        from pilotlight.train.events import Evaluated

        def judge(event: Any) -> None:
            watch(event)
            if isinstance(event, Evaluated):
                self._judge(event.step, event.metrics)

        return judge

    def _judge(self, step: int, metrics: Mapping[str, float]) -> None:
        if self.told is None or step >= self.steps:
            return
        name = "bits_per_byte" if "bits_per_byte" in metrics else "masked_nats_per_token"
        bound = _between(self.told["shares"], self.told["losses"], step / self.steps)
        if bound is not None and not metrics[name] <= bound:
            raise Pruned(
                f"given up at step {step} of {self.steps}: {metrics[name]:.4f} {name.replace('_', ' ')}, and the better "
                f"{100 * self.told['keep']:.0f} % of {self.told['runs']} earlier trials were below {bound:.4f} there",
                {key: value for key, value in metrics.items() if math.isfinite(value)},
            )
