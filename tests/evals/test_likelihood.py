from __future__ import annotations

import numpy as np
import pytest
from eval_examples import SetByHand
from hypothesis import given, settings
from hypothesis import strategies as st

from pilotlight.evals.item import Span
from pilotlight.evals.likelihood import likelihoods, windows_of


@settings(deadline=None)
@given(length=st.integers(1, 80), share=st.floats(0, 1), limit=st.integers(2, 30), overlap=st.booleans())
def test_every_token_is_scored_exactly_once_and_none_is_dropped(length, share, limit, overlap):
    sequence = np.arange(length + 1)
    first = 1 + int(share * length)
    windows, cut = windows_of(sequence, first, limit, overlap=overlap)
    scored = [int(target) for ids, read in windows for target in ids[read + 1 :]]
    assert scored == list(range(first, length + 1))
    assert all(len(ids) <= limit + 1 for ids, _ in windows)
    assert 0 <= cut < first
    if length <= limit:
        assert cut == 0


def test_a_prompt_that_is_too_long_loses_its_beginning():
    scorer = SetByHand(cheap="y", dear="x", context=16)
    found = likelihoods(scorer, [Span("x" * 30, "yyyy")])[0]
    assert (found.nats, found.tokens) == (2.0, 4)
    assert found.cut == 30 + 1 - (16 + 1 - 4)  # the start id is part of what is cut
    assert bytes(scorer.batches[0][0][0].astype(np.uint8)) == b"x" * 13 + b"yyy"


def test_a_continuation_longer_than_the_context_is_read_in_overlapping_windows():
    scorer = SetByHand(context=16)
    found = likelihoods(scorer, [Span("prompt", "z" * 50)])[0]
    assert (found.nats, found.tokens) == (50.0, 50)
    read = [int((~mask).sum()) for _, _, masks in scorer.batches for mask in masks]
    assert max(read) >= 8


def test_text_is_read_as_held_out_text_is_in_training():
    from pilotlight.tokens.held_out import windows_of as training_windows
    from pilotlight.tokens.text import Passage

    scorer = SetByHand(context=16)
    text = "a plain text of more than one window, read from its beginning"
    likelihoods(scorer, [Span("", text)])
    expected = training_windows([Passage("1", "s", text, len(text))], scorer.encoder, 16)
    shown = sorted(tuple(row) for ids, _, _ in scorer.batches for row in ids.tolist())
    assert shown == sorted(tuple(row[:-1]) for row in expected.ids.tolist())


def test_batches_of_any_size_give_the_same_likelihoods():
    spans = [Span("c" * (n % 7), "abc" * (1 + n % 5)) for n in range(40)]
    large, small = SetByHand(cheap="b"), SetByHand(cheap="b")
    small.tokens_at_once = 1
    assert likelihoods(large, spans) == likelihoods(small, spans)


def test_likelihoods_are_those_of_the_logits(trained):
    import torch

    from pilotlight.evals.own_model import OwnModel

    scorer = OwnModel.open(trained / "runs" / "lamp" / "tiny" / "seed0")
    context, continuation = "The lamp is lit", " by the keeper"
    found = likelihoods(scorer, [Span(context, continuation), Span("", "ships"), Span("another, longer one", " x")])[0]
    ids = torch.tensor([scorer.start, *scorer.encoder.encode(context + continuation).tolist()])
    with torch.no_grad():
        logs = torch.log_softmax(scorer.model.logits(ids[None, :-1])[0].double(), dim=-1)
    count = len(scorer.encoder.encode(continuation))
    direct = -logs[torch.arange(len(logs)), ids[1:]][-count:].sum().item()
    assert found.tokens == count
    assert found.nats == pytest.approx(direct, rel=1e-5, abs=1e-5)
