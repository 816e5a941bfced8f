"""Cross-validation: other parts of the text held out, on seeds and in ledger entries of their own."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import made_up_search
import numpy as np
import pytest
from made_up_results import pilot_of
from made_up_search import pretend

from pilotlight.errors import ConfigError
from pilotlight.pilot import execute, folds
from pilotlight.pilot.pilot import Pilot
from pilotlight.pilot.trials import schedule
from pilotlight.record.results import FOLD, Results
from pilotlight.stats.folds import k_fold
from pilotlight.tokens.tokens import Tokens
from tiny_pilot import calibration_of


def folded(**changes) -> Pilot:
    settings = {
        "folds": 4, "corpus": {"held_out_start": 0.5}, "variants": {"gelu": {"set": {"model.feedforward.kind": "gelu"}}},
        "scales": [{"parameters": "100k", "tokens": "1M"}, {"parameters": "300k", "tokens": "3M"}],
        "train": {"rows": 8, "context": 64, "optim": {"kind": "adamw", "lr": 0.008}}, "repeats": 0, "confirm": 0,
    }  # fmt: skip
    return pilot_of(**(settings | changes))


@pytest.fixture
def trained(monkeypatch, tmp_path):
    """What runs a pilot whose trainings are made up; nothing is decided, as there is no text to decide about."""
    pretend(monkeypatch, None)
    monkeypatch.setattr(execute, "conclude", lambda *_: None)
    monkeypatch.setattr(execute, "Pool", lambda workers, threads, **more: made_up_search.pool(**more))
    made = SimpleNamespace(folder=Path("tokens"), vocabulary=256)
    monkeypatch.setattr(folds, "tokens_of", lambda *_: made)

    def run(pilot: Pilot) -> Results:
        execute.run(pilot, tmp_path / "out", workers=1, together=1)
        return Results.open(tmp_path / "out", kind=FOLD)

    return run


@pytest.fixture
def tokens(monkeypatch):
    """Let every part have 100 bytes to score and 900 to train on."""
    sizes = {"held_out": 100, "train": 900}
    split = SimpleNamespace(split=lambda name: SimpleNamespace(bytes=np.array([sizes[name]])))
    monkeypatch.setattr(Tokens, "open", lambda _: split)


def test_every_part_is_held_out_once_beginning_with_that_of_the_comparison():
    wanted = folds.round_of(folded())
    starts = [trial.plan(wanted.pilot).corpus.held_out_start for trial in wanted.trials]
    assert starts == [0.5, 0.75, 0.0, 0.25]
    assert {trial.scale for trial in wanted.trials} == {"100k-1M"}
    assert folds.round_of(folded(folds=0)) is None


def test_its_trainings_enter_no_comparison_and_are_told_by_k_fold(trained, tokens, tmp_path):
    rows = trained(folded())
    assert [row.variant for row in rows.rows] == ["fold.1of4", "fold.2of4", "fold.3of4", "fold.4of4"]
    main = Results.open(tmp_path / "out")
    assert not {row.seed for row in rows.rows} & {row.seed for row in main.rows}
    assert {row.variant for row in main.rows} == {"baseline", "gelu"}
    found = folds.cross_validation(folds.round_of(folded()), rows, tmp_path / "out")
    scores = [row.metrics["bits_per_byte"] for row in rows.rows]
    assert found.score == k_fold(scores, unit=found.score.unit, share=1 / 9)
    assert found.first.value == pytest.approx(scores[0] / np.mean(scores[1:]) - 1)


def test_killed_on_its_way_it_goes_on(trained, tmp_path):
    trained(folded())
    count = len(made_up_search.CALLS)
    made_up_search.CALLS.clear()
    made_up_search.KILLED[:] = [0]
    assert len(trained(folded()).rows) == 4
    assert made_up_search.CALLS == [], "nothing is trained twice"
    assert count == len(Results.open(tmp_path / "out").rows) + 4


def test_parts_that_failed_are_told(trained, tokens, tmp_path):
    wanted, results = folds.round_of(folded()), trained(folded())
    lost = results.rows[2].model_copy(update={"status": "failed", "metrics": {}})
    found = folds.cross_validation(wanted, Results(rows=(*results.rows[:2], lost, results.rows[3])), tmp_path / "out")
    assert found.score.cautions == ("1 of 4 trainings failed",)
    assert len(found.scores) == 3
    first = results.rows[0].model_copy(update={"status": "failed", "metrics": {}})
    assert folds.cross_validation(wanted, Results(rows=(first, *results.rows[1:])), tmp_path / "out") is None


def test_a_tuned_baseline_is_trained_at_its_rate(trained):
    pilot = folded(tune={}).model_copy(update={"tuned": {"baseline": 0.5}})
    wanted = folds.round_of(pilot)
    assert {trial.plan(wanted.pilot).train.optim.lr for trial in wanted.trials} == {0.004}


def test_it_is_paid_from_the_budget_and_changes_no_criteria_where_it_is_not_asked_for():
    with_folds, without = folded(), folded(folds=0)
    calibration = calibration_of(with_folds, 2, 1e-4)
    price = calibration.price("100k-1M", with_folds.budget)
    assert schedule(without, calibration).reserve - schedule(with_folds, calibration).reserve == pytest.approx(
        4 * price
    )
    assert with_folds.criteria != without.criteria


def test_parts_that_overlap_or_a_goal_without_held_out_text_are_refused():
    with pytest.raises(ConfigError, match=r"lower corpus.held_out to 0\.25"):
        folded(corpus={"held_out": 0.3}).check()
    with pytest.raises(ValueError, match="folds"):
        folded(folds=2)
