"""Time and money of the full run: measured here, carried by a receipt, or assumed and said so."""

from __future__ import annotations

import pytest
from made_up_results import pilot_of
from tiny_pilot import calibration_of

from pilotlight.errors import ConfigError
from pilotlight.pilot.cost import full_run
from pilotlight.pilot.goal import Hardware
from pilotlight.pilot.hardware import ACCELERATORS, accelerator, check
from pilotlight.record.receipt import Receipt
from pilotlight.stats.estimate import Estimate

CALIBRATION = calibration_of(pilot_of())


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
    cost = full_run(Hardware(), CALIBRATION, 1e15, 1000, 0.0)
    assert cost.basis == "measured"
    assert cost.seconds.low < 0.02 * 1000 < cost.seconds.value < 0.03 * 1000 < cost.seconds.high
    assert cost.money is None


def test_a_receipt_is_a_measurement_and_prices_follow(receipt):
    hardware = Hardware(accelerator="H100", count=8, receipt=receipt)
    cost = full_run(hardware, CALIBRATION, 1e18, 1000, 0.0)
    assert cost.basis == "measured"
    assert cost.seconds.low < 1000 < cost.seconds.value
    assert cost.seconds.cautions == ()
    assert cost.money is not None
    assert cost.money.value == pytest.approx(cost.seconds.value * 8 * ACCELERATORS["H100"].price_per_hour / 3600)


def test_other_numbers_of_devices_are_scaled_and_cautioned(receipt):
    eight, sixteen = (
        full_run(Hardware(accelerator="H100", count=count, receipt=receipt), CALIBRATION, 1e18, 1000, 0.0)
        for count in (8, 16)
    )
    assert sixteen.seconds.value == pytest.approx(eight.seconds.value / 2)
    assert any("linear" in caution for caution in sixteen.seconds.cautions)


def test_nothing_measured_is_a_wide_range_that_says_so():
    cost = full_run(Hardware(accelerator="h200", count=8), CALIBRATION, 1e18, 1000, 0.0)
    assert cost.basis == "assumed"
    assert cost.seconds.high / cost.seconds.low > 2
    assert any("nothing was measured" in caution for caution in cost.seconds.cautions)


def test_a_price_of_ones_own_goes_before_the_table():
    cost = full_run(Hardware(accelerator="H100", price_per_hour=1.0), CALIBRATION, 1e18, 1000, 0.0)
    assert cost.money is not None
    assert cost.money.value == pytest.approx(cost.seconds.value / 3600)


def test_unknown_hardware_is_refused_before_the_first_trial(receipt):
    with pytest.raises(ConfigError, match="Did you mean 'H200'"):
        accelerator("H220")
    with pytest.raises(ConfigError, match="not in the table"):
        check(Hardware(accelerator="TPU"))
    with pytest.raises(ConfigError, match="is no receipt"):
        check(Hardware(receipt=receipt.parent))
    check(Hardware(accelerator="TPU", receipt=receipt, price_per_hour=3))
