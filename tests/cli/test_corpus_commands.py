"""The commands that look at a finished corpus: topics, weights, difficulty, thresholds, a filter that is learnt."""

from __future__ import annotations

import csv
import json
import random
import re

import pyarrow.parquet as parquet
import pytest

from pilotlight.corpus.corpus import Corpus

THEMES = {"sea": "boat wave fish harbour sail storm net", "law": "court judge article appeal decree penalty clause"}


@pytest.fixture
def built(tmp_path, command):
    """The folder of a corpus of two sources about two things."""
    draw = random.Random(2)
    for theme, words in THEMES.items():
        chosen = [*words.split(), "the", "of", "and", "a", "to", "in"]
        rows = [{"text": " ".join(draw.choices(chosen, k=draw.randint(40, 90)))} for _ in range(60)]
        (tmp_path / f"{theme}.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    plan = tmp_path / "plan.yaml"
    plan.write_text(
        "corpus:\n  sources: [{kind: jsonl, path: sea.jsonl}, {kind: jsonl, path: law.jsonl}]\n"
        "  steps: [unicode, {kind: length, least: 250}]\n",
        encoding="utf-8",
    )
    assert command("corpus", "build", plan, "--out", tmp_path / "out", "--quiet").code == 0
    return tmp_path / "out"


def test_topics_are_told_by_the_words_that_set_them_apart(built, command):
    said = command("corpus", "topics", built, "--clusters", "2", "--json")
    assert said.code == 0, said.err
    found = json.loads(said.out)
    assert sum(topic["documents"] for topic in found) > 50
    themes = [
        {theme for theme, words in THEMES.items() if word in words} for topic in found for word in topic["words"][:4]
    ]
    assert all(themes)
    assert all(set(topic["sources"]) <= set(THEMES) for topic in found)
    shown = command("corpus", "topics", built, "--clusters", "2", "--quiet").out
    assert "sources" in shown
    assert re.search(r"(sea|law) \d+ %", shown)


def test_weights_are_even_by_default_and_capped_where_asked(built, command):
    even = json.loads(command("corpus", "mixture", built, "--json").out)
    assert even["sea"]["share"] == pytest.approx(0.5)
    alike = json.loads(command("corpus", "mixture", built, "--temperature", "1", "--json").out)
    assert alike["sea"]["epochs"] == pytest.approx(alike["law"]["epochs"])
    refused = command("corpus", "mixture", built, "--most-epochs", "2", "--budget", "1G")
    refused.refuses("1 GB of training", "more than 2 epochs", "kB can be drawn", "raise the cap")
    command("corpus", "mixture", built, "--budget", "x").refuses("--budget", "'x' is not a count", "124M")


def test_difficulty_is_a_table_with_a_row_for_each_document(built, command, tmp_path):
    said = command("corpus", "difficulty", built, "--out", tmp_path / "d.parquet", "--by", "length", "--quiet")
    assert said.code == 0, said.err
    rows = parquet.read_table(tmp_path / "d.parquet").to_pylist()
    assert len({row["id"] for row in rows}) == len(rows) > 50
    absent, out = tmp_path / "absent", tmp_path / "e.csv"
    command("corpus", "difficulty", absent, "--out", out, "--by", "luck").refuses("'luck'", "expected one of")
    command("corpus", "difficulty", absent, "--out", tmp_path / "e.xlsx").refuses(".parquet or .csv")
    assert command("corpus", "difficulty", built, "--out", out, "--by", "rare words", "--quiet").code == 0
    with out.open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))
    assert [row["id"] for row in table] == [row["id"] for row in rows]
    assert all(row["score"] == row["rare_words"] for row in table)


def test_thresholds_can_be_tried(built, command):
    said = command("corpus", "try", built, "--set", "length.least=10", "--json")
    found = json.loads(said.out)
    assert found["after"]["documents"] > found["before"]["documents"]
    command("corpus", "try", built, "--set", "lenght.least=1").refuses("no filter 'lenght'")


def test_a_filter_learnt_from_labelled_rows_tells_how_good_it_is(command, tmp_path):
    draw = random.Random(4)
    rows = [
        {"text": " ".join(draw.choices(THEMES[theme].split(), k=12)), "label": int(theme == "law")}
        for theme in THEMES for _ in range(80)
    ]  # fmt: skip
    draw.shuffle(rows)
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    said = command("corpus", "learn", tmp_path / "rows.jsonl", "--out", tmp_path / "model.npz", "--json")
    assert said.code == 0, said.err
    value, low, high = json.loads(said.out)["measures"]["auc"]
    assert low <= value <= high
    assert value > 0.95
    assert (tmp_path / "model.npz").is_file()
    told = command("corpus", "learn", tmp_path / "rows.jsonl", "--out", tmp_path / "model.npz").out
    assert "{" not in told


def test_a_sample_leaves_its_certificate_with_the_corpus_and_in_its_report(command, tmp_path):
    draw = random.Random(3)
    for theme, words in THEMES.items():
        rows = [{"text": " ".join(draw.choices(words.split(), k=draw.randint(40, 90)))} for _ in range(150)]
        (tmp_path / f"{theme}.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    plan = tmp_path / "plan.yaml"
    plan.write_text(
        "corpus:\n  sources: [{kind: jsonl, path: sea.jsonl}, {kind: jsonl, path: law.jsonl}]\n"
        "  steps: [{kind: sample, share: 50%}, {kind: balance, shares: {source: {sea: 70%}}}]\n",
        encoding="utf-8",
    )
    out = tmp_path / "out"
    assert command("corpus", "build", plan, "--out", out, "--quiet").code == 0
    told = Corpus.open(out / "corpus" if (out / "corpus").is_dir() else out).facts.steps
    assert {"bytes", "words", "exact repetition"} <= {item["name"] for item in told["sample"]["criteria"]}
    assert told["sample"]["representative"] in (True, False, None)
    assert told["balance"]["axes"]["source"]["sea"]["share_wanted"] == pytest.approx(0.7)
    assert len(json.dumps(told)) < 40_000
    assert command("corpus", "report", out).code == 0
    [page] = list(out.rglob("*.html"))
    shown = page.read_text(encoding="utf-8")
    assert "a sample of 50" in shown
    assert "shares of bytes that were asked for" in shown
