"""Builds in units of work: the same bytes whoever does them, in whatever pieces, and after whatever stops them."""

from __future__ import annotations

import json
import random
import threading

import pytest
from text_examples import sentence, write_jsonl

from pilotlight.corpus import inventory
from pilotlight.corpus.build import build, work_folder
from pilotlight.corpus.recipe import Recipe
from pilotlight.corpus.sharing import build_share
from pilotlight.errors import ConfigError, DataError
from pilotlight.work.claims import read_share
from pilotlight.work.pool import Pool

STEPS = ["unicode", "exact", "length", "letters", "near"]


@pytest.fixture
def recipe(tmp_path, monkeypatch):
    """A recipe over many files, of which each split reads a few."""
    monkeypatch.setattr(inventory, "_LEAST_SPLIT", 4000)
    draw = random.Random(7)
    words = [f"word{number}" for number in range(400)]
    for number in range(12):
        texts = [" ".join(draw.choices(words, k=60)) for _ in range(25)]
        texts += texts[:3]  # exact copies
        texts += [text.replace(" ", "  ", 5) + " and more" for text in texts[3:6]]  # near copies
        texts += [f"short {number}", "1 2 3 4 5 6 7 8 9 " * 9]
        write_jsonl(tmp_path / "texts" / f"{number:02d}.jsonl", texts)
    (tmp_path / "texts" / "broken.jsonl").write_text('{"text": 1}\n{"te', encoding="utf-8")
    source = {"kind": "folder", "path": tmp_path / "texts"}
    return Recipe.model_validate({"sources": [source], "steps": STEPS, "held_out": "5%"})


def files_of(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.slow
def test_any_number_of_workers_gives_the_same_bytes(recipe, tmp_path):
    inline = files_of(build(recipe, tmp_path / "inline", workers=0).folder)
    assert len([name for name in inline if name.startswith("train/")]) > 5
    for workers in (1, 2, 4):
        assert files_of(build(recipe, tmp_path / f"out{workers}", workers=workers).folder) == inline


@pytest.mark.slow
def test_several_commands_that_share_the_work_give_the_same_bytes_and_clear_up(recipe, tmp_path):
    alone = files_of(build(recipe, tmp_path / "alone", workers=0).folder)
    out, errors = tmp_path / "shared", []

    def share(number: int) -> None:
        try:
            build_share(recipe, out, (number, 3))
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=share, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert files_of(out) == alone
    assert not work_folder(out).exists()


def test_splits_of_another_size_hold_the_same_documents(recipe, tmp_path, monkeypatch):
    def texts(corpus):
        return [(document.id, document.text) for split in ("held_out", "train") for document in corpus.documents(split)]

    small = build(recipe, tmp_path / "small", workers=0)
    monkeypatch.setattr(inventory, "_LEAST_SPLIT", 1 << 20)
    large = build(recipe, tmp_path / "large", workers=0)
    assert len(large.files("train")) == 1 < len(small.files("train"))
    assert sorted(texts(small)) == sorted(texts(large))
    assert small.facts == large.facts


class Stopped(Exception):
    """Raised in place of a unit, as if the process had been killed there."""


class Stopping:
    """An executor that stops after some units."""

    def __init__(self, units: int) -> None:
        self.left = units
        self.done = []

    def run(self, units, *, watch=lambda event: None):
        with Pool(0) as inline:
            for unit in units:
                if self.left == 0:
                    raise Stopped
                self.left -= 1
                self.done.append(unit.key)
                yield from inline.run([unit], watch=watch)


@pytest.mark.slow
def test_a_build_that_was_stopped_anywhere_goes_on_and_does_nothing_twice(recipe, tmp_path):
    whole = files_of(build(recipe, tmp_path / "whole", workers=0).folder)
    counting = Stopping(-1)
    build(recipe, tmp_path / "counted", executor=counting)
    out, done = tmp_path / "out", []
    for units in [1, 7, 2, 11, 3, 19] * 40:
        executor = Stopping(units)
        try:
            build(recipe, out, executor=executor)
        except Stopped:
            done += executor.done
            continue
        done += executor.done
        break
    assert files_of(out) == whole
    assert len(done) == len(set(done)) == len(counting.done)


def test_a_changed_step_reuses_what_came_before_it(recipe, tmp_path):
    first, second = Stopping(-1), Stopping(-1)
    build(recipe, tmp_path / "out", executor=first)
    (tmp_path / "out").rename(tmp_path / "old")
    changed = recipe.model_copy(update={"steps": (*recipe.steps[:-1],)})
    build(changed, tmp_path / "out", executor=second)
    assert not [key for key in second.done if key.startswith(("looking", "reading", "holding", "exact.", "unicode"))]
    assert len(second.done) < len(first.done)


def test_a_change_of_the_text_while_a_build_was_stopped_is_noticed(recipe, tmp_path):
    with pytest.raises(Stopped):
        build(recipe, tmp_path / "out", executor=Stopping(10))
    write_jsonl(tmp_path / "texts" / "00.jsonl", [sentence(number) for number in range(9)])
    corpus = build(recipe, tmp_path / "out", workers=0)
    again = build(recipe, tmp_path / "again", workers=0)
    assert files_of(corpus.folder) == files_of(again.folder)
    assert {document.text for document in corpus.documents("train")} & {sentence(number) for number in range(9)}


def test_every_record_has_one_row_in_the_table_with_everything_that_was_measured(recipe, tmp_path):
    import pyarrow.parquet as parquet

    corpus = build(recipe, tmp_path / "out", workers=0)
    rows = [row for path in corpus.tables() for row in parquet.read_table(path).to_pylist()]
    assert len(rows) == len({row["id"] for row in rows}) == corpus.facts.records
    fates = [row["fate"] for row in rows]
    assert {fate: fates.count(fate) for fate in set(fates)} == {
        "train": corpus.facts.train.documents, "held_out": corpus.facts.held_out.documents,
        "dropped": corpus.facts.dropped_documents, "quarantined": 2,
    }  # fmt: skip
    short = [row for row in rows if row["reason"] and row["reason"].startswith("too short")]
    assert short
    assert all(row["letters.letters"] is not None for row in short), "measured also after another filter dropped it"


def test_a_document_that_breaks_a_step_is_dropped_and_told(recipe, tmp_path, monkeypatch):
    from pilotlight.corpus.filters.letters import Letters

    measure = Letters.measure

    def panics(self, view):
        if "word17 " in view.text:
            raise BaseException("stack overflow in a library")
        return measure(self, view)

    monkeypatch.setattr(Letters, "measure", panics)
    notes = []
    corpus = build(recipe, tmp_path / "out", workers=0, watch=notes.append)
    assert corpus.facts.dropped["letters"]["could not be judged"].documents > 1
    assert any("stack overflow in a library" in getattr(note, "text", "") for note in notes)


def test_a_failed_unit_says_why_in_its_own_words(tmp_path, monkeypatch):
    path = write_jsonl(tmp_path / "a.jsonl", [sentence(number) for number in range(50)])
    recipe = Recipe.model_validate({"sources": [{"kind": "jsonl", "path": path}]})

    def refuses(out, inputs, settings, watch):
        raise DataError("the disk ate it. Expected text; find it again.")

    monkeypatch.setattr("pilotlight.corpus.ingest.read", refuses)
    with pytest.raises(DataError, match="the disk ate it"):
        build(recipe, tmp_path / "out", workers=0)


@pytest.mark.parametrize("text", ["3/3", "1", "a/b", "-1/2", ""])
def test_a_share_that_is_none_is_refused(text):
    with pytest.raises(ConfigError, match="Expected i/n"):
        read_share(text)


def test_work_of_a_stopped_build_is_not_taken_for_a_corpus(recipe, tmp_path):
    with pytest.raises(Stopped):
        build(recipe, tmp_path / "out", executor=Stopping(30))
    assert not (tmp_path / "out").exists()
    names = [
        json.loads(path.read_text(encoding="utf-8"))["kind"]
        for path in work_folder(tmp_path / "out").rglob("manifest.json")
    ]
    assert set(names) == {"unit"}
