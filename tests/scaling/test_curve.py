from __future__ import annotations

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
import typer
from curve_examples import quadratic, schedule
from typer.testing import CliRunner

from pilotlight.errors import DataError, EvidenceError
from pilotlight.scaling.curve import Curve, Reference, read_curves, stretch
from pilotlight.scaling.curve_forecast import CurveStudy
from pilotlight.scaling.tasks import Task, TaskRow


@pytest.fixture(scope="module")
def study():
    return CurveStudy.of([quadratic(name) for name in ("constant", "cosine", "drop")])


def _write(path, curves, *, rates=True, column="loss"):
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["run_id", "step", column, *(["lr"] if rates else [])])
        for curve in curves:
            for index, step in enumerate(curve.steps):
                loss = curve.losses[index]
                row = [curve.run, step, "" if np.isnan(loss) else loss]
                writer.writerow([*row, curve.rates[index]] if rates else row)


@pytest.mark.parametrize(("name", "steps"), [("late", 2000), ("linear", 2000), ("cosine", 6000)])
def test_a_curve_under_another_schedule_or_length_is_foretold(study, name, steps):
    truth = quadratic(name, steps, noise=0.0)
    found = study.predict(truth)
    losses = truth.losses[np.isin(truth.steps, found.steps)]
    assert np.abs(found.values / losses - 1).mean() < 0.004
    assert ((losses >= found.low) & (losses <= found.high)).mean() > 0.85


def test_a_law_that_cannot_follow_the_schedules_has_little_weight(study):
    weights = dict(zip((fit.law.kind for fit in study.fits), study.weights, strict=True))
    assert weights["summed_rate"] < 0.02
    assert weights["annealing"] + weights["multi_power"] > 0.9


def test_the_targets_own_losses_are_not_looked_at(study):
    truth = quadratic("late")
    doubled = replace(truth, losses=truth.losses * 2)
    assert (study.predict(truth).values == study.predict(doubled).values).all()


def test_annealing_that_no_run_has_shown_widens_the_interval_and_is_said():
    bare = CurveStudy.of([quadratic("constant"), replace(quadratic("constant", seed=1), run="again")])
    truth = quadratic("linear", noise=0.0)
    found = bare.predict(truth)
    assert any("guess" in caution for caution in found.cautions)
    calm = bare.predict(quadratic("constant", noise=0.0))
    assert not calm.cautions
    assert (found.high / found.low)[-1] - 1 > 3 * ((calm.high / calm.low)[-1] - 1)
    assert found.low[-1] <= truth.losses[-1] <= found.high[-1]


def test_without_learning_rates_steps_have_to_do_and_that_is_said():
    curves = [replace(quadratic("linear", steps), rates=None, run=str(steps)) for steps in (1000, 2000)]
    truth = replace(quadratic("linear", 4000, noise=0.0), rates=None)
    found = CurveStudy.of(curves).predict(truth)
    assert any("learning rates" in caution for caution in found.cautions)
    assert np.abs(found.values[-1] / truth.losses[-1] - 1) < 0.02
    assert {fit.law.needs_rates for fit, _ in found.laws} == {False}


def test_another_size_needs_sizes_to_have_been_varied():
    def sized(size):
        curve = quadratic("cosine", 1000, every=25, seed=int(size))
        return replace(curve, run=f"{size}", size=size, losses=curve.losses + 3 * size**-0.3)

    with pytest.raises(EvidenceError, match="size"):
        CurveStudy.of([sized(10.0)]).predict(sized(100.0))
    study = CurveStudy.of([sized(size) for size in (10.0, 20.0, 40.0)])
    truth = sized(100.0)
    found = study.predict(truth)
    losses = truth.losses[np.isin(truth.steps, found.steps)]
    assert np.abs(found.values / losses - 1).mean() < 0.005


def test_the_noise_of_single_points_is_in_the_interval_however_many_there_are():
    pilots = [quadratic(name, every=2, noise=0.01) for name in ("constant", "cosine")]
    truth = quadratic("linear", every=2, noise=0.01, seed=5)
    found = CurveStudy.of(pilots).predict(truth)
    losses = truth.losses[np.isin(truth.steps, found.steps)]
    assert len(losses) > 900
    assert ((losses >= found.low) & (losses <= found.high)).mean() > 0.93
    assert (found.high / found.low - 1).mean() < 0.12


def test_the_path_of_a_run_holds_its_sums_and_falls():
    curve = Curve("stairs", np.arange(1.0, 101.0), np.ones(100), np.where(np.arange(100) < 50, 2.0, 1.0))
    where = stretch(curve, Reference(peak=2.0, steps=100.0))
    assert where.path.sums[-1] == pytest.approx(0.755, abs=0.01)
    assert where.path.changes.sum() == pytest.approx(0.5)
    assert where.path.change_steps == pytest.approx(0.505, abs=0.01)
    assert where.path.change_rates[-1] == pytest.approx(0.5)
    assert where.path.steps[0] == pytest.approx(0.05)


def test_a_curve_that_is_too_short_is_refused():
    with pytest.raises(EvidenceError, match="more often"):
        CurveStudy.of([quadratic("cosine", every=500)])


def test_a_table_is_read_whatever_is_missing_in_it(tmp_path):
    path = tmp_path / "curves.csv"
    path.write_text(
        "run_id,step,train_loss,lr\na,1,3,0.1\na,3,2,0.3\na,2,,\nb,1,3,\nb,2,2.5,nan\nc,1,1,1\na,,9,9\na,3,2.2,0.3\n"
    )
    found = read_curves(path)
    assert set(found) == {"a", "b"}
    assert found["a"].rates.tolist() == pytest.approx([0.1, 0.2, 0.3])
    assert np.isnan(found["a"].losses[1])
    assert found["b"].rates is None
    assert len(found["a"].steps) == 3


@pytest.mark.parametrize(
    ("text", "words"), [("run_id,step\na,1\n", "no column loss"), ("run_id,step,loss\na,x,1\n", "'x'")]
)
def test_a_table_that_is_wrong_says_where(tmp_path, text, words):
    path = tmp_path / "curves.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=words):
        read_curves(path)
    with pytest.raises(DataError, match="no file"):
        read_curves(tmp_path / "none.csv")


def test_a_curve_task_is_scored_over_the_whole_curve(tmp_path):
    from pilotlight.scaling.backtests.curve import run

    names = ("constant", "cosine", "late")
    _write(tmp_path / "made_up_curves.csv", [quadratic(name) for name in names], column="train_loss")
    rows = tuple(TaskRow(name, "target" if name == "late" else "pilot", "", "", {"n_params": "5"}) for name in names)
    score = run(Task("made_up", "schedules", "curve", "loss", "lower", rows, tmp_path))
    assert not score.abstained
    assert score.error < 0.004
    assert 0.8 < score.coverage <= 1
    assert score.interval_score >= 2 * score.half_width - 1e-12
    missing = run(Task("other", "schedules", "curve", "loss", "lower", rows, tmp_path))
    assert missing.abstained
    assert "other_curves.csv" in missing.why


def test_the_command_tells_people_and_programs_the_curve(tmp_path):
    from pilotlight.cli.trajectory import trajectory

    path = tmp_path / "curves.csv"
    _write(path, [quadratic("constant"), quadratic("cosine"), schedule("late")])
    app = typer.Typer()
    app.command()(trajectory)
    told = CliRunner().invoke(app, [str(path), "--target", "late"])
    assert told.exit_code == 0
    assert "95%" in told.stdout
    assert "multi-power law" in told.stdout
    words = [str(path), "--target", "late", "--pilots", "constant, cosine", "--json"]
    written = json.loads(CliRunner().invoke(app, words).stdout)
    assert written["end"]["low"] < written["values"][-1] < written["end"]["high"]
    assert written["observed_error"] is None
    assert len(written["steps"]) == len(written["high"])
    assert isinstance(CliRunner().invoke(app, [str(path), "--target", "lat"]).exception, EvidenceError)
    itself = [str(path), "--target", "late", "--pilots", "late"]
    assert isinstance(CliRunner().invoke(app, itself).exception, EvidenceError)
