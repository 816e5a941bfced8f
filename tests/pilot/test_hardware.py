"""Time and money of the full run: measured here, carried by a receipt, or assumed and said so."""

from __future__ import annotations

import pytest
from made_up_results import pilot_of

from pilotlight.errors import ConfigError
from pilotlight.pilot.accelerators import ACCELERATORS, find
from pilotlight.pilot.cost import full_run
from pilotlight.pilot.full import Counted
from pilotlight.pilot.goal import Hardware
from pilotlight.pilot.hardware import check
from pilotlight.record.decision import Cost
from pilotlight.record.receipt import Receipt
from pilotlight.stats.estimate import Estimate
from tiny_pilot import calibration_of

CALIBRATION = calibration_of(pilot_of())
PLAN = pilot_of().full_plan()


def run_of(flops: float, parameters: float = 1e8, precision: str = "bfloat16") -> Counted:
    plan = PLAN.model_copy(update={"steps": 1000, "train": PLAN.train.model_copy(update={"precision": precision})})
    return Counted(plan, parameters, flops)


def cost_of(hardware: Hardware, full: Counted) -> Cost:
    return full_run(hardware, CALIBRATION, full, full, 0.0)


def rate(value: float) -> Estimate:
    return Estimate(value=value, low=value * 0.9, high=value * 1.1, level=0.8, unit="FLOP/s", n=10, method="made up")


@pytest.fixture
def receipt(tmp_path):
    path = tmp_path / "receipt.json"
    found = Receipt(
        hardware="8 x H100", devices=8, precision="bfloat16", parameters=1e8, tokens_per_second=rate(1e6),
        flops_per_second=rate(1e15), measured_at="2026-01-01", versions={}, machine={},
    )  # fmt: skip
    path.write_text(found.to_json(), encoding="utf-8")
    return path


def test_on_this_machine_the_measured_steps_count():
    cost = cost_of(Hardware(), run_of(1e15))
    assert cost.basis == "measured"
    assert cost.seconds.low < 0.02 * 1000 < cost.seconds.value < 0.03 * 1000 < cost.seconds.high
    assert cost.money is None


def test_a_receipt_is_a_measurement_and_prices_follow(receipt):
    hardware = Hardware(accelerator="H100", count=8, receipt=receipt)
    cost = cost_of(hardware, run_of(1e18))
    assert cost.basis == "measured"
    assert cost.seconds.low < 1000 < cost.seconds.value
    assert cost.seconds.cautions == ()
    assert cost.money is not None
    assert cost.money.value == pytest.approx(cost.seconds.value * 8 * ACCELERATORS["H100"].price_per_hour / 3600)


def test_other_numbers_of_devices_are_scaled_and_cautioned(receipt):
    eight, sixteen = (
        cost_of(Hardware(accelerator="H100", count=count, receipt=receipt), run_of(1e18)) for count in (8, 16)
    )
    assert sixteen.seconds.value == pytest.approx(eight.seconds.value / 2, rel=0.001)
    assert sixteen.seconds.value > eight.seconds.value / 2, "twice the devices fail twice as often"
    assert any("linear" in caution for caution in sixteen.seconds.cautions)
    assert (eight.basis, sixteen.basis) == ("measured", "assumed")


@pytest.mark.parametrize(("changes", "run", "why"), [
    ({}, run_of(1e18, parameters=1.06e8), "of 100M parameters, the full run has 106M"),
    ({}, run_of(1e18, precision="float32"), "in bfloat16, the full run computes in float32"),
    ({"count": 4}, run_of(1e18), "the full run has 4"),
    ({"accelerator": "H200"}, run_of(1e18), "on 8 x H100, the full run is planned on H200"),
])  # fmt: skip
def test_a_receipt_of_another_run_is_an_assumption_and_says_why(receipt, changes, run, why):
    hardware = Hardware.model_validate({"accelerator": "H100", "count": 8, "receipt": receipt} | changes)
    cost = cost_of(hardware, run)
    assert cost.basis == "assumed"
    assert why in cost.because
    assert "cannot yield GO" in cost.because
    assert cost_of(Hardware(accelerator="H100", count=8, receipt=receipt), run_of(1e18, 1.04e8)).basis == "measured"


def test_a_changed_shape_takes_as_much_longer_as_it_has_flops():
    base = run_of(1e15)
    wider = Counted(
        PLAN.model_copy(update={"steps": 500, "train": PLAN.train.model_copy(update={"context": 128})}), 1e8, 2e15
    )
    once, twice = (full_run(Hardware(), CALIBRATION, base, full, 0.0) for full in (base, wider))
    assert twice.seconds.value == pytest.approx(2 * once.seconds.value)
    assert once.seconds.cautions == ()
    assert twice.seconds.cautions == ("scaled by FLOPs; the changed shape was not timed",)


def test_this_machine_is_one_machine(receipt):
    with pytest.raises(ValueError, match=r"count is 8, but 'this machine' is one machine .* leave count out, or"):
        Hardware(count=8)
    assert Hardware(count=8, receipt=receipt).count == 8


def test_nothing_measured_is_a_wide_range_that_says_so():
    cost = cost_of(Hardware(accelerator="h200", count=8), run_of(1e18))
    assert cost.basis == "assumed"
    assert cost.seconds.high / cost.seconds.low > 2
    assert any("nothing was measured" in caution for caution in cost.seconds.cautions)


def test_a_price_of_ones_own_goes_before_the_table():
    cost = cost_of(Hardware(accelerator="H100", price_per_hour=1.0), run_of(1e18))
    assert cost.money is not None
    assert cost.money.value == pytest.approx(cost.seconds.value / 3600)


def test_unknown_hardware_is_refused_before_the_first_trial(receipt):
    with pytest.raises(ConfigError, match="Did you mean 'H200'"):
        find("H220")
    with pytest.raises(ConfigError, match="not in the table"):
        check(Hardware(accelerator="TPU v9"))
    with pytest.raises(ConfigError, match="is no receipt"):
        check(Hardware(receipt=receipt.parent))
    check(Hardware(accelerator="TPU v9", receipt=receipt, price_per_hour=3))
