"""Hashes of words and n-grams, and exact selection by rank."""

from __future__ import annotations

import re

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pilotlight.corpus.document import Document
from pilotlight.corpus.hashed_words import hash_words, n_grams
from pilotlight.corpus.ngram_model import bits_of_words
from pilotlight.corpus.ranking import RankedRows, RankedUnits, sort_keys


@given(st.lists(st.text(alphabet="ab cé!\n-Ñ1", max_size=40), max_size=6))
def test_words_are_runs_of_letters_and_digits_and_equal_words_have_equal_hashes(texts):
    found = hash_words(texts)
    words = [re.findall(r"[^\W_]+", text.lower()) for text in texts]
    assert np.diff(found.ends).tolist() == [len(part) for part in words]
    flat = [word for part in words for word in part]
    assert found.sizes.tolist() == [len(word.encode()) for word in flat]
    assert len(set(found.hashes.tolist())) == len(set(flat))
    assert len({*zip(flat, found.hashes.tolist(), strict=True)}) == len(set(flat))


def test_scripts_without_spaces_are_counted_by_character():
    assert len(hash_words(["你好世界。再见"]).hashes) == 6
    assert len(hash_words(["a“quoted”\u00a0word…"]).hashes) == 3
    assert len(hash_words(["سلام عليكم", "दुनिया", "мир"]).hashes) == 4


def test_a_word_has_the_same_hash_wherever_it_stands():
    far = hash_words(["x " * 100_000 + "hello"])
    assert far.hashes[-1] == hash_words(["Hello"]).hashes[0]
    assert len(far.hashes) == 100_001


def test_n_grams_depend_on_order_and_on_nothing_before_them():
    one, two = hash_words(["the red house", "in the red house"]), hash_words(["house red the"])
    pairs = n_grams(one, 2)[1]
    assert pairs[1:3].tolist() == pairs[5:7].tolist()
    assert not set(pairs[1:3].tolist()) & set(n_grams(two, 2)[1].tolist())


def test_probabilities_of_seen_words_are_higher_and_a_long_unknown_word_costs_by_its_length():
    from pilotlight.corpus.ngram_model import _add

    model = np.zeros((2, 2, 1 << 12), np.uint32)
    _add(model, hash_words(["the red house and the red boat"] * 50), np.zeros(50, np.int64))
    bits = bits_of_words(hash_words(["the red xqzwv xqzwvxqzwv"]), model, np.ones(1, np.int64))
    assert bits[1] < bits[0] < bits[2] < bits[3]


@given(
    values=st.lists(st.tuples(st.floats(-1e6, 1e6, width=32), st.integers(1, 50), st.sampled_from("ab")), min_size=1),
    share=st.floats(0, 1),
)
def test_cuts_take_the_wanted_bytes_of_each_group_to_half_a_document(tmp_path_factory, values, share):
    folder = tmp_path_factory.mktemp("ranked")
    rows = RankedRows(0)
    given = [Document("x" * size, f"{place:032x}", "s", "o") for place, (_, size, _) in enumerate(values)]
    rows.add(given, [value for value, _, _ in values], [group for _, _, group in values])
    rows.write(folder)
    ranked = RankedUnits.open([folder])
    totals = ranked.totals("bytes")
    cuts = ranked.cut(totals * share, np.full(len(totals), 0.5), "bytes")
    [table] = list(ranked)
    for place, cut in enumerate(cuts):
        own = table[table["group"] == place]
        taken = sum(int(row["bytes"]) for row in own if int(row["key"]) < cut)
        assert abs(taken - share * totals[place]) <= max(own["bytes"]) / 2 + 1e-6


@given(st.lists(st.floats(-(2.0**90), 2.0**90, width=32), min_size=2, unique=True))
def test_keys_sort_like_values(values):
    keys = sort_keys(np.array(values), np.zeros(len(values), np.uint64))
    assert np.argsort(keys, kind="stable").tolist() == np.argsort(np.array(values) + 0.0, kind="stable").tolist()
