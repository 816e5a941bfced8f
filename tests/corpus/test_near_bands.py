"""Bands are derived from the similarity and the recall asked for."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilotlight.corpus.alike.bands import Bands, derive
from pilotlight.corpus.alike.minhash import band_keys
from pilotlight.corpus.alike.shingles import Sets, shingle_sets
from pilotlight.corpus.alike.words import MOST_TOGETHER, letters, pieces, words


@settings(max_examples=60, deadline=None)
@given(similarity=st.floats(0.3, 1.0), recall=st.floats(0.5, 0.9999))
def test_what_is_asked_for_is_found_with_as_few_hashes_as_will_do(similarity, recall):
    bands = derive(similarity, recall)
    assert bands.chance(similarity) >= recall
    assert bands.bands == 1 or Bands(bands.bands - 1, bands.rows).chance(similarity) < recall
    assert all(
        low <= high for low, high in zip(list(bands.curve().values()), list(bands.curve().values())[1:], strict=False)
    )


def test_the_default_is_worth_its_hashes():
    assert derive(0.7, 0.95) == Bands(11, 4)
    assert derive(0.9, 0.95).hashes < derive(0.7, 0.95).hashes
    assert "0.7: 95.1 %" in derive(0.7, 0.95).show()


@pytest.mark.parametrize("size", [8, 60, 1500])
@pytest.mark.parametrize("similarity", [0.5, 0.7, 0.85])
def test_sketches_agree_as_often_as_the_curve_says(size, similarity):
    draw = np.random.default_rng(size)
    common = round(size * 2 * similarity / (1 + similarity))
    pairs, bands = 1000, Bands(6, 4)
    flat = draw.integers(0, 2**32, size=(pairs, 2 * size - common), dtype=np.uint64).astype(np.uint32)
    both = np.stack([flat[:, :size], np.concatenate([flat[:, :common], flat[:, size:]], axis=1)], axis=1)
    sets = Sets(np.sort(both.reshape(2 * pairs, size), axis=1).ravel(), np.arange(2 * pairs + 1, dtype=np.int64) * size)
    keys = band_keys(sets, bands)
    found = (keys[0::2] == keys[1::2]).any(axis=1).mean()
    expected = bands.chance(common / (2 * size - common))
    assert abs(found - expected) < 4 * np.sqrt(expected * (1 - expected) / pairs) + 0.01


def test_a_set_does_not_depend_on_the_texts_around_it():
    draw = random.Random(1)
    texts = [
        " ".join(draw.choices(["one", "zwei", "três", "四", "пять", "6", "!"], k=draw.choice([0, 3, 5, 80])))
        for _ in range(60)
    ]
    texts.append("long " * (MOST_TOGETHER // 4))
    given = [(text, draw.random() < 0.3) for text in texts]
    alone = [next(shingle_sets([one], 5)).hashes.tolist() for one in given]
    together = [part.tolist() for sets in shingle_sets(given, 5) for part in np.split(sets.hashes, sets.ends[1:-1])]
    assert together == alone


@settings(max_examples=100, deadline=None)
@given(given=st.lists(st.text(max_size=12), max_size=8))
def test_words_are_the_same_wherever_they_stand(given):
    everything, begins = words(" ".join(given))
    assert everything.tolist() == [number for part in given for number in words(part)[0].tolist()]
    assert begins.tolist() == sorted(set(begins.tolist()))


def test_words_are_letters_in_any_case_with_their_marks():
    assert words("ÀB c_1")[0].tolist() == words("àb;C_1")[0].tolist()
    assert len(words("don't")[0]) == 2
    assert len(words("四五")[0]) == 2
    assert len(words("मनुष्यों को")[0]) == 2
    assert len({int(words(word)[0][0]) for word in ("ab", "ba", "aab", "abb", "a", "b", "aa")}) == 7
    assert letters() is letters()


def test_long_texts_are_cut_between_words():
    given = "word " * 200_000
    parts = list(pieces(given))
    assert "".join(parts) == given
    assert all(len(part) <= MOST_TOGETHER for part in parts)
    assert sum(len(words(part)[0]) for part in parts) == 200_000
    assert [len(part) for part in pieces("x" * (MOST_TOGETHER + 1))] == [MOST_TOGETHER, 1]
