from __future__ import annotations

import json

import pytest
from ladder_examples import chinchilla, ladder
from typer.testing import CliRunner

from pilotlight.cli.predict import predict, read_target
from pilotlight.errors import ConfigError, DataError


def _run(*words):
    import typer

    app = typer.Typer()
    app.command()(predict)
    return CliRunner().invoke(app, list(words))


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "runs.csv"
    rows = [f"{p.parameters},{p.tokens},{p.loss},{p.seed}" for p in ladder(chinchilla)]
    path.write_text("\n".join(["parameters,tokens,loss,seed", *rows]), encoding="utf-8")
    return path


def test_a_csv_of_runs_gives_a_prediction_for_people_and_for_programs(table):
    told = _run(str(table), "--target", "parameters=35M,tokens=700M", "--quiet")
    assert told.exit_code == 0
    assert "95%" in told.stdout
    assert "caution" in told.stdout
    written = json.loads(_run(str(table), "--target", "parameters=35M,tokens=700M", "--json").stdout)
    assert written["loss"]["low"] < written["loss"]["value"] < written["loss"]["high"]
    assert written["size"] == "parameters as in column parameters"


def test_a_target_is_read_from_what_people_write():
    assert read_target("parameters=124M, tokens=2.5B") == {"parameters": 124e6, "tokens": 2.5e9}
    assert read_target("parameters=1,tokens=2,flops=1e18")["flops"] == 1e18


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("parameters=124M", "lacks tokens"),
        ("parameters=124M,token=1B", "Did you mean 'tokens'"),
        ("parameters=many,tokens=1B", "not a count"),
        ("parameters=0,tokens=1B", "above 0"),
        ("parameters=1,parameters=2,tokens=3", "twice"),
        ("", "expected parameters"),
    ],
)
def test_a_target_that_is_wrong_says_how_it_should_look(text, words):
    with pytest.raises(ConfigError, match=words):
        read_target(text)


def test_a_level_outside_zero_to_one_and_a_missing_file_are_errors(table, tmp_path):
    assert isinstance(_run(str(table), "--target", "parameters=1B,tokens=9B", "--level", "95").exception, ConfigError)
    assert isinstance(_run(str(tmp_path / "no.csv"), "--target", "parameters=1B,tokens=9B").exception, DataError)
