from __future__ import annotations

import json
import shutil

import pytest
from text_examples import sentence, write_jsonl
from typer.testing import CliRunner

from pilotlight.cli.corpus import corpus as commands
from pilotlight.corpus.build import build
from pilotlight.corpus.corpus import Corpus
from pilotlight.corpus.explain import why as explained
from pilotlight.corpus.recipe import Recipe
from pilotlight.errors import DataError, RecordError


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A corpus with a document of every fate."""
    folder = tmp_path_factory.mktemp("explanations")
    texts = [sentence(number) for number in range(60)]
    path = write_jsonl(folder / "laws.jsonl", [*texts, *texts, "short"])
    path.write_text(path.read_text(encoding="utf-8") + "{broken\n", encoding="utf-8")
    recipe = {"sources": [{"kind": "jsonl", "path": path}], "steps": ["unicode", "exact", "length"]}
    return build(Recipe.model_validate(recipe), folder / "out")


def test_every_fate_can_be_explained_by_id_prefix_and_origin(built):
    for split in ("train", "held_out"):
        document = next(built.documents(split))
        found = explained(built, document.id[:12])
        assert (found.fate, found.id, found.origin) == (split, document.id, document.origin)
        assert found.excerpt
    assert explained(built, "laws.jsonl#121").reason.startswith("too short: 5 characters")
    assert explained(built, "laws.jsonl#122").reason.startswith("broken JSON (")
    fates = {explained(built, f"laws.jsonl#{line}").fate for line in range(1, 123)}
    assert fates == {"train", "held_out", "dropped", "quarantined"}


def test_a_duplicate_names_the_document_that_stays(built):
    dropped = [found for line in range(1, 121) if (found := explained(built, f"laws.jsonl#{line}")).fate == "dropped"]
    assert len(dropped) == 60
    for found in dropped:
        assert explained(built, found.twin).fate in ("train", "held_out")
        assert found.twin in str(found)


def test_a_document_with_a_benchmark_item_is_not_said_to_be_replaced_by_it(tmp_path):
    item = "Which of the seven ferries that leave the old harbour before noon calls at the northern island on a Sunday?"
    (tmp_path / "quiz.jsonl").write_text(json.dumps({"question": item}) + "\n", encoding="utf-8")
    path = write_jsonl(tmp_path / "notes.jsonl", [*(sentence(number) for number in range(20)), f"From a forum: {item}"])
    steps = [{"kind": "decontaminate", "benchmarks": [tmp_path / "quiz.jsonl"]}]
    recipe = {"sources": [{"kind": "jsonl", "path": path}], "steps": steps, "held_out": 0}
    found = str(explained(build(Recipe.model_validate(recipe), tmp_path / "out"), "notes.jsonl#21"))
    assert "It holds the benchmark item quiz.jsonl#1" in found
    assert "stays in its place" not in found


def test_an_id_that_is_unknown_or_means_several_records_is_refused(built):
    with pytest.raises(DataError, match="holds no record 'zz'"):
        explained(built, "zz")
    with pytest.raises(DataError, match="holds no record"):
        explained(built, " ")
    with pytest.raises(DataError, match=r"more than one record.*Give more digits"):
        explained(built, next(built.documents("train")).id[:1])


def test_the_tables_add_up_to_what_was_read(built):
    columns, lines = built.show()
    assert all(len(line) == len(columns) for line in lines)
    numbers = {(line[0], line[1]): int(line[2]) for line in lines}
    assert numbers.pop(("read", "")) == 121
    assert sum(numbers.values()) == 122
    columns, (line,) = built.show_sources()
    assert len(line) == len(columns)
    assert line[0] == "laws"


def test_a_damaged_corpus_is_noticed(built, tmp_path):
    tmp_path = shutil.copytree(built.folder, tmp_path / "copy")
    path = tmp_path / "train" / "00000.jsonl.zst"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(RecordError, match="damaged"):
        list(Corpus.open(tmp_path).documents("train"))
    with pytest.raises(RecordError, match="differs from its manifest"):
        Corpus.open(tmp_path, verify=True)


def test_the_commands_show_and_explain_a_corpus(built):
    run = CliRunner()
    shown = run.invoke(commands, ["show", str(built.folder)])
    assert shown.exit_code == 0
    assert "too short" in shown.stdout
    facts = json.loads(run.invoke(commands, ["show", str(built.folder), "--json"]).stdout)["facts"]
    assert facts == built.facts.model_dump()
    told = json.loads(run.invoke(commands, ["why", str(built.folder), "laws.jsonl#121", "--json"]).stdout)
    assert (told["fate"], told["step"]) == ("dropped", "length")
    assert "dropped by length" in run.invoke(commands, ["why", str(built.folder), "laws.jsonl#121"]).stdout
