"""Every training objective keeps these promises."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch

from pilotlight.model.decoder import Decoder
from pilotlight.model.weight import initialise
from pilotlight.spec import discover
from pilotlight.train.asked import Asked
from pilotlight.train.examples import Draws, Vocabulary
from pilotlight.train.objectives import Objective

KINDS = list(discover(Objective.folder))
ROWS, CONTEXT = 6, 40
SIZE = 50
VOCABULARY = Vocabulary(SIZE, 0, SIZE)
DRAWS = Draws(3, "objective", 7)

each = pytest.mark.parametrize("kind", KINDS)
each_apart = pytest.mark.parametrize("apart", [False, True])


def text(rows: int = ROWS, seed: int = 0) -> np.ndarray:
    """Rows of words from 1 on, with an end token, 0, after every document."""
    random = np.random.default_rng(seed)
    found = random.integers(1, SIZE, (rows, CONTEXT + 1))
    found[random.random(found.shape) < 0.06] = 0
    return found


def documents_of(rows: np.ndarray) -> np.ndarray:
    """Documents that begin with the end token before them."""
    return np.cumsum(rows == 0, axis=1)


def examples(kind, rows, apart=False, weights=None, draws=DRAWS):
    objective = Objective.choose(kind)
    weights = np.ones((len(rows), CONTEXT), dtype=np.float32) if weights is None else weights
    documents = documents_of(rows) if apart and objective.keeps_order else None
    return objective.examples(rows, weights, documents, draws, VOCABULARY)


@pytest.fixture(scope="module")
def models():
    found = {}
    for kind in KINDS:
        found[kind] = Decoder(depth=1, width=64).build(SIZE + Objective.choose(kind).extra_ids)
        initialise(found[kind], 0)
    return found


def losses(kind, model, asked):
    return Objective.choose(kind).losses(model, asked.inputs, asked.targets, asked.rows)


@each
@each_apart
def test_examples_have_the_shape_of_the_batch_and_known_ids(kind, apart):
    found, most = examples(kind, text(), apart), SIZE + Objective.choose(kind).extra_ids
    for values in (found.inputs, found.targets):
        assert values.shape == (ROWS, CONTEXT)
        assert values.dtype == np.int64
        assert values.min() >= 0
        assert values.max() < most
    assert found.weights.dtype == np.float32
    assert ((found.weights >= 0) & (found.weights <= 1)).all()
    assert (found.weights.sum(axis=1) > 0).all()


@each
@each_apart
def test_documents_never_fall_along_a_row(kind, apart):
    found = examples(kind, text(), apart)
    assert (found.documents is not None) == (apart and Objective.choose(kind).keeps_order)
    if found.documents is not None:
        assert found.documents.shape == (ROWS, CONTEXT)
        assert (np.diff(found.documents, axis=1) >= 0).all()
        assert found.documents.max() > 0


@each
@each_apart
def test_a_row_is_a_function_of_seed_step_place_and_text_alone(kind, apart):
    rows = text()
    whole, again = examples(kind, rows, apart), examples(kind, rows.copy(), apart)
    others = np.concatenate([rows[:2], text(4, seed=9)])
    beside = examples(kind, others, apart)
    for one, two, three in zip(whole, again, beside, strict=True):
        if isinstance(one, np.ndarray):
            assert (one == two).all()
            assert (one[:2] == three[:2]).all()


@each
def test_draws_differ_between_rows_steps_and_seeds_where_there_are_any(kind):
    rows = np.repeat(text(1), ROWS, axis=0)
    first = examples(kind, rows)
    if all((one == one[:1]).all() for one in (first.inputs, first.weights)):
        assert kind == "next_token"
        return
    for other in (Draws(3, "objective", 8), Draws(4, "objective", 7)):
        found = examples(kind, rows, draws=other)
        assert any((one != two).any() for one, two in zip(first[:3], found[:3], strict=True))


@each
def test_the_text_that_was_given_is_not_written_to(kind):
    rows = text()
    kept = rows.copy()
    examples(kind, rows)
    assert (rows == kept).all()


@each
@each_apart
def test_padding_is_never_predicted_and_never_seen_by_what_counts(kind, apart, models):
    weights = np.ones((ROWS, CONTEXT), dtype=np.float32)
    weights[:, 25:] = 0
    rows = text()
    rows[:, 26:] = 0
    found = examples(kind, rows, apart, weights)
    assert 0 < found.weights.sum() <= ROWS * (25 + (5 if Objective.choose(kind).extra_ids else 0))
    spoilt = rows.copy()
    spoilt[:, 26:] = 17
    other = examples(kind, spoilt, apart, weights)
    assert (other.weights == found.weights).all()
    nats, changed = (
        (losses(kind, models[kind], Asked.of(one, "cpu")) * torch.from_numpy(one.weights)).detach()
        for one in (found, other)
    )
    torch.testing.assert_close(nats, changed, rtol=1e-4, atol=1e-5)


@each
@each_apart
def test_no_target_that_counts_is_seen_by_the_place_that_predicts_it(kind, apart, models):
    found = examples(kind, text(), apart)
    if found.causal and found.visible is not None:
        assert (np.nonzero(found.weights)[1] + 1 >= found.visible[np.nonzero(found.weights)[0]]).all()
    asked, model = Asked.of(found, "cpu"), models[kind]
    inputs = asked.inputs.clone()
    hidden = model.hidden(inputs, asked.rows).detach()
    for row in range(3):
        place = int(np.flatnonzero(found.weights[row])[-1])
        if found.causal and place + 1 < CONTEXT:
            changed = inputs.clone()
            changed[row, place + 1] = (changed[row, place + 1] + 1) % SIZE
            moved = model.hidden(changed, asked.rows).detach()
            torch.testing.assert_close(moved[row, place], hidden[row, place], rtol=1e-4, atol=1e-5)
            assert not torch.allclose(moved[row, place + 1], hidden[row, place + 1], atol=1e-3)


@each
def test_losses_are_finite_float32_and_reach_every_parameter(kind, models):
    model = models[kind]
    model.zero_grad()
    found = examples(kind, text())
    nats = losses(kind, model, Asked.of(found, "cpu", training=True))
    assert nats.shape == (ROWS, CONTEXT)
    assert nats.dtype == torch.float32
    assert torch.isfinite(nats).all()
    counted = torch.from_numpy(found.weights)
    mean = (nats * counted).sum() / counted.sum()
    guess = np.log(SIZE + Objective.choose(kind).extra_ids)
    assert mean.item() == pytest.approx(guess, rel=0.1)
    mean.backward()
    assert all(parameter.grad is not None for parameter in model.parameters())


@each
def test_micro_batches_add_up_to_the_whole_batch(kind, models):
    asked = Asked.of(examples(kind, text()), "cpu", training=True)
    with torch.no_grad():
        whole = losses(kind, models[kind], asked)
        parts = torch.cat([losses(kind, models[kind], part) for part in asked.parts(4)])
    torch.testing.assert_close(parts, whole, rtol=1e-4, atol=1e-5)


@each
def test_z_loss_is_added_in_training_alone(kind, models):
    found = examples(kind, text())
    plain, with_z = Objective.choose(kind), Objective.choose({"kind": kind, "z_loss": 0.1})
    for training in (True, False):
        asked = Asked.of(found, "cpu", training=training)
        one, two = (part.losses(models[kind], *asked[:3]).detach() for part in (plain, with_z))
        assert bool((two > one).all()) == training
        assert torch.equal(one, two) != training


@each
def test_held_out_text_is_asked_about_alike_whatever_the_settings(kind, models):
    rows, counted = text(), np.ones((ROWS, CONTEXT), dtype=bool)
    counted[-1, 10:] = False
    objective = Objective.choose(kind)
    found, again = (objective.questions(rows, counted, VOCABULARY) for _ in range(2))
    assert (found.inputs == again.inputs).all()
    assert (found.weights == again.weights).all()
    assert not found.weights[~counted].any()
    assert (found.targets == rows[:, 1:]).all()
    if objective.metric == "bits_per_byte":
        assert (found.weights == counted).all()
        assert (found.inputs == rows[:, :-1]).all()
        assert found.causal
        assert found.visible is None
    else:
        assert (found.inputs != found.targets)[found.weights > 0].all()


def test_no_objective_and_no_augmentation_needs_torch():
    code = ("import sys; from pilotlight.spec import discover; discover('pilotlight.train.objectives'); "
            "discover('pilotlight.train.augmentations'); sys.exit('torch' in sys.modules)")  # fmt: skip
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
