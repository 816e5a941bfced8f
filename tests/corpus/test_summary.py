"""What a finished corpus is summed up as: counts that add up, thresholds found by asking, samples that hide what is private."""

from __future__ import annotations

import json

import pytest
from text_examples import sentence, write_jsonl
from typer.testing import CliRunner

from pilotlight.cli.corpus import corpus as commands
from pilotlight.corpus.build import build
from pilotlight.corpus.corpus import Corpus
from pilotlight.corpus.recipe import Recipe
from pilotlight.corpus.summaries.alike import clusters, comparing_steps, held_out_copies, pairs, similarities
from pilotlight.corpus.summaries.amounts import axes, edited_away, moved, passed, readable, stages
from pilotlight.corpus.summaries.licences import licences
from pilotlight.corpus.summaries.measured import spreads
from pilotlight.corpus.summaries.private_data import private_data
from pilotlight.corpus.summaries.rates import rate
from pilotlight.corpus.summaries.samples import by_reason, choose, look, with_texts
from pilotlight.corpus.summaries.warnings import warnings
from pilotlight.corpus.summaries.would import would_drop
from pilotlight.corpus.summary import Summary
from pilotlight.errors import ConfigError

MAIL = "anna.serra@correu.example.cat"


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> Corpus:
    """A corpus of a good source and one that is mostly digits, with private data in texts that are kept and dropped."""
    folder = tmp_path_factory.mktemp("summary")
    good = [sentence(number, 60) for number in range(80)]
    good += [*good[10:18], good[10], f"{sentence(300)} Write to {MAIL} soon.", "short"]
    digits = [f"{number} " * 40 + f"write {MAIL}" for number in range(1000, 1060)]
    write_jsonl(folder / "good.jsonl", good)
    write_jsonl(folder / "digits.jsonl", digits)
    recipe = {
        "sources": [{"kind": "jsonl", "path": folder / name} for name in ("good.jsonl", "digits.jsonl")],
        "steps": ["unicode", "length", {"kind": "letters", "least": 0.5}, "exact", "pii"],
    }
    return build(Recipe.model_validate(recipe), folder / "out", workers=0)


@pytest.fixture(scope="module")
def summary(corpus) -> Summary:
    return Summary(corpus)


def test_a_rate_is_inside_wilsons_interval_and_absent_where_nothing_was_counted():
    found = rate(2, 100)
    assert (found.value, round(found.low, 4), round(found.high, 4)) == (0.02, 0.0055, 0.07)
    assert (rate(0, 10).low, rate(10, 10).high) == (0.0, 1.0)
    assert rate(0, 0) is None


def test_stages_lead_from_what_was_read_to_what_is_trained_on(summary):
    found = stages(summary)
    left = readable(summary)
    for stage in found:
        assert stage.left.documents == left.documents - stage.gone.documents
        assert stage.left.bytes == left.bytes - stage.gone.bytes
        left = stage.left
    assert left.documents == summary.facts.train.documents
    assert left.bytes - edited_away(summary) == summary.facts.train.bytes
    assert edited_away(summary) == len(MAIL) - len("<EMAIL>")


def test_every_axis_counts_every_document_once(summary):
    went = readable(summary).documents - summary.facts.held_out.documents
    assert list(axes(summary)) == ["source", "content", "length"]
    for axis in axes(summary):
        rows = moved(summary, axis)
        assert sum(row.before.documents for row in rows) == went
        assert sum(row.after.bytes for row in rows) == summary.facts.train.bytes
    assert {row.value for row in moved(summary, "source")} == {"good", "digits"}


def test_what_reaches_a_step_is_what_the_steps_before_it_left(summary):
    by_source = passed(summary, "source")
    steps = {item.step: item for item in by_source["digits"]}
    assert steps["letters"].reached == steps["letters"].dropped > 50
    assert steps["exact"].reached == 0
    assert steps["exact"].rate is None
    assert (
        by_source["good"][-1].reached - by_source["good"][-1].dropped == summary.facts.sources["good"].train.documents
    )


def test_thresholds_are_found_by_asking_the_rule(summary):
    [letters] = spreads(summary, "letters")
    [line] = letters.lines
    assert (line.side, line.reason) == ("below", "few letters")
    assert line.at == pytest.approx(0.5)
    assert sum(letters.kept) + (letters.zeros or (0, 0))[0] == summary.facts.train.documents
    assert letters.dropped_quantiles[1] < 0.5 < letters.kept_quantiles[1]
    [length] = spreads(summary, "length")
    assert [(line.side, line.at) for line in length.lines] == [("below", pytest.approx(25.0))]


def test_a_filter_that_only_measures_is_asked_what_it_would_drop(tmp_path, summary):
    assert would_drop(summary, "letters") is None, "it drops already"
    texts = [sentence(number, 60) for number in range(60)] + [f"{number} " * 40 for number in range(1000, 1020)]
    source = {"kind": "jsonl", "path": write_jsonl(tmp_path / "texts.jsonl", texts)}
    steps = [{"kind": "letters", "least": 0.5, "only_annotate": True}]
    built = build(Recipe.model_validate({"sources": [source], "steps": steps}), tmp_path / "out", workers=0)
    found = would_drop(Summary(built), "letters", each=2)
    assert found.asked == built.facts.train.documents
    assert list(found.reasons) == ["few letters"]
    assert 10 < found.reasons["few letters"] <= 20
    assert len(found.ids["few letters"]) == 2
    assert found.rate.low < found.reasons["few letters"] / found.asked < found.rate.high
    shown = with_texts(Summary(built), by_reason(Summary(built), "letters", dict(found.ids["few letters"])))
    assert all(sample.text.startswith("10") and sample.reason.startswith("few letters: ") for sample in shown)


def test_a_step_that_measured_nothing_has_no_spread(summary):
    assert spreads(summary, "exact") == []
    assert spreads(summary, "unicode") == []


def test_samples_are_chosen_by_the_hash_and_the_seed(summary):
    first = choose(summary, fate="train", count=5)
    assert first == choose(summary, fate="train", count=5)
    assert len({sample.id for sample in first}) == 5
    assert [one.id for one in first] != [one.id for one in choose(summary, fate="train", count=5, seed=1)]
    assert [one.id for one in first[:3]] == [one.id for one in choose(summary, fate="train", count=3)]


def test_private_data_is_replaced_in_samples_of_texts_that_no_step_redacted(summary):
    found = with_texts(summary, choose(summary, fate="dropped", step="letters", count=5))
    assert len(found) == 5
    for sample in found:
        assert "write <EMAIL>" in sample.text
        assert MAIL not in sample.text
        assert sample.values["letters.letters"] < 0.5


def test_a_dropped_copy_is_shown_with_what_stays(summary):
    found = look(summary.corpus, fate="dropped", step="exact")
    assert found
    for sample in found:
        assert sample.twin_text == sample.text or sample.twin_text.startswith(sample.text[:100])
        assert sample.twin_source == "good"


def test_those_nearest_to_a_line_can_be_asked_for(summary):
    near = choose(summary, fate="train", step="length", count=3, near=("length.characters", 25.0))
    lengths = [sample.values["length.characters"] for sample in near]
    every = [row[0] for row in summary.ask("SELECT \"length.characters\" FROM records WHERE fate = 'train'")]
    assert lengths == sorted(every)[:3]


def test_a_step_or_fate_that_is_not_there_is_refused_with_the_nearest_name(corpus):
    with pytest.raises(ConfigError, match=r"no step 'leters'.*letters"):
        look(corpus, fate="dropped", step="leters")
    with pytest.raises(ConfigError, match="expected train or dropped"):
        look(corpus, fate="kept")


def test_duplicates_are_counted_by_source_group_and_similarity(summary):
    steps = comparing_steps(summary)
    assert "exact" in steps
    assert sum(pair.documents for pair in pairs(summary)) == 9
    assert [cluster.documents for cluster in clusters(summary)] == [2]
    assert sum(sum(similarities(summary, step)) for step in steps) == 9
    assert sum(held_out_copies(summary).values()) <= 9


def test_private_data_is_counted_by_kind_and_source(summary):
    found, touched = private_data(summary, "pii")
    assert [(item.kind, item.found, item.action) for item in found] == [("email", 1, "redact")]
    assert {item.source: item.found for item in touched} == {"good": 1}


def test_a_source_that_loses_most_of_its_text_and_a_rule_that_hits_one_source_are_warned_of(summary):
    told = " ".join(warnings(summary))
    assert "digits lost 9" in told or "digits lost 100 %" in told
    assert "letters drops 100 % of the documents of source digits" in told


def test_licences_are_counted_where_documents_carry_them(corpus, summary, tmp_path):
    assert licences(summary) == ({}, True)
    lines = [json.dumps({"text": sentence(number), "license": "MIT" if number % 2 else ""}) for number in range(60)]
    (tmp_path / "code.jsonl").write_text("\n".join(lines), encoding="utf-8")
    source = {"kind": "jsonl", "path": tmp_path / "code.jsonl", "keep": ["license"]}
    built = build(Recipe.model_validate({"sources": [source], "steps": []}), tmp_path / "out", workers=0)
    found, complete = licences(Summary(built))
    assert complete
    assert sum(amount.documents for amount in found["code"].values()) == built.facts.train.documents
    assert set(found["code"]) == {"MIT", "none given"}


def test_the_command_prints_documents_to_look_at(corpus):
    run = CliRunner()
    told = run.invoke(commands, ["sample", str(corpus.folder), "--step", "letters", "--count", "2"])
    assert told.exit_code == 0
    assert told.stdout.count("dropped by letters") == 2
    assert MAIL not in told.stdout
    found = json.loads(
        run.invoke(commands, ["sample", str(corpus.folder), "--fate", "train", "--count", "3", "--json"]).stdout
    )
    assert len(found) == 3
    assert all(one["fate"] == "train" and one["text"] for one in found)
