"""Every rule of the edits that work on lines and characters, by itself."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilotlight.corpus.edits.c4_lines import C4Lines
from pilotlight.corpus.edits.unicode import Unicode
from pilotlight.corpus.filters.c4 import C4
from pilotlight.corpus.filters.fineweb import Fineweb
from pilotlight.corpus.view import View

STAYS = "The library opens at nine on every working day."

LINES = [
    ("ended", "About the library and its garden", "About the library and its garden.", {"ended": False}),
    ("ended", "It was late, and so…", "It was late, and so!", {"ended": False}),
    ("words", "Read more.", "Read one more.", {"words": 2}),
    ("words", "首页。", "图书馆九点开门。", {"words": 1}),
    ("longest_word", "See " + "x" * 1001 + " for it.", "See " + "x" * 1000 + " for it.", {"longest_word": 5000}),
    ("notices", "By going on you accept our Privacy Policy.", "By going on you accept our terms.", {"notices": False}),
    ("notices", "Este sitio utiliza cookies propias.", "Este sitio utiliza letras propias.", {"notices": False}),
    ("javascript", "Please enable JavaScript to see the map.", "JavaScript is a language of programs.",
     {"javascript": "keep"}),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "goes", "stays", "off"), LINES)
def test_each_rule_for_lines_and_its_switch(rule, goes, stays, off):
    del rule
    text = f"{STAYS}\n{goes}\n{stays}\n{STAYS}"
    assert C4Lines().edit(text) == f"{STAYS}\n{stays}\n{STAYS}"
    assert C4Lines(**off).edit(text) == text


def test_every_mention_of_javascript_can_be_removed_as_in_the_paper():
    text = f"{STAYS}\nJavaScript is a language of programs."
    assert C4Lines(javascript="any").edit(text) == STAYS


def test_a_paragraph_that_speaks_of_privacy_policies_stays():
    paragraph = "A court found that the privacy policy had been changed without notice. " * 8
    assert C4Lines().edit(paragraph.strip()) == paragraph.strip()


def test_citation_marks_go_and_numbers_in_brackets_of_code_or_years_stay():
    text = "It was built in 1320.[3][4] The tower [edit] fell [citation needed], see list[12345] and [a]."
    assert C4Lines().edit(text) == "It was built in 1320. The tower fell, see list[12345] and [a]."
    assert C4Lines(citations=False).edit(text) == text


def test_what_went_is_counted_and_paragraphs_stay_apart():
    text = f"Menu\n\n{STAYS}[1]\nShare\n\n\tLog in\n\n{STAYS}\n\nContact\n"
    edited, values = C4Lines().edit_view(View(text))
    assert edited == f"{STAYS}\n\n{STAYS}"
    assert values == {"lines": 6, "kept_lines": 2, "citations": 1}


def test_the_edit_changes_what_the_filters_behind_it_see():
    """A text that FineWeb would drop stays behind the edit, and one that C4 would keep goes."""
    text = "\n".join(["Menu with many entries and words"] * 9 + [STAYS, "Yes.", "No."])
    after = C4Lines().edit(text)
    assert Fineweb().judge(text)
    assert Fineweb().judge(after) is None
    assert C4().judge(text) is None
    assert C4().judge(after).startswith("few sentences")


CONTROLS = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f-\x84\x86-\x9f\ufeff]")


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet=st.sampled_from("ab\n\r\t\f\x85\x00\x1f\x7f\x80\x9f\ufeffÃéñ\u0301中🙂\ud800\u2028”")))
def test_unicode_does_what_it_says_by_its_plain_definition(text):
    plain = CONTROLS.sub("", re.sub("\r\n?|\x85", "\n", text))
    assert Unicode(mend=False).edit(text) == unicodedata.normalize("NFC", plain)
