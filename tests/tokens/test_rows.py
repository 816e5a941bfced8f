"""Rows of the batches: the warm-up's stages, and streams that hold every row once whatever the batches."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotlight.tokens.batches import Batches, Skip
from pilotlight.tokens.order import Length, Mix
from pilotlight.tokens.rows import Rows, RowsWarmup
from pilotlight.tokens.tokens import Split

WARMUP = RowsWarmup(start=1, until=0.5)


def _split(tokens: int = 2001) -> Split:
    bounds = np.array([0, tokens // 2, tokens], dtype=np.int64)
    empty = np.zeros(0, dtype=np.int64)
    return Split("train", np.arange(tokens, dtype=np.uint16), bounds, empty, empty.reshape(-1, 16))


def test_stages_double_or_rise_in_a_line_each_for_as_many_steps():
    doubling = RowsWarmup(start=2, until=0.3).rows(16, 100)
    assert [doubling.at(place) for place in (0, 9, 10, 19, 20, 29, 30, 99, 1000)] == [2, 2, 4, 4, 8, 8, 16, 16, 16]
    line = RowsWarmup(start=4, until=0.3, shape="linear").rows(16, 100)
    assert [line.at(place) for place in (0, 9, 10, 20, 30)] == [4, 4, 8, 12, 16]
    assert doubling.before(35) == 10 * (2 + 4 + 8) + 5 * 16
    assert RowsWarmup(start=3).rows(10, 1000).sizes() == (3, 6, 10)


def test_a_branch_that_names_the_steps_of_its_trunk_begins_as_the_trunk_did():
    trunk, branch = RowsWarmup(start=1).rows(16, 1000), RowsWarmup(start=1, of_steps=1000).rows(16, 400)
    assert [branch.at(place) for place in range(400)] == [trunk.at(place) for place in range(400)]


@given(start=st.integers(1, 40), rows=st.integers(1, 70), until=st.floats(0.01, 1), steps=st.integers(1, 300),
       shape=st.sampled_from(["doubling", "linear"]))  # fmt: skip
def test_rows_never_fall_end_full_and_add_up(start, rows, until, steps, shape):
    counts = RowsWarmup(start=start, until=until, shape=shape).rows(rows, steps)
    found = [counts.at(place) for place in range(steps + 1)]
    assert found == sorted(found)
    assert found[-1] == rows
    assert [counts.before(place) for place in range(steps + 1)] == [sum(found[:place]) for place in range(steps + 1)]


@pytest.mark.parametrize("mixed", [False, True])
def test_the_stream_holds_the_same_rows_as_with_full_batches(mixed):
    split = _split()
    mix = Mix(("one", "two"), np.array([0, 1]), lambda place: (0.75, 0.25)) if mixed else None
    counts = WARMUP.rows(8, 20)
    growing = Batches(split, 8, 10, 3, mix=mix, counts=counts)
    full = Batches(split, 8, 10, 3, mix=mix)
    rows = np.concatenate([growing.at(step) for step in range(20)])
    assert [len(growing.at(step)) for step in range(20)] == [counts.at(step) for step in range(20)]
    whole = np.concatenate([full.at(step) for step in range(20)])
    assert np.array_equal(rows, whole[: len(rows)])
    assert growing.epochs(20) == pytest.approx(len(rows) / growing.windows)
    assert growing.counted(0) == 10
    assert growing.documents_at(3).shape == growing.at(3).shape == (counts.at(3), 11)


def test_a_skipped_batch_takes_its_rows_with_it_and_no_others():
    counts = WARMUP.rows(8, 20)
    plain = Batches(_split(), 8, 10, 3, counts=counts)
    skipping = plain.with_journal([Skip(first=4, last=5)])
    assert all(np.array_equal(skipping.at(step), plain.at(step if step < 4 else step + 2)) for step in range(18))
    assert skipping.epochs(10) == plain.epochs(12)


def test_shares_and_tokens_of_a_training_follow_the_rows():
    counts = Rows(((0, 1), (10, 9)))
    length = Length(20, 9, 8, counts)
    assert length.tokens == 100 * 8
    assert [length.done(place) for place in (0, 9, 10, 19)] == pytest.approx([0.005, 0.095, 0.145, 0.955])
    assert Length(20, 9, 8).done(10) == pytest.approx(10.5 / 20)
