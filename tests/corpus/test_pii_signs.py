"""Private data is looked for only where its signs are, and read again only beside placeholders: nothing is lost."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilotlight.corpus.private import engine, passage, signs
from pilotlight.corpus.private.engine import Detector
from pilotlight.corpus.private.kinds import KINDS
from pilotlight.corpus.private.passage import Passage

PLACES = {kind: f"<{kind.upper()}>" for kind in KINDS}
ALL = Detector(dict.fromkeys(KINDS, "redact"), None, PLACES.values())
KEY = "wJalrXUtnFEMIK7MDENGbPxRfiCY3kLmQ9"
PRIVATE = (
    "anna@example.cat", "почта@пример.рф", "anna (at) correu (dot) cat", "anna [arroba] correu.cat", "+34 612 345 678",
    "(415) 555-2671", "4111 1111 1111 1111", "AD12 0001 2030 2003 5910 0100", "ES9121000418450200051332", "12345678Z",
    "x1BoatSLRHtKNngkdXEeobR76b53LETtpyT", "1BoatSLRHtKNngkdXEeobR76b53LETtpyT", "81.45.12.200", "192.168.0.1",
    "2001:4860:4860::8888", "00:1b:44:11:3a:b7", "ab-cd-ef-ab-cd-fe", "https://ada:Tr0ub4dor@db.example/x",
    "0x52908400098527886E0F7030069857D2E4169EE7", f"ghp_{KEY}ab", f"AKIA{'J7QK3ZB2W9XN4MVC'}", f"AIzaSy{KEY[:33]}",
    f"SG.{KEY[:22]}.{KEY}{KEY[:9]}", f"eyJhbGciOiJIUzI1.eyJzdWIiOiIxMjM0.{KEY}", f"xoxb-{KEY}", f"123456789:AA{KEY[:33]}",
    f"password = '{KEY[8:24]}'", "api_key: 9f8a7b6c5d4e3f2a1b0c", "my password is Xk9$mPq2vL", f"Bearer {KEY}",
    "born 12 May 1961", "geboren am 3. März 1972", "nacida el 4 de abril de 1980", "born 1961-05-12", "078-05-1121",
    "Серия 45 08 номер 123456 паспорт", "паспорт: серия 45 08 номер 123456", "ZIP 08001", "12 Main Street", "@someone",
    "-----BEGIN PRIVATE KEY-----\n" + "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSj" * 3 + "\n-----END PRIVATE KEY-----",
)  # fmt: skip
GAPS = (" ", "\n", ", ", ": ", "=", "\u2009", "\u2013", " (", "\u2019", "é", "й", "x", "7", "_", "")


def everything(text, monkeypatch):
    """Return what is found if every detector looks at every text."""
    with monkeypatch.context() as patched:
        patched.setattr(signs, "found_in", lambda text, classes: (1 << 16) - 1)
        return ALL.find(text)


@pytest.mark.parametrize("text", PRIVATE)
def test_the_signs_let_through_what_is_private(text, monkeypatch):
    assert ALL.find(text) == everything(text, monkeypatch)
    assert ALL.find(f"Così é: {text}.") == everything(f"Così é: {text}.", monkeypatch)


def test_most_of_what_is_private_here_is_found():
    missed = [text for text in PRIVATE if not ALL.find(text)]
    # No Latin letters before the sign, no word beside, part of a longer word, the word behind instead of before.
    assert missed == ["почта@пример.рф", "12345678Z", PRIVATE[10], "Серия 45 08 номер 123456 паспорт"]


def test_plain_text_has_no_signs():
    assert Passage("It was the best of times - it was (so they say) the worst: nobody knows.").signs == 0


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(PRIVATE), st.sampled_from(GAPS)), max_size=8))
def test_the_signs_lose_nothing_in_any_mixture(parts):
    text = "".join(word + gap for word, gap in parts)
    with pytest.MonkeyPatch.context() as patched:
        assert ALL.find(text) == everything(text, patched)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(PRIVATE), st.sampled_from(GAPS), st.integers(0, 2)), max_size=12))
def test_reading_beside_placeholders_is_as_good_as_reading_everything_again(parts):
    filling = "La casa és a prop de la plaça, i el gat dorm.\n" * 60  # longer than what is read again
    text = "".join(word + gap + filling[: 1400 * lines] for word, gap, lines in parts)
    once, found = ALL.redact(text, PLACES)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(engine, "_REACH", 1 << 30)
        assert (once, found) == ALL.redact(text, PLACES)
    assert ALL.redact(once, PLACES) == (once, [])


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("a 12 34 56 b", ["12 34 56"]),
        ("12 34 5", []),
        ("1.2.3.4", ["1.2.3.4"]),
        ("1.2.3 4", []),
        ("12\u201334\u200956 7", ["12\u201334\u200956 7"]),
        ("й 12\u201334\u200956", ["12\u201334\u200956"]),
        ("12    345678", ["345678"]),
        ("\u0661\u0662\u0663\u0664\u0665\u0666", []),
    ],
)
def test_runs_of_digits(text, numbers):
    assert [text[first:last] for first, last in passage.Passage(text).numbers] == numbers
