"""Time and money of the full run: measured on the hardware, or an assumed range that says so."""

from __future__ import annotations

from typing import Any

from pilotlight.pilot.calibration import Calibration
from pilotlight.pilot.full import Counted
from pilotlight.pilot.goal import THIS_MACHINE, Hardware
from pilotlight.pilot.hardware import ASSUMED_UTILISATION, PRICES_OF, accelerator, read_receipt
from pilotlight.record.decision import Cost
from pilotlight.record.receipt import Receipt
from pilotlight.stats.estimate import Estimate
from pilotlight.train.plan import Plan
from pilotlight.units import show_count, show_share

# Evaluation, checkpoints and restarts on top of the bare steps: 2 % where nothing fails, 25 % in a bad week.
# The range is an assumption, stated in every cost; failures of real clusters are modelled in a later version.
OVERHEAD = (1.02, 1.06, 1.25)
# A receipt speaks for a model of this size give or take so much: FLOPs per second change slowly with the shape.
SAME_SIZE = 0.05

_NO_GO_ON_IT = "an assumed cost cannot yield GO"
_CHANGED = "scaled by FLOPs; the changed shape was not timed"


def _spread(low: float, middle: float, high: float, n: int, method: str, *cautions: str) -> Estimate:
    return Estimate(
        value=middle * OVERHEAD[1], low=low * OVERHEAD[0], high=high * OVERHEAD[2], level=0.8, unit="s", n=n,
        method=method, cautions=cautions,
    )  # fmt: skip


def _timed(plan: Plan) -> tuple[Any, ...]:
    """Return what the seconds of a step depend on beside the machine."""
    train = plan.train
    return (plan.model, plan.tokenizer, train.rows, train.context, train.precision, train.optim.kind, train.objective)


def _cautions(base: Counted, full: Counted) -> tuple[str, ...]:
    return () if _timed(base.plan) == _timed(full.plan) else (_CHANGED,)


def _measured_here(step_seconds: Estimate, base: Counted, full: Counted) -> Estimate:
    """Return the wall-clock of ``full`` from the measured seconds of one step of ``base`` (P10, P50, P90)."""
    steps = base.plan.steps * full.flops / base.flops
    method = f"{step_seconds.method}, times {round(steps)} steps, plus 2-25 % for evaluation, checkpoints and restarts"
    return _spread(
        step_seconds.low * steps, step_seconds.value * steps, step_seconds.high * steps, step_seconds.n, method,
        *_cautions(base, full),
    )  # fmt: skip


def _from_receipt(hardware: Hardware, receipt: Receipt, base: Counted, full: Counted) -> Estimate:
    rate = receipt.flops_per_second
    devices = hardware.count / receipt.devices
    linear = () if devices == 1 else ("scaling from the measured number of devices is assumed to be linear",)
    return _spread(
        full.flops / rate.high / devices, full.flops / rate.value / devices, full.flops / rate.low / devices, rate.n,
        f"measured on {receipt.hardware} (devices: {receipt.devices}), scaled to {hardware.count}",
        *linear, *_cautions(base, full),
    )  # fmt: skip


def _misfit(hardware: Hardware, receipt: Receipt, full: Counted) -> str:
    """Return why the receipt does not speak for the full run, or nothing."""
    precision = full.plan.train.precision
    if abs(receipt.parameters / full.parameters - 1) > SAME_SIZE:
        return f"of {show_count(receipt.parameters)} parameters, the full run has {show_count(full.parameters)}"
    if receipt.precision != precision:
        return f"in {receipt.precision}, the full run computes in {precision}"
    if receipt.devices != hardware.count:
        return f"on a number of devices of {receipt.devices}, the full run has {hardware.count}"
    if hardware.accelerator != THIS_MACHINE and hardware.accelerator.lower() not in receipt.hardware.lower():
        return f"on {receipt.hardware}, the full run is planned on {hardware.accelerator}"
    return ""


def _assumed(hardware: Hardware, flops: float) -> Estimate:
    kind = accelerator(hardware.accelerator)
    peak = kind.peak_flops * hardware.count
    low, middle, high = ASSUMED_UTILISATION
    return _spread(
        flops / peak / high, flops / peak / middle, flops / peak / low, 1,
        f"assumed {show_share(low, 0)} to {show_share(high, 0)} of the peak of {hardware.count} x {kind.name}",
        "nothing was measured on this hardware; run `pilot doctor --bench` there",
    )  # fmt: skip


def _money(hardware: Hardware, seconds: Estimate) -> Estimate | None:
    price = hardware.price_per_hour
    origin = "price from the plan"
    if price is None and hardware.accelerator != THIS_MACHINE:
        price = accelerator(hardware.accelerator).price_per_hour
        origin = f"list price of {PRICES_OF}"
    if price is None:
        return None
    estimate = seconds.scaled(price * hardware.count / 3600, "USD")
    return estimate.model_copy(update={"method": f"{price:g} USD per hour and device ({origin}); {seconds.method}"})


def full_run(hardware: Hardware, calibration: Calibration, base: Counted, full: Counted, spent: float) -> Cost:
    """Return time and money of the run ``full``; ``base`` is the declared one, whose steps the calibration timed.

    ``spent`` is the FLOPs that the pilot took. Where a receipt is of another run its rate is still the best guess there
    is, but a guess: the cost counts as assumed.

    Raises:
        ConfigError: the hardware is not in the table, or its receipt cannot be read.
    """
    if hardware.receipt is not None:
        receipt = read_receipt(hardware.receipt)
        seconds, name = _from_receipt(hardware, receipt, base, full), receipt.hardware
        misfit = _misfit(hardware, receipt, full)
        basis, because = "measured", f"throughput measured on {name}"
        if misfit:
            basis, because = "assumed", f"the receipt was measured {misfit}; {_NO_GO_ON_IT}"
    elif hardware.accelerator == THIS_MACHINE:
        seconds, name = _measured_here(calibration.full_step_seconds, base, full), str(calibration.machine["processor"])
        basis, because = "measured", f"steps of the full shape measured on this machine on {calibration.measured_at}"
    else:
        seconds, name = _assumed(hardware, full.flops), f"{hardware.count} x {hardware.accelerator}"
        basis, because = "assumed", f"throughput assumed from the peak rate; {_NO_GO_ON_IT}"
    money = _money(hardware, seconds)
    return Cost(
        basis=basis, hardware=name, flops=full.flops, seconds=seconds, money=money, pilot_flops=spent, because=because
    )  # fmt: skip
