"""Streams are addressed: nothing but the seed and the names decides what they give."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pilotlight.randomness import seed_for, stream

seeds = st.integers(0, 2**62)
names = st.lists(st.text(max_size=5) | st.integers(-5, 10**6), max_size=3)


@given(seeds, names)
def test_the_same_address_gives_the_same_numbers(seed, address):
    assert np.array_equal(stream(seed, *address).random(4), stream(seed, *address).random(4))
    assert 0 <= seed_for(seed, *address) < 2**63


@given(seeds, names, seeds, names)
def test_another_address_gives_other_numbers(seed, address, other, another):
    same = seed == other and [(type(item), item) for item in address] == [(type(item), item) for item in another]
    assert (seed_for(seed, *address) == seed_for(other, *another)) == same
    assert np.array_equal(stream(seed, *address).random(4), stream(other, *another).random(4)) == same


def test_what_is_drawn_before_does_not_matter():
    stream(7, "weights").random(1000)
    assert stream(7, "batches", 3).random() == stream(7, "batches", 3).random()


def test_numbers_and_their_text_are_different_names():
    assert seed_for(1, 2) != seed_for(1, "2")
    assert seed_for(1, "a", "b") != seed_for(1, "ab")
    assert seed_for(12, "a") != seed_for(1, "2", "a")


def test_the_streams_are_fixed_for_ever():
    """Numbers written down once: a change would make every recorded run another one."""
    assert seed_for(0, "batches", 0) == 4_200_618_914_344_653_160
    assert seed_for(123, "weights", "blocks.0") == 411_440_850_849_719_046
    assert stream(0, "batches", 0).random() == 0.765879294619039


def test_streams_are_spread_evenly_and_do_not_follow_each_other():
    drawn = np.array([stream(0, "step", step).random() for step in range(2000)])
    assert abs(drawn.mean() - 0.5) < 0.03
    assert abs(np.corrcoef(drawn[:-1], drawn[1:])[0, 1]) < 0.08
