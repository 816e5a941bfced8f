"""What a training takes: against published trainings, by hand, the same every time; what could be bought instead."""

from __future__ import annotations

import json

import pytest
from made_up_results import decision_of, pilot_of, results_of

from pilotlight.errors import ConfigError
from pilotlight.pilot.alternatives import better, rival
from pilotlight.pilot.cost_question import CostQuestion, answer
from pilotlight.pilot.foretell import from_runs
from pilotlight.pilot.ranges import Range, given, summary
from pilotlight.plan_file import validated
from pilotlight.record.decision import Cost, Decision
from pilotlight.record.expense import Alternative
from pilotlight.record.receipt import Receipt
from pilotlight.stats.estimate import Estimate

PLAIN = {
    "parameters": "7B", "tokens": "2T", "hardware": "H100", "count": 256, "utilisation": "40%", "price": 3, "power": 700,
    "failures": 0, "checkpoint_seconds": "0.001 s", "pue": 1.2,
}  # fmt: skip


def cost_of(**asked: object) -> Cost:
    return answer(validated(CostQuestion, asked, "test"))


def line(cost: Cost, name: str) -> Estimate:
    return next(item.seconds for item in cost.lines if item.name == name)


def way(cost: Cost, name: str) -> Alternative:
    return next(item for item in cost.alternatives if item.name == name)


@pytest.mark.parametrize(("parameters", "tokens", "context", "vocabulary", "hardware", "count", "hours"), [
    ("6.5B", "2T", 4096, 32000, "A100", 1024, 184_320),  # Llama 2 7B (Touvron et al. 2023)
    ("68.5B", "2T", 4096, 32000, "A100", 2048, 1_720_320),  # Llama 2 70B
    ("7B", "15T", 8192, 128_256, "H100", 4096, 1_300_000),  # Llama 3 8B (model card)
    ("68.5B", "15T", 8192, 128_256, "H100", 8192, 6_400_000),  # Llama 3 70B
    ("400B", "15.6T", 8192, 128_256, "H100", 16384, 30_840_000),  # Llama 3.1 405B
    ("176B", "366B", 2048, 250_680, "A100", 384, 1_082_990),  # BLOOM
])  # fmt: skip
def test_published_trainings_lie_within_the_assumed_range(
    parameters, tokens, context, vocabulary, hardware, count, hours
):
    cost = cost_of(
        parameters=parameters, tokens=tokens, context=context, vocabulary=vocabulary, hardware=hardware, count=count
    )
    assert cost.basis == "assumed"
    low, high = (seconds * count / 3600 for seconds in (cost.seconds.low, cost.seconds.high))
    assert low < hours < high


def test_with_everything_given_the_sum_is_done_by_hand():
    cost = cost_of(**PLAIN)
    per_token = 6 * 7e9 + 12 * 33 * 4224 * 4096 + 6 * 32768 * 4224
    assert cost.flops == pytest.approx(per_token * 2e12, rel=0.01)
    steps = cost.flops / (0.4 * 989e12 * 256)
    assert line(cost, "training steps").value == pytest.approx(steps)
    assert line(cost, "training steps").low == line(cost, "training steps").high
    assert line(cost, "failures").value < 1
    whole = steps * 1.02 * 1.02
    assert cost.seconds.value == pytest.approx(whole, rel=0.01)
    assert cost.money is not None
    assert cost.energy is not None
    assert cost.money.value == pytest.approx(cost.seconds.value * 256 / 3600 * 3)
    assert cost.energy.value == pytest.approx(cost.seconds.value * 256 / 3.6e6 * 700 * 0.8 * 1.35 * 1.2, rel=0.05)
    assert cost.goodput is not None
    assert cost.goodput.value == pytest.approx(steps / whole, rel=0.01)


def test_the_lines_add_up_and_every_figure_says_where_it_comes_from():
    cost = cost_of(parameters="1B", tokens="20B", hardware="A100", count=16)
    parts = ("training steps", "evaluation", "checkpoints", "failures", "resets")
    assert sum(line(cost, name).low for name in parts) < line(cost, "the run in all").high
    assert line(cost, "the run in all") == cost.seconds.model_copy(
        update={"method": "the lines above together", "cautions": (), "n": 1}
    )
    origins = {item.name: item.origin for item in cost.figures}
    assert origins["training steps"] == "assumed"
    assert origins["price"] == "catalogue"
    assert origins["power"] == "data sheet"
    assert origins["failures"] == "published"
    assert all(item.source for item in (*cost.figures, *cost.lines))


def test_the_same_question_has_the_same_answer_byte_for_byte():
    first, second = (cost_of(parameters="1B", tokens="20B", hardware="A100", count=16) for _ in range(2))
    assert first.to_json() == second.to_json()
    assert Cost.from_json(first.to_json()) == first


def test_more_failures_and_slower_checkpoints_leave_less_goodput():
    large = {"parameters": "70B", "tokens": "1T", "hardware": "H100", "count": 4096}
    plain, frail = cost_of(**large), cost_of(**large, failures=0.05)
    slow = cost_of(**large, checkpoint_seconds="5 min")
    found = [cost.goodput.value for cost in (plain, frail, slow) if cost.goodput]
    assert found[0] > found[1] + 0.05
    assert found[0] > found[2] + 0.02
    best, rare = cost_of(**large, failures=0.01), cost_of(**large, failures=0.01, checkpoint_every="12 h")
    assert rare.seconds.value > best.seconds.value


def test_ranges_meet_their_quantiles_and_are_the_same_every_time():
    found = summary(Range("test", 2.0, 3.0, 9.0, "", "assumed", "made up").draws(), "", "made up")
    assert (found.low, found.value, found.high) == pytest.approx((2.0, 3.0, 9.0), rel=0.002)
    assert given("test", (0.35, 0.45), "").middle == pytest.approx((0.35 * 0.45) ** 0.5)
    with pytest.raises(ConfigError, match="is no range"):
        given("test", (0.5, 0.4), "")


def test_the_figure_that_is_known_least_makes_most_of_the_spread():
    shares = {
        item.name: item.spread for item in cost_of(parameters="7B", tokens="2T", hardware="H100", count=64).figures
    }
    assert max(shares, key=lambda name: shares[name] or 0) == "training steps"
    assert sum(share for share in shares.values() if share) == pytest.approx(1, abs=0.1)
    assert shares["price"] is None
    known = {item.name: item.spread for item in cost_of(**PLAIN).figures}
    assert known["training steps"] == 0
    assert known["resets"] is not None
    assert known["resets"] > 0.5


def ways(*asked: tuple[str, float, float, float]) -> list[Alternative]:
    """Return alternatives made up of a name, and loss, time (and money) and tokens as multiples of a planned run's."""
    planned = cost_of(parameters="1B", tokens="20B", hardware="H100").alternatives[0]
    same = Estimate(value=2.5, low=2.4, high=2.6, level=0.95, unit="nats", n=5, method="made up")
    return [
        planned.model_copy(update={
            "name": name, "loss": same.scaled(loss, "nats"), "seconds": planned.seconds.scaled(time, "s"),
            "money": planned.money.scaled(time, "USD") if planned.money else None, "tokens": tokens,
        })
        for name, loss, time, tokens in asked
    ]  # fmt: skip


def test_an_alternative_that_costs_less_for_the_same_result_takes_the_plan_off_the_frontier():
    found = ways(("plan", 1, 1, 1), ("cheaper", 1, 0.8, 1), ("better", 0.9, 2, 2), ("bad", 1.1, 3, 3))
    assert [better(item, found) for item in found] == ["cheaper", "", "", "plan"]
    assert [rival(item, found) for item in found] == ["", "", "", ""]


def test_a_predicted_loss_that_is_lower_by_less_than_its_interval_is_not_better():
    found = ways(("plan", 1, 1, 1), ("half the model", 0.99, 1, 2))
    assert [better(item, found) for item in found] == ["", ""]
    assert [rival(item, found) for item in found] == ["half the model", ""]
    sure = ways(("plan", 1, 1, 1), ("half the model", 0.94, 1, 2))
    assert [better(item, sure) for item in sure] == ["half the model", ""], (
        "0.15 apart, the sides that face each other 0.1 each"
    )
    worse = ways(("plan", 1, 1, 1), ("fewer tokens", 1.001, 0.8, 0.8))
    assert [better(item, worse) or rival(item, worse) for item in worse] == ["", ""], "cheaper and worse: a trade"


def test_cheaper_in_the_middle_alone_is_not_cheaper():
    plan, other = ways(("plan", 1, 1, 1), ("risky", 1, 0.9, 1))
    risky = other.model_copy(update={"seconds": other.seconds.model_copy(update={"high": 1.2 * plan.seconds.high})})
    assert better(plan, [plan, other]) == "risky"
    assert better(plan, [plan, risky]) == ""


def test_a_range_given_by_the_user_widens_the_result():
    sharp, wide = cost_of(**PLAIN), cost_of(**(PLAIN | {"utilisation": "30%..50%", "price": "2..4"}))
    assert sharp.money is not None
    assert wide.money is not None
    assert wide.money.high / wide.money.low > 1.5 * sharp.money.high / sharp.money.low


def test_float32_is_half_as_fast_and_recomputation_up_to_a_third_slower():
    asked = {"parameters": "1B", "tokens": "20B", "count": 8, "hardware": "A100"}
    assert cost_of(**asked, precision="fp32").seconds.value == pytest.approx(
        2 * cost_of(**asked).seconds.value, rel=0.01
    )
    tight = {"parameters": "7B", "tokens": "20B", "hardware": "RTX 4090", "count": 8, "utilisation": "30%"}
    cost = cost_of(**tight)
    assert cost.memory is not None
    assert cost.memory.recompute
    steps, bare = line(cost, "training steps"), cost.flops / (0.3 * 165e12 * 8)
    assert (steps.low, steps.value, steps.high) == pytest.approx((1.05 * bare, 1.2 * bare, 4 / 3 * bare), rel=0.001)


def test_a_run_that_does_not_fit_is_cautioned():
    cost = cost_of(parameters="70B", tokens="1T", hardware="L4", count=2)
    assert cost.memory is not None
    assert not cost.memory.fits
    assert any("does not fit" in text for text in cost.seconds.cautions)


@pytest.mark.parametrize(("asked", "words"), [
    ({}, "give --parameters and --tokens"), ({"parameters": "1B", "tokens": "1B"}, "give --hardware, one of"),
    ({"parameters": "1B", "tokens": "1B", "hardware": "H10"}, "Did you mean 'H100'"),
    ({"parameters": "1B", "tokens": "1B", "hardware": "H100", "optimizer": "magic"}, "expected one of adam"),
    ({"parameters": "1B", "tokens": "1B", "hardware": "H100", "utilisation": "140%"}, "utilisation"),
    ({"parameters": "1B", "tokens": "1B", "hardware": "H100", "price": "1..2..3"}, "is not a figure or a range"),
    ({"parameters": "1B", "tokens": "1B", "hardware": "H100", "precision": "fp8"}, "precision"),
])  # fmt: skip
def test_a_question_that_cannot_be_answered_says_what_is_missing(asked, words):
    with pytest.raises(ConfigError, match=words):
        cost_of(**asked)


@pytest.fixture
def receipt(tmp_path):
    rate = Estimate(value=3e15, low=2.9e15, high=3.1e15, level=0.8, unit="FLOP/s", n=30, method="made up")
    found = Receipt(
        hardware="8 x NVIDIA H100 80GB HBM3", devices=8, precision="bfloat16", parameters=1e9, tokens_per_second=rate,
        flops_per_second=rate, measured_at="2026-01-01", versions={}, machine={},
    )  # fmt: skip
    path = tmp_path / "receipt.json"
    path.write_text(found.to_json(), encoding="utf-8")
    return path


def test_a_receipt_is_measured_and_names_the_hardware_itself(receipt):
    cost = cost_of(parameters="1B", tokens="20B", receipt=receipt)
    assert (cost.basis, cost.hardware) == ("measured", "8 x NVIDIA H100 80GB HBM3")
    assert cost.money is not None
    assert line(cost, "training steps").value == pytest.approx(cost.flops / 3e15)
    other = cost_of(parameters="2B", tokens="20B", receipt=receipt)
    assert other.basis == "assumed"
    assert "cannot yield GO" in other.because
    with pytest.raises(ConfigError, match="both say how fast"):
        cost_of(parameters="1B", tokens="20B", receipt=receipt, utilisation="40%")


def test_alternatives_trade_time_money_and_result():
    cost = cost_of(parameters="7B", tokens="2T", hardware="H100", count=256)
    names = [item.name for item in cost.alternatives]
    assert names[0] == "as planned"
    planned = way(cost, "as planned")
    assert planned.seconds == cost.seconds
    assert way(cost, "half the devices").seconds.value == pytest.approx(2 * planned.seconds.value, rel=0.02)
    assert way(cost, "20 % fewer tokens").seconds.value == pytest.approx(0.8 * planned.seconds.value)
    half = way(cost, "half the model")
    assert half.parameters == 3.5e9
    assert half.tokens > 1.8 * planned.tokens
    assert half.seconds.value == pytest.approx(planned.seconds.value, rel=0.02)
    spot = way(cost, "spot price")
    assert planned.money is not None
    assert spot.money is not None
    assert 0.5 < spot.money.value / planned.money.value < 0.9, "half the price, but more time"
    assert spot.seconds.value > planned.seconds.value
    assert way(cost, "half the devices").dominated == "spot price"
    assert planned.dominated == ""
    assert way(cost, "fine-tune instead").loss_note
    one = cost_of(parameters="1B", tokens="20B", hardware="H100")
    assert not any("devices" in item.name for item in one.alternatives)


def write_runs(path):
    rows = ["parameters,tokens,loss"]
    for parameters in (1e7, 3e7, 1e8, 3e8):
        for ratio in (10, 30):
            tokens = ratio * parameters
            rows.append(f"{parameters},{tokens},{1.7 + 400 / parameters**0.34 + 410 / tokens**0.28}")
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def test_with_runs_each_alternative_from_scratch_has_a_predicted_loss(tmp_path):
    runs = write_runs(tmp_path / "runs.csv")
    cost = cost_of(parameters="1B", tokens="20B", hardware="H100", count=8, runs=runs)
    planned, fewer = way(cost, "as planned"), way(cost, "20 % fewer tokens")
    assert planned.loss is not None
    assert fewer.loss is not None
    assert planned.loss.value < fewer.loss.value
    assert planned.loss.low < 1.7 + 400 / 1e9**0.34 + 410 / 2e10**0.28 < planned.loss.high
    assert way(cost, "continue from existing weights").loss is None
    loss, note = from_runs(runs)(2e7, 2e8, 0.0)
    assert loss is None or note, "a target inside the table is answered or refused in words"


def test_the_decision_carries_energy_lines_and_the_frontier_with_losses():
    hardware = {
        "accelerator": "H100",
        "count": 8,
        "price_per_hour": 2.0,
        "power": 600,
        "failures_per_device_day": 0.001,
    }
    pilot = pilot_of(goal={"target": 1.6, "hardware": hardware})
    results = results_of(pilot)
    first, second = (decision_of(pilot, results=results) for _ in range(2))
    assert first.to_json() == second.to_json()
    cost = first.cost
    assert cost.energy is not None
    assert {item.name: item.origin for item in cost.figures}["failures"] == "given"
    assert line(cost, "pilots before it").value > 0
    planned, fewer = way(cost, "as planned"), way(cost, "20 % fewer tokens")
    assert planned.loss == first.target.prediction
    assert fewer.loss is not None
    assert planned.loss is not None
    assert fewer.loss.value > planned.loss.value
    assert cost.memory is not None
    assert cost.memory.fits


def test_on_this_machine_energy_needs_its_power_and_the_pilot_is_a_line_of_its_own():
    cost = decision_of(pilot_of()).cost
    assert cost.energy is None
    pilots = next(item for item in cost.lines if item.name == "pilots before it")
    assert (pilots.origin, "took longer" in pilots.source) == ("assumed", True)
    assert "spot price" not in [item.name for item in cost.alternatives]
    assert decision_of(pilot_of(goal={"hardware": {"power": 65}})).cost.energy is not None


def test_a_decision_of_before_is_still_read():
    data = json.loads(decision_of(pilot_of()).to_json())
    for name in ("energy", "goodput", "lines", "figures", "memory", "alternatives"):
        del data["cost"][name]
    old = Decision.from_json(json.dumps(data))
    assert old.cost.energy is None
    assert old.cost.alternatives == ()


def test_a_table_of_ones_own_counts_in_a_pilot_and_in_its_criteria(tmp_path):
    table = tmp_path / "table.yaml"
    table.write_text("H100: {price_per_hour: 1.5}\n")
    pilot = pilot_of(goal={"hardware": {"accelerator": "H100", "table": table}})
    price = next(item for item in decision_of(pilot).cost.figures if item.name == "price")
    assert (price.value.value, price.origin) == (1.5, "catalogue")
    assert "table.yaml" in price.source
    before = pilot.criteria
    table.write_text("H100: {price_per_hour: 1.6}\n")
    assert pilot.criteria != before, "the price is part of what was fixed before the first trial"
