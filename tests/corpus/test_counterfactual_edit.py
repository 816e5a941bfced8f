"""Swapped twins: half of the texts change, twice is once, and the grammar stays."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from pilotlight.corpus.edits.counterfactual import Counterfactual
from pilotlight.corpus.lexicons.swaps import GENDERED, make_swaps
from pilotlight.corpus.view import View

ENGLISH = make_swaps([tuple(pair.split()) for pair in GENDERED])
WORDS = [*sorted(ENGLISH.side), "the", "and", "saw", "house", ".", ",", "HER", "His", "She"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("She gave him the keys.", "He gave her the keys."),
        ("I saw her in town with her brother.", "I saw him in town with his sister."),
        ("The book is hers, not his.", "The book is his, not hers."),
        ("HE met the Queen; Aunt May hurt herself.", "SHE met the King; Uncle May hurt himself."),
        ("Mr Bell thanked his wife.", "Ms Bell thanked her husband."),
        ("Tell her that his mother called.", "Tell him that her father called."),
        ("He told her.", "She told him."),
        ("Heroes of the shed, a manifest, their other", "Heroines of the shed, a manifest, their other"),
    ],
)
def test_words_are_swapped_with_case_and_pronouns_by_what_follows(before, after):
    assert ENGLISH.swapped(before)[0] == after


@settings(max_examples=200, deadline=None)
@given(words=st.lists(st.sampled_from(WORDS), max_size=12), share=st.sampled_from([0.0, 0.3, 0.5, 1.0]))
def test_editing_twice_gives_what_once_gave_and_twins_become_one(words, share):
    text = " ".join(words)
    part = Counterfactual(share=share)
    view = View(text, facts={"language": "en"})
    once, _ = part.edit_view(view)
    assert part.edit_view(View(once, facts={"language": "en"}))[0] == once
    assert part.edit(part.edit(text)) == part.edit(text)
    assert ENGLISH.normal(once) == ENGLISH.normal(text)


def test_about_half_of_the_texts_begin_with_either_side_wherever_they_began():
    part = Counterfactual()
    for start in ("man", "woman"):
        texts = [f"On day {day} the old {start} went to the house and saw the sea again." for day in range(400)]
        changed = sum(part.edit(text) != text for text in texts)
        assert 160 <= changed <= 240


def test_a_text_and_its_twin_give_the_same_text():
    part = Counterfactual()
    for day in range(20):
        text = f"On day {day} the old man went to the house with the girl and saw the sea again."
        twin = f"On day {day} the old woman went to the house with the boy and saw the sea again."
        assert part.edit(text) == part.edit(twin)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_the_share_decides_which_side_comes_first(share):
    part = Counterfactual(share=share)
    text = "The man and the woman went to the house by the sea."
    assert part.edit(text).startswith("The woman" if share else "The man")


def test_texts_in_other_languages_are_left_alone():
    part = Counterfactual(share=1.0)
    text = "Der Mann sagte, dass er am Dienstag nicht kommen kann; papa war auch da."
    assert part.edit(text) == text
    assert part.edit_view(View("The man left.", facts={"language": "de"})) == ("The man left.", {"swapped": 0})


def test_pairs_and_names_of_another_language_are_those_given():
    part = Counterfactual(
        language="ca", pairs=(("el", "la"), ("mestre", "mestra")), names=(("Joan", "Joana"),), share=1.0
    )
    view = View("El mestre va dir que Joan no hi era. (he man)", facts={"language": "ca"})
    assert part.edit_view(view) == ("La mestra va dir que Joana no hi era. (he man)", {"swapped": 3})


def test_pairs_that_contradict_each_other_or_are_no_words_are_refused():
    with pytest.raises(ValidationError, match="second of another"):
        Counterfactual(pairs=(("she", "they"), ("nurse", "she")))
    with pytest.raises(ValidationError, match="not one word"):
        Counterfactual(pairs=(("police man", "police woman"),))
