"""``pilot train``: from a plan file to a model, with one command."""

from __future__ import annotations

import json
import random

import pytest
import typer
from training_examples import plan_of
from typer.testing import CliRunner

from pilotlight.cli.train import train
from pilotlight.errors import ConfigError
from pilotlight.report.full_run import FOLDER
from pilotlight.spec import plain
from pilotlight.train.final import open_model


@pytest.fixture(scope="module")
def app():
    app = typer.Typer()
    app.command()(train)
    return app


@pytest.fixture
def file(tmp_path):
    draw = random.Random(0)
    words = ["".join(draw.choices("abcdefghij", k=6)) for _ in range(200)]
    (tmp_path / "text").mkdir()
    for number in range(60):
        (tmp_path / "text" / f"{number}.txt").write_text(" ".join(draw.choices(words, k=150)) + ".\n")
    plan = plain(plan_of(steps=6)) | {
        "corpus": {"sources": [{"kind": "folder", "path": "text"}], "steps": [], "held_out": 0.2}
    }
    path = tmp_path / "full.yaml"
    path.write_text(json.dumps(plan))  # JSON is YAML
    return path


def _go(app, *arguments):
    return CliRunner().invoke(app, [*map(str, arguments), "--threads", "1", "--device", "cpu"], catch_exceptions=False)


def test_it_builds_text_and_tokens_trains_and_says_what_came_of_it(app, file, tmp_path):
    done = _go(app, file, "--out", tmp_path / "out")
    assert done.exit_code == 0
    assert "held-out bits per byte" in done.stdout
    open_model(tmp_path / "out" / "run")
    open_model(tmp_path / "out")
    again = _go(app, file, "--out", tmp_path / "out", "--json")
    facts = json.loads(again.stdout)
    assert facts["steps"] == 6
    assert facts["status"] == "finished"


def test_a_setting_can_be_changed_on_the_command_line(app, file, tmp_path):
    done = _go(app, file, "--out", tmp_path / "out", "--set", "train.optim.lr=x2", "--set", "steps=3", "--quiet")
    assert done.exit_code == 0
    plan = json.loads((tmp_path / "out" / "run" / "plan.json").read_text())
    assert plan["train"]["optim"]["lr"] == pytest.approx(2e-2)
    assert plan["steps"] == 3


def test_a_loss_that_does_not_fall_is_explained_as_it_happens_and_at_the_end(app, file, tmp_path):
    wild = ("--set", "train.optim.lr=20", "--set", "steps=24", "--set", "train.guard.patience=1000")
    done = _go(app, file, "--out", tmp_path / "out", *wild)
    assert done.exit_code == 0
    assert done.stderr.count("the loss does not fall as expected") >= 1
    assert "rate too high" in done.stdout
    calm = _go(app, file, "--out", tmp_path / "calm")
    assert "fell as expected" in calm.stdout


def test_the_forecast_of_a_pilot_is_what_its_full_run_is_measured_against(app, file, tmp_path):
    from pilotlight.cli.train import _forecast
    from pilotlight.train.plan import Plan

    assert _forecast(file, Plan.load(file)) is None
    (tmp_path / "decision.json").write_text("{}")  # damaged: what is wrong with it is for `pilot report` to say
    assert _forecast(file, Plan.load(file)) is None


def test_the_margin_of_a_plan_is_a_table_and_a_record(file, tmp_path):
    from pilotlight.cli.margin import margin

    command = typer.Typer()
    command.command()(margin)
    settings = ("--out", tmp_path / "margin", "--steps", "16", "--set", "train.optim.lr=2")
    guard = ("--set", "train.guard.first=8", "--set", "train.guard.patience=4")
    done = _go(command, file, *settings, *guard)
    assert done.exit_code == 0
    record = json.loads((tmp_path / "margin" / "runs" / "margin.json").read_text())
    assert f"up to {record['multiple']:.3g} times" in done.stdout
    again = json.loads(_go(command, file, *settings, *guard, "--json").stdout)
    assert again == record


def test_a_misspelt_setting_is_refused_with_the_nearest_name(app, file, tmp_path):
    with pytest.raises(ConfigError, match="Did you mean 'steps'"):
        _go(app, file, "--out", tmp_path / "out", "--set", "stops=3")
    with pytest.raises(ConfigError, match="path=value"):
        _go(app, file, "--out", tmp_path / "out", "--set", "steps")


def test_the_full_run_of_a_pilot_goes_where_its_report_looks_for_it(app, file, tmp_path):
    (tmp_path / "decision.json").write_text("{}")
    done = _go(app, file, "--set", "steps=2", "--quiet")
    assert done.exit_code == 0
    assert (tmp_path / FOLDER / "manifest.json").is_file()
    assert f"`pilot report {tmp_path}` shows it beside the prediction" in done.stdout
    done = _go(app, file, "--set", "steps=2", "--out", tmp_path / "other", "--quiet")
    assert "pilot report" not in done.stdout
