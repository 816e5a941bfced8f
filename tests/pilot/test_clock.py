"""What variants gain in time and money, by the clock of the pilot's own trainings; no decision depends on it."""

from __future__ import annotations

import json
import math
from functools import cache

import pytest
from made_up_results import World, decision_of, pilot_of, results_of
from made_up_trainings import pretend

from pilotlight.manifest import sha256, write_atomic
from pilotlight.pilot import execute
from pilotlight.pilot.again import decide_again
from pilotlight.pilot.clock import clocked
from pilotlight.pilot.cost import arithmetic_of, shape_in
from pilotlight.pilot.full import counted
from pilotlight.pilot.memory import RESERVED, Layout, parts
from pilotlight.pilot.money import Surcharge, in_money, surcharge
from pilotlight.randomness import stream
from pilotlight.record.clock import NAME, read_clock, reading
from pilotlight.record.results import BASELINE, Results
from pilotlight.record.run import Session, Timing
from pilotlight.spec import fingerprint
from pilotlight.stats.multiplier import measured

WORLD = World(effects={"half_lr": -0.03, "gelu": -0.01})
FACTOR = 1.25
MACHINE = {"device": "cpu", "threads": 1, "compile": False, "rows_at_once": None, "together": 1}


def enter(folder, tokens, seconds, **machine):
    """Write what a training leaves of its clock, in two sessions."""
    half = int(tokens) // 2
    sessions = tuple(
        Session(first_step=place, steps=1, tokens=some, seconds=seconds * some / tokens)
        for place, some in enumerate((half, int(tokens) - half))
    )
    timing = Timing(device="cpu", threads=1, seconds=9 * seconds, tokens_per_second=1.0, sessions=sessions)
    write_atomic(folder / "timing.json", timing.to_json())
    write_atomic(folder / "machine.json", json.dumps(MACHINE | machine))


def write_clocks(out, results: Results, noise: float = 0.03, **machine):
    """Write clocks by which gelu takes a quarter more than the baseline, and ``noise`` that each run has for itself."""
    for row in results.finished():
        shake = stream(row.seed, "clock", row.name).normal() * noise
        factor = FACTOR if row.variant == "gelu" else 1.0
        enter(out / "runs" / row.name, row.tokens, 1e-13 * row.flops * factor * math.exp(shake), **machine)


@cache
def decided():
    """Return the pilot, its results and its decision, which no clock enters."""
    pilot = pilot_of()
    results = results_of(pilot, WORLD)
    return pilot, results, decision_of(pilot, WORLD, results)


def told(out):
    """Return what the clock in ``out`` says of gelu, with its finding."""
    pilot, results, decision = decided()
    write_atomic(out / "decision.json", decision.to_json())
    found = clocked(pilot, out, results, decision, {})
    assert found.decision == sha256(out / "decision.json")
    assert {one.variant for one in found.variants} == {"half_lr", "gelu"}
    return found.of("gelu"), next(one for one in decision.findings if one.variant == "gelu")


def test_time_is_the_multiplier_in_flops_over_the_price_in_seconds_with_its_doubt(tmp_path):
    write_clocks(tmp_path, decided()[1])
    timed, finding = told(tmp_path)
    price, time, flops = timed.prices[timed.scale], timed.time[timed.scale], finding.multiplier
    assert price.low < FACTOR < price.high
    assert price.n >= 3
    assert time.value == pytest.approx(flops.value / price.value)
    assert math.log(time.high / time.low) > math.log(flops.high / flops.low), "the doubt of the price is in it"
    assert (time.unit, price.unit) == ("x seconds", "x seconds")
    assert set(timed.time) == set(finding.multipliers)
    assert timed.time_trend is not None
    assert timed.time_trend.low <= timed.time_trend.value <= timed.time_trend.high


def test_money_follows_time_on_the_machine_that_trained_the_pilot(tmp_path):
    write_clocks(tmp_path, decided()[1])
    timed, _ = told(tmp_path)
    money, time = timed.money[timed.scale], timed.time[timed.scale]
    assert (money.low, money.value, money.high) == (time.low, time.value, time.high)
    assert money.unit == "x money"
    assert "money follows time on equal hardware" in money.method


def test_on_other_hardware_it_is_said_where_the_clock_stood(tmp_path):
    pilot = pilot_of(goal={"hardware": {"accelerator": "H100", "count": 8}})
    results = results_of(pilot, WORLD)
    write_clocks(tmp_path, results)
    decision = decision_of(pilot, WORLD, results)
    write_atomic(tmp_path / "decision.json", decision.to_json())
    sizes = {fingerprint(pilot.variant(name).tokenizer): 257 for name in (BASELINE, "gelu")}
    timed = clocked(pilot, tmp_path, results, decision, sizes).of("gelu")
    assert any("not on 8 x H100" in caution for caution in timed.time[timed.scale].cautions)


def test_one_pair_has_no_interval_of_its_own(tmp_path):
    _, results, _ = decided()
    write_clocks(tmp_path, Results(rows=tuple(row for row in results.rows if row.seed == 0)))
    timed, _ = told(tmp_path)
    for one in (timed.prices[timed.scale], timed.time[timed.scale], timed.money[timed.scale]):
        assert any("one pair of runs: the price" in caution for caution in one.cautions)


def test_trainings_of_one_program_are_one_reading(tmp_path):
    write_clocks(tmp_path, decided()[1], together=4)
    timed, _ = told(tmp_path)
    price = timed.prices[timed.scale]
    assert price.low == price.value == price.high
    assert any("in one program" in caution for caution in price.cautions)


def test_clocks_of_other_company_damaged_or_missing_tell_nothing(tmp_path):
    _, results, _ = decided()
    write_clocks(tmp_path, results)
    for row in results.finished("gelu"):
        enter(tmp_path / "runs" / row.name, row.tokens, 1.0, threads=2)
    timed, finding = told(tmp_path)
    assert (timed.prices, timed.time, timed.money, timed.time_trend) == ({}, {}, {}, None)
    assert finding.multipliers, "the FLOPs are counted whatever the clock says"
    folder = tmp_path / "runs" / next(results.finished()).name
    assert reading(folder) is not None
    (folder / "timing.json").write_text("{}")
    assert reading(folder) is None
    assert reading(tmp_path / "nowhere") is None


def test_without_a_law_there_is_a_price_and_no_multiplier(tmp_path):
    pilot = pilot_of(scales=[{"parameters": "100k", "tokens": "1M"}, {"parameters": "300k", "tokens": "3M"}])
    results = results_of(pilot, WORLD)
    write_clocks(tmp_path, results)
    decision = decision_of(pilot, WORLD, results)
    write_atomic(tmp_path / "decision.json", decision.to_json())
    timed = clocked(pilot, tmp_path, results, decision, {}).of("gelu")
    assert timed.prices
    assert not timed.time


def test_the_clock_stands_beside_the_decision_and_changes_no_byte_of_it(monkeypatch, tmp_path):
    pilot = pilot_of()
    pretend(monkeypatch, pilot, WORLD)
    execute.run(pilot, tmp_path, workers=1, together=1)
    before, ledger = ((tmp_path / name).read_bytes() for name in ("decision.json", "ledger.jsonl"))
    assert [one.prices for one in read_clock(tmp_path).variants] == [{}, {}]
    write_clocks(tmp_path, Results.open(tmp_path))
    decide_again(tmp_path)
    assert (tmp_path / "decision.json").read_bytes() == before
    assert (tmp_path / "ledger.jsonl").read_bytes() == ledger
    found = read_clock(tmp_path)
    assert found.of("gelu").time
    (tmp_path / "decision.json").write_bytes(before + b" ")
    assert read_clock(tmp_path) is None, "it is of another decision"
    (tmp_path / NAME).write_text("[]")
    assert read_clock(tmp_path) is None


def planned(tmp_path, size: float):
    """Return a pilot whose full run is planned on one device of so many bytes, with the vocabularies it needs."""
    table = tmp_path / "table.yaml"
    table.write_text(f"Tiny: {{peak_flops: 1T, memory: {size:.0f}, price_per_hour: 1}}\n")
    variants = {
        "adamw": {"set": {"train.optim": {"kind": "adamw"}}}, "long": {"set": {"train.context": 1024}},
        "half_lr": {"set": {"train.optim.lr": "x0.5"}},
    }  # fmt: skip
    goal = {"hardware": {"accelerator": "Tiny", "count": 1, "table": str(table)}}
    pilot = pilot_of(goal=goal, variants=variants)
    return pilot, {fingerprint(pilot.variant(BASELINE).tokenizer): 257}


def needed(pilot, sizes, layout: Layout, *names: str) -> float:
    """Return the bytes of the smallest device that holds a full run."""
    full = counted(pilot.full_plan(names), sizes)
    return sum(parts(shape_in(full), layout, 1, arithmetic_of(full.plan)).values()) / (1 - RESERVED)


def test_a_variant_that_needs_other_devices_or_computes_activations_again_is_reckoned_with(tmp_path):
    pilot, sizes = planned(tmp_path, 1e12)
    assert surcharge(pilot, "adamw", sizes) == surcharge(pilot, "half_lr", sizes) == Surcharge()
    again, plain = Layout(recompute=True), Layout()
    few = (needed(pilot, sizes, plain) + needed(pilot, sizes, again, "adamw")) / 2  # twice the states of Muon
    some = (needed(pilot, sizes, again, "long") + needed(pilot, sizes, plain, "long")) / 2
    assert some > needed(pilot, sizes, plain)
    (caution,) = surcharge(planned(tmp_path, few)[0], "adamw", sizes).cautions
    assert "needs 2 x Tiny to fit, the baseline's 1 x Tiny" in caution
    found = surcharge(planned(tmp_path, some)[0], "long", sizes)
    assert found.value == pytest.approx(math.log(1.2))
    assert math.exp(found.value - 1.2816 * found.error) < 1.2 < math.exp(found.value + 1.2816 * found.error)
    assert "the variant's, not the baseline's" in found.cautions[0]
    price = measured([0.1, 0.2, 0.12, 0.18], "seconds", "made up")
    money, time = (one.estimate(0.8) for one in (in_money(price, found), price))
    assert money.value == pytest.approx(1.2 * time.value)
    assert money.high / money.low > time.high / time.low
