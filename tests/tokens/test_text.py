import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from token_examples import document

from pilotlight.tokens.text import RUN, Sample, cut, halves, pieces, valid

SURROGATES = st.characters(categories=["Cs", "L", "Zs"])
PAIR, LONE = "([\ud800-\udbff])([\udc00-\udfff])", "[\ud800-\udfff]"


@given(st.text(SURROGATES))
def test_surrogates_that_stand_alone_are_replaced_and_nothing_else(text):
    joined = re.sub(PAIR, lambda pair: "".join(pair.groups()).encode("utf-16", "surrogatepass").decode("utf-16"), text)
    assert valid(text) == re.sub(LONE, "\ufffd", joined)


def test_only_a_lone_surrogate_is_replaced():
    assert valid("a\ud800b 🙂 \x00\r\n") == "a\ufffdb 🙂 \x00\r\n"


@given(st.text(), st.integers(0, 40))
def test_a_cut_is_the_longest_beginning_within_the_bytes(text, limit):
    found = cut(text, limit)
    assert text.startswith(found)
    assert len(found.encode()) <= limit
    if found != text:
        assert len(text[: len(found) + 1].encode()) > limit


@pytest.mark.parametrize("filler", [" ", "\n", "\t ", "\u3000", "ab ", "x"])
def test_pieces_join_to_the_text_and_hold_no_endless_white_space(filler):
    text = f"start{filler * (5 * RUN)}stop {filler * 3}"
    parts = pieces(text)
    assert "".join(parts) == text
    assert max(len(part) - len(part.strip()) for part in parts) <= 3 * RUN


@given(st.text(st.sampled_from("ab \n"), min_size=2))
def test_halves_join_to_the_text_and_both_hold_some(text):
    left, right = halves(text)
    assert left + right == text
    assert left
    assert right


def taken(documents, limit, longest=1000):
    sample = Sample(limit, longest)
    for item in documents:
        sample.add(item)
    return sample.passages()


def test_a_sample_does_not_depend_on_the_order_of_documents():
    documents = [document(n, "word " * (n % 7)) for n in range(200)]
    shuffled = random.Random(3).sample(documents, len(documents))
    assert taken(documents, 500) == taken(shuffled, 500)


def test_a_larger_sample_begins_with_the_smaller_one():
    documents = [document(n, "word " * (1 + n % 7)) for n in range(200)]
    small, large = taken(documents, 300), taken(documents, 900)
    assert large[: len(small)] == small
    assert len(large) > len(small)
    assert 300 <= sum(passage.bytes for passage in small) < 300 + 35


def test_a_sample_takes_only_the_beginning_of_a_long_document():
    found = taken([document(1, "é" * 5000), document(2, ""), document(3, "b" * 10)], 10_000, longest=101)
    assert sorted(passage.bytes for passage in found) == [10, 100]
