"""Benchmark items in documents: found however they are set, told item by item, and no false alarm for common words."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import tarfile
from pathlib import Path

import pytest
from pydantic import ValidationError

from pilotlight.corpus.benchmark_items import read_items
from pilotlight.corpus.contamination import wilson
from pilotlight.corpus.document import Document
from pilotlight.corpus.duplicates.decontaminate import Decontaminate
from pilotlight.corpus.folded_text import folded, folded_with_places
from pilotlight.corpus.pile import Pile, make_split, read_decisions
from pilotlight.errors import DataError
from pilotlight.work.flow import Flow
from pilotlight.work.pool import Pool

SHARED = Path(os.environ.get("PILOTLIGHT_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data"))
FERRY = (
    "A ferry carries forty-two bicycles and three times as many passengers from the harbour to the island each morning. "
    "On Sundays it sails twice, but then only half of the places for bicycles may be used. How many passengers cross on "
    "a Sunday morning if every place is taken?"
)
MILL = "Why does the old mill beside the canal stand still whenever the river freezes over?"
BIRD = "Which bird nests on Gull Rock?"
OTHER = (
    "The council met on Tuesday to talk about the new bridge. Nobody could say what it would cost, and the mayor asked "
    "for another report before the summer. Afterwards there was tea in the small hall, and a choir sang. "
)
ITEMS = [
    {"question": FERRY, "answer": "252"},
    {"question": MILL, "choices": ["The wheel is bound in ice", "The miller is ill"], "answer": "A"},
    {"question": BIRD, "answer": "the black guillemot"},
]


@pytest.fixture
def bench(tmp_path):
    path = tmp_path / "quiz.jsonl"
    path.write_text("\n".join(json.dumps(item) for item in ITEMS), encoding="utf-8")
    return path


def run(folder, texts, step, parts=1):
    """Decisions by id, and the report."""
    with Pool(0) as inline:
        flow = Flow(folder / "flow", inline)
        items = list(texts.items())
        splits = tuple(
            make_split(
                folder / "flow" / "given", [Document(text, id, "news", id) for id, text in items[part::parts]], flow
            )
            for part in range(parts)
        )
        pile = Pile(flow, "decontaminate", splits)
        units = step.decide(pile)
        found = {}
        for unit in units:
            found |= read_decisions(unit)
        return found, step.report(pile, units)


def dropped(found):
    return {id: decision.twin for id, decision in found.items() if decision.drop}


BROKEN = FERRY.replace("passengers from", "passen-\ngers\nfrom").replace(" ", "\n   ", 30)
SHOUTED = FERRY.upper().replace(",", " --").replace("forty-two", "FORTY TWO")
WIDE = "".join(chr(ord(letter) + 0xFEE0) if letter.isalpha() else letter for letter in FERRY)
ACCENTED = FERRY.replace("harbour", "ha\u0301rbour").replace("island", "isl\u00e4nd").replace("and", "an\u00add")
EDITED = FERRY.replace("three times", "four times")
FIRST_HALF = FERRY[:150]


@pytest.mark.parametrize(
    "text", [FERRY, BROKEN, SHOUTED, WIDE, ACCENTED, EDITED, FIRST_HALF],
    ids=["as it is", "broken lines", "capitals", "wide letters", "accents", "edited", "half"],
)  # fmt: skip
def test_an_item_inside_a_document_is_found_however_it_is_set(text, bench, tmp_path):
    found, _ = run(tmp_path, {"a": OTHER + text + "\n" + OTHER, "b": OTHER}, Decontaminate(benchmarks=(bench,)))
    assert dropped(found) == {"a": "quiz.jsonl#1"}
    assert found["a"].drop.startswith("holds a benchmark item: ")
    assert found["a"].values["item"] == "quiz.jsonl#1"
    assert 0.5 <= found["a"].values["item_share"] <= 1
    assert 0.1 < found["a"].values["document_share"] < 0.6


def test_short_items_are_found_by_shorter_n_grams_and_the_shortest_with_their_answer(bench, tmp_path):
    texts = {
        "mill": OTHER + MILL + " " + OTHER,
        "bird": OTHER + "Which bird nests on Gull Rock? The black guillemot. " + OTHER,
        "no answer": OTHER + BIRD + " Nobody knows. " + OTHER,
        "part": OTHER + "Why does the old mill beside the canal lose money? " + OTHER,
    }
    found, _ = run(tmp_path, texts, Decontaminate(benchmarks=(bench,)))
    assert dropped(found) == {"mill": "quiz.jsonl#2", "bird": "quiz.jsonl#3"}


def test_a_common_form_of_words_is_no_contamination_but_a_copied_item_is(tmp_path):
    legal = "nothing in this section shall be construed to limit the rights of any party under the law of the land"
    path = tmp_path / "law.jsonl"
    path.write_text(json.dumps({"question": f"{legal}: true or not?"}) + "\n" + json.dumps({"question": FERRY}))
    notices = {f"{number:02d}": f"{OTHER}Note {number}: {legal}, we say. {OTHER}" for number in range(15)}
    copies = {f"copy {number:02d}": OTHER + FERRY for number in range(15)}
    strict = Decontaminate(benchmarks=(path,), common_documents=100)
    assert set(dropped(run(tmp_path / "strict", notices | copies, strict)[0])) == {*notices, *copies}
    found, _ = run(tmp_path / "default", notices | copies, Decontaminate(benchmarks=(path,)))
    assert set(dropped(found)) == set(copies)


def test_a_phrase_that_many_items_begin_with_is_no_contamination(tmp_path):
    path = tmp_path / "many.jsonl"
    opening = (
        "Read the passage below with care and then say which of the following statements about it is the right one:"
    )
    rows = [{"question": f"{opening} {number} boats"} for number in range(300)]
    path.write_text("\n".join(json.dumps(row) for row in rows))
    found, _ = run(tmp_path, {"a": OTHER + opening + OTHER}, Decontaminate(benchmarks=(path,)))
    assert dropped(found) == {}


def test_a_document_that_is_mostly_benchmark_text_goes_even_where_no_item_is_half_there(tmp_path):
    path = tmp_path / "long.jsonl"
    long = " ".join(f"word{number}" for number in range(200))
    path.write_text(json.dumps({"question": long}))
    quoted = " ".join(f"word{number}" for number in range(40))
    found, _ = run(
        tmp_path, {"a": quoted + " indeed it is", "b": OTHER * 2 + quoted}, Decontaminate(benchmarks=(path,))
    )
    assert found["a"].drop.startswith("is benchmark text: 9")
    assert dropped(found) == {"a": "long.jsonl#1"}


def test_cutting_takes_the_sentences_of_the_item_and_leaves_the_rest(bench, tmp_path):
    step = Decontaminate(benchmarks=(bench,), action="cut")
    text = f"{OTHER}{BROKEN}\n{OTHER}"
    found, _ = run(tmp_path, {"a": text, "b": FERRY + " So."}, step)
    assert not found["a"].drop
    ((start, end, twin),) = found["a"].cuts
    assert twin == "quiz.jsonl#1"
    assert text[:start] + text[end:] == OTHER + OTHER
    assert found["b"].drop, "nothing would be left of it"


def test_the_report_tells_of_every_item_and_does_not_depend_on_splits(bench, tmp_path):
    texts = {"b": OTHER + FERRY, "a": OTHER + FERRY, "c": OTHER, "d": OTHER + MILL}
    step = Decontaminate(benchmarks=(bench,))
    once = run(tmp_path / "1", texts, step)
    for parts in (2, 3):
        assert run(tmp_path / str(parts), texts, step, parts) == once
    files = once[1]["files"]["quiz.jsonl"]
    assert (files["items"], files["looked_for"], files["found"]) == (3, 3, 2)
    assert files["share"] == pytest.approx(2 / 3)
    assert files["low"] < 2 / 3 < files["high"]
    worst = once[1]["items"][0]
    assert (worst["item"], worst["share"], worst["document"], worst["documents"]) == ("quiz.jsonl#1", 1.0, "a", 2)


def test_a_changed_benchmark_is_noticed(bench, tmp_path):
    step = Decontaminate(benchmarks=(bench,))
    texts = {"a": OTHER + FERRY}
    assert dropped(run(tmp_path, texts, step)[0])
    bench.write_text(json.dumps(ITEMS[1]))
    assert not dropped(run(tmp_path, texts, step)[0])


def test_a_step_without_benchmarks_is_refused_when_the_plan_is_read():
    for given in ({}, {"benchmarks": []}):
        with pytest.raises(ValidationError, match=r"no benchmarks are given.*benchmarks: \[benchmarks/\]"):
            Decontaminate.model_validate(given)


def test_a_benchmark_that_is_missing_or_broken_stops_the_step(tmp_path):
    with pytest.raises(DataError, match="does not exist"):
        run(tmp_path, {"a": OTHER}, Decontaminate(benchmarks=(tmp_path / "none.jsonl",)))
    (tmp_path / "bad.jsonl").write_text('{"question": "one"}\n{"question": ')
    with pytest.raises(DataError, match="line 2"):
        run(tmp_path, {"a": OTHER}, Decontaminate(benchmarks=(tmp_path / "bad.jsonl",)))


def items(tmp_path, name, data, fields=()):
    path = tmp_path / name
    raw = data if isinstance(data, bytes) else data.encode()
    path.write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
    return list(read_items(path, name, fields))


LAYOUTS = {
    "stem and labelled choices": (
        {"id": "M_1", "question": {"stem": MILL, "choices": [{"text": "ice", "label": "A"}, {"text": "flu", "label": "B"}]},
         "answerKey": "B"}, (MILL,), ("flu",), ("ice", "flu")),
    "context and endings": ({"ind": 3, "ctx": OTHER, "endings": ["one", "two"], "label": 1, "split": "val"},
                            (OTHER,), ("two",), ("one", "two")),
    "blank with options": ({"sentence": "Ada thanked Bo because _ had helped.", "option1": "Ada", "option2": "Bo", "answer": "2"},
                           ("Ada thanked Bo because _ had helped.", "Ada thanked Bo because Ada had helped.",
                            "Ada thanked Bo because Bo had helped."), ("Bo",), ("Ada", "Bo")),
    "worked answer": ({"question": FERRY, "answer": "42 x 3 = 126\n#### 126"}, (FERRY,), ("42 x 3 = 126\n#### 126",), ()),
    "targets as keys": ({"question": MILL, "mc1_targets": {"The ice does it": 1, "The miller is ill": 0}},
                        (MILL,), ("The ice does it",), ("The miller is ill",)),
    "targets as lists": ({"id": 1, "question": MILL, "mc1_targets": {"choices": ["The ice", "The flu"], "labels": [1, 0]}},
                         (MILL,), (), ("The ice", "The flu")),
    "context, question and numbered answers": (
        {"example_id": 0, "context": OTHER, "question": BIRD, "ans0": "The gull", "ans1": "Unknown", "label": 1,
         "answer_info": {"ans0": ["gull", "bird"]}, "additional_metadata": {"source": "https://a.example/one-two"}},
        (OTHER, BIRD), ("Unknown",), ("The gull", "Unknown")),
    "goal and solutions": ({"goal": MILL, "sol1": "Heat it", "sol2": "Wait", "label": 0},
                           (MILL,), ("Heat it",), ("Heat it", "Wait")),
}  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_parts_of_an_item_are_found_by_the_names_of_fields(layout, tmp_path):
    row, main, answers, choices = LAYOUTS[layout]
    (item,) = items(tmp_path, "one.jsonl.gz", json.dumps(row))
    assert (item.main, item.answers, item.choices) == (main, answers, choices)
    assert item.name == "one.jsonl.gz#1"


def test_tables_with_and_without_a_row_of_names_are_read(tmp_path):
    def table(*rows):
        out = io.StringIO()
        csv.writer(out).writerows(rows)
        return out.getvalue()

    (named,) = items(tmp_path, "a.csv", "\ufeff" + table(["Type", "Question", "Best Answer"], ["x", MILL, "The ice"]))
    assert (named.main, named.answers) == ((MILL,), ("The ice",))
    (bare,) = items(tmp_path, "b.csv", table([MILL, "ice", "flu", "age", "war", "C"]))
    assert (bare.main, bare.answers, bare.choices) == ((MILL,), ("age",), ("ice", "flu", "age", "war"))


def test_nested_json_archives_and_plain_lines_are_read(tmp_path):
    nested = {"smiths": {"Tin_smith": ["A tin smith is a person who", "Tin smiths often work"]}}
    assert [item.main for item in items(tmp_path, "p.json.gz", json.dumps(nested))] == [
        ("A tin smith is a person who",), ("Tin smiths often work",),
    ]  # fmt: skip
    numbered = {"1": {"prompt": MILL}, "2": {"prompt": BIRD}}
    assert [item.main for item in items(tmp_path, "q.json", json.dumps(numbered))] == [(MILL,), (BIRD,)]
    assert [item.main for item in items(tmp_path, "r.txt.dev", f"{MILL}\n\n{BIRD}\n")] == [(MILL,), (BIRD,)]
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, text in (("d/two.csv", f"{BIRD},a,b,A\n"), ("d/.hidden.csv", "no"), ("d/read.me", "no")):
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    (item,) = items(tmp_path, "all.tar.gz", packed.getvalue())
    assert item.name == "all.tar.gz/d/two.csv#1"
    assert item.answers == ("a",)


def test_named_fields_are_all_that_counts(tmp_path):
    row = {"question": MILL, "note": "not this", "hint": BIRD}
    (item,) = items(tmp_path, "one.jsonl", json.dumps(row), ("hint",))
    assert (item.main, item.answers, item.choices) == ((BIRD,), (), ())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Caf\u00e9 CAFE\u0301", "cafe cafe"),
        ("\ufb01nd Stra\u00dfe", "find strasse"),
        ("exam-\n  ple", "example"),
        ("1914-\n1918", "1914-\n1918"),
        ("soft\u00adware", "software"),
        ("\uff21\uff22", "ab"),
    ],
)
def test_folding_takes_away_what_copies_differ_in_and_knows_where_it_was(text, expected):
    assert folded(text) == expected
    plain, places = folded_with_places(text)
    assert plain == expected
    assert len(places) == len(plain)
    assert places[0] == 0
    assert places[-1] >= len(text) - 2


def test_intervals_hold_the_share_and_shrink():
    assert wilson(0, 0) == (0.0, 1.0)
    assert wilson(0, 100)[0] == 0.0
    low, high = wilson(50, 100)
    assert (round(low, 3), round(high, 3)) == (0.404, 0.596)
    assert wilson(500, 1000)[1] < high


@pytest.mark.skipif(not SHARED.is_dir(), reason=f"no data at {SHARED}; set PILOTLIGHT_SHARED_DATA to have it tested")
def test_articles_that_prompts_were_taken_from_are_found_and_other_pages_are_not(tmp_path):
    texts = {}
    for name in ("en_wikipedia_bold", "en_gov_digitalgov"):
        with gzip.open(SHARED / "corpora" / f"{name}.jsonl.gz", "rt", encoding="utf-8", newline="\n") as file:
            texts |= {f"{name}#{at}": json.loads(line)["text"] for at, line in zip(range(400), file, strict=False)}
    found, report = run(tmp_path, texts, Decontaminate(benchmarks=(SHARED / "benchmarks" / "bias" / "bold",)))
    gone = dropped(found)
    assert sum(id.startswith("en_wikipedia") for id in gone) >= 398
    assert not any(id.startswith("en_gov") for id in gone)
    assert sum(file["found"] for file in report["files"].values()) > 1000
