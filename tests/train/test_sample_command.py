"""``pilot sample``: from a run to text."""

from __future__ import annotations

import json
import shutil

import pytest
import typer
from training_examples import ONE, plan_of
from typer.testing import CliRunner

from pilotlight.cli.sample import sample
from pilotlight.errors import ConfigError, RecordError
from pilotlight.train.loop import train


@pytest.fixture(scope="module")
def run(tokens, tmp_path_factory):
    return train(plan_of(steps=3), ONE, tokens, tmp_path_factory.mktemp("run") / "run")


def go(*words):
    app = typer.Typer()
    app.command()(sample)
    return CliRunner().invoke(
        app, [*map(str, words), "--set", "device=cpu", "--set", "threads=1"], catch_exceptions=False
    )


def test_it_goes_on_with_the_prompt_and_says_the_same_again(run):
    words = (run.folder, "--prompt", "abba ", "--tokens", 40, "--seed", 5)
    first = go(*words)
    assert first.exit_code == 0
    assert first.stdout.startswith("abba ")
    assert len(first.stdout) > 10
    assert go(*words).stdout == first.stdout
    assert go(*words[:-1], 6).stdout != first.stdout


def test_several_prompts_as_json_are_those_of_each_alone(run):
    words = ("--tokens", 12, "--temperature", 0, "--json")
    both = json.loads(go(run.model, "--prompt", "abba", "--prompt", "a", *words).stdout)
    alone = [json.loads(go(run.model, "--prompt", text, *words).stdout)[0] for text in ("abba", "a")]
    assert both == alone
    assert [one["prompt"] for one in both] == ["abba", "a"]
    assert all(one["text"].startswith(one["prompt"]) and one["tokens"] <= 12 for one in both)
    told = go(run.model, "--prompt", "abba", *words[:-1])
    assert told.stdout == both[0]["text"] + "\n"


def test_without_a_prompt_a_document_begins(run):
    assert len(go(run.folder, "--set", "top_k=3", "--set", "top_p=0.9").stdout) > 5


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("topk=3", "Did you mean 'top_k'"),
        ("top_p=2", "top_p"),
        ("context=0", "whole number"),
        ("context=x", "whole number"),
    ],
)
def test_a_wrong_setting_is_named(run, word, said):
    with pytest.raises(ConfigError, match=said):
        go(run.folder, "--set", word)


def test_a_model_that_does_not_predict_the_next_token_is_refused(run, tmp_path):
    shutil.copytree(run.model, tmp_path / "model")
    facts = json.loads((tmp_path / "model" / "model.json").read_text())
    (tmp_path / "model" / "model.json").write_text(json.dumps(facts | {"metric": "masked", "objective": "masked"}))
    with pytest.raises(ConfigError, match="trained for masked"):
        go(tmp_path / "model")


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(RecordError, match="finished run"):
        go(tmp_path)
