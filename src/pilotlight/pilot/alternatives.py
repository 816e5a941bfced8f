"""What could be bought instead of the run as planned: other hardware, fewer tokens, a smaller model, existing weights."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from pilotlight.pilot.memory import shape_of
from pilotlight.pilot.ranges import Range
from pilotlight.pilot.scenario import Expense, Scenario, expense
from pilotlight.record.expense import Alternative
from pilotlight.stats.estimate import Estimate
from pilotlight.units import show_count, show_share

Foretell = Callable[[float, float, float], tuple[Estimate | None, str]]
"""Returns the predicted loss for parameters, tokens and FLOPs, or None and why there is none."""

SPOT_DISCOUNT = 0.5
"""Public catalogues of autumn 2026 give 50 to 60 % off the on-demand price of H100, H200 and B200."""
PREEMPTIONS = Range(
    "failures", 5e-4, 2e-3, 8e-3, "per device and hour", "assumed",
    "spot: each device is taken away 1 to 20 times in 100 days, besides failing",
)  # fmt: skip
CONTINUED = Range("share of the tokens", 0.05, 0.15, 0.3, "of the plan", "assumed",
                  "continued pre-training of published models took 5 to 30 % of what training from scratch takes")  # fmt: skip
TUNED = Range("share of the tokens", 0.0005, 0.003, 0.02, "of the plan", "assumed",
              "fine-tuning on examples instead of running text")  # fmt: skip
_CLOSE = 1e-6
_LINEAR = "throughput is taken to be proportional to the number of devices"
_SAME_PACE = "the same FLOPs per second are taken for the smaller model"
_NOT_SAID = "the pilot trains from scratch and says nothing about other weights: evaluate them on the same text first"


@dataclass(frozen=True)
class _Way:
    """One alternative before it is priced."""

    name: str
    change: str
    scenario: Scenario
    from_scratch: bool = True


def _no_runs(parameters: float, tokens: float, flops: float) -> tuple[None, str]:
    del parameters, tokens, flops
    return None, "no runs were given to predict from"


def alternatives(
    scenario: Scenario, foretell: Foretell | None = None, discount: float = SPOT_DISCOUNT
) -> tuple[Alternative, ...]:
    """Return the run as planned and its alternatives, each with time, money, energy and predicted loss.

    An alternative is marked as dominated where another one is surely no dearer, no slower and no worse, and better in one of
    them, and as rivalled where that holds but for predicted losses that the intervals do not tell apart; only those whose
    results compare are compared: same run, or both with a predicted loss.
    """
    ask = foretell or _no_runs
    told: dict[tuple[float, float], tuple[Estimate | None, str]] = {}
    found: list[Alternative] = []
    for way in _ways(scenario, discount):
        taken = way.scenario
        key = (taken.shape.parameters, taken.tokens)
        if way.from_scratch and key not in told:
            told[key] = ask(taken.shape.parameters, taken.tokens, taken.flops)
        loss, note = told[key] if way.from_scratch else (None, _NOT_SAID)
        found.append(_alternative(way, expense(taken), loss, note))
    return tuple(
        item.model_copy(update={"dominated": beaten, "rival": "" if beaten else rival(item, found)})
        for item, beaten in ((item, better(item, found)) for item in found)
    )


def _alternative(way: _Way, cost: Expense, loss: Estimate | None, note: str) -> Alternative:
    taken = way.scenario
    return Alternative(
        name=way.name, change=way.change, parameters=taken.shape.parameters, tokens=taken.tokens, devices=taken.devices,
        seconds=cost.seconds, money=cost.money, energy=cost.energy, loss=loss, loss_note=note, dominated="",
        cautions=taken.cautions,
    )  # fmt: skip


def _ways(scenario: Scenario, discount: float) -> Iterator[_Way]:
    yield _Way("as planned", "", scenario)
    yield from _other_hardware(scenario, discount)
    fewer = replace(scenario, tokens=0.8 * scenario.tokens, flops=0.8 * scenario.flops)
    yield _Way("20 % fewer tokens", f"{show_count(fewer.tokens)} tokens", fewer)
    yield _smaller(scenario)
    for name, share in (("continue from existing weights", CONTINUED), ("fine-tune instead", TUNED)):
        tokens = share.middle * scenario.tokens
        taken = replace(scenario, share=share, tokens=tokens)
        change = f"about {show_count(tokens)} tokens ({show_share(share.low)} to {show_share(share.high)} of the plan)"
        yield _Way(name, change, taken, from_scratch=False)


def _other_hardware(scenario: Scenario, discount: float) -> Iterator[_Way]:
    devices = scenario.devices
    if devices > 1:
        for name, other in (("half the devices", devices // 2), ("twice the devices", 2 * devices)):
            pace = scenario.pace.times(devices / other)
            cautions = (*scenario.cautions, _LINEAR)
            yield _Way(name, f"{other} devices", replace(scenario, devices=other, pace=pace, cautions=cautions))
    if scenario.price is not None and discount > 0:
        price = scenario.price.times(1 - discount)
        source = f"{price.source}, {show_share(discount, 0)} off"
        cheap = replace(scenario, price=replace(price, source=source), failures=PREEMPTIONS)
        yield _Way("spot price", f"{show_share(discount, 0)} off, devices are taken away", cheap)


def _smaller(scenario: Scenario) -> _Way:
    """Return half the model on more tokens at the same FLOPs."""
    shape = scenario.shape
    tied = shape.total_parameters - shape.parameters < 1.5 * shape.vocabulary * shape.width
    half = shape_of(shape.parameters / 2, shape.context, shape.vocabulary, tied)
    tokens = scenario.tokens * shape.training_flops_per_token / half.training_flops_per_token
    taken = replace(scenario, shape=half, tokens=tokens, cautions=(*scenario.cautions, _SAME_PACE))
    change = f"{show_count(half.parameters)} parameters, {show_count(tokens)} tokens, the same FLOPs"
    return _Way("half the model", change, taken)


def _comparable(left: Alternative, right: Alternative) -> bool:
    same = (left.parameters, left.tokens, left.loss_note) == (right.parameters, right.tokens, right.loss_note)
    return same or (left.loss is not None and right.loss is not None)


def better(item: Alternative, others: Sequence[Alternative]) -> str:
    """Return the name of the first alternative that is surely no dearer, slower or worse, and better in one; or nothing.

    Dearer and slower are judged at P10, P50 and P90 alike: alternatives share the figures that are not known, so that their
    ranges move together. Worse is judged by the intervals of the predicted losses, see ``_loss_against``.
    """
    return _first(item, others, ("better", "same"))


def rival(item: Alternative, others: Sequence[Alternative]) -> str:
    """Return the name of the first alternative that is better but for a predicted loss that is not told apart; or nothing.

    It is no dearer or slower, and is predicted to be no worse, within the intervals.
    """
    return _first(item, others, ("not told apart",))


def _first(item: Alternative, others: Sequence[Alternative], losses: tuple[str, ...]) -> str:
    for other in others:
        if other.name == item.name or not _comparable(item, other):
            continue
        ratios = _ratios(other, item)
        loss = _loss_against(other, item)
        gains = loss != "same" or min(max(kind) for kind in ratios) < 1 - _CLOSE
        if loss in losses and gains and all(ratio <= 1 + _CLOSE for kind in ratios for ratio in kind):
            return other.name
    return ""


def _ratios(other: Alternative, item: Alternative) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return what ``other`` takes over what ``item`` takes at P10, P50 and P90, in money and in time."""

    def over(there: Estimate, here: Estimate, factor: float = 1.0) -> tuple[float, ...]:
        pairs = (there.low, here.low), (there.value, here.value), (there.high, here.high)
        return tuple(factor * one / another if another else 1.0 for one, another in pairs)

    time = over(other.seconds, item.seconds)
    if other.money is not None and item.money is not None:
        return over(other.money, item.money), time
    return over(other.seconds, item.seconds, other.devices / item.devices), time


def _loss_against(other: Alternative, item: Alternative) -> str:
    """Return whether the predicted loss of ``other`` is ``better``, ``worse``, the ``same``, or ``not told apart`` from it.

    Two predictions are told apart where their difference is larger than the sides of their intervals that face each other,
    joined as those of independent errors are (MOVER, Zou and Donner 2008). Predictions of one study err alike, which makes the
    true error of the difference smaller: a difference that is told apart is one. What is worse by the middle alone is worse.
    """
    there, here = other.loss, item.loss
    same_run = (other.parameters, other.tokens, other.loss_note) == (item.parameters, item.tokens, item.loss_note)
    if there is None or here is None or same_run:
        return "same"
    gain = here.value - there.value
    if gain < 0.0:
        return "worse"
    return "better" if gain > math.hypot(here.value - here.low, there.high - there.value) else "not told apart"
