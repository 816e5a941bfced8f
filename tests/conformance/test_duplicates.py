"""What every step that compares texts has to do, over the folder of duplicates."""

from __future__ import annotations

import functools
import random
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from piles import decide, document, gone
from pilotlight.corpus.duplicate import Duplicates
from pilotlight.spec import discover

KINDS = discover(Duplicates.folder)


@functools.cache
def _benchmark() -> Path:
    path = Path(tempfile.mkdtemp()) / "quiz.jsonl"
    path.write_text('{"question": "Which of the four seasons does a sower of winter wheat wait for, and why?"}\n')
    return path


def made(kind):
    """A step of each kind; a new kind with required settings is added here."""
    return KINDS[kind].model_validate({"benchmarks": [_benchmark()]} if kind == "decontaminate" else {})


PAIRS = [(kind, pair) for kind, part in KINDS.items() for pair in part.same]
DIFFERENT = [(kind, pair) for kind, part in KINDS.items() for pair in part.different]


def pair_of_documents(pair):
    return [document(name, text) for name, text in zip("ab", pair, strict=True)]


def families(count):
    """Texts of which some are the same, some nearly, some share a passage and some nothing."""
    draw = random.Random(5)
    words = [f"{draw.choice('bcdfglmnprst')}{draw.choice('aeiou')}{number}" for number in range(400)]
    passage = " ".join(draw.choices(words, k=60))
    texts = []
    for number in range(count):
        body = draw.choices(words, k=120)
        texts.append(" ".join(body))
        if number % 3 == 0:
            texts.append(" ".join(body[:110]))
        if number % 3 == 1:
            texts.append(" ".join(body).upper())
        if number % 4 == 0:
            texts.append(" ".join([*body[:40], passage, *body[:80:-1]]))
    return [document(f"{number}", text, source=f"s{number % 2}") for number, text in enumerate(texts)]


@pytest.mark.parametrize("kind", KINDS)
def test_a_step_has_examples_that_stay(kind):
    assert KINDS[kind].different


@pytest.mark.parametrize(("kind", "pair"), PAIRS)
def test_one_of_two_texts_that_are_the_same_goes(kind, pair):
    one, other = pair_of_documents(pair)
    found = gone(made(kind), [one, other])
    assert {id: twin for id, (twin, _) in found.items()} in ({one.id: other.id}, {other.id: one.id})


@pytest.mark.parametrize(("kind", "pair"), DIFFERENT)
def test_texts_that_differ_stay(kind, pair):
    assert gone(made(kind), pair_of_documents(pair)) == {}


@pytest.mark.parametrize(("kind", "pair"), PAIRS)
def test_a_text_that_is_the_same_as_a_held_out_one_goes(kind, pair):
    one, other = pair_of_documents(pair)
    for mine, held in ((one, other), (other, one)):
        found = gone(made(kind), [mine], fixed=[held])
        assert {id: twin for id, (twin, _) in found.items()} == {mine.id: held.id}


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=4, deadline=None)
@given(data=st.data())
def test_decisions_do_not_depend_on_how_documents_are_cut_into_splits(kind, data):
    documents = families(12)
    part = made(kind)
    expected = decide(part, documents)
    shuffled = data.draw(st.permutations(documents))
    count = data.draw(st.sampled_from([2, 5]))
    assert decide(part, *(shuffled[number::count] for number in range(count))) == expected


@pytest.mark.parametrize("kind", KINDS)
def test_what_goes_names_a_twin_that_stays_and_how_alike_they_are(kind):
    documents = families(20)
    known = {item.id for item in documents}
    found = decide(made(kind), documents[:9], documents[9:])
    dropped = {id for id, decision in found.items() if decision.drop}
    for id, decision in found.items():
        if decision.drop:
            assert ":" in decision.drop or decision.drop.strip()
            assert decision.twin in known - dropped - {id}
            assert decision.similarity is not None
            assert 0 < decision.similarity <= 1
        assert all(start < end and twin in known - dropped for start, end, twin in decision.cuts)


@pytest.mark.parametrize("kind", KINDS)
def test_no_documents_and_empty_documents_are_no_trouble(kind):
    assert gone(made(kind), []) == {}
    assert gone(made(kind), [], [document("one", "")]) == {}
    assert gone(made(kind), [document("one", " \n"), document("two", "a few words of text")], []) == {}


@pytest.mark.parametrize("kind", KINDS)
def test_settings_are_explained(kind):
    described = KINDS[kind].model_json_schema()["properties"]
    assert [name for name, field in described.items() if name != "kind" and not field.get("description")] == []
