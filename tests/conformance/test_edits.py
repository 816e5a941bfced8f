"""What every edit has to do, over the folder of edits."""

from __future__ import annotations

import json
import math
import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilotlight.corpus.edit import Edit
from pilotlight.corpus.view import View
from pilotlight.spec import discover

KINDS = discover(Edit.folder)

SENTENCES = (
    "The ferry leaves at seven in the morning.\n\nL'àvia va dir: «Torneu aviat, que fa fred!»\n東京は日本の首都です。"
)
PIECES = ("\n", "\r\n", " ", "Home", "[1]", "[edit]", "a line of words", "It is late.", "Uses cookies, always.", "\x00",
          "Ã©", "e\u0301", "\u2028", "\ufeff", "法律。", "...", "<b>", "&amp;", "+1 202 555 0100", "a@b.org")  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_an_edit_turns_its_examples_from_before_to_after(kind):
    part = KINDS[kind]()
    assert part.examples
    for before, after in part.examples:
        assert part.edit(before) == after


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=150, deadline=None)
@given(text=st.one_of(st.text(max_size=200), st.lists(st.sampled_from(PIECES), max_size=25).map("".join)))
def test_editing_twice_gives_what_editing_once_gave(kind, text):
    part = KINDS[kind]()
    once = part.edit(text)
    assert part.edit(once) == once


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("text", ["", "plain words\n", "l'àvia — «ñandú» 東京 🙂\n\n\tindented\n", SENTENCES])
def test_an_edit_leaves_clean_text_alone(kind, text):
    """An edit for prose alone is given sentences: it may well remove what is none."""
    part = KINDS[kind]()
    text = text if part.applies_to == "all" or not text else SENTENCES
    assert part.edit(text) == text


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("text", ["", "\x00\ud800\n", "a" * 1_000_000, "\n" * 100_000, "[" * 10_000, SENTENCES])
def test_an_edit_of_any_text_says_the_same_both_ways_with_a_value_for_each_column(kind, text):
    part = KINDS[kind]()
    edited, values = part.edit_view(View(text))
    assert edited == part.edit(text)
    assert set(values) == set(part.columns)
    assert json.loads(json.dumps(values, allow_nan=False)) == values


@pytest.mark.parametrize("kind", KINDS)
def test_an_edit_describes_its_columns(kind):
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", name) and words for name, words in KINDS[kind].columns.items())


@pytest.mark.parametrize("kind", KINDS)
def test_editing_takes_time_in_proportion_to_the_text(kind):
    part = KINDS[kind]()

    def seconds(text: str) -> float:
        best = math.inf
        for _ in range(3):
            start = time.process_time()
            part.edit(text)
            best = min(best, time.process_time() - start)
        return best

    for piece in (SENTENCES + "\n", "a" * 500, "[1] é\r\n", "12 34 "):
        small = piece * (40_000 // len(piece))
        # Ten times the text may take thirty times as long and 50 ms; where time grows by the square it takes more.
        assert seconds(small * 10) < 30 * seconds(small) + 0.05
