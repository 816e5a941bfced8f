"""What effects are worth beyond the runs that measured them: as believed, at the full size, in compute, time and money."""

from __future__ import annotations

from pilotlight.record.clock import Timed
from pilotlight.record.decision import Decision, Finding
from pilotlight.report.block import Cell, Table, effect_cell
from pilotlight.report.study import Study
from pilotlight.report.text import fixed, how, percent
from pilotlight.stats.estimate import Estimate

_NO_LAW = "the baseline's runs carry no law"
_NO_CLOCK = "no two trainings of one rung and seed have clock readings that compare"


def beyond(study: Study, decision: Decision) -> Table:
    """Return the table of what each effect is worth; by the clock as far as there is one."""
    timed = {finding.variant: study.clock.of(finding.variant) if study.clock else None for finding in decision.findings}
    has_clock = any(one is not None and one.prices for one in timed.values())
    has_money = any(one is not None and _differs(one) for one in timed.values())
    by_clock = ("Seconds a run", "Time", *(("Money",) if has_money else ())) if has_clock else ()
    rows: list[tuple[Cell, ...]] = []
    for finding in decision.findings:
        carried, clock = finding.carried, timed[finding.variant]
        cells = (_price(clock), _by_clock(clock, "time"), *((_by_clock(clock, "money"),) if has_money else ()))
        rows.append((
            Cell(finding.variant), effect_cell(finding.comparison.shrunken), effect_cell(carried.effect if carried else None),
            Cell(percent(carried.reversal, 0) if carried else "–", note="probability that the sign of the effect at the full "
                 "size is the other than at the largest replicated rung"),
            _times(finding.multiplier), *(cells if has_clock else ()),
        ))  # fmt: skip
    columns = ("Shrunken", "At the full size", "Reversal", "Compute", *by_clock)
    trends = tuple(_along(finding) for finding in decision.findings)
    return Table(
        ("Variant", *columns), tuple(rows), frozenset(columns), _caption(has_clock, has_money),
        trends if any(trends) else (),
    )  # fmt: skip


def _caption(has_clock: bool, has_money: bool) -> str:
    told = (
        "Shrunken: drawn towards none as far as all variants say that effects like it are chance; the best of several is "
        "overstated without. Compute: how many times the variant's FLOPs the baseline needs to reach the same loss."
    )
    if not has_clock:
        return told
    money = "Money: time, and what memory makes of it" if has_money else "Money follows time"
    return (
        f"{told} Time: the same in seconds, by the clock of the pilot's own trainings; it decides nothing. {money} on the "
        "hardware of the full run."
    )


def _differs(timed: Timed) -> bool:
    """Return whether money says anything that time does not."""
    return any(one.value != timed.time[scale].value or one.cautions != timed.time[scale].cautions
               for scale, one in timed.money.items() if scale in timed.time)  # fmt: skip


def _times(estimate: Estimate | None, why: str = _NO_LAW) -> Cell:
    if estimate is None:
        return Cell("–", note=why, tone="quiet")
    known = estimate.low < estimate.high or not estimate.cautions  # one pair of trainings tells a price, and no more
    interval = f"[{fixed(estimate.low, 2)}, {fixed(estimate.high, 2)}]" if known else "no interval"
    return Cell(f"{fixed(estimate.value, 2)}×", interval, how(estimate))


def _price(timed: Timed | None) -> Cell:
    """Return what a run of the variant takes in seconds, the baseline's being 1."""
    return _times(timed.prices.get(timed.scale) if timed else None, _NO_CLOCK)


def _by_clock(timed: Timed | None, what: str) -> Cell:
    if timed is None or timed.scale not in timed.prices:
        return _times(None, _NO_CLOCK)
    return _times((timed.time if what == "time" else timed.money).get(timed.scale))


def _along(finding: Finding) -> str:
    """Return in a sentence how the multiplier in FLOPs goes from rung to rung; nothing where one rung alone tells it."""
    steps = [fixed(estimate.value, 2) for estimate in finding.multipliers.values()]
    if len(steps) < 2:
        return ""
    trend = f"; {trend_of(finding.multiplier_trend)}" if finding.multiplier_trend else ""
    return f"Its compute multiplier along the ladder: {' → '.join(steps)}{trend}."


def trend_of(trend: Estimate) -> str:
    """Return in words whether a multiplier changes with size, and by how much."""
    word = "grows with size" if trend.low > 1.0 else "fades with size" if trend.high < 1.0 else "no trend can be told"
    return f"{word}: ×{fixed(trend.value, 2)} per tenfold of FLOPs [{fixed(trend.low, 2)}, {fixed(trend.high, 2)}]"
