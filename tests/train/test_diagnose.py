"""A loss that does not fall as expected is noticed, and the causes are told apart by what the run has seen."""

from __future__ import annotations

import math
import random

import pytest
from training_examples import plan_of

from pilotlight.train.diagnose import Setting, diagnose, diagnose_end
from pilotlight.train.expected import Expected, Point, learned
from pilotlight.train.history import STEPS, History

SETTING = Setting(steps=1000, vocabulary=256, drops_rate_after=950)


def falling(step: int) -> float:
    return 2.0 + 8.0 * step**-0.5


def evaluation(step: int, bits_per_byte: float, epoch: float = 0.3) -> dict:
    return {"kind": "evaluation", "step": step, "bits_per_byte": bits_per_byte, "epoch": epoch,
            "nats_per_token": bits_per_byte * math.log(2)}  # fmt: skip


def probe(step: int, ratio: float = 5e-3, rms: float = 4.0, dead: float = 0.0) -> dict:
    layers = ("blocks.0", "blocks.1")
    return {"kind": "probe", "step": step, "update_ratio": {layer: ratio for layer in layers} | {"embedding": 0.3},
            "activation_rms": dict.fromkeys(layers, rms), "gradient_norm": dict.fromkeys(layers, 1.0),
            "dead_units": {"blocks.0": 0.0, "blocks.1": dead}}  # fmt: skip


def history(*, last: float | None = None, upto: int = 600, jump: float = 0.0, noise: float = 0.02, **found) -> History:
    """A run of ``upto`` steps that falls along a curve; ``last`` is its last evaluation, ``found`` what a probe sees."""
    draw, lines, losses = random.Random(0), [], found.pop("losses", lambda step: falling(step) * math.log(2))
    epoch = found.pop("epoch", 0.3)
    for step in range(1, upto + 1):
        loss = losses(step) + draw.gauss(0, noise) + (jump if step > upto - 60 else 0.0)
        lines.append({"kind": "step", "step": step, "loss": loss, "lr": 1e-3, "gradient_norm": 1.0})
        if step % 100 == 0:
            lines.append(probe(step, **(found if step > 100 else {})))
            lines.append(evaluation(step, falling(step), epoch))
    if last is not None:
        lines[-1] = evaluation(upto, last, epoch)
    return History(lines)


def kinds(found) -> list[str]:
    return [cause.kind for cause in found.causes]


def test_a_loss_that_falls_along_its_curve_is_as_expected():
    for upto in range(100, 1001, 100):
        assert diagnose(history(upto=upto), SETTING) is None


@pytest.mark.parametrize("power", [0.1, 0.3, 0.5, 1.0])
def test_a_learned_curve_goes_on_where_the_run_goes(power):
    def curve(step):
        return 1.5 + 5.0 * step**-power

    point = learned([(step, curve(step)) for step in range(100, 700, 100)], 700)
    assert point.value == pytest.approx(curve(700), rel=2e-3)
    assert point.low < curve(700) < point.high
    assert learned([(step, curve(step)) for step in range(100, 500, 100)], 700) is None


def test_a_rise_is_named_with_where_it_rose_from():
    found = diagnose(history(last=falling(500) * 1.05), SETTING)
    assert f"up from {falling(500):.4f} at step 500" in found.seen
    assert found.step == 600


def test_a_predicted_curve_comes_first():
    points = (Point(step=100, low=2.0, value=2.1, high=2.2), Point(step=1000, low=1.8, value=1.9, high=2.0))
    expected = Expected(points=points, source="the smaller pilots")
    found = diagnose(history(), SETTING, expected)
    assert "the smaller pilots says 1.9444 and at most 2.0444" in found.seen  # log10(6) of the way
    generous = expected.model_copy(update={"points": tuple(p.model_copy(update={"high": 9.0}) for p in points)})
    assert diagnose(history(), SETTING, generous) is None


def test_the_end_is_measured_against_what_was_predicted_for_it():
    expected = Expected(points=(Point(step=1000, low=1.8, value=1.9, high=2.0),), source="the pilot's forecast")
    assert diagnose(history(upto=1000), SETTING, expected) is None
    assert diagnose_end(history(upto=1000), SETTING, expected, 1.99) is None
    found = diagnose_end(history(upto=1000), SETTING, expected, 2.1)
    assert found.bits_per_byte == 2.1
    assert "the pilot's forecast says 1.9000 and at most 2.0000" in found.seen
    assert found.causes


def test_nothing_learned_is_noticed_early():
    flat = [evaluation(step, 8.0) for step in (100, 200)]
    found = diagnose(History(flat), SETTING)
    assert "no better than a uniform guess (5.5452)" in found.seen


def test_little_learned_half_way_with_tiny_updates_is_a_rate_too_low():
    lines = [evaluation(step, 8.0 - step / 800) for step in (200, 400, 600)]
    assert diagnose(History(lines[:2]), SETTING) is None
    step = {"kind": "step", "step": 600, "loss": 5.0, "lr": 1e-5, "gradient_norm": 1.0}
    found = diagnose(History([*lines[:2], step, probe(600, ratio=1e-4), lines[2]]), SETTING)
    assert "is little better than a uniform guess" in found.seen
    assert kinds(found) == ["rate_too_low"]


def test_a_plateau_without_another_cause_is_called_one():
    lines = [evaluation(step, 2.5 - 0.0001 * step / 100) for step in range(100, 700, 100)]
    found = diagnose(History([*lines[:-1], probe(600), lines[-1]]), SETTING)
    assert kinds(found) == ["plateau"]
    assert "hardly less" in found.seen
    late = SETTING._replace(steps=650)
    assert diagnose(History(lines), late) is None  # near the end there is nothing to change


CAUSES = {
    "rate_too_high": {"ratio": 0.08},
    "units_dead": {"dead": 0.6},
    "rate_too_low": {"ratio": 2e-4},
}


@pytest.mark.parametrize("kind", CAUSES)
def test_causes_are_told_apart_by_what_layers_show(kind):
    found = diagnose(history(last=falling(500) * 1.05, **CAUSES[kind]), SETTING)
    assert kinds(found) == [kind]
    assert found.causes[0].change in found.sentence


def test_growing_activations_and_skipped_batches_speak_for_a_rate_too_high():
    found = diagnose(history(last=falling(500) * 1.05, rms=400.0), SETTING)
    assert kinds(found) == ["rate_too_high"]
    assert "grown from 4 to 400" in found.causes[0].evidence
    run = history(last=falling(500) * 1.05)
    for step in (510, 520, 530):
        run.add({"kind": "skip", "step": step, "why": "spike"})
    assert "3 batches skipped or rewinds, the last at step 530" in diagnose(run, SETTING).causes[0].evidence


def test_a_jump_of_the_training_loss_points_to_the_text_at_its_step():
    found = diagnose(history(last=falling(500) * 1.05, jump=0.8), SETTING)
    assert kinds(found) == ["text_shifted"]
    assert "around step 54" in found.causes[0].evidence


def test_text_read_again_and_again_is_named_with_the_gap():
    found = diagnose(history(last=falling(500) * 1.05, epoch=6.0, losses=lambda step: 1.5 - 0.001 * step), SETTING)
    assert "text_repeated" in kinds(found)
    assert "6.0 passes" in next(cause for cause in found.causes if cause.kind == "text_repeated").evidence


def test_a_schedule_that_ended_early_is_a_rate_too_low():
    setting = SETTING._replace(drops_rate_after=300)
    assert kinds(diagnose(history(last=falling(500) * 1.05), setting)) == ["rate_too_low"]


def test_the_rate_at_which_a_probe_was_made_is_taken_into_account():
    run = history(last=falling(500) * 1.05, ratio=2e-4)
    for line in run.steps:
        line["lr"] = 1e-3 if line["step"] < 550 else 4e-5
    run.probes = type(run.probes)([probe(600, ratio=2e-4)], maxlen=3)
    assert kinds(diagnose(run, SETTING)) == ["plateau"]  # 25 times as much at the peak, which is usual


def test_a_history_follows_from_the_lines_alone():
    lines = [{"kind": "step", "step": step, "loss": 1.0, "lr": 1e-3, "gradient_norm": 1.0} for step in range(STEPS + 9)]
    again = History(lines)
    assert len(again.steps) == STEPS
    assert again.first_step == lines[0]
    assert list(again.steps) == lines[9:]


def test_the_setting_knows_where_the_schedule_ends():
    plan = plan_of(1000, schedule={"kind": "wsd", "decay": 0.2, "final": 0.0})
    drops = Setting.of(plan, 256).drops_rate_after
    assert 950 <= drops <= 1000
    assert Setting.of(plan_of(1000, schedule={"kind": "constant"}), 256).drops_rate_after == 1000
