"""The page of a corpus: what is on it, that its counts are true, and that no text in it can act on it."""

from __future__ import annotations

import json
import re

import pytest
from corpus_folder import story, write_corpus
from test_page import HOSTILE, Reader, _is_inert
from typer.testing import CliRunner

from pilotlight.cli.corpus import corpus as commands
from pilotlight.errors import RecordError
from pilotlight.report.corpus_page import compose_corpus, write_corpus_report
from pilotlight.report.corpus_study import CorpusStudy
from pilotlight.report.page import Head, html

INSULT = "pathetic idiot"


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    return write_corpus(tmp_path_factory.mktemp("corpus_page"))


@pytest.fixture(scope="module")
def page(built):
    return write_corpus_report(built.folder).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    extra = tuple(f"{story(700 + place)} {text} {'A' * 3000}" for place, text in enumerate(HOSTILE[:-1])) + tuple(
        text[:20] for text in HOSTILE[:-1]
    )
    folder = tmp_path_factory.mktemp("hostile_corpus") / "<img src=x onerror=alert(9)>"
    return write_corpus_report(write_corpus(folder, extra).folder).read_text(encoding="utf-8")


def test_the_answer_stands_first_with_the_counts_of_the_build(built, page):
    text, facts = Reader(page).text, built.facts
    places = [
        text.index(part) for part in ("to train on", "Look at first", "From read to trained on", "What it consists of")
    ]
    assert places == sorted(places)
    assert f"{facts.records} read = {facts.train.documents} trained on + {facts.held_out.documents} held out" in text
    assert f"{facts.dropped_documents} dropped" in text


def test_every_section_that_has_something_to_say_is_there(page):
    text = Reader(page).text
    for part in (
        "Step by step", "Duplicates", "Private data", "Toxicity, and who is spoken of how", "Held-out text", "Provenance",
        "near: what is compared at all", "mail addresses",
        "CC0-1.0", "just kept", "could not be read", "Tone around a group",
    ):  # fmt: skip
        assert part in text, part
    assert "Contamination" not in text
    assert "Against the other corpus" not in text


def test_a_dropped_copy_stands_beside_what_stays(page):
    text = Reader(page).text
    assert "Look at 3 documents and what stays in their place" in text
    assert text.count(f"{story(5)[:60]}") >= 2


def test_a_filter_that_only_measures_says_what_it_would_drop(tmp_path):
    steps = ["language", {"kind": "gopher", "least_words": 65, "only_annotate": True}]
    text = Reader(write_corpus_report(write_corpus(tmp_path, steps=steps).folder).read_text(encoding="utf-8")).text
    assert re.search(r"gopher: only measures, and would drop [0-9.]+", text)
    assert "would go: few words" in text
    assert re.search(r"Look at \d+ that would go, beside \d+ kept", text)


def test_private_data_is_counted_and_never_shown(page):
    assert "anna.serra" not in page
    assert "mail addresses" in page


def test_offensive_text_is_behind_a_warning(page):
    before, found, _ = page.partition(INSULT)
    assert found
    fold = before.rpartition("<details>")[2]
    assert "Offensive words" in fold
    assert "</details>" not in fold


def test_the_threshold_of_a_rule_is_drawn_where_the_rule_changes_its_mind(page):
    charts = json.loads(Reader(page).scripts[0])
    shapes = charts["length-characters"]["layout"]["shapes"]
    assert {"x0": 25.0, "x1": 25.0}.items() <= next(shape for shape in shapes if shape["type"] == "line").items()
    assert charts["flow-bytes"]["layout"]["barmode"] == "overlay"


def test_the_same_corpus_gives_the_same_page_and_a_picture_of_every_chart(built, page):
    assert write_corpus_report(built.folder).read_text(encoding="utf-8") == page
    charts = json.loads(Reader(page).scripts[0])
    assert {path.stem for path in (built.folder / "report").glob("*.png")} == set(charts)
    assert all(trace["x"] for chart in charts.values() for trace in chart["data"]), "no chart is empty"


def test_the_page_is_inert_and_forbids_everything_from_outside(page):
    tags = Reader(page).tags
    assert all(_is_inert(tag, attributes) for tag, attributes in tags)
    assert "unsafe" not in re.search(r'Content-Security-Policy" content="([^"]*)"', page).group(1)


def test_no_text_of_the_corpus_becomes_an_active_node(hostile, page):
    found, plain = Reader(hostile), Reader(page)
    assert all(_is_inert(tag, attributes) for tag, attributes in found.tags)
    assert sum(tag == "script" for tag, _ in found.tags) == 3
    assert {tag for tag, _ in found.tags} <= {tag for tag, _ in plain.tags}
    assert "<script>alert(1)" in found.text
    own = hostile.partition("<body>")[2].partition("<script>")[0]
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200e\u200f\u2028\u2029\ufeff]", own)
    assert "A" * 700 not in own


def test_a_corpus_without_steps_gets_a_short_page(tmp_path):
    built = write_corpus(tmp_path, steps=[])
    text = Reader(write_corpus_report(built.folder).read_text(encoding="utf-8")).text
    assert "Nothing was dropped" in text
    assert "Private data" not in text


def test_two_corpora_are_set_beside_each_other(built, tmp_path):
    other = write_corpus(tmp_path, steps=["unicode", "exact"])
    page = tmp_path / "pages" / "both.html"
    assert write_corpus_report(built.folder, before=other.folder, out=page) == page
    text = Reader(page.read_text(encoding="utf-8")).text
    assert "Against the other corpus" in text
    assert "Settings that differ" in text
    assert (page.parent / "both" / "flow-bytes.png").is_file()
    assert "Against the other corpus" in Reader(page.read_text(encoding="utf-8")).text


def test_the_counts_of_selection_and_of_benchmarks_are_shown(tmp_path):
    (tmp_path / "quiz.jsonl").write_text(json.dumps({"question": story(9)}) + "\n", encoding="utf-8")
    steps = [
        "language", {"kind": "decontaminate", "benchmarks": [str(tmp_path / "quiz.jsonl")]},
        {"kind": "balance", "shares": {"source": {"books": "50%"}}}, {"kind": "sample", "share": "60%"},
    ]  # fmt: skip
    text = Reader(write_corpus_report(write_corpus(tmp_path, steps=steps).folder).read_text(encoding="utf-8")).text
    for part in ("Contamination by benchmarks", "quiz.jsonl", "shares of bytes that were asked for", "not sampled"):
        assert part in text, part


def test_a_sample_that_does_not_stand_for_the_whole_is_said_first_and_its_certificate_is_shown(tmp_path):
    study = CorpusStudy(write_corpus(tmp_path, steps=["exact"]))
    criteria = [
        {"name": "words", "value": 0.4, "threshold": 0.1, "unit": "bits", "how": "divergence", "representative": False},
        {"name": "length", "unit": "share", "how": "too little text to tell", "representative": None},
    ]
    strata = [{"source": "web", "documents": 9, "bytes": 900, "bytes_kept": 90, "bytes_wanted": 91.5}]
    told = {
        "share": 0.1,
        "representative": False,
        "criteria": criteria,
        "advice": "Take a larger share.",
        "strata": strata,
    }
    study.summary.facts.steps["exact"] = told
    text = Reader(
        html(Head("corpus report", "t", "a"), [p for p in compose_corpus(study) if not p.block.charts()], {})
    ).text
    for part in (
        "the sample does not stand for the whole in words",
        "Take a larger share.",
        "too little text",
        "bytes wanted",
    ):
        assert part in text, part


def test_a_report_of_a_form_that_nobody_knows_is_shown_as_it_is(tmp_path):
    study = CorpusStudy(write_corpus(tmp_path, steps=["exact"]))
    study.summary.facts.steps["exact"] = {
        "rounds": 3,
        "bytes_seen": 5000,
        "by_hand": {"a": {"share": 0.5}},
        "names": ["x", "y"],
    }
    chosen = next(part for part in compose_corpus(study) if part.name == "chosen")
    text = Reader(html(Head("corpus report", "t", "a"), [chosen], {})).text
    for part in ("what it tells of its work", "rounds", "5 kB", "by hand", "50.0", "[x, y]"):
        assert part in text, part


def test_a_folder_without_a_corpus_is_refused(tmp_path):
    with pytest.raises(RecordError, match="unfinished"):
        write_corpus_report(tmp_path)
    assert not (tmp_path / "report.html").exists()


def test_the_command_writes_the_page_and_prints_its_path(built, tmp_path):
    page = tmp_path / "page.html"
    done = CliRunner().invoke(commands, ["report", str(built.folder), "--out", str(page), "--quiet"])
    assert done.exit_code == 0, done.output
    assert done.stdout.strip() == str(page)
    assert page.is_file()
