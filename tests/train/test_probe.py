"""Looks at single layers: what they say, when they are made, and that they change nothing."""

from __future__ import annotations

import pytest
import torch
from training_examples import ONE, digest, plan_of

from pilotlight.train.events import Probed
from pilotlight.train.loop import train
from pilotlight.train.probe import Probe, layer_of


def probed(tokens, out, every, **train_settings):
    seen = []
    run = train(
        plan_of(**train_settings), ONE.model_copy(update={"probe_every": every}), tokens, out, watch=seen.append
    )
    return run, [event for event in seen if isinstance(event, Probed)]


@pytest.fixture(scope="module")
def often(tokens, tmp_path_factory):
    return probed(tokens, tmp_path_factory.mktemp("probed") / "run", 3)


def test_layers_are_looked_at_every_so_often_in_events_and_metrics(often):
    run, events = often
    assert [event.step for event in events] == [3, 6, 9, 12]
    lines = run.lines("probe")
    assert [line["step"] for line in lines] == [3, 6, 9, 12]
    assert lines[1]["update_ratio"] == events[1].update_ratio
    assert set(events[0].activation_rms) == set(events[0].dead_units) == {"blocks.0"}
    assert set(events[0].gradient_norm) == set(events[0].update_ratio) >= {"embedding", "blocks.0", "norm"}


def test_the_norms_of_the_layers_add_up_to_that_of_the_whole_gradient(often):
    run, events = often
    norms = {line["step"]: line["gradient_norm"] for line in run.lines("step")}
    for event in events:
        together = sum(norm**2 for norm in event.gradient_norm.values()) ** 0.5
        assert together == pytest.approx(norms[event.step], rel=1e-4)


def test_looking_changes_no_weight_and_by_default_happens_at_evaluations(often, tokens, tmp_path):
    never, none = probed(tokens, tmp_path / "never", 0)
    usual, some = probed(tokens, tmp_path / "usual", None)
    assert none == []
    assert [event.step for event in some] == [5, 10, 12]
    weights = "model/model.safetensors"
    assert digest(never.folder)[weights] == digest(usual.folder)[weights] == digest(often[0].folder)[weights]


def test_updates_are_measured_against_the_weights_before_them(tokens, tmp_path):
    _, events = probed(tokens, tmp_path / "run", 1, steps=1, clip=None, schedule={"kind": "constant", "warmup": 0.0},
                         optim={"kind": "sgd", "lr": 0.5, "momentum": 0.0, "weight_decay": 0.0})  # fmt: skip
    (event,) = events
    model = plan_of().model.build(tokens.vocabulary)
    from pilotlight.model.weight import initialise

    initialise(model, plan_of().seed_of("weights"))
    size = torch.linalg.vector_norm(model.embedding).item()
    assert event.update_ratio["embedding"] == pytest.approx(0.5 * event.gradient_norm["embedding"] / size, rel=1e-4)


def test_units_without_any_gradient_are_counted_in_the_worst_matrix_of_a_block(tokens):
    model = plan_of().model.build(tokens.vocabulary)
    for number, parameter in enumerate(model.parameters()):
        torch.nn.init.normal_(parameter, generator=torch.Generator().manual_seed(number))
    ids = torch.arange(24).view(1, 24)
    model.losses(ids[:, :-1], ids[:, 1:]).mean().backward()
    alive = Probe(model)._dead["blocks.0"]
    assert alive == 0.0
    matrix = next(
        one for name, one in model.named_parameters() if name.startswith("blocks.0.feedforward") and one.ndim == 2
    )
    matrix.grad[: len(matrix) // 4] = 0.0
    assert Probe(model)._dead["blocks.0"] == 0.25


def test_parameters_are_grouped_by_block():
    names = ["blocks.12.mixer.query", "embedding", "norm.gain", "blocks.1.mixer_norm.gain"]
    assert [layer_of(name) for name in names] == ["blocks.12", "embedding", "norm", "blocks.1"]
