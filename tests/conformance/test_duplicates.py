"""What every way to find duplicates has to do, over the folder of duplicates."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilotlight.corpus.duplicate import Duplicates
from pilotlight.spec import discover

KINDS = discover(Duplicates.folder)


@pytest.mark.parametrize("kind", KINDS)
def test_one_of_two_texts_that_are_the_same_goes(kind):
    for pair in KINDS[kind].same:
        found = KINDS[kind]().twins(zip("ab", pair, strict=True))
        assert {id: twin.id for id, twin in found.items()} in ({"a": "b"}, {"b": "a"})


@pytest.mark.parametrize("kind", KINDS)
def test_texts_that_differ_stay(kind):
    for pair in KINDS[kind].different:
        assert KINDS[kind]().twins(zip("ab", pair, strict=True)) == {}


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=80, deadline=None)
@given(texts=st.lists(st.sampled_from(["one", "two", "Two ", "three", "THREE", ""]), max_size=12), data=st.data())
def test_twins_do_not_depend_on_order_and_those_that_stay_are_not_superfluous(kind, texts, data):
    documents = [(f"{number:02d}", text) for number, text in enumerate(texts)]
    found = KINDS[kind]().twins(documents)
    assert found == KINDS[kind]().twins(data.draw(st.permutations(documents)))
    assert not {twin.id for twin in found.values()} & set(found)
    assert all(0 <= twin.similarity <= 1 for twin in found.values())
