from __future__ import annotations

import json
import math

import pytest
from ladder_examples import chinchilla, grid, ladder
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


def test_a_budget_gives_the_best_split_and_how_flat_it_is(tmp_path):
    path = tmp_path / "grid.csv"
    rows = [f"{p.parameters},{p.tokens},{p.loss}" for p in grid(chinchilla)]
    path.write_text("\n".join(["parameters,tokens,loss", *rows]), encoding="utf-8")
    told = _run(str(path), "--budget", "4.8e18", "--quiet")
    assert told.exit_code == 0
    assert "Best for 4.8e+18 FLOPs" in told.stdout
    assert "how flat" in told.stdout
    written = json.loads(_run(str(path), "--budget", "4.8e18", "--json").stdout)
    assert written["flat_low"] < written["parameters"]["value"] < written["flat_high"]


def test_a_target_and_a_budget_are_two_questions(table):
    both = _run(str(table), "--target", "parameters=35M,tokens=700M", "--budget", "1e18")
    assert isinstance(both.exception, ConfigError)
    assert isinstance(_run(str(table)).exception, ConfigError)
    assert isinstance(_run(str(table), "--budget", "much").exception, ConfigError)


def test_a_score_follows_the_loss_or_is_abstained_from(tmp_path):
    path = tmp_path / "scored.csv"
    lines = ["parameters,tokens,loss,acc,coin"]
    for index, p in enumerate(grid(chinchilla)):
        score = 0.25 + 0.7 / (1 + math.exp(6 * (p.loss - 1.3)))
        lines.append(f"{p.parameters},{p.tokens},{p.loss},{score + 0.002 * (-1) ** index},{0.5 + 0.03 * (-1) ** index}")
    path.write_text("\n".join(lines), encoding="utf-8")
    words = ("--target", "parameters=200M,tokens=4B", "--score", "acc:0.25", "--score", "coin:0.5", "--json")
    scores = {one["name"]: one for one in json.loads(_run(str(path), *words).stdout)["scores"]}
    truth = 0.25 + 0.7 / (1 + math.exp(6 * (chinchilla(200e6, 4e9) - 1.3)))
    assert scores["acc"]["estimate"]["low"] <= truth <= scores["acc"]["estimate"]["high"]
    assert scores["acc"]["estimate"]["value"] == pytest.approx(truth, abs=0.05)
    assert scores["coin"]["estimate"] is None
    assert "noise" in scores["coin"]["why"]
