"""Compilation changes speed, not results; where it cannot be had, training goes on without."""

from __future__ import annotations

import itertools
import shutil
import warnings

import pytest
import torch
from training_examples import ONE, plan_of

from pilotlight.events import Note
from pilotlight.model.layer import Rows
from pilotlight.model.weight import initialise
from pilotlight.train.asked import Asked
from pilotlight.train.compute import losses

COMPILED = ONE.model_copy(update={"compile": True})


@pytest.fixture
def model(tokens):
    model = plan_of().model.build(tokens.vocabulary)
    initialise(model, 0)
    return model


def _rows() -> Asked:
    rows = torch.randint(0, 256, (4, 25), generator=torch.Generator().manual_seed(0))
    return Asked(rows[:, :-1], rows[:, 1:], Rows(training=True))


def test_a_model_that_cannot_be_compiled_runs_as_it_is_and_says_so(model, monkeypatch):
    def broken(model, **named):
        def call(*arguments):
            raise RuntimeError("no compiler")

        return call

    monkeypatch.setattr(torch, "compile", broken)
    seen = []
    found = losses(plan_of(), COMPILED, model, seen.append)(_rows())
    assert torch.equal(found, losses(plan_of(), ONE, model, seen.append)(_rows()))
    assert [(type(event), event.level) for event in seen] == [(Note, "warning")]


@pytest.mark.slow
def test_every_shape_that_one_process_trains_is_compiled(monkeypatch, tokens):
    seen, graphs, compile_with = [], [], torch.compile

    def counted(function, **named):
        return compile_with(function, **named, backend=lambda graph, inputs: graphs.append(1) or graph.forward)

    monkeypatch.setattr(torch, "compile", counted)
    torch.compiler.reset()
    after = []
    for width in range(32, 32 + 6 * 16, 16):
        plan = plan_of()
        small = plan.model.model_copy(update={"width": width}).build(tokens.vocabulary)
        initialise(small, 0)
        compiled, plain = (losses(plan, machine, small, seen.append) for machine in (COMPILED, ONE))
        torch.testing.assert_close(compiled(_rows()), plain(_rows()))
        with torch.no_grad():
            compiled(_rows())
        after.append(len(graphs))
    steps = {after[0], *(late - early for early, late in itertools.pairwise(after))}
    assert seen == []
    assert len(steps) == 1
    assert steps != {0}


def test_a_model_whose_losses_are_compiled_stays_as_it_was(model, monkeypatch):
    monkeypatch.setattr(torch, "compile", lambda function, **named: function)
    before = dict(model.named_parameters())
    losses(plan_of(), COMPILED, model, lambda event: None)(_rows()).sum().backward()
    assert {name: id(value) for name, value in model.named_parameters()} == {n: id(v) for n, v in before.items()}
    assert all(parameter.grad is not None for parameter in model.parameters())
    assert all(block._compiled_call_impl is None for block in model.blocks)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="needs a C++ compiler")
def test_compiled_losses_and_gradients_agree_within_rounding(model):
    plain, seen = losses(plan_of(), ONE, model, lambda event: None), []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        compiled = losses(plan_of(), COMPILED, model, seen.append)
        assert all(parameter.grad is None for parameter in model.parameters())
        found = compiled(_rows())
        found.mean().backward()
    gradients = [parameter.grad.clone() for parameter in model.parameters()]
    model.zero_grad()
    plain(_rows()).mean().backward()
    assert seen == []
    torch.testing.assert_close(found, plain(_rows()), rtol=1e-4, atol=1e-5)
    for one, parameter in zip(gradients, model.parameters(), strict=True):
        torch.testing.assert_close(one, parameter.grad, rtol=1e-3, atol=1e-6)
