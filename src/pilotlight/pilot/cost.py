"""Time and money of the full run: measured on the hardware, or an assumed range that says so."""

from __future__ import annotations

from pilotlight.pilot.calibration import Calibration
from pilotlight.pilot.goal import THIS_MACHINE, Hardware
from pilotlight.pilot.hardware import ASSUMED_UTILISATION, PRICES_OF, accelerator, read_receipt
from pilotlight.record.decision import Cost
from pilotlight.record.receipt import Receipt
from pilotlight.stats.estimate import Estimate
from pilotlight.units import show_share

# Evaluation, checkpoints and restarts on top of the bare steps: 2 % where nothing fails, 25 % in a bad week.
# The range is an assumption, stated in every cost; failures of real clusters are modelled in a later version.
OVERHEAD = (1.02, 1.06, 1.25)


def _spread(low: float, middle: float, high: float, n: int, method: str, *cautions: str) -> Estimate:
    return Estimate(
        value=middle * OVERHEAD[1], low=low * OVERHEAD[0], high=high * OVERHEAD[2], level=0.8, unit="s", n=n,
        method=method, cautions=cautions,
    )  # fmt: skip


def measured_here(step_seconds: Estimate, steps: int) -> Estimate:
    """Return the wall-clock of ``steps`` steps from the measured seconds of one (P10, P50, P90)."""
    method = f"{step_seconds.method}, times {steps} steps, plus 2-25 % for evaluation, checkpoints and restarts"
    return _spread(
        step_seconds.low * steps, step_seconds.value * steps, step_seconds.high * steps, step_seconds.n, method
    )


def _from_receipt(hardware: Hardware, receipt: Receipt, flops: float) -> tuple[Estimate, str]:
    rate = receipt.flops_per_second
    devices = hardware.count / receipt.devices
    seconds = _spread(
        flops / rate.high / devices, flops / rate.value / devices, flops / rate.low / devices, rate.n,
        f"measured on {receipt.hardware} ({receipt.devices} devices), scaled to {hardware.count}",
        *(() if devices == 1 else ("scaling from the measured number of devices is assumed to be linear",)),
    )  # fmt: skip
    return seconds, receipt.hardware


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


def full_run(hardware: Hardware, calibration: Calibration, flops: float, steps: int, spent: float) -> Cost:
    """Return time and money of the full run of ``flops`` FLOPs in ``steps`` steps; ``spent`` is what the pilot took.

    Raises:
        ConfigError: the hardware is not in the table, or its receipt cannot be read.
    """
    if hardware.receipt is not None:
        seconds, name = _from_receipt(hardware, read_receipt(hardware.receipt), flops)
        basis, because = "measured", f"throughput measured on {name}"
    elif hardware.accelerator == THIS_MACHINE:
        seconds, name = measured_here(calibration.full_step_seconds, steps), str(calibration.machine["processor"])
        basis, because = "measured", f"steps of the full shape measured on this machine on {calibration.measured_at}"
    else:
        seconds, name = _assumed(hardware, flops), f"{hardware.count} x {hardware.accelerator}"
        basis, because = "assumed", "throughput assumed from the peak rate; an assumed cost cannot yield GO"
    money = _money(hardware, seconds)
    return Cost(
        basis=basis, hardware=name, flops=flops, seconds=seconds, money=money, pilot_flops=spent, because=because
    )  # fmt: skip
