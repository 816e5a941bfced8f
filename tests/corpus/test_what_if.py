"""Other thresholds tried on a finished corpus give what a build with them gives."""

from __future__ import annotations

import random

import pytest
from text_examples import write_jsonl

from pilotlight.corpus.build import build
from pilotlight.corpus.recipe import Recipe
from pilotlight.corpus.what_if import read_changes, what_if
from pilotlight.errors import ConfigError


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    """A file of texts of many lengths, some with more digits than letters."""
    draw = random.Random(3)
    words = ["".join(draw.choices("abcdefghij", k=draw.randint(2, 9))) for _ in range(900)]
    texts = [" ".join(draw.choices(words, k=draw.randint(4, 60))) for _ in range(300)]
    texts += [" ".join(str(draw.randint(0, 10**6)) if draw.random() < 0.5 else word for word in words[at : at + 30])
              for at in range(0, 600, 5)]  # fmt: skip
    return write_jsonl(tmp_path_factory.mktemp("what_if") / "a.jsonl", texts)


def recipe(text, least, letters, *more):
    steps = ["unicode", {"kind": "length", "least": least}, {"kind": "letters", "least": letters}, *more]
    return Recipe.model_validate({"sources": [{"kind": "jsonl", "path": text}], "steps": steps, "held_out": "2%"})


@pytest.mark.parametrize(("least", "letters"), [(100, 0.6), (30, 0.2), (250, 0.45)])
def test_what_is_told_is_what_a_build_gives(text, tmp_path, least, letters):
    corpus = build(recipe(text, 100, 0.45), tmp_path / "one")
    told = what_if(corpus, {"length": {"least": least}, "letters": {"least": letters}})
    again = build(recipe(text, least, letters), tmp_path / "two")
    assert told.before.documents == corpus.facts.train.documents
    assert told.after.documents == again.facts.train.documents
    kept = [{document.id for document in built.documents("train")} for built in (corpus, again)]
    (change,) = told.sources or [None]
    gained, lost = kept[1] - kept[0], kept[0] - kept[1]
    assert (change.gained.documents, change.lost.documents) == (len(gained), len(lost)) if change else not gained | lost
    assert set(told.gained) <= gained
    assert set(told.lost) <= lost
    assert told.unsure.documents == 0
    assert {
        step: {reason: amount.documents for reason, amount in reasons.items()} for step, reasons in told.reasons.items()
    } == {
        step: {reason: amount.documents for reason, amount in reasons.items()}
        for step, reasons in again.facts.dropped.items()
    }


def test_documents_that_come_in_before_a_comparing_step_are_marked_as_not_compared(text, tmp_path):
    corpus = build(recipe(text, 150, 0.35, "near"), tmp_path / "out")
    told = what_if(corpus, {"length": {"least": 20}})
    assert told.unsure.documents == told.sources[0].gained.documents > 10


def test_a_filter_that_only_annotates_is_tried_as_if_it_dropped(text, tmp_path):
    corpus = build(recipe(text, 25, 0.35, {"kind": "gopher", "only_annotate": True}, "language"), tmp_path / "out")
    told = what_if(corpus, {"gopher": {"least_words": 30}, "language": {"allow": ["ca"]}})
    assert told.let_loose == ["gopher", "language"]
    assert told.reasons["gopher"]["few words"].documents > 10
    assert told.after.documents < told.before.documents
    quiet = what_if(corpus, {"gopher": {"least_words": 30, "only_annotate": True}, "length": {"least": 25}})
    assert not quiet.let_loose
    assert quiet.after == quiet.before


def test_settings_are_read_from_words_and_wrong_ones_refused(text, tmp_path):
    assert read_changes(["length.least=20", "letters.least=30%", "letters.only_annotate=true"]) == {
        "length": {"least": 20}, "letters": {"least": "30%", "only_annotate": True},
    }  # fmt: skip
    with pytest.raises(ConfigError, match=r"sets nothing\. Expected step\.field=value"):
        read_changes(["length"])
    corpus = build(recipe(text, 150, 0.35), tmp_path / "out")
    with pytest.raises(ConfigError, match=r"no filter 'lenght'.*Did you mean 'length'"):
        what_if(corpus, {"lenght": {"least": 2}})
    with pytest.raises(ConfigError, match="no filter 'unicode'"):
        what_if(corpus, {"unicode": {"mend": False}})
    with pytest.raises(ConfigError, match="leest"):
        what_if(corpus, {"length": {"leest": 2}})
