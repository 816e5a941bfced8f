"""What every edit has to do, over the folder of edits."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilotlight.corpus.edit import Edit
from pilotlight.spec import discover

KINDS = discover(Edit.folder)


@pytest.mark.parametrize("kind", KINDS)
def test_an_edit_turns_its_examples_from_before_to_after(kind):
    part = KINDS[kind]()
    assert part.examples
    for before, after in part.examples:
        assert part.edit(before) == after


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=150, deadline=None)
@given(text=st.text(max_size=200))
def test_editing_twice_gives_what_editing_once_gave(kind, text):
    part = KINDS[kind]()
    once = part.edit(text)
    assert part.edit(once) == once


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("text", ["", "plain words\n", "l'àvia — «ñandú» 東京 🙂\n\n\tindented\n"])
def test_an_edit_leaves_clean_text_alone(kind, text):
    assert KINDS[kind]().edit(text) == text
