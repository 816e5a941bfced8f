"""The findings on shards of the held-out text, from the scores of its documents in the run folders."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from made_up_results import World, decision_of, pilot_of, results_of

from pilotlight.manifest import building, write_atomic
from pilotlight.pilot.analyse import analyse
from pilotlight.pilot.shards import SHARDS, by_shard, divided, over_text
from pilotlight.record.results import Results
from pilotlight.record.run import SCORES
from pilotlight.stats.verdict import Verdict

GOOD = World(effects={"half_lr": -0.04})
PILOT = pilot_of(scales=[{"parameters": "100k", "tokens": "1M"}, {"parameters": "300k", "tokens": "3M"}])
DOCUMENTS = [(f"document-{number}", 100 + 37 * (number % 11)) for number in range(60)]


def folder_of(out: Path, results: Results, documents=DOCUMENTS) -> Path:
    """Return ``out`` with a run folder for each row, whose documents come to the row's bits per byte."""
    for row in results.finished():
        with building(out / "runs" / row.name, kind="run", fingerprint="0" * 16, settings={}) as draft:
            lines = []
            for place, (item, size) in enumerate(documents):
                bits = row.metrics["bits_per_byte"] * size
                lines.append({"item": item, "nats": bits * math.log(2), "tokens": 10 + place, "bytes": size})
            write_atomic(draft.folder / SCORES, "".join(json.dumps(line) + "\n" for line in lines))
    return out


def test_documents_without_a_byte_are_in_no_shard():
    empty = [(f"empty-{number}", 0) for number in range(40)]
    shards = divided([*empty, *DOCUMENTS[:4]])
    assert sorted(place for shard in shards for place in shard) == [40, 41, 42, 43]


def test_documents_are_divided_by_their_names_into_shards_of_about_one_size():
    shards = divided(DOCUMENTS)
    assert len(shards) == SHARDS
    assert sorted(place for shard in shards for place in shard) == list(range(len(DOCUMENTS)))
    sizes = [sum(DOCUMENTS[place][1] for place in shard) for shard in shards]
    assert max(sizes) - min(sizes) <= 2 * max(size for _, size in DOCUMENTS)
    turned = DOCUMENTS[::-1]
    named = [[turned[place][0] for place in shard] for shard in divided(turned)]
    assert named == [[DOCUMENTS[place][0] for place in shard] for shard in shards], "whatever their order"
    assert [len(shard) for shard in divided([("one", 10_000), ("other", 10), ("third", 10)])] != []


def test_the_metric_on_shards_is_that_of_their_documents(tmp_path):
    results = results_of(PILOT, GOOD)
    values = by_shard(PILOT, folder_of(tmp_path, results), results)
    assert set(values) == {row.name for row in results.finished()}
    for row in results.finished():
        assert values[row.name] == pytest.approx([row.metrics["bits_per_byte"]] * SHARDS)


@pytest.mark.parametrize("case", ["other documents", "no scores", "few documents", "metric of a task"])
def test_where_shards_would_not_compare_nothing_is_said(tmp_path, case):
    results, pilot = results_of(PILOT, GOOD), PILOT
    folder_of(tmp_path, results, DOCUMENTS[:2] if case == "few documents" else DOCUMENTS)
    if case in ("other documents", "no scores"):
        scores = tmp_path / "runs" / next(results.finished("gelu")).name / SCORES
        kept = scores.read_text().splitlines(keepends=True)
        scores.unlink()
        if case == "other documents":
            scores.write_text("".join(kept[1:]))
    if case == "metric of a task":
        pilot = PILOT.model_copy(update={"goal": PILOT.goal.model_copy(update={"metric": "accuracy"})})
    assert by_shard(pilot, tmp_path, results) == {}


def uneven(results: Results, name: str) -> dict[str, tuple[float, ...]]:
    """Return values on shards that come to the row's, of which ``name`` has its whole gain on the first."""
    found: dict[str, tuple[float, ...]] = {}
    for row in results.finished():
        value = row.metrics["bits_per_byte"]
        gain = 0.05 * value if row.variant == name else 0.0
        found[row.name] = tuple(value + (gain if place else -9 * gain) for place in range(10))
    return found


def test_a_gain_on_one_shard_alone_is_no_gain_on_other_text():
    results = results_of(PILOT, GOOD)
    analysis = analyse(results, PILOT)
    even = over_text(PILOT, results, analysis, {row.name: (row.metrics["bits_per_byte"],) * 10 for row in results.rows})
    (before, *_), (told, *_) = analysis.findings, even.findings
    assert told.comparison == before.comparison
    assert told.held_out.on_the_side_of(-1.0) == 10
    assert told.held_out.effect.high == pytest.approx(told.comparison.effect.high)
    (hangs, *_) = over_text(PILOT, results, analysis, uneven(results, "half_lr")).findings
    assert hangs.comparison.effect.high < 0 < hangs.held_out.effect.high
    assert hangs.held_out.on_the_side_of(-1.0) == 1
    assert over_text(PILOT, results, analysis, {}) is analysis


def test_it_stands_in_the_decision_and_changes_no_verdict():
    results = results_of(PILOT, GOOD)
    plain, told = (decision_of(PILOT, results=results, shards=shards) for shards in ({}, uneven(results, "half_lr")))
    assert [item.held_out for item in plain.findings] == [None, None]
    assert all(item.held_out is not None for item in told.findings)
    assert [item.verdict for item in told.findings] == [item.verdict for item in plain.findings]
    assert told.findings[0].verdict is Verdict.ADOPT
