"""Choosing by tables of scores, and the tables of difficulty that a curriculum reads."""

from __future__ import annotations

import json
import math

import duckdb
import pytest
from pydantic import ValidationError
from selection_examples import COOKING, LAW, decide, document, kept, prose

from pilotlight.corpus.difficulty import difficulty, measure_named
from pilotlight.corpus.pile import Pile, make_split
from pilotlight.corpus.ranking import summary
from pilotlight.corpus.select.scores import Scores
from pilotlight.corpus.side_table import read_scores
from pilotlight.errors import ConfigError, DataError
from pilotlight.work.flow import Flow
from pilotlight.work.pool import Pool

DOCUMENTS = [document(f"text number {number:02d}", number) for number in range(40)]


def jsonl(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def written(folder, kind):
    rows = [{"id": one.id, "score": float(number)} for number, one in enumerate(DOCUMENTS)]
    path = folder / f"scores.{kind}"
    if kind == "jsonl":
        return jsonl(path, rows)
    if kind == "csv":
        path.write_text("id,score\n" + "".join(f"{row['id']},{row['score']}\n" for row in rows))
        return path
    plain = jsonl(folder / "plain.jsonl", rows)
    duckdb.sql(f"copy (select * from read_json('{plain}', columns={{id: 'varchar', score: 'double'}})) to '{path}'")
    return path


def numbers(ids):
    return {int(id, 16) for id in ids}


@pytest.mark.parametrize("kind", ["jsonl", "csv", "parquet"])
@pytest.mark.parametrize(
    ("keep", "expected"), [("highest", range(30, 40)), ("lowest", range(10)), ("middle", range(15, 25))]
)
def test_the_wanted_part_is_kept_from_any_kind_of_table(tmp_path, kind, keep, expected):
    step = Scores(table=written(tmp_path, kind), share=0.25, keep=keep)
    decisions, _ = decide(step, [DOCUMENTS], tmp_path / "work")
    assert numbers(kept(decisions, DOCUMENTS)) == set(expected)


def test_thresholds_keep_what_lies_between_them(tmp_path):
    step = Scores(table=written(tmp_path, "jsonl"), at_least=5, below=9)
    decisions, _ = decide(step, [DOCUMENTS], tmp_path / "work")
    assert numbers(kept(decisions, DOCUMENTS)) == {5, 6, 7, 8}


def test_losses_of_a_run_are_read_as_bits_per_byte(tmp_path):
    table = jsonl(tmp_path / "scores.jsonl", [{"item": "a", "nats": 7.0, "tokens": 3, "bytes": 10}])
    assert list(read_scores(table)) == [("a", pytest.approx(0.7 / math.log(2)))]


def test_what_is_still_to_be_learned_is_the_difference_of_two_losses(tmp_path):
    ours = jsonl(tmp_path / "ours.jsonl", [{"id": one.id, "score": 5.0 + n} for n, one in enumerate(DOCUMENTS)])
    good = jsonl(tmp_path / "good.jsonl", [{"id": one.id, "score": 2.0 * n} for n, one in enumerate(DOCUMENTS)])
    decisions, _ = decide(Scores(table=ours, minus=good, share=0.1), [DOCUMENTS], tmp_path / "work")
    assert numbers(kept(decisions, DOCUMENTS)) == {0, 1, 2, 3}
    assert decisions[DOCUMENTS[7].id].values == {"score": -2.0}


@pytest.mark.parametrize(("missing", "there"), [("keep", True), ("drop", False)])
def test_documents_without_a_score_are_kept_or_dropped_and_counted(tmp_path, missing, there):
    table = jsonl(tmp_path / "t.jsonl", [{"id": one.id, "score": n} for n, one in enumerate(DOCUMENTS[:30])])
    decisions, facts = decide(Scores(table=table, share=0.5, missing=missing), [DOCUMENTS], tmp_path / "work", summary)
    ids = kept(decisions, DOCUMENTS)
    assert {one.id in ids for one in DOCUMENTS[30:]} == {there}
    assert facts["without_value"] == 10
    assert there or decisions[DOCUMENTS[35].id].drop == "no score"


def test_documents_without_a_score_stop_the_build_unless_told_otherwise(tmp_path):
    table = jsonl(tmp_path / "t.jsonl", [{"id": one.id, "score": 1} for one in DOCUMENTS[:30]])
    with pytest.raises(DataError, match="10 of 40 documents have no score"):
        decide(Scores(table=table, share=0.5), [DOCUMENTS], tmp_path / "work")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"name": "a", "score": 1}], "no 'id'"),
        ([{"id": "a", "score": float("nan")}], "finite score"),
        ([{"id": "a", "score": 1}, {"id": "a", "score": 2}], "two different scores"),
        (["a"], "no JSON object"),
    ],
)
def test_tables_that_are_none_are_refused(tmp_path, rows, message):
    with pytest.raises(DataError, match=message):
        decide(Scores(table=jsonl(tmp_path / "t.jsonl", rows), share=0.5), [DOCUMENTS], tmp_path / "work")


def test_a_table_that_is_missing_or_settings_that_contradict_are_refused(tmp_path):
    with pytest.raises(DataError, match="does not exist"):
        decide(Scores(table=tmp_path / "none.csv", share=0.5), [DOCUMENTS], tmp_path / "work")
    for wrong in ({}, {"share": 0.5, "below": 1}, {"at_least": 3, "below": 2}):
        with pytest.raises(ValidationError):
            Scores.model_validate({"table": tmp_path / "none.csv", **wrong})


def measured(documents, folder, **given):
    with Pool(0) as inline:
        flow = Flow(folder, inline)
        splits = [make_split(folder / "given", part, flow) for part in (documents[::2], documents[1::2])]
        return difficulty(Pile(flow, "difficulty", tuple(splits)), **given)


@pytest.mark.parametrize("by", ["length", "perplexity", "rare_words"])
def test_difficulty_is_a_table_that_scores_read_in_the_order_of_ids(tmp_path, by):
    easy = [document(prose(COOKING, 30, n), n) for n in range(40)]
    hard = [document(prose([f"{word}{n}x" for word in LAW], 90, n), 100 + n) for n in range(10)]
    path = measured([*easy, *hard], tmp_path, by=by)
    table = dict(read_scores(path))
    assert list(table) == sorted(table)
    assert len(table) == 50
    assert min(table[one.id] for one in hard) > max(table[one.id] for one in easy)
    decisions, _ = decide(
        Scores(table=path, share=0.5, keep="lowest", of="documents"), [[*easy, *hard]], tmp_path / "work"
    )
    assert all(decisions[one.id].drop for one in hard)


def test_difficulty_can_be_the_loss_of_a_run(tmp_path):
    table = jsonl(
        tmp_path / "scores.jsonl", [{"item": one.id, "nats": n + 1, "bytes": 10} for n, one in enumerate(DOCUMENTS)]
    )
    found = dict(read_scores(measured(DOCUMENTS, tmp_path, by="loss", losses=table)))
    assert sorted(found, key=found.__getitem__) == [one.id for one in DOCUMENTS]
    with pytest.raises(ConfigError, match="give one with --losses"):
        measured(DOCUMENTS, tmp_path, by="loss")


def test_measures_are_named_with_spaces_too_and_others_are_refused_with_the_nearest():
    assert measure_named("Rare words", losses=False) == measure_named("rare_words", losses=False) == "rare_words"
    with pytest.raises(ConfigError, match="Did you mean 'perplexity'"):
        measure_named("perplexty", losses=False)
