"""Time, money and energy of the full run: measured on the hardware, or an assumed range that says so."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from pilotlight.errors import ConfigError
from pilotlight.pilot.accelerators import PRICES_OF, Accelerator, find
from pilotlight.pilot.alternatives import SPOT_DISCOUNT, Foretell, alternatives
from pilotlight.pilot.calibration import Calibration
from pilotlight.pilot.full import Counted
from pilotlight.pilot.goal import Hardware
from pilotlight.pilot.hardware import read_receipt, table_of, utilisation
from pilotlight.pilot.memory import MOST_ROWS, Arithmetic, Devices, Shape, fit
from pilotlight.pilot.ranges import Range, exactly
from pilotlight.pilot.scenario import FAILURES, Scenario, expense
from pilotlight.record.decision import Cost
from pilotlight.record.expense import STEPS, THIS_MACHINE, MemoryFit
from pilotlight.record.receipt import Receipt
from pilotlight.train.plan import Plan
from pilotlight.units import show_count, show_share

SAME_SIZE = 0.05
"""A receipt speaks for a model of this size give or take so much: FLOPs per second change slowly with the shape."""
RECOMPUTATION = (1.05, 1.2, 4 / 3)
"""What recomputed activations make of a step: cheap ones alone cost a few per cent (Korthikanti et al. 2022), a whole
forward pass a third, since backward takes two."""

_NO_GO_ON_IT = "an assumed cost cannot yield GO"
_CHANGED = "scaled by FLOPs; the changed shape was not timed"
_LINEAR = "scaling from the measured number of devices is assumed to be linear"
_NOTHING = "nothing was measured on this hardware; run `pilot doctor --bench` there"
DRIFT = 1.25
"""Slower than the seconds that were measured, at P90: two shared virtual cores took 0.25 to 0.37 s for the same step within an
hour, with nothing else running."""


@dataclass(frozen=True)
class Pace:
    """How fast the bare steps go, how that was obtained, and whether it may carry a GO."""

    range: Range
    """Seconds per FLOP on all devices."""
    hardware: str
    basis: Literal["measured", "assumed"]
    because: str
    cautions: tuple[str, ...] = ()


def _timed(plan: Plan) -> tuple[Any, ...]:
    """Return what the seconds of a step depend on beside the machine."""
    train = plan.train
    return (plan.model, plan.tokenizer, train.rows, train.context, train.precision, train.optim.kind, train.objective)


def _cautions(base: Counted, full: Counted) -> tuple[str, ...]:
    return () if _timed(base.plan) == _timed(full.plan) else (_CHANGED,)


def _measured_here(calibration: Calibration, base: Counted, full: Counted) -> Pace:
    """Return the pace of ``full`` from the measured seconds of one step of ``base``."""
    step, per_flop = calibration.full_step_seconds, base.plan.steps / base.flops
    steps = round(base.plan.steps * full.flops / base.flops)
    pace = Range(STEPS, step.low * per_flop, step.value * per_flop, step.high * DRIFT * per_flop, "s per FLOP", "measured",
                 f"{step.method}, times {steps} steps; P90 times {DRIFT:g} for hours slower than the seconds that were "
                 "measured", step.n)  # fmt: skip
    because = f"steps of the full shape measured on this machine on {calibration.measured_at}"
    return Pace(pace, str(calibration.machine["processor"]), "measured", because, _cautions(base, full))


def from_receipt(receipt: Receipt, count: int, misfit: str, cautions: tuple[str, ...] = ()) -> Pace:
    """Return the pace on ``count`` devices by what was measured; ``misfit`` says why it is of another run, or nothing."""
    rate, scale = receipt.flops_per_second, receipt.devices / count
    pace = Range(
        STEPS, scale / rate.high, scale / rate.value, scale / rate.low, "s per FLOP", "measured",
        f"measured on {receipt.hardware} (devices: {receipt.devices}), scaled to {count}", rate.n,
    )  # fmt: skip
    cautions = (*(() if scale == 1 else (_LINEAR,)), *cautions)
    if misfit:
        return Pace(pace, receipt.hardware, "assumed", f"the receipt was measured {misfit}; {_NO_GO_ON_IT}", cautions)
    return Pace(pace, receipt.hardware, "measured", f"throughput measured on {receipt.hardware}", cautions)


def misfit_of(name: str, count: int, receipt: Receipt, parameters: float, precision: str) -> str:
    """Return why the receipt does not speak for a run on ``count`` accelerators called ``name``, or nothing."""
    if abs(receipt.parameters / parameters - 1) > SAME_SIZE:
        return f"of {show_count(receipt.parameters)} parameters, the full run has {show_count(parameters)}"
    if receipt.precision != precision:
        return f"in {receipt.precision}, the full run computes in {precision}"
    if receipt.devices != count:
        return f"on a number of devices of {receipt.devices}, the full run has {count}"
    words = set(re.findall(r"\w+", receipt.hardware.lower()))
    if name != THIS_MACHINE and not set(re.findall(r"\w+", name.lower())) <= words:
        return f"on {receipt.hardware}, the full run is planned on {name}"
    return ""


def assumed(kind: Accelerator, count: int, precision: str, recompute: bool, share: Range | None = None) -> Pace:
    """Return the pace by a share of the peak: the user's ``share``, or the range that such clusters reach."""
    if share is None:
        low, middle, high = utilisation(count)
        words = f"assumed {show_share(low, 0)} to {show_share(high, 0)} of the peak of {count} x {kind.name}"
        share = Range("utilisation", low, middle, high, "of the peak", "assumed", words)
        because, cautions = f"throughput assumed from the peak rate; {_NO_GO_ON_IT}", (_NOTHING,)
    else:
        words = f"{show_share(share.middle, 0)} of the peak of {count} x {kind.name}, {share.source}"
        because, cautions = f"utilisation {share.source}, not measured here; {_NO_GO_ON_IT}", (_NOTHING,)
    peak = kind.peak_flops * count * (kind.float32_share if precision == "float32" else 1)
    quick, usual, slow = RECOMPUTATION if recompute else (1, 1, 1)
    if recompute:
        words += ", 5 to 33 % more for recomputed activations"
    pace = Range(STEPS, quick / peak / share.high, usual / peak / share.middle, slow / peak / share.low, "s per FLOP",
                 share.origin, f"{words}; peak: {kind.sheet}")  # fmt: skip
    return Pace(pace, f"{count} x {kind.name}", "assumed", because, cautions)


def shape_in(full: Counted) -> Shape:
    """Return the shape of a counted plan's model as far as memory needs it."""
    plan = full.plan
    depth, width = plan.model.size()
    total = full.total_parameters or full.parameters + (1 if plan.model.tied else 2) * full.ids * width
    return Shape(full.parameters, total, width, depth, full.ids, plan.train.context)


def arithmetic_of(plan: Plan) -> Arithmetic:
    """Return the precision and the optimizer of a plan."""
    return Arithmetic(plan.train.precision, plan.train.optim.kind)


def memory_in(kind: Accelerator | None, full: Counted, count: int) -> MemoryFit | None:
    """Return how a counted plan fits into ``count`` accelerators; None where their memory is not known."""
    if kind is None or kind.memory is None:
        return None
    rows = max(1, min(MOST_ROWS, full.plan.train.rows // count))
    return fit(shape_in(full), Devices(kind.memory, count, kind.linked), arithmetic_of(full.plan), rows)


def price_of(hardware: Hardware, kind: Accelerator | None) -> Range | None:
    """Return dollars per device and hour: the plan's, or the table's, or None where neither says."""
    price, origin, source = hardware.price_per_hour, "given", "price from the plan"
    if price is None and kind is not None and kind.price_per_hour is not None:
        price, origin = kind.price_per_hour, "catalogue"
        source = f"list price of {PRICES_OF}: {kind.catalogue}"
    if price is None:
        return None
    return exactly("price", price, "USD per device and hour", origin, source)


def power_of(hardware: Hardware, kind: Accelerator | None) -> Range | None:
    """Return watts of a device at full load: the plan's, or the table's, or None where neither says."""
    if hardware.power is not None:
        return exactly("power", hardware.power, "W a device", "given", "power from the plan")
    if kind is None or kind.power is None:
        return None
    return exactly("power", kind.power, "W a device", "data sheet", kind.sheet)


def failures_of(hardware: Hardware) -> Range:
    """Return failures per device and hour: the plan's, or the published range."""
    if hardware.failures_per_device_day is None:
        return FAILURES
    rate = hardware.failures_per_device_day / 24
    return exactly("failures", rate, "per device and hour", "given", "failures from the plan")


def unfit(memory: MemoryFit | None) -> tuple[str, ...]:
    """Return the caution of a run that no sharding fits into its devices."""
    return () if memory is None or memory.fits else (memory.because,)


def pilots_of(pace: Pace, spent: float, is_here: bool) -> Range | None:
    """Return the time of the pilot's FLOPs at the pace of the full run: no clock of the pilot itself enters a decision."""
    if not spent:
        return None
    source = "the pilot's FLOPs as if spent on this hardware; they were spent elsewhere, at another price"
    if is_here:
        source = "the pilot's FLOPs at the pace of the full run; small shapes are slower, so they took longer"
    taken = pace.range.times(spent, "s")
    return replace(taken, name="pilots", origin="assumed", source=source)


def full_run(
    hardware: Hardware, calibration: Calibration, base: Counted, full: Counted, spent: float,
    foretell: Foretell | None = None,
) -> Cost:  # fmt: skip
    """Return what the run ``full`` takes; ``base`` is the declared one, whose steps the calibration timed.

    ``spent`` is the FLOPs that the pilot took, ``foretell`` predicts the loss of the alternatives. Where a receipt is of
    another run its rate is still the best guess there is, but a guess: the cost counts as assumed.

    Raises:
        ConfigError: the hardware is not in the table, or its receipt or table cannot be read.
    """
    is_here = hardware.accelerator == THIS_MACHINE
    table = table_of(hardware)
    needs_row = hardware.receipt is None or hardware.price_per_hour is None
    kind = None if is_here else find(hardware.accelerator, table) if needs_row else known(hardware, table)
    plan = full.plan
    memory = memory_in(kind, full, hardware.count)
    if hardware.receipt is not None:
        receipt = read_receipt(hardware.receipt)
        misfit = misfit_of(hardware.accelerator, hardware.count, receipt, full.parameters, plan.train.precision)
        pace = from_receipt(receipt, hardware.count, misfit, _cautions(base, full))
    elif kind is None:
        pace = _measured_here(calibration, base, full)
    else:
        pace = assumed(kind, hardware.count, plan.train.precision, memory is not None and memory.recompute)
    scenario = Scenario(
        shape=shape_in(full), arithmetic=arithmetic_of(plan), tokens=plan.tokens, flops=full.flops, devices=hardware.count,
        hardware=pace.hardware, pace=pace.range, basis=pace.basis, because=pace.because,
        price=price_of(hardware, kind), power=power_of(hardware, kind), failures=failures_of(hardware),
        pilots=pilots_of(pace, spent, is_here), memory=memory, cautions=(*unfit(memory), *pace.cautions),
    )  # fmt: skip
    return cost_of(scenario, spent, foretell, 0.0 if is_here else SPOT_DISCOUNT)


def known(hardware: Hardware, table: Mapping[str, Accelerator]) -> Accelerator | None:
    """Return the row of an accelerator, or None where its receipt and price say all that is needed."""
    try:
        return find(hardware.accelerator, table)
    except ConfigError:
        return None


def cost_of(
    scenario: Scenario, spent: float = 0.0, foretell: Foretell | None = None, discount: float = SPOT_DISCOUNT
) -> Cost:
    """Return the cost of a scenario with its alternatives; ``spent`` is the FLOPs of the pilots before it."""
    found = expense(scenario)
    return Cost(
        basis=scenario.basis, hardware=scenario.hardware, flops=scenario.flops, seconds=found.seconds, money=found.money,
        pilot_flops=spent, because=scenario.because, energy=found.energy, goodput=found.goodput, lines=found.lines,
        figures=found.figures, memory=scenario.memory, alternatives=alternatives(scenario, foretell, discount),
    )  # fmt: skip
