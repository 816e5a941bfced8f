from __future__ import annotations

import random

import pytest
from text_examples import sentence, write_jsonl

from pilotlight.corpus.build import build
from pilotlight.corpus.corpus import Corpus
from pilotlight.corpus.recipe import Recipe
from pilotlight.corpus.sameness import text_key
from pilotlight.corpus.store import rows
from pilotlight.errors import ConfigError, DataError, RecordError
from pilotlight.events import Note, Progress

STEPS = ["unicode", "exact", "length", "letters", "unbroken", "repetition", "boilerplate"]


def recipe(path, kind="jsonl", **more) -> Recipe:
    return Recipe.model_validate({"sources": [{"kind": kind, "path": path}], "steps": STEPS, **more})


@pytest.fixture
def dirty(tmp_path):
    """A folder of good, bad, repeated and unreadable text."""
    folder = tmp_path / "texts"
    good = [sentence(number) for number in range(300)]
    repeated = [good[number].upper() for number in range(40)]
    write_jsonl(folder / "a.jsonl", [*good, *repeated, "short", "1 2 3 4 5 " * 20, "buy it now " * 100])
    (folder / "b.jsonl").write_text('{"text": "\\u0000 "}\n{"text": "\\ud800"}\n{"title": 1}\n{"te', encoding="utf-8")
    (folder / "c.txt").write_bytes("città".encode("latin-1"))
    (folder / "d.txt").write_text("Cafe\u0301 opens\r\nat nine, and closes when the last guest goes.", encoding="utf-8")
    return folder


def files_of(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def rows_of(corpus, fate):
    return [row for path in corpus.files(fate) for row in rows(path)]


def test_every_record_is_trained_on_held_out_dropped_or_quarantined(dirty, tmp_path):
    corpus = build(recipe(dirty, "folder", held_out=0), tmp_path / "out")
    facts = corpus.facts
    assert facts.records == 300 + 40 + 3 + 4 + 1 + 1
    assert facts.quarantined == {
        "broken JSON": 1, "broken Unicode": 1, "no field 'text'": 1, "no text": 1, "not UTF-8": 1,
    }  # fmt: skip
    assert facts.dropped["length"]["too short"].documents == 1
    assert facts.dropped["letters"]["few letters"].documents == 1
    assert facts.dropped["repetition"]["repeats itself"].documents == 1
    assert facts.dropped["exact"]["exact duplicate"].documents == 40
    assert facts.train.documents == 301


def test_the_counts_are_those_of_the_files(dirty, tmp_path):
    corpus = build(recipe(dirty, "folder"), tmp_path / "out")
    facts = corpus.facts
    facts.check()
    assert facts.train.documents == sum(1 for _ in corpus.documents("train"))
    assert facts.held_out.documents == sum(1 for _ in corpus.documents("held_out")) > 0
    assert facts.train.bytes == sum(document.bytes for document in corpus.documents("train"))
    assert facts.dropped_documents == len(rows_of(corpus, "dropped"))
    lost = facts.model_copy(update={"records": facts.records + 1})
    with pytest.raises(RecordError, match="350 records were read"):
        lost.check()


def test_no_text_is_on_both_sides_and_none_is_trained_on_twice(dirty, tmp_path):
    corpus = build(recipe(dirty, "folder", held_out="20%"), tmp_path / "out")
    train = [text_key(document.text) for document in corpus.documents("train")]
    held_out = [text_key(document.text) for document in corpus.documents("held_out")]
    assert len(set(train)) == len(train)
    assert len(set(held_out)) == len(held_out)
    assert not set(train) & set(held_out)


def test_two_builds_give_the_same_bytes_also_of_a_moved_folder(dirty, tmp_path):
    first = build(recipe(dirty, "folder"), tmp_path / "one")
    moved = dirty.rename(tmp_path / "elsewhere")
    again = build(
        Recipe.model_validate({"sources": [{"kind": "folder", "path": moved, "name": "texts"}], "steps": STEPS}),
        tmp_path / "two",
    )
    one, two = files_of(tmp_path / "one"), files_of(tmp_path / "two")
    assert first.fingerprint == again.fingerprint
    assert one.pop("manifest.json")
    assert two.pop("manifest.json")
    assert one == two
    names = {"train/00000.jsonl.zst", "held_out.jsonl.zst", "dropped/00000.jsonl.zst", "quarantined/00000.jsonl"}
    assert set(one) == names | {"records/00000.parquet", "records/00001.parquet"}


def test_held_out_text_is_as_it_was_read_and_the_same_whatever_the_steps(tmp_path):
    texts = [f"{sentence(number)}\r\nE\u0301s" for number in range(200)]
    path = write_jsonl(tmp_path / "a.jsonl", texts)
    plain = build(recipe(path, steps=[]), tmp_path / "plain")
    edited = build(recipe(path, steps=["unicode", {"kind": "length", "least": 150}, "exact"]), tmp_path / "edited")
    held_out = list(plain.documents("held_out"))
    assert held_out == list(edited.documents("held_out"))
    assert {document.text for document in held_out} <= set(texts)
    assert not [document for document in edited.documents("train") if "\r" in document.text]
    assert plain.fingerprint != edited.fingerprint


def test_ids_do_not_depend_on_steps_or_on_other_files(tmp_path):
    path = write_jsonl(tmp_path / "texts" / "a.jsonl", [sentence(number) for number in range(30)])
    alone = build(recipe(path.parent, "folder", steps=[]), tmp_path / "alone")
    write_jsonl(tmp_path / "texts" / "0.jsonl", [sentence(number) for number in range(50, 70)])
    both = build(recipe(path.parent, "folder"), tmp_path / "both")

    def ids(corpus):
        return {doc.text: doc.id for split in ("train", "held_out") for doc in corpus.documents(split)}

    assert ids(alone).items() <= ids(both).items()


def test_training_text_that_an_edit_makes_equal_to_held_out_text_is_dropped(tmp_path):
    texts = [sentence(number) for number in range(100)]
    path = write_jsonl(tmp_path / "a.jsonl", texts)
    held = {doc.text for doc in build(recipe(path), tmp_path / "first").documents("held_out")}
    marked = [text.replace("a", "a\x07") for text in texts]
    path = write_jsonl(tmp_path / "a.jsonl", [*texts, *marked])
    corpus = build(recipe(path, steps=["unicode"]), tmp_path / "second")
    train = {document.text for document in corpus.documents("train")}
    assert held
    assert not train & {doc.text for doc in corpus.documents("held_out")}
    assert corpus.facts.dropped["held_out"]["repeats held-out text"].documents >= 1


def test_a_finished_corpus_is_used_as_it_is_and_changed_input_is_noticed(tmp_path):
    path = write_jsonl(tmp_path / "a.jsonl", [sentence(number) for number in range(50)])
    build(recipe(path), tmp_path / "out")
    before = (tmp_path / "out" / "manifest.json").stat().st_mtime_ns
    events = []
    build(recipe(path), tmp_path / "out", watch=events.append)
    assert (tmp_path / "out" / "manifest.json").stat().st_mtime_ns == before
    tasks = {event.task for event in events if isinstance(event, Progress)}
    assert tasks == {"looking at a"}
    assert not (tmp_path / ".out.work").exists()
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("Article 7:", "Article 8:"), encoding="utf-8")
    with pytest.raises(RecordError, match="other settings or other input"):
        build(recipe(path), tmp_path / "out")
    with pytest.raises(RecordError, match="held_out_bytes"):
        build(recipe(path, held_out_bytes="2k"), tmp_path / "out")


def test_an_empty_corpus_says_what_became_of_every_record_and_leaves_nothing(tmp_path):
    path = write_jsonl(tmp_path / "a.jsonl", ["short", "tiny", "wee"])
    path.write_text(path.read_text(encoding="utf-8") + "{\n", encoding="utf-8")
    with pytest.raises(
        DataError, match=r"no text is left.*4 records from a.*dropped by length \(too short\).*1 quarantined"
    ):
        build(recipe(path), tmp_path / "out")
    write_jsonl(path, ["words"], field="body")
    with pytest.raises(DataError, match=r"no field 'text'.*the fields are: body; set text_field"):
        build(recipe(path), tmp_path / "out")
    assert {item.name for item in tmp_path.iterdir()} == {"a.jsonl"}


def test_an_output_folder_inside_the_text_is_refused(dirty, tmp_path):
    with pytest.raises(ConfigError, match=r"lies inside.*Choose a folder outside"):
        build(recipe(dirty, "folder"), dirty / "runs" / "corpus")
    assert not (dirty / "runs").exists()


def test_one_large_text_file_can_be_split(tmp_path):
    path = tmp_path / "all.txt"
    words = random.Random(3).choices([sentence(number, 1) for number in range(5000)], k=60_000)
    path.write_text("\n\n".join(" ".join(words[at : at + 30]) for at in range(0, len(words), 30)), encoding="utf-8")
    facts = build(recipe(path, "text"), tmp_path / "out").facts
    assert facts.train.documents >= 10
    assert facts.held_out.documents >= 1
    assert facts.held_out.bytes >= 50_000


def test_watchers_hear_progress_and_what_was_set_aside_or_not_read(dirty, tmp_path):
    (dirty / "e.pdf").write_bytes(b"%PDF")
    events = []
    build(recipe(dirty, "folder"), tmp_path / "out", watch=events.append)
    notes = [event.text for event in events if isinstance(event, Note)]
    assert any("not read: 1 .pdf" in text for text in notes)
    assert any("set aside: 1 broken JSON" in text for text in notes)
    assert [event for event in events if isinstance(event, Progress) and event.task == "reading"]


def test_dropped_rows_name_step_reason_and_twin(dirty, tmp_path):
    corpus = build(recipe(dirty, "folder"), tmp_path / "out")
    dropped = rows_of(corpus, "dropped")
    known = {
        document.id for split in ("train", "held_out") for document in Corpus.open(tmp_path / "out").documents(split)
    }
    assert all(row["step"] and row["reason"] and row["text"] for row in dropped)
    assert all((row["twin"] in known) == (row["similarity"] == 1.0) for row in dropped)
    aside = rows_of(corpus, "quarantined")
    assert {row["origin"] for row in aside} == {"b.jsonl#1", "b.jsonl#2", "b.jsonl#3", "b.jsonl#4", "c.txt#1"}


def test_filters_for_prose_leave_code_alone(tmp_path):
    folder = tmp_path / "texts"
    folder.mkdir()
    (folder / "list.txt").write_text("\n".join(f"- item {number}" for number in range(20)), encoding="utf-8")
    (folder / "prose.txt").write_text(sentence(1), encoding="utf-8")
    source = {"kind": "folder", "path": folder, "name": "x"}
    as_prose = build(Recipe.model_validate({"sources": [source], "held_out": 0}), tmp_path / "1")
    as_code = build(Recipe.model_validate({"sources": [source | {"content": "code"}], "held_out": 0}), tmp_path / "2")
    assert as_prose.facts.dropped["boilerplate"]["bullet points"].documents == 1
    assert as_code.facts.dropped == {}


def test_the_same_step_twice_is_told_apart(tmp_path):
    path = write_jsonl(tmp_path / "a.jsonl", [*(sentence(number) for number in range(20)), "a few words here", "ab"])
    steps = [{"kind": "length", "least": 5}, {"kind": "length", "least": 50}]
    assert set(build(recipe(path, steps=steps, held_out=0), tmp_path / "out").facts.dropped) == {"length", "length_2"}


def test_a_corpus_of_which_nothing_can_be_held_out_says_so(tmp_path):
    path, said = write_jsonl(tmp_path / "one.jsonl", [sentence(1)]), []
    build(recipe(path), tmp_path / "out", watch=said.append)
    (warning,) = [event.text for event in said if isinstance(event, Note) and event.level == "warning"]
    assert "nothing could be held out" in warning
    said.clear()
    build(recipe(path, held_out=0), tmp_path / "none", watch=said.append)
    assert not [event for event in said if isinstance(event, Note) and event.level == "warning"]


def test_files_that_are_not_ours_are_never_replaced(dirty, tmp_path):
    for name in ("folder", "file"):
        (tmp_path / "mine").mkdir(exist_ok=True)
        (tmp_path / "mine" / "thesis.txt").write_text("years of work", encoding="utf-8")
        out = tmp_path / "mine" if name == "folder" else tmp_path / "mine" / "thesis.txt"
        with pytest.raises(RecordError, match=r"(holds files that are not ours|is a file)"):
            build(recipe(dirty, "folder"), out)
        assert (tmp_path / "mine" / "thesis.txt").read_text(encoding="utf-8") == "years of work"


def test_held_out_text_is_compared_as_far_as_it_was_edited(tmp_path):
    people = [
        " ".join(f"person{number}x{row}@example.org met nobody{number} on day {row}," for row in range(25))
        for number in range(200)
    ]
    twins = [text.replace("day 3,", "day three,") for text in people]
    path = write_jsonl(tmp_path / "a.jsonl", [*people, *twins])
    corpus = build(recipe(path, steps=[{"kind": "near", "most_removed": 1.0}, "pii"], held_out="20%"), tmp_path / "out")
    numbers = {
        split: {document.origin.rpartition("#")[2] for document in corpus.documents(split)}
        for split in ("train", "held_out")
    }
    twin_of_held = {str((int(number) - 1 + 200) % 400 + 1) for number in numbers["held_out"]}
    assert len(numbers["held_out"]) > 20
    assert not twin_of_held & numbers["train"]


def test_an_edit_that_makes_one_held_out_text_equal_to_another_loses_none(tmp_path):
    texts = [f"{sentence(number)} città" for number in range(100)]
    path = write_jsonl(tmp_path / "a.jsonl", [*texts, *(text.replace("à", "Ã\xa0") for text in texts)])
    corpus = build(recipe(path, steps=["unicode"], held_out="50%"), tmp_path / "out")
    assert corpus.facts.held_out.documents > 20


def test_a_document_that_an_edit_leaves_nothing_of_is_dropped_for_that(tmp_path):
    texts = [f"{sentence(number)}\nMore of article {number} is here." for number in range(60)] + [
        "menu\nhome\nlogin"
    ] * 5
    corpus = build(recipe(write_jsonl(tmp_path / "a.jsonl", texts), steps=["c4_lines"], held_out=0), tmp_path / "out")
    assert corpus.facts.dropped == {"c4_lines": {"nothing left": corpus.facts.dropped["c4_lines"]["nothing left"]}}
    assert corpus.facts.dropped["c4_lines"]["nothing left"].documents == 5
    assert all(document.text.strip() for document in corpus.documents("train"))


def test_a_source_of_which_nothing_can_be_read_stops_the_build(tmp_path):
    one = write_jsonl(tmp_path / "one.jsonl", [sentence(number) for number in range(30)])
    two = write_jsonl(tmp_path / "two.jsonl", ["words"] * 4, field="body")
    both = Recipe.model_validate({"sources": [{"kind": "jsonl", "path": one}, {"kind": "jsonl", "path": two}]})
    with pytest.raises(DataError, match=r"none of the 4 records of source 'two' can be read.*set text_field"):
        build(both, tmp_path / "out")


def test_a_step_that_was_left_out_is_named_where_a_corpus_is_refused(tmp_path):
    path = write_jsonl(tmp_path / "a.jsonl", [sentence(number) for number in range(50)])
    build(recipe(path, steps=["unicode", {"kind": "length", "least": 20}, "letters"]), tmp_path / "out")
    with pytest.raises(RecordError, match=r"steps\.letters: left out") as caught:
        build(recipe(path, steps=["unicode", {"kind": "length", "least": 30}]), tmp_path / "out")
    assert "steps.length.least: 20.0 -> 30.0" in str(caught.value)
    write_jsonl(tmp_path / "a.jsonl", [sentence(number) for number in range(51)])
    with pytest.raises(RecordError, match="the content of 'a' is another"):
        build(recipe(path, steps=["unicode", {"kind": "length", "least": 20}, "letters"]), tmp_path / "out")


def test_a_corpus_with_a_file_cut_short_is_not_opened(tmp_path):
    path = write_jsonl(tmp_path / "a.jsonl", [sentence(number) for number in range(50)])
    corpus = build(recipe(path), tmp_path / "out")
    file = corpus.files("train")[0]
    file.write_bytes(file.read_bytes()[:50])
    with pytest.raises(RecordError, match="has 50 bytes, expected"):
        Corpus.open(tmp_path / "out")
