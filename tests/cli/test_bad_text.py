"""Text that is missing, broken, or too little: refused in a sentence, or set aside while the rest is built."""

from __future__ import annotations

import json

import pytest


def leftovers(out) -> list[str]:
    """What a refused command left in its output folder, apart from the ledger that says why it was begun."""
    return sorted(path.name for path in out.rglob("*") if path.is_file() and path.name not in (".lock",))


@pytest.mark.parametrize("words", [["corpus", "build"], ["run"]])
def test_a_folder_of_text_that_does_not_exist_is_named(words, plan, command, tmp_path):
    path = plan(tmp_path / "no texts")
    command(*words, path, "--out", tmp_path / "out").refuses("no texts does not exist", "correct the path")
    assert list((tmp_path / "out").rglob("manifest.json")) == []


def test_a_file_given_as_a_folder_is_read(plan, command, tmp_path, tiny_text):
    assert command("corpus", "build", plan(tiny_text / "made_up.jsonl"), "--out", tmp_path / "out").code == 0


def test_relative_paths_start_at_the_plan_not_at_the_terminal(plan, command, tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    said = command("corpus", "build", plan(corpus={"sources": [{"kind": "folder", "path": "my"}]}), "--out", "out")
    said.refuses(f"{tmp_path / 'my'} does not exist")


@pytest.mark.parametrize("content", [None, "", " \n\n"])
def test_an_empty_corpus_is_refused(content, plan, command, tmp_path):
    texts = tmp_path / "texts"
    texts.mkdir()
    if content is not None:
        (texts / "a.txt").write_text(content, encoding="utf-8")
    said = command("corpus", "build", plan(texts), "--out", tmp_path / "out" / "corpus")
    said.refuses("no text file" if content is None else "no text is left to train on")
    assert leftovers(tmp_path / "out") == []


def test_a_broken_line_is_set_aside_and_the_build_goes_on(plan, command, tmp_path, tiny_text):
    texts = tmp_path / "texts"
    texts.mkdir()
    lines = (tiny_text / "made_up.jsonl").read_text(encoding="utf-8").splitlines()
    lines[2:2] = ['{"text": "cut off', '{"txt": "another field"}', "[1, 2]", '{"text": 7}']
    (texts / "made_up.jsonl").write_text("\n".join(lines), encoding="utf-8")
    said = command("corpus", "build", plan(texts), "--out", tmp_path / "out", "--json")
    assert said.code == 0
    assert "warning: texts: records that cannot be read were set aside: " in said.err
    facts = json.loads(said.out)["facts"]
    assert sum(facts["quarantined"].values()) == 4
    assert facts["records"] == len(lines)
    aside = [json.loads(line) for line in (tmp_path / "out" / "quarantined" / "00000.jsonl").read_text().splitlines()]
    assert [row["origin"].rpartition("#")[2] for row in aside] == ["3", "4", "5", "6"]
    assert command("corpus", "why", tmp_path / "out", aside[0]["id"][:8]).out.count("broken JSON") >= 1


def test_a_file_in_another_encoding_is_set_aside_with_the_byte(plan, command, tmp_path, tiny_text):
    texts = tmp_path / "texts"
    texts.mkdir()
    (texts / "made_up.jsonl").write_bytes((tiny_text / "made_up.jsonl").read_bytes())
    (texts / "latin.txt").write_bytes("Là où la loi s'arrête, où va-t-on ?".encode("latin-1"))
    said = command("corpus", "build", plan(texts), "--out", tmp_path / "out")
    assert said.code == 0
    assert "1 not UTF-8" in said.err
    row = json.loads((tmp_path / "out" / "quarantined" / "00000.jsonl").read_text())
    assert "0xe0 at 1" in row["detail"]


def test_nothing_but_another_encoding_is_refused(plan, command, tmp_path):
    texts = tmp_path / "texts"
    texts.mkdir()
    (texts / "latin.txt").write_bytes("Là où la loi s'arrête, où va-t-on ?".encode("latin-1"))
    said = command("corpus", "build", plan(texts), "--out", tmp_path / "out" / "corpus")
    said.refuses("no text is left to train on", "not UTF-8", "encoding")
    assert leftovers(tmp_path / "out") == []


def test_text_too_small_for_the_ladder_is_refused_with_how_much_would_do(plan, command, tmp_path):
    scales = [{"parameters": "2k", "tokens": "2k"}, {"parameters": "10k", "tokens": "30M"}]
    said = command("run", plan(scales=scales), "--out", tmp_path / "out", "--quiet")
    said.refuses("too small for the ladder", "10k-30M", "Give at least", "MB of text", "lower the largest rung")
    assert not (tmp_path / "out" / "decision.json").exists()
    assert not (tmp_path / "out" / "runs").exists()


def test_too_little_held_out_text_is_refused(plan, command, tmp_path):
    said = command("run", plan(corpus={"held_out_bytes": "2k"}), "--out", tmp_path / "out", "--quiet")
    said.refuses("held-out text", "10 kB", "Give more text")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["corpus", "show", "nowhere"], "nowhere does not exist"),
        (["corpus", "why", "nowhere", "abc"], "nowhere does not exist"),
        (["tokens", "show", "nowhere"], "nowhere does not exist"),
        (["new", "my.yaml", "--text", "nowhere"], "nowhere does not exist"),
        (["report", "nowhere"], "nowhere"),
        (["status", "nowhere"], "nowhere holds no pilot"),
        (["decide", "nowhere"], "nowhere holds no pilot"),
        (["predict", "nowhere.csv", "--target", "parameters=1M,tokens=20M"], "nowhere.csv"),
        (["train", "nowhere.yaml"], "nowhere.yaml does not exist"),
        (["doctor", "--bench", "nowhere.yaml"], "nowhere.yaml does not exist"),
        (["score", "nowhere", "items.jsonl"], "nowhere"),
    ],
)
def test_every_command_refuses_a_file_or_folder_that_is_not_there(words, sentence, command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    command(*words).refuses(sentence)
    assert list(tmp_path.iterdir()) == []
