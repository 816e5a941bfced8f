"""Masked models on tasks: pseudo-log-likelihoods, and never a number that looks like a likelihood."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import torch
from eval_examples import plan_of, planted

from pilotlight.evals.arms import find
from pilotlight.evals.item import Span
from pilotlight.evals.likelihood import likelihoods
from pilotlight.evals.own_encoder import OwnEncoder
from pilotlight.evals.score import score
from pilotlight.evals.settings import Scoring
from pilotlight.model.layer import Rows
from pilotlight.tokens.tokens import Tokens
from pilotlight.train.loop import train
from pilotlight.train.machine import Machine

ONE = Scoring(device="cpu", threads=1)


@pytest.fixture(scope="module")
def masked(trained, tmp_path_factory):
    """The runs that have learnt a sentence by heart, and a masked one that has."""
    folder = shutil.copytree(trained, tmp_path_factory.mktemp("masked") / "study")
    plan = plan_of(0, steps=150)
    plan = plan.model_copy(
        update={"train": type(plan.train).model_validate(plan.train.model_dump() | {"objective": "masked"})}
    )
    train(plan, Machine(device="cpu", threads=1, compile=False), Tokens.open(folder / "tokens"),
          folder / "runs" / "masked" / "tiny" / "seed0")  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def scorer(masked):
    return OwnEncoder.open(masked / "runs" / "masked" / "tiny" / "seed0")


def named(scored):
    return {measured.metric: measured.estimate for measured in scored.measures}


def test_each_token_is_asked_for_given_all_others(scorer):
    text = np.frombuffer(b"The lamp is lit", dtype=np.uint8).astype(np.int64)
    total = 0.0
    for place in range(4, len(text)):
        ids = torch.from_numpy(text.copy())[None]
        ids[0, place] = 257
        with torch.no_grad():
            logits = scorer.model.logits(ids, Rows(causal=False))[0, place]
        total -= float(torch.log_softmax(logits, -1)[text[place]])
    found = likelihoods(scorer, [Span("The ", "lamp is lit"), Span("", "lit")])
    assert found[0].nats == pytest.approx(total, rel=1e-4)
    assert found[0].tokens == 11


def test_batches_of_any_size_give_the_same(scorer):
    spans = [Span("The lamp" * (n % 3), "is lit by" * (1 + n % 4)) for n in range(7)]
    large = [one.nats for one in likelihoods(scorer, spans)]
    small = OwnEncoder(scorer.model, scorer.encoder, scorer.context, scorer.mask)
    small.tokens_at_once = 1
    assert [one.nats for one in likelihoods(small, spans)] == pytest.approx(large, rel=1e-4)


def test_a_masked_model_gets_the_planted_choices_right_and_no_bits_per_byte(masked, tmp_path):
    arms = find([masked / "runs" / "lamp" / "tiny" / "seed0", masked / "runs" / "masked" / "tiny"])
    found = score(arms, [planted(tmp_path / "planted.jsonl")], scoring=ONE)
    causal, pseudo = map(named, found.scores)
    assert pseudo["accuracy"].value == 1.0
    assert "bits_per_byte" in causal
    assert not {"bits_per_byte", "perplexity"} & set(pseudo)
    assert {"pseudo_bits_per_byte", "pseudo_perplexity"} <= set(pseudo)
    assert {one.metric for one in found.differences} == {"accuracy", "accuracy_by_total"}


def test_held_out_text_of_both_kinds_has_no_metric_in_common(masked):
    arms = find([masked / "runs" / "lamp" / "tiny" / "seed0", masked / "runs" / "masked" / "tiny"])
    found = score(arms, scoring=ONE)
    assert set(named(found.scores[1])) == {"masked_nats_per_token"}
    from pilotlight.record.run import Run

    facts = Run.open(masked / "runs" / "masked" / "tiny" / "seed0").facts
    assert named(found.scores[1])["masked_nats_per_token"].value == pytest.approx(
        facts.metrics["masked_nats_per_token"]
    )
    assert found.differences == ()
