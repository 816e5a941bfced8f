"""How text and numbers are shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotlight.report.text import chance, clean, effect, fixed, how, number, setting, short, shown, small_p
from pilotlight.stats.estimate import Estimate, exact


@given(st.text())
def test_cleaned_text_can_be_encoded_and_is_clean_already(text):
    once = clean(text)
    once.encode("utf-8")
    assert clean(once) == once


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("a\u202eb\u2066c", "abc"),
        ("a\tb\u2028c", "a b c"),
        ("नमस्ते \u0645\u06cc\u200c\u062e", "नमस्ते \u0645\u06cc\u200c\u062e"),
        ("\ud800", "\ufffd"),
    ],
)
def test_characters_that_steer_are_taken_out_and_scripts_are_kept(text, expected):
    assert clean(text) == expected


def test_an_estimate_is_shown_with_the_digits_that_its_width_carries():
    wide = Estimate(value=1.23456, low=1.2, high=1.3, level=0.95, unit="bits/byte", n=5, method="paired t")
    assert shown(wide) == ("1.235", "[1.200, 1.300]")
    assert how(wide) == "95 % interval, n = 5, paired t"
    assert shown(exact(3.0, "runs", "counted")) == ("3.000", "")


def test_numbers_are_written_for_people():
    assert fixed(1234567, 0) == "1\u2009234\u2009567"
    assert fixed(-0.0001, 2) == "0.00"
    assert number(7.2e14, 3) == "7.2·10¹⁴"
    assert number(1e15) == "10¹⁵"
    assert number(0.012346) == "0.01235"
    assert effect(0.0171) == "+1.71\u202f%"
    assert effect(-0.0171) == "\u22121.71\u202f%"
    assert chance(0.997) == "> 99\u202f%"
    assert chance(0.86) == "86\u202f%"
    assert small_p(0.0001) == "< 0.001"


def test_a_setting_reads_as_in_a_plan():
    assert setting({"kind": "bpe", "lr": 3e-3, "tied": True, "steps": [1, None]}) == (
        "{kind: bpe, lr: 0.003, tied: true, steps: [1, –]}"
    )
    assert short("a\n" * 300, 10) == "a a a a a…"
