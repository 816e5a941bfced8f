"""Under- and overfitting are named by a rule that says its numbers."""

from __future__ import annotations

from pilotlight.train.fit import judge_fit


def _lines(held_out: list[float], losses: list[float]) -> list[dict]:
    lines = [{"kind": "step", "step": step + 1, "loss": loss} for step, loss in enumerate(losses)]
    every = len(losses) // len(held_out)
    return lines + [
        {"kind": "evaluation", "step": (number + 1) * every, "bits_per_byte": value}
        for number, value in enumerate(held_out)
    ]


FALLING = [5 - 0.01 * step for step in range(400)]


def test_held_out_rising_while_training_falls_on_repeated_text_is_overfitting():
    fit, why = judge_fit(_lines([2.0, 1.8, 1.9, 2.0], FALLING), gap=0.5, loss=2.0, epochs=3.0)
    assert fit == "overfit"
    assert "from 1.8000 at step 200 to 2.0000" in why


def test_a_rise_on_text_seen_once_is_not_called_overfitting():
    fit, _ = judge_fit(_lines([2.0, 1.8, 1.9, 2.0], FALLING), gap=0.0, loss=2.0, epochs=0.7)
    assert fit == "ok"


def test_a_large_gap_after_many_epochs_is_overfitting():
    fit, why = judge_fit(_lines([2.0, 1.9, 1.9, 1.9], FALLING), gap=0.4, loss=1.9, epochs=6.0)
    assert fit == "overfit"
    assert "6.00 epochs" in why


def test_a_curve_that_still_falls_steeply_is_underfitting():
    fit, why = judge_fit(_lines([3.0, 2.6, 2.3, 2.0], FALLING), gap=0.01, loss=2.0, epochs=0.5)
    assert fit == "underfit"
    assert "13.0 %" in why


def test_a_flat_curve_without_a_gap_is_ok():
    fit, _ = judge_fit(_lines([2.1, 2.05, 2.02, 2.0], FALLING), gap=0.02, loss=2.0, epochs=0.5)
    assert fit == "ok"
