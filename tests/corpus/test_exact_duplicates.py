"""Exact duplicates, and when two texts count as the same text."""

from __future__ import annotations

import unicodedata

import pytest
import xxhash
from hypothesis import given, settings
from hypothesis import strategies as st

from piles import decide, document, gone
from pilotlight.corpus.duplicates.exact import Exact
from pilotlight.corpus.sameness import text_key

LETTERS = st.sampled_from(
    [*"aAzZ \t\n\x0b\x1c\x1f\x85\xa0ßÉéſǰİıΣσςΐŉﬁÅ\u212b", "\u0301", "\u2003", "\u3000", "\u2009", "각", "ᄀ", "ᅡ", "Ж"]
)


def plainly(text):
    return xxhash.xxh3_128_intdigest(" ".join(unicodedata.normalize("NFC", text.casefold()).split()).encode())


@settings(max_examples=600, deadline=None)
@given(text=st.text(LETTERS | st.characters(exclude_categories=["Cs"]), max_size=40) | st.text(LETTERS, max_size=40))
def test_the_fast_ways_to_a_key_agree_with_the_plain_one(text):
    assert text_key(text) == plainly(text)
    padded = "an Ordinary Text  in front of it " * 70 + text
    assert text_key(padded) == plainly(padded)


@pytest.mark.parametrize("gap", [" ", "  ", "\n" + " " * 70, "\xa0\x85 ", "\u2028\t"])
def test_long_texts_have_the_same_key_however_they_are_spaced(gap):
    words = ["Élan", "the", "LAW"] * 1500
    assert text_key(gap.join(words)) == text_key(" ".join(words).lower()) == plainly(gap.join(words))


def test_every_single_letter_has_the_key_of_the_plain_way():
    for code in [*range(0x3000), *range(0xAC00, 0xAC40), *range(0xF900, 0x10000), *range(0x1E900, 0x1E950)]:
        text = f"some text before {chr(code)}B and after"
        assert text_key(text) == plainly(text)


def test_the_smallest_id_stays_and_every_other_names_it():
    copies = [document(f"{number}", "The same text." if number % 2 else "the  same\nTEXT.") for number in range(9)]
    stays = min(item.id for item in copies)
    found = decide(Exact(), copies[:4], copies[4:])
    assert {id: (decision.twin, decision.similarity) for id, decision in found.items()} == {
        item.id: (stays, 1.0) for item in copies if item.id != stays
    }
    assert {decision.drop for decision in found.values()} == {
        "exact duplicate: similarity 1.000 with a document that stays"
    }


def test_preferred_sources_stay_and_held_out_text_stays_before_them():
    copies = [document(name, "The same text.", source=name) for name in ("one", "two", "three")]
    assert set(gone(Exact(prefer=("two",)), copies)) == {copies[0].id, copies[2].id}
    found = gone(Exact(prefer=("two",)), copies[:2], fixed=copies[2:])
    assert {id: twin for id, (twin, _) in found.items()} == {copies[0].id: copies[2].id, copies[1].id: copies[2].id}
