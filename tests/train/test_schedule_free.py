"""Schedule-free training: the paper's three sequences, and that the average is what is judged and kept."""

from __future__ import annotations

import pytest
import torch
from optimiser_examples import DECAY, RATE, Tower, gradients_of
from safetensors.torch import load_file
from training_examples import ONE, digest, plan_of

from pilotlight.model.weight import Role
from pilotlight.record.run import read_lines
from pilotlight.tokens.held_out import windows
from pilotlight.train.compute import losses
from pilotlight.train.evaluate import evaluate
from pilotlight.train.events import Saved
from pilotlight.train.examples import Vocabulary
from pilotlight.train.final import open_model
from pilotlight.train.judged import evaluation_weights
from pilotlight.train.loop import train
from pilotlight.train.objectives.next_token import NextToken
from pilotlight.train.optim import Optim

KINDS = ("schedule_free_adamw", "schedule_free_sgd")


def _built(model: Tower, kind: str, **settings) -> torch.optim.Optimizer:
    return Optim.choose({"kind": kind, "lr": RATE, "weight_decay": DECAY, "decayed": list(Role)} | settings).build(
        model
    )


def _step(model: Tower, optimiser: torch.optim.Optimizer, step: int, factor: float) -> None:
    for name, parameter in model.named_parameters():
        parameter.grad = gradients_of(model, step)[name]
    for group in optimiser.param_groups:
        group["lr"] = group["peak"] * factor
    optimiser.step()


def _by_hand(w, given, factors, momentum, beta):
    """Return y and x of algorithm 1 of the paper, with all three sequences kept apart."""
    x = z = w
    second, total = torch.zeros_like(w), 0.0
    for step, (g, factor) in enumerate(zip(given, factors, strict=True), start=1):
        y, rate = (1 - momentum) * z + momentum * x, RATE * factor
        if beta is not None:
            second = beta * second + (1 - beta) * g * g
            g = g / ((second / (1 - beta**step)).sqrt() + 1e-8)
        z = z - rate * g - rate * DECAY * y
        total += rate**2
        share = rate**2 / total
        x = (1 - share) * x + share * z
    return (1 - momentum) * z + momentum * x, x


@pytest.mark.parametrize(("kind", "beta"), [("schedule_free_adamw", 0.95), ("schedule_free_sgd", None)])
def test_it_is_algorithm_1_of_its_paper_through_a_warmup(kind, beta):
    model, factors = Tower(), (0.25, 0.5, 0.75, 1.0, 1.0)
    before = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    given = [gradients_of(model, step) for step in range(5)]
    optimiser = _built(model, kind, momentum=0.8)
    for step, factor in enumerate(factors):
        _step(model, optimiser, step, factor)
    named = dict(model.named_parameters())
    hand = {name: _by_hand(w, [g[name] for g in given], factors, 0.8, beta) for name, w in before.items()}
    for name, (y, _) in hand.items():
        torch.testing.assert_close(named[name].detach(), y, atol=2e-6, rtol=1e-5)
    with evaluation_weights(optimiser):
        for name, (_, x) in hand.items():
            torch.testing.assert_close(named[name].detach(), x, atol=2e-6, rtol=1e-5)


def test_after_an_evaluation_the_weights_are_as_before_bit_for_bit_even_if_it_fails():
    model = Tower()
    optimiser = _built(model, KINDS[0])
    with evaluation_weights(optimiser):
        pass  # before the first step there is nothing to average
    for step in range(3):
        _step(model, optimiser, step, 1.0)
    before = [parameter.detach().clone() for parameter in model.parameters()]
    with evaluation_weights(optimiser):
        assert not any(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))
    with pytest.raises(InterruptedError), evaluation_weights(optimiser):
        raise InterruptedError
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))


def test_other_optimisers_are_judged_by_their_weights():
    model = Tower()
    optimiser = _built(model, "adamw")
    _step(model, optimiser, 1, 1.0)
    before = [parameter.detach().clone() for parameter in model.parameters()]
    with evaluation_weights(optimiser):
        assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))


def test_cautious_decay_is_refused_since_the_average_would_not_see_it():
    with pytest.raises(ValueError, match="decoupled"):
        Optim.choose({"kind": KINDS[0], "decay_rule": "cautious"})


def _plan(**train_settings):
    return plan_of(steps=10, optim={"kind": KINDS[0], "lr": 0.02}, schedule="constant", **train_settings)


def test_evaluation_checks_and_the_final_model_read_the_average(tokens, tmp_path):
    seen: dict[int, torch.Tensor] = {}

    def look(model, step):
        seen[step] = model.embedding.detach().clone()
        return {"first": float(seen[step][0, 0])}

    run = train(_plan(), ONE, tokens, tmp_path / "run", checks=(look,))
    saved = load_file(next((run.folder / "checkpoints").iterdir()) / "model.safetensors")["embedding"]
    kept = load_file(run.folder / "model" / "model.safetensors")["embedding"]
    assert torch.equal(kept, seen[10])
    assert not torch.equal(kept, saved)
    state = load_file(next((run.folder / "checkpoints").iterdir()) / "optim.safetensors")
    assert torch.equal(kept, saved.lerp(state["embedding/base"], 1.0 - 1.0 / 0.9))
    model, _ = open_model(run.folder)
    vocabulary = Vocabulary(tokens.vocabulary, tokens.end, tokens.vocabulary)
    score = evaluate(
        losses(plan_of(), ONE, model, print), NextToken(), windows(tokens, 24, 1200), vocabulary, rows=4, device="cpu"
    ).metrics["bits_per_byte"]
    assert score == pytest.approx(run.facts.metrics["bits_per_byte"], rel=1e-6)
    assert [line["step"] for line in read_lines(run.folder / "metrics.jsonl") if line["kind"] == "evaluation"] == [
        5,
        10,
    ]


def test_how_often_it_is_evaluated_does_not_change_the_training(tokens, tmp_path):
    often = train(_plan(evaluate_every=1), ONE, tokens, tmp_path / "often")
    once = train(_plan(evaluate_every=10), ONE, tokens, tmp_path / "once")
    models = [(run.folder / "model" / "model.safetensors").read_bytes() for run in (often, once)]
    assert models[0] == models[1]


def test_killed_between_the_last_checkpoint_and_the_results_it_ends_the_same(tokens, tmp_path):
    whole = train(_plan(), ONE, tokens, tmp_path / "whole")

    def leave(event):
        if isinstance(event, Saved) and event.step == 10:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        train(_plan(), ONE, tokens, tmp_path / "parts", watch=leave)
    train(_plan(), ONE, tokens, tmp_path / "parts")
    assert digest(tmp_path / "parts") == digest(whole.folder)
