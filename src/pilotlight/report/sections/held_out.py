"""Whether the verdicts hang on which text was held out: every effect on shards of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, final

from pilotlight.record.decision import Finding
from pilotlight.report.block import Block, Cell, Plot, Table, effect_cell
from pilotlight.report.chart import Axis, Chart, Rule, Series
from pilotlight.report.section import Section, Slot
from pilotlight.report.study import Study
from pilotlight.report.text import effect, how
from pilotlight.report.wording import listed, metric_of, spoken
from pilotlight.stats.estimate import Estimate
from pilotlight.stats.shards import Shards

_BAND = 0.3  # half the height of a variant's row in which its shards are drawn


@final
class HeldOut(Section):
    """Every effect on shards of the held-out text."""

    slot: ClassVar[Slot] = Slot.EVIDENCE
    order: ClassVar[int] = 35
    title: ClassVar[str] = "Effects by held-out text"

    def write(self, study: Study) -> Block | None:
        """Return the effects by shard, or None where the runs were not compared on shards."""
        findings = study.decision.findings if study.decision else ()
        told = [(finding, finding.held_out) for finding in findings if finding.held_out is not None]
        if not told:
            return None
        count = max(len(shards.effects) for _, shards in told)
        split = [(finding, shards) for finding, shards in told if _agreeing(finding, shards) < len(shards.effects)]
        lead = (
            f"The held-out text was divided into {count} shards of whole documents, and the same runs compared on each: "
            f"{listed(_agreement(finding, shards) for finding, shards in split) or 'each effect has its sign on all of them'}."
        )
        doubtful = [finding.variant for finding, shards in told if _hangs(finding, shards)]
        if doubtful:
            lead += (
                f" On other text of this kind the {'effect' if len(doubtful) == 1 else 'effects'} of {listed(doubtful)} may have "
                "the other sign: score more held-out text (train.score_bytes, corpus.held_out) before believing more than what "
                "was scored."
            )
        return Block(lead, (_table(told), Plot(_chart(study, told))))


def _agreeing(finding: Finding, shards: Shards) -> int:
    return shards.on_the_side_of(finding.comparison.effect.value)


def _agreement(finding: Finding, shards: Shards) -> str:
    return f"{finding.variant} has the sign of its effect on {_agreeing(finding, shards)} of {len(shards.effects)}"


def _is_beyond_chance(estimate: Estimate) -> bool:
    return estimate.low > 0.0 or estimate.high < 0.0


def _hangs(finding: Finding, shards: Shards) -> bool:
    """Return whether an effect that new runs would show again might not be there on other text."""
    return _is_beyond_chance(finding.comparison.effect) and not _is_beyond_chance(shards.effect)


def _table(told: Sequence[tuple[Finding, Shards]]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for finding, shards in told:
        ordered = sorted(shards.effects, key=lambda one: one.value)
        rows.append((
            Cell(finding.variant), effect_cell(finding.comparison.effect),
            effect_cell(shards.effect, tone="open" if _hangs(finding, shards) else ""),
            Cell(f"{_agreeing(finding, shards)} of {len(ordered)}"),
            effect_cell(ordered[0]), effect_cell(ordered[-1]),
        ))  # fmt: skip
    numbers = ("On this text", "On other text too", "Same sign", "Least", "Most")
    return Table(
        columns=("Variant", *numbers), rows=tuple(rows), numeric=frozenset(numbers),
        caption="On this text: for new runs, scored on the same text. On other text too: for new runs and other text of the "
        "kind. Same sign: shards whose effect has the sign of the whole. Least and most: the shards at either end, each for new "
        "runs, not corrected for looking at several.",
    )  # fmt: skip


def _chart(study: Study, told: Sequence[tuple[Finding, Shards]]) -> Chart:
    series: list[Series] = []
    for row, (finding, shards) in enumerate(told):
        effects = shards.effects
        places = tuple(row + _BAND * (2 * place / (len(effects) - 1) - 1) for place in range(len(effects)))
        notes = tuple(f"{finding.variant}, shard {place + 1}: {effect(one.value)}\n{how(one)}"
                      for place, one in enumerate(effects))  # fmt: skip
        series.append(Series(
            finding.variant, tuple(one.value for one in effects), places, tuple(one.low for one in effects),
            tuple(one.high for one in effects), color=study.color(finding.variant), thin=True, sideways=True, notes=notes,
        ))  # fmt: skip
    return Chart(
        "held_out", "Effect of each variant on shards of the held-out text",
        "One point per shard, its interval over training runs alone. Points that lie further apart than their intervals are "
        "wide say that the effect differs between texts.",
        Axis(f"relative change of {spoken(metric_of(study).name)}", percent=True),
        Axis("", names=tuple(finding.variant for finding, _ in told)), tuple(series), (), (Rule("x", 0.0, ""),),
        height=150 + 90 * len(told), legend=False,
    )  # fmt: skip
