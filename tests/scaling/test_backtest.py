"""Back-tests on a made-up folder of tables, and on published ones where they lie beside the repository."""

from __future__ import annotations

import csv
import json
import math
import os
from pathlib import Path

import pytest
from ladder_examples import chinchilla
from typer.testing import CliRunner

from pilotlight.cli.main import app, register
from pilotlight.errors import DataError
from pilotlight.scaling import backtest as backtests
from pilotlight.scaling.backtest import backtest, summarised
from pilotlight.scaling.intervals import judged
from pilotlight.scaling.tasks import TaskScore, read_tasks

PLACE = Path(os.environ.get("PILOTLIGHT_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data")) / "scaling"
COLUMNS = ("source", "recipe", "cell", "run_id", "n_params", "n_params_nonemb", "tokens", "flops", "seed", "loss")
TASKS = ("source", "task", "kind", "metric", "better", "run_id", "role", "variant", "cell")


@pytest.fixture
def folder(tmp_path):
    """One made-up source: a ladder with a loss task, a task that cannot be told, and a decision between two recipes."""
    sizes = [2e6 * 2.0**step for step in range(6)]
    runs, tasks = [], []
    for size in sizes:
        for ratio in (10, 40):
            name = f"{size:g}-{ratio}"
            runs.append(_run(name, "plain", size, ratio * size, chinchilla(size, ratio * size)))
            role = "target" if size == sizes[-1] else "pilot"
            tasks.append(_task("ladder", "loss", name, role))
            if size == sizes[0]:
                tasks.append(_task("short", "loss", name, "pilot"))
            if size == sizes[-1]:
                tasks.append(_task("short", "loss", name, "target"))
        runs.append(_run(f"{size:g}-better", "better", size, 10 * size, 0.97 * chinchilla(size, 10 * size)))
        for recipe, name in (("plain", f"{size:g}-10"), ("better", f"{size:g}-better")):
            tasks.append(_task("pick", "decision", name, role, variant=recipe, cell=f"{size:g}"))
    _write(tmp_path / "mine.csv", COLUMNS, runs)
    _write(tmp_path / "tasks.csv", TASKS, tasks)
    return tmp_path


def _run(name, recipe, size, tokens, loss):
    return ("mine", recipe, f"{size:g}", name, size, "", tokens, 6 * size * tokens, "", f"{loss:.6f}")


def _task(name, kind, run, role, variant="", cell=""):
    return ("mine", name, kind, "loss", "lower", run, role, variant, cell)


def _write(path, names, rows):
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(names)
        writer.writerows(rows)


def test_every_task_is_scored_and_sources_are_summed_up(folder):
    found = backtest(folder)
    scores = {score.task: score for score in found.tasks}
    assert scores["ladder"].n_pilot == 10
    assert scores["ladder"].n_target == 2
    assert scores["ladder"].error < 0.01
    assert scores["ladder"].coverage == 1.0
    assert scores["pick"].accuracy == 1.0
    assert scores["pick"].regret == 0.0
    assert {kind.kind for kind in found.kinds} == {"loss", "decision"}


def test_scores_are_foretold_through_the_loss(tmp_path):
    """A sigmoid of the loss, of runs up to 64M parameters, foretells the scores of larger ones; noise abstains."""
    names = (*COLUMNS, "accuracy", "coin")
    runs, tasks = [], []
    for step in range(9):
        size = 1e6 * 2.0**step
        loss = chinchilla(size, 20 * size) if step else 0.0  # one run that tells nothing
        score = 0.25 + 0.65 / (1 + math.exp(4 * (loss - chinchilla(4e7, 8e8))))
        runs.append(
            (*_run(f"{step}", "plain", size, 20 * size, loss), f"{score:.5f}", f"{0.25 + 0.004 * (-1) ** step}")
        )
        role = "target" if step > 6 else "pilot"
        for metric in ("accuracy", "coin"):
            tasks.append(("mine", metric, "loss", metric, "higher", f"{step}", role, "", ""))
    _write(tmp_path / "mine.csv", names, runs)
    _write(tmp_path / "tasks.csv", TASKS, tasks)
    scores = {score.task: score for score in backtest(tmp_path).tasks}
    assert scores["accuracy"].error < 0.05
    assert scores["accuracy"].coverage == 1.0
    assert scores["accuracy"].error < scores["accuracy"].unchanged
    assert scores["coin"].abstained
    assert "noise" in scores["coin"].why


def test_runs_of_no_known_size_are_decided_by_their_values(tmp_path):
    runs = [
        (f"{name}{seed}{where}", name, where, "", "", "", "", str(seed), value + 0.002 * seed + (where == "small"))
        for name, value in (("one", 3.0), ("two", 2.9), ("three", 3.2)) for seed in range(2) for where in ("small", "large")
    ]  # fmt: skip
    _write(
        tmp_path / "mine.csv", ("run_id", "recipe", "cell", "n_params", "tokens", "flops", "lr", "seed", "loss"), runs
    )
    rows = [
        _task("pick", "decision", run[0], "pilot" if run[2] == "small" else "target", variant=run[1], cell=run[2])
        for run in runs
    ]
    _write(tmp_path / "tasks.csv", TASKS, rows)
    (score,) = backtest(tmp_path).tasks
    assert not score.abstained
    assert score.accuracy == 1.0
    assert 0 < score.brier < 0.25


def test_a_row_without_a_size_is_left_out_where_others_tell_theirs(folder):
    """Taken to be of size 1 it would ruin the fit; its FLOPs and tokens together still tell it."""
    path = folder / "mine.csv"
    rows = list(csv.reader(path.read_text(encoding="utf-8").splitlines()))
    rows[1][4] = rows[1][7] = rows[2][4] = ""
    _write(path, rows[0], rows[1:])
    score = next(score for score in backtest(folder).tasks if score.task == "ladder")
    assert score.n_pilot == 9
    assert score.error < 0.01


def test_a_score_of_nothing_and_sizes_below_nothing_are_left_out(folder):
    path = folder / "mine.csv"
    rows = list(csv.reader(path.read_text(encoding="utf-8").splitlines()))
    rows[1][4], rows[2][7], rows[3][6] = "-1", "-5", "0"
    _write(path, rows[0], rows[1:])
    score = next(score for score in backtest(folder).tasks if score.task == "ladder")
    assert score.n_pilot == 10  # each of the three numbers follows from the other two
    assert score.error < 0.01


def test_pilots_without_a_size_are_no_models_of_one_parameter_beside_others(folder):
    path = folder / "mine.csv"
    rows = list(csv.reader(path.read_text(encoding="utf-8").splitlines()))
    for row in rows[1:]:
        if row[3].endswith("better") and row[3] != "6.4e+07-better":
            row[4] = row[7] = ""
    _write(path, rows[0], rows[1:])
    score = next(score for score in backtest(folder).tasks if score.task == "pick")
    assert score.abstained
    assert score.n_pilot == 5


def test_sizes_alone_make_a_ladder(folder):
    path = folder / "mine.csv"
    rows = [
        row
        for row in csv.reader(path.read_text(encoding="utf-8").splitlines())
        if row[3].endswith(("id", "-10", "tter"))
    ]
    _write(path, rows[0], [[*row[:6], "", "", *row[8:]] for row in rows[1:]])
    tasks = [line for line in (folder / "tasks.csv").read_text(encoding="utf-8").splitlines() if "-40," not in line]
    (folder / "tasks.csv").write_text("\n".join(tasks) + "\n", encoding="utf-8")
    score = next(score for score in backtest(folder).tasks if score.task == "ladder")
    assert not score.abstained
    assert score.error < 0.02


@pytest.mark.parametrize(
    ("kind", "broken", "going"), [("decision", {"pick"}, {"ladder"}), ("loss", {"ladder", "short"}, {"pick"})]
)
def test_a_task_that_breaks_a_method_does_not_hide_the_others(folder, monkeypatch, kind, broken, going):
    def breaks(task):
        raise ZeroDivisionError("of all things")

    monkeypatch.setattr(f"pilotlight.scaling.backtests.{kind}.run", breaks)
    backtests._runner.cache_clear()
    found = backtest(folder)
    backtests._runner.cache_clear()
    scores = {score.task: score for score in found.tasks}
    assert {
        name for name, score in scores.items() if score.why == "failed with ZeroDivisionError: of all things"
    } == broken
    assert {name for name, score in scores.items() if not score.abstained} == going
    (mean,) = [one for one in found.sources if one.kind == kind]
    assert (mean.error is None) == (kind == "decision"), (
        "a loss counts with no change; a decision is half right, no more"
    )


def test_rows_that_end_early_are_read(folder):
    path = folder / "mine.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([lines[0], *lines[1:], "short,plain"]) + "\n", encoding="utf-8")
    assert not next(score for score in backtest(folder).tasks if score.task == "ladder").abstained
    short = [line.rsplit(",", 2)[0] if line.split(",")[3] == "2e+06-10" else line for line in lines]
    path.write_text("\n".join(short) + "\n", encoding="utf-8")
    assert next(score for score in backtest(folder).tasks if score.task == "ladder").n_pilot == 9


def test_what_cannot_be_told_is_abstained_from_and_counts_as_no_change(folder):
    found = backtest(folder)
    short = next(score for score in found.tasks if score.task == "short")
    assert short.abstained
    assert "at least 3 runs" in short.why
    assert short.error is None
    loss = next(source for source in found.sources if source.kind == "loss")
    ladder = next(score for score in found.tasks if score.task == "ladder")
    assert loss.abstained == 1
    assert loss.error == pytest.approx((short.unchanged + ladder.error) / 2)


def test_an_abstained_decision_counts_as_half():
    told = {"source": "a", "kind": "decision", "n_pilot": 2, "n_target": 2}
    scores = [TaskScore(task="x", accuracy=1.0, **told), TaskScore(task="y", abstained=True, **told)]
    assert summarised(scores).sources[0].accuracy == 0.75


def test_the_interval_score_punishes_what_lies_outside():
    inside, outside = judged([1.0], [0.9], [1.1], [1.0]), judged([1.0], [0.9], [1.1], [1.2])
    assert inside.interval_score == pytest.approx(0.2)
    assert outside.interval_score == pytest.approx((0.2 + 40 * 0.1) / 1.2)
    assert (inside.coverage, outside.coverage) == (1.0, 0.0)
    assert outside.bias == pytest.approx(1 / 1.2 - 1)


def test_a_misspelt_role_or_source_is_named(folder):
    with pytest.raises(DataError, match=r"no source 'chinchila'; it has .*"):
        backtest(folder, only=["chinchila"])
    path = folder / "tasks.csv"
    path.write_text(path.read_text().replace(",pilot,", ",pilots,", 1))
    with pytest.raises(DataError, match=r"role is 'pilots' in ladder; expected one of pilot, target"):
        backtest(folder)


def test_the_command_prints_one_object_a_task(folder):
    register()
    done = CliRunner().invoke(app, ["backtest", str(folder), "--json"])
    assert done.exit_code == 0, done.output
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["task"] for one in told] == ["ladder", "short", "pick"]
    wanted = "source task kind n_pilot n_target error bias coverage half_width interval_score accuracy regret brier abstained"
    assert set(wanted.split()) <= set(told[0])


def test_the_command_prints_a_table_by_source(folder):
    register()
    done = CliRunner().invoke(app, ["backtest", str(folder), "--quiet"])
    assert done.exit_code == 0, done.output
    assert "Final losses" in done.stdout
    assert "mean of sources" in done.stdout


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda place: (place / "tasks.csv").unlink(), "there is no file"),
        (lambda place: (place / "mine.csv").unlink(), "there is no file"),
        (lambda place: (place / "mine.csv").write_text("run_id\nother\n"), "names the run"),
        (lambda place: (place / "tasks.csv").write_text("source,task\na,b\n"), "lacks the columns kind"),
        (
            lambda place: (place / "tasks.csv").write_text(
                "source,task,kind,metric,better,run_id,role\na,b,c,d,e,f,g\n"
            ),
            "kind is 'c'",
        ),
    ],
)
def test_a_folder_of_another_shape_is_refused_by_name(folder, spoil, words):
    spoil(folder)
    with pytest.raises(DataError, match=words):
        read_tasks(folder)


@pytest.mark.skipif(
    not PLACE.is_dir(), reason="no published tables: set PILOTLIGHT_SHARED_DATA to the folder of scaling/"
)
def test_published_tables_are_told_within_a_few_percent():
    found = backtest(PLACE, only=("llama3_isoflop", "supercollapse", "marin_isoflop"))
    errors = {source.source: source.error for source in found.sources if source.kind == "loss"}
    assert errors["llama3_isoflop"] < 0.01
    assert errors["supercollapse"] < 0.01
    assert errors["marin_isoflop"] < 0.04
