"""A linear model learnt from labelled texts: held-out measures, flags by group, files and filters."""

from __future__ import annotations

import csv
import gzip
import json

import pytest
from pydantic import ValidationError

from pilotlight.corpus.filters.classifier import Classifier
from pilotlight.corpus.filters.toxicity import Toxicity
from pilotlight.corpus.learning import flags_by_group, learn, measures, read_labelled, train_filter
from pilotlight.corpus.linear import features, load_model
from pilotlight.corpus.recipe import Recipe
from pilotlight.corpus.view import View
from pilotlight.errors import ConfigError, DataError

ANIMALS = ("heron", "badger", "otter", "lynx", "marten", "vole", "plover", "newt")
TOOLS = ("chisel", "lathe", "mallet", "vice", "rasp", "plane", "auger", "clamp")


def sentences(words, count):
    return [
        f"Note {number}: the {words[number % 8]} was seen beside the {words[(number * 3 + 1) % 8]} in week {number}."
        for number in range(count)
    ]


@pytest.fixture(scope="module")
def labelled():
    texts = sentences(ANIMALS, 200) + sentences(TOOLS, 200)
    return texts, [True] * 200 + [False] * 200


@pytest.fixture(scope="module")
def model(labelled):
    return learn(*labelled, name="animals")


def test_a_model_tells_new_texts_apart(model):
    assert model.score("A newt and an otter swam past the lynx.") > model.threshold
    assert model.score("Put the clamp and the rasp beside the lathe.") < model.threshold
    assert 0 <= model.score("") <= 1


def test_the_card_says_how_it_did_on_texts_it_never_saw(model):
    found = model.card["measures"]
    assert set(found) == {"auc", "f1", "precision", "recall"}
    assert all(low <= value <= high for value, low, high in found.values())
    assert found["auc"][0] > 0.95
    assert 40 < model.card["held_out"] < 130
    json.dumps(model.card, allow_nan=False)


def test_learning_twice_writes_the_same_bytes(labelled, model, tmp_path):
    model.save(tmp_path / "first.npz")
    learn(*labelled, name="animals").save(tmp_path / "second.npz")
    assert (tmp_path / "first.npz").read_bytes() == (tmp_path / "second.npz").read_bytes()
    again = load_model(tmp_path / "first.npz")
    assert again.score("The heron") == model.score("The heron")


def test_a_file_that_is_no_model_is_refused(tmp_path):
    (tmp_path / "text.npz").write_text("no model")
    with pytest.raises(DataError, match="not a linear model"):
        load_model(tmp_path / "text.npz")


def test_too_few_texts_are_refused():
    with pytest.raises(DataError, match="at least 20"):
        learn(["a", "b"], [True, False])


@pytest.mark.parametrize("ending", ["csv", "jsonl", "csv.gz", "jsonl.gz"])
def test_labelled_files_of_both_kinds_are_read(ending, tmp_path):
    path = tmp_path / f"given.{ending}"
    opened = gzip.open if ending.endswith("gz") else open
    with opened(path, "wt", encoding="utf-8", newline="") as file:
        if "csv" in ending:
            csv.writer(file).writerows([["text", "mark"], ["à, b", "good"], ["c\nd", "bad"]])
        else:
            file.write('{"text": "à, b", "mark": "good"}\n{"text": "c\\nd", "mark": "bad"}\n')
    assert read_labelled(path, label="mark", positive="good") == (["à, b", "c\nd"], [True, False])
    with pytest.raises(ConfigError, match="columns text, mark"):
        read_labelled(path)


def test_a_label_that_is_neither_yes_nor_no_is_refused(tmp_path):
    path = tmp_path / "given.csv"
    path.write_text("text,label\nwords,perhaps\n", encoding="utf-8")
    with pytest.raises(
        DataError, match=r"'perhaps' is neither yes nor no; the labels are 'perhaps' \(1\)\. .*--positive"
    ):
        read_labelled(path)


@pytest.mark.parametrize(
    ("positive", "said"), [(None, "all 5 labels count as positive"), ("goood", "as negative where 'goood'")]
)
def test_labels_of_one_kind_are_refused_with_what_there_is(positive, said, tmp_path):
    path = tmp_path / "given.csv"
    path.write_text("text,label\n" + "words,good\n" * 3 + "words,bad\n" * 2, encoding="utf-8")
    with pytest.raises(DataError, match=rf"{said}.*; the labels are 'good' \(3\), 'bad' \(2\)\. .*--positive 'bad'"):
        read_labelled(path, positive=positive)


@pytest.mark.parametrize("content", [b"text,label\na,1\n", b"", b"PK\x03\x04 cut short"])
def test_a_classifier_whose_file_is_no_model_stops_with_how_to_make_one(content, tmp_path):
    (tmp_path / "lab.csv").write_bytes(content)
    with pytest.raises(DataError, match=r"lab\.csv is not a linear model.*pilot corpus learn"):
        Classifier(model=tmp_path / "lab.csv").measure(View("words"))


def test_a_classifier_without_a_model_is_refused_when_the_plan_is_read():
    with pytest.raises(ValidationError, match=r"no model is given.*pilot corpus learn"):
        Recipe.model_validate({"steps": ["classifier"]})


def test_a_trained_file_serves_both_filters(labelled, tmp_path):
    path, out = tmp_path / "given.jsonl", tmp_path / "model.npz"
    rows = zip(*labelled, strict=True)
    path.write_text("".join(json.dumps({"text": text, "label": int(label)}) + "\n" for text, label in rows), "utf-8")
    train_filter(path, out)
    assert json.loads((tmp_path / "model.json").read_text("utf-8"))["texts"] == 400
    keeps = Classifier(model=out)
    assert keeps.judge("An otter and a heron met a badger.") is None
    assert keeps.judge("A lathe, a chisel and a mallet.").startswith("low score")
    drops = Toxicity(model=out, only_annotate=False)
    assert drops.judge("An otter and a heron met a badger.").startswith("toxic")
    assert set(drops.measure(View(""))) == set(Toxicity.columns)


def test_measures_of_a_perfect_and_of_a_useless_score():
    labels = [True, False] * 100
    perfect = measures([float(label) for label in labels], labels, 0.5)
    assert (perfect["auc"].value, perfect["f1"].value) == (1.0, 1.0)
    useless = measures([0.5] * 200, labels, 0.5)
    assert useless["auc"].value == 0.5
    assert useless["precision"].value == 0.5


def test_flags_are_reported_by_the_group_that_clean_texts_name():
    texts = [f"Text {number} about a Muslim family" for number in range(30)] + [
        f"Text {number}" for number in range(70)
    ]
    found = flags_by_group(texts, [True] * 15 + [False] * 85, [False] * 100)
    assert found["religion/muslim"]["false_positive_rate"][0] == 0.5
    assert found["any"]["false_positive_rate"][0] == 0.15
    assert set(found) == {"any", "religion/muslim"}


def test_features_depend_on_words_and_their_order_but_not_on_case_or_spaces():
    assert features("The  Cat\nsat").tolist() == features("the cat sat").tolist()
    assert features("the cat sat").tolist() != features("the sat cat").tolist()
    assert len(features("")) == 0
    assert len(features("x" * 10**6)) < 200_000
