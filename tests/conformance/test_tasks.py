"""What every task has to keep, over all files of ``pilotlight.evals.tasks``, and the published sets they read."""

from __future__ import annotations

import csv
import gzip
import json
import os
from pathlib import Path

import pytest

from pilotlight.evals.reading import load
from pilotlight.evals.task import Line, Task
from pilotlight.record.scores import ItemScore
from pilotlight.spec import discover, plain
from pilotlight.stats.metric import METRICS

KINDS = discover(Task.folder)
ROWS = {
    "choice": [{"question": f"q{n}", "choices": ["one", "two two"], "answer": n % 2} for n in range(6)],
    "classification": [{"text": f"text {n}", "label": ("no", "yes")[n % 2]} for n in range(6)],
    "passage": [{"text": f"a text {n}"} for n in range(6)],
}
BAD = [
    {},
    {"text": None},
    {"question": 3, "choices": 4, "answer": []},
    {"text": "", "label": ""},
    {"text": 5, "label": 5},
]


@pytest.fixture(params=sorted(KINDS))
def task(request):
    return Task.choose(request.param)


def test_rows_of_its_kind_fit_it_and_others_do_not(task):
    for kind, rows in ROWS.items():
        assert all(task.fits(row) == (kind == task.kind) for row in rows)
    assert not task.fits({})


def test_every_row_is_an_item_or_refused_with_its_line_and_a_reason(task):
    lines = [Line(number, row) for number, row in enumerate([*ROWS[task.kind], *BAD], 1)]
    items, refused = task.items(lines)
    assert len(items) + len(refused) == len(lines)
    assert sorted([int(item.id) for item in items] + [row.line for row in refused]) == list(range(1, len(lines) + 1))
    assert all(row.reason for row in refused)
    for item in items:
        assert all(span.bytes > 0 for span in item.spans)
        assert item.right is None or 0 <= item.right < len(item.spans)


def test_it_says_what_it_expects_and_its_settings_come_back_from_json(task):
    assert len(task.expects) > 3
    assert Task.choose(plain(task)) == task


def test_its_measures_are_estimates_with_known_units_over_items_and_runs(task):
    items, _ = task.items([Line(number, row) for number, row in enumerate(ROWS[task.kind], 1)])

    def run(shift):
        return [
            ItemScore(
                item=item.id, nats=tuple(1.0 + shift + place + int(item.id) / 7 for place in range(len(item.spans))),
                tokens=tuple(3 for _ in item.spans), bytes=tuple(span.bytes for span in item.spans), right=item.right,
            )
            for item in items
        ]  # fmt: skip

    for measure in task.measures(items):
        one, two = measure.of([run(0.0)]).estimate, measure.of([run(0.0), run(0.1)]).estimate
        assert one.low <= one.value <= one.high
        assert (one.n, two.n) == (6, 2)
        assert one.unit == METRICS[measure.name].unit if measure.name in METRICS else one.unit == "share"
        same = measure.difference([run(0.0)], [run(0.0)])
        assert same.value == 0


def shared(*parts: str) -> Path:
    named = os.environ.get("PILOTLIGHT_SHARED_DATA")
    path = (Path(named) if named else Path(__file__).parents[3] / "shared" / "data").joinpath(*parts)
    if not path.exists():
        pytest.skip(f"{path} is not there; set PILOTLIGHT_SHARED_DATA to the folder of the published sets")
    return path


@pytest.mark.parametrize(
    ("parts", "kind", "count"),
    [
        (("benchmarks", "arc", "ARC-Challenge-Dev.jsonl.gz"), "choice", 299),
        (("benchmarks", "arc", "ARC-Easy-Test.jsonl.gz"), "choice", 2376),
        (("benchmarks", "piqa", "valid.jsonl.gz"), "choice", None),
        (("benchmarks", "winogrande", "dev.jsonl.gz"), "choice", None),
        (("benchmarks", "hellaswag", "hellaswag_val.jsonl.gz"), "choice", None),
        (("benchmarks", "lambada", "lambada_openai.jsonl.gz"), "passage", None),
        (("benchmarks", "wikitext2", "wiki.valid.txt.gz"), "passage", None),
    ],
    ids=lambda value: value[-1] if isinstance(value, tuple) else "",
)
def test_every_row_of_a_published_set_is_read(parts, kind, count):
    path = shared(*parts)
    loaded = load(path)
    assert loaded.task.kind == kind
    assert not loaded.refused
    with gzip.open(path) as file:
        rows = sum(1 for line in file if line.strip())
    assert path.name.endswith(".txt.gz") or len(loaded.items) == rows
    assert count in (None, len(loaded.items))


def test_a_published_labelled_set_is_read_as_classification(tmp_path):
    with gzip.open(shared("labelled", "classification", "banking77_test.csv.gz"), "rt", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    path = tmp_path / "banking77.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    loaded = load(path)
    assert loaded.task.kind == "classification"
    assert len(loaded.items) == len(rows)
    assert len(loaded.items[0].labels) == 77
