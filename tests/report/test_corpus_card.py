"""The data card: a header that dataset pages read, true numbers, gaps marked as gaps, and nothing private."""

from __future__ import annotations

import json
import re

import pytest
import yaml
from corpus_folder import write_corpus
from typer.testing import CliRunner

from pilotlight.cli.corpus import corpus as commands
from pilotlight.report.data_card import data_card


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    return write_corpus(tmp_path_factory.mktemp("corpus_card"))


@pytest.fixture(scope="module")
def card(built):
    return data_card(built.folder)


def test_the_header_is_yaml_with_what_dataset_pages_ask_for(card):
    _, header, _ = card.split("---\n", 2)
    head = yaml.safe_load(header)
    assert head["language"] == ["en"]
    assert head["size_categories"] == ["n<1K"]
    assert head["task_categories"] == ["text-generation"]
    assert head["license"] == "other", "one source carries a licence, the other none"


def test_every_part_of_a_card_is_there_and_the_numbers_are_those_of_the_build(built, card):
    for title in (
        "Composition", "Collection", "Preprocessing", "What was removed, and why", "Personal and sensitive information",
        "Biases and limits", "Splits", "How to build it again", "Citation and contact",
    ):  # fmt: skip
        assert f"\n## {title}\n" in card, title
    assert f"| train | {built.facts.train.documents} |" in card
    assert f"| near | near duplicate | {built.facts.dropped['near']['near duplicate'].documents} |" in card
    assert "| email | mail addresses |" in card
    assert "CC0-1.0" in card


def test_what_cannot_be_counted_is_marked_as_a_gap(card):
    assert card.count("[to be filled in by you: ") >= 4


def test_the_card_tells_nothing_of_the_machine_and_of_people(built, card):
    assert str(built.folder.parent) not in card
    assert "web.jsonl" in card
    assert "anna.serra" not in card


def test_names_cannot_break_the_tables_of_the_card(tmp_path):
    folder = tmp_path / "plain"
    recipe = {"sources": [{"kind": "jsonl", "name": "a|b <script> `c` [d](e)", "path": folder / "web.jsonl"}]}
    card = data_card(write_corpus(folder, **recipe).folder)
    tables = card.partition("<details>")[0] + card.partition("</details>")[2]
    assert "<script>" not in tables
    row = next(line for line in tables.splitlines() if "script" in line and line.startswith("|"))
    assert len(re.findall(r"(?<!\\)\|", row)) == len(re.findall(r"\|", "| a | b | c | d | e |"))


def test_the_command_prints_the_card_or_writes_it(built, card, tmp_path):
    run = CliRunner()
    assert run.invoke(commands, ["card", str(built.folder)]).stdout == card
    assert json.loads(run.invoke(commands, ["card", str(built.folder), "--json"]).stdout) == {"card": card}
    out = tmp_path / "README.md"
    assert run.invoke(commands, ["card", str(built.folder), "--out", str(out)]).exit_code == 0
    assert out.read_text(encoding="utf-8") == card
