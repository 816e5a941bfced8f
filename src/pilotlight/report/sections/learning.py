"""How the trainings went: loss against tokens, every run a line."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, final

from pilotlight.record.results import BASELINE
from pilotlight.report.block import Block, Fold, Grid, Piece, Plot
from pilotlight.report.chart import Axis, Chart, Series
from pilotlight.report.section import Section, Slot
from pilotlight.report.study import Curve, Study
from pilotlight.report.text import number
from pilotlight.report.wording import counted
from pilotlight.units import show_count

_Pairs = Callable[[Curve], tuple[tuple[float, float], ...]]


@final
class Learning(Section):
    """Learning curves, one chart per rung, one thin line per run."""

    slot: ClassVar[Slot] = Slot.METHOD
    order: ClassVar[int] = 10
    title: ClassVar[str] = "Learning curves"

    def write(self, study: Study) -> Block | None:
        """Return the curves of all runs that have any."""
        held_out = _plots(study, lambda curve: curve.evaluations, "curves", "bits per byte", "held-out sample")
        training = _plots(study, lambda curve: curve.steps, "steps", "nats per token", "training loss")
        if not held_out and not training:
            return None
        pieces: list[Piece] = []
        if held_out:
            pieces.append(Grid(held_out))
        if training:
            pieces.append(Fold("Training loss", (Grid(training),)))
        runs = counted(len(study.curves), "run")
        return Block(
            f"{runs}, largest rung first. The curve is scored on a small fixed sample of the held-out text, verdicts on all "
            "of it.",
            tuple(pieces),
        )


def _plots(study: Study, pairs: _Pairs, name: str, unit: str, what: str) -> tuple[Plot, ...]:
    plots: list[Plot] = []
    for place, scale in enumerate(reversed(study.scales())):
        curves = [curve for curve in study.curves if curve.scale == scale and pairs(curve)]
        if not curves:
            continue
        # The baseline comes last, so that its lines lie on top.
        order = {variant: index for index, variant in enumerate([*study.variants()[1:], BASELINE])}
        curves.sort(key=lambda curve: (order.get(curve.variant, 0), curve.name))
        chart = Chart(
            f"{name}-{place + 1}", f"Rung {scale}", "",
            Axis("training tokens", log=True, count=True), Axis(f"{unit}, {what}", log=True),
            tuple(_line(study, curve, pairs(curve), unit) for curve in curves), height=360,
        )  # fmt: skip
        plots.append(Plot(chart))
    return tuple(plots)


def _line(study: Study, curve: Curve, pairs: tuple[tuple[float, float], ...], unit: str) -> Series:
    return Series(
        curve.variant, tuple(x for x, _ in pairs), tuple(y for _, y in pairs), style="line",
        color=study.color(curve.variant), dash="dot" if curve.is_repeat else "solid", thin=True,
        notes=tuple(f"{curve.name}\n{show_count(x)} tokens: {number(y)} {unit}" for x, y in pairs),
    )  # fmt: skip
