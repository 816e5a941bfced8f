"""Counts, shares, durations, money: read from what people write, shown as people read."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from pilotlight import units
from pilotlight.units import (
    Count,
    read_count,
    read_money,
    read_seconds,
    read_share,
    show_bytes,
    show_count,
    show_seconds,
    show_share,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("124M", 124e6),
        ("2.5B", 2.5e9),
        ("64k", 64e3),
        ("1T", 1e12),
        ("1_000", 1000),
        (" 7 ", 7),
        ("1e3", 1000),
        (12, 12),
        (0, 0),
    ],
)
def test_counts_are_read(text, value):
    assert read_count(text) == pytest.approx(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 h", 3600),
        ("90 s", 90),
        ("10min", 600),
        ("3 d", 259200),
        ("1 h 30 min", 5400),
        ("1w", 604800),
        (12.5, 12.5),
        ("2 m", 120),
    ],
)
def test_durations_are_read(text, value):
    assert read_seconds(text) == value


@pytest.mark.parametrize(
    ("text", "value"), [("0.5%", 0.005), ("0.5 %", 0.005), (0.01, 0.01), ("0.25", 0.25), (1, 1), (0, 0)]
)
def test_shares_are_read(text, value):
    assert read_share(text) == pytest.approx(value)


@pytest.mark.parametrize(
    ("text", "value"), [("300 USD", 300), ("$5", 5), ("2k USD", 2000), (7, 7), ("1.5", 1.5), ("10 usd", 10)]
)
def test_money_is_read(text, value):
    assert read_money(text) == value


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (read_count, "many"), (read_count, "-3"), (read_count, "12X"), (read_count, True), (read_count, ""),
        (read_count, float("nan")), (read_count, -1), (read_count, "1e999"), (read_count, None), (read_count, [1]),
        (read_seconds, "soon"), (read_seconds, "1 parsec"), (read_seconds, "1"), (read_seconds, "h"), (read_seconds, True),
        (read_seconds, "1 h or so"), (read_seconds, float("inf")), (read_seconds, None), (read_seconds, "1e999 s"),
        (read_share, "150%"), (read_share, 1.5), (read_share, -0.1), (read_share, "half"), (read_share, True),
        (read_share, None), (read_share, float("nan")),
        (read_money, "300 EUR"), (read_money, "cheap"), (read_money, -1), (read_money, True), (read_money, "1e999"),
    ],
)  # fmt: skip
def test_what_is_none_is_refused_with_an_example(read, text):
    with pytest.raises(ValueError, match=r"is not|finite"):
        read(text)


@given(st.floats(1e-2, 9e14))
def test_a_count_that_is_shown_is_read_again_to_three_digits(value):
    assert read_count(show_count(value)) == pytest.approx(value, rel=5.1e-3)


@given(st.floats(0, 1e9))
def test_a_duration_that_is_shown_is_read_again_to_two_units(seconds):
    assert read_seconds(show_seconds(seconds)) == pytest.approx(seconds, rel=0.05, abs=0.06)


@given(st.floats(0, 1))
def test_a_share_that_is_shown_is_read_again(share):
    assert read_share(show_share(share, 6)) == pytest.approx(share, abs=1e-7)


@given(st.floats(allow_nan=True, allow_infinity=True), st.sampled_from(["count", "seconds", "share", "money"]))
def test_no_number_comes_through_that_is_not_finite_or_below_zero(value, kind):
    try:
        found = getattr(units, f"read_{kind}")(value)
    except ValueError:
        return
    assert math.isfinite(found)
    assert found >= 0


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        (show_count(1_240_000), "1.24M"), (show_count(999_999), "1M"), (show_count(64_000), "64k"), (show_count(3), "3"),
        (show_seconds(4320), "1 h 12 min"), (show_seconds(3.14), "3.1 s"), (show_seconds(60), "1 min"),
        (show_seconds(90_000), "1 d 1 h"),
        (show_bytes(12_100_000), "12.1 MB"), (show_bytes(12), "12 B"), (show_share(0.005), "0.50 %"),
        (show_share(0.5, 0), "50 %"),
    ],
)  # fmt: skip
def test_numbers_are_shown_short(shown, text):
    assert shown == text


def test_a_field_takes_text_and_says_what_it_expected():
    class Sample(BaseModel):
        tokens: Count

    assert Sample.model_validate({"tokens": "2M"}).tokens == 2e6
    with pytest.raises(ValidationError, match=r"124M, 2\.5B or 64k"):
        Sample.model_validate({"tokens": "a lot"})
