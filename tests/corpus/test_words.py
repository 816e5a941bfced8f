"""Words and repeated n-grams in arrays against a slow and plain twin."""

from __future__ import annotations

import random
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilotlight.corpus.repeats import repeats_of
from pilotlight.corpus.words import count_present, hash_word, words_of

TOP, AGAIN = (2, 3, 4), (5, 6, 7, 8, 9, 10)


def characters(words: list[str], starts: list[int], size: int) -> int:
    inside = {place for start in starts for place in range(start, start + size)}
    return sum(len(words[place]) for place in inside)


def places(words: list[str], size: int) -> list[list[int]]:
    found: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for start in range(len(words) - size + 1):
        found[tuple(words[start : start + size])].append(start)
    return list(found.values())


def twin(words: list[str]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    top = []
    for size in TOP:
        most = max((len(starts) for starts in places(words, size)), default=0)
        first = next((starts for starts in places(words, size) if len(starts) == most), [])
        top.append(characters(words, first, size) if most >= 4 else 0)
    again = [characters(words, [at for starts in places(words, size) for at in starts[1:]], size) for size in AGAIN]
    return tuple(top), tuple(again)


@pytest.mark.parametrize("vocabulary", [1, 2, 5, 40])
@pytest.mark.parametrize("count", [0, 1, 9, 60, 250, 900])
def test_repeated_phrases_are_those_of_a_plain_count(vocabulary, count):
    random_numbers = random.Random(vocabulary * 1000 + count)
    for _ in range(8):
        words = [f"w{'o' * (number % 3)}{number}" for number in random_numbers.choices(range(vocabulary), k=count)]
        if count == 900:  # whole passages come again
            words[500:700] = words[100:300]
        found = repeats_of(words_of(" ".join(words)), TOP, AGAIN)
        assert (found.top, found.again) == twin(words)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(alphabet="abé中ไ法ñ1", min_size=1, max_size=4), max_size=30))
def test_equal_words_have_equal_hashes_wherever_they_stand(words):
    whole = words_of(" ".join(words))
    parts = [words_of(word) for word in words]
    assert whole.hashes.tolist() == [value for part in parts for value in part.hashes.tolist()]
    assert whole.lengths.tolist() == [value for part in parts for value in part.lengths.tolist()]
    assert whole.single == sum(part.single for part in parts)


def test_a_long_text_has_the_words_of_its_pieces():
    pieces = [f"word{number % 50} l'eau 3.14 çà. Fin? 中文字" for number in range(6000)]
    whole = words_of(" ".join(pieces))
    parts = [words_of(piece) for piece in pieces]
    assert np.array_equal(whole.hashes, np.concatenate([part.hashes for part in parts]))
    assert np.array_equal(whole.lengths, np.concatenate([part.lengths for part in parts]))
    assert whole.sentences == sum(part.sentences for part in parts) == 12_000


def test_different_words_have_different_hashes():
    words = [f"{letter}{number}" for letter in "abcdefgh" for number in range(20_000)]
    assert len(set(words_of(" ".join(words)).hashes.tolist())) == len(words)
    assert hash_word("ab") != hash_word("ba") != hash_word("AB")


def test_listed_words_are_found_in_any_case_anywhere():
    text = "THE end. " + "word " * 5000 + "Of course"
    assert count_present(words_of(text), ("the", "of", "and", "end")) == 3
    assert count_present(words_of(""), ("the",)) == 0
