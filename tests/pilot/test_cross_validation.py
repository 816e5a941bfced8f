"""Cross-validation: other parts of the text held out, on seeds and in ledger entries of their own."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import made_up_search
import numpy as np
import pytest
from made_up_results import pilot_of
from made_up_search import pretend

from pilotlight.errors import ConfigError, DataError, RecordError, RunError
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
    monkeypatch.setattr(folds, "tokens_of", lambda *_: packed("made"))

    def run(pilot: Pilot) -> Results:
        execute.run(pilot, tmp_path / "out", workers=1, together=1)
        return Results.open(tmp_path / "out", kind=FOLD)

    return run


def packed(name: str, held_out: int = 100_000) -> SimpleNamespace:
    """Packed text with two documents held out, and nine times as much to train on."""
    splits = {
        "held_out": SimpleNamespace(bytes=np.array([held_out]), document_ids=[f"{name} a", f"{name} b"]),
        "train": SimpleNamespace(bytes=np.array([900_000])),
    }
    return SimpleNamespace(folder=Path("tokens"), vocabulary=256, split=splits.__getitem__)


@pytest.fixture
def tokens(monkeypatch):
    """Let every part have a tenth of the text."""
    monkeypatch.setattr(Tokens, "open", lambda folder: packed(folder.name))


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
    count, whole = len(made_up_search.CALLS), [row.metrics for row in Results.open(tmp_path / "out", kind=FOLD).rows]
    shutil.rmtree(tmp_path / "out")
    made_up_search.CALLS.clear()
    made_up_search.KILLED[:] = [count - 2]
    with pytest.raises(KeyboardInterrupt):
        trained(folded())
    assert len(Results.open(tmp_path / "out", kind=FOLD).rows) == 2
    made_up_search.KILLED.clear()
    assert [row.metrics for row in trained(folded()).rows] == whole
    assert len(made_up_search.CALLS) == count, "nothing is trained twice"


def test_a_part_with_hardly_any_text_is_refused_before_anything_is_trained(trained, monkeypatch):
    monkeypatch.setattr(folds, "tokens_of", lambda *_: packed("made", held_out=5_000))
    with pytest.raises(DataError, match="set folds to 0"):
        trained(folded())
    assert made_up_search.CALLS == []


def test_where_every_part_fails_the_comparison_stands(trained, monkeypatch, tmp_path):
    usual = made_up_search.loss

    def breaks(plan):
        if plan["seed"] >= folds.SEEDS:
            raise RunError("the loss was not finite")
        return usual(plan)

    monkeypatch.setattr(made_up_search, "loss", breaks)
    rows = trained(folded())
    assert [row.status for row in rows.rows] == ["failed"] * 4
    assert folds.cross_validation(folds.round_of(folded()), rows, tmp_path / "out") is None
    (told,) = folds.lost(folds.round_of(folded()), rows)
    assert "4 of 4 trainings have no result" in told
    assert "not finite" in told


def test_parts_that_failed_are_told(trained, tokens, tmp_path):
    wanted, results = folds.round_of(folded()), trained(folded())
    lost = results.rows[2].model_copy(update={"status": "failed", "metrics": {}, "error": "it diverged"})
    left = Results(rows=(*results.rows[:2], lost, results.rows[3]))
    found = folds.cross_validation(wanted, left, tmp_path / "out")
    assert len(found.scores) == 3
    assert folds.lost(wanted, results) == ()
    assert folds.lost(wanted, left) == (
        f"Cross-validation: 1 of 4 trainings have no result, the first is {lost.name}: it diverged",
    )
    first = results.rows[0].model_copy(update={"status": "failed", "metrics": {}})
    assert folds.cross_validation(wanted, Results(rows=(first, *results.rows[1:])), tmp_path / "out") is None


def test_an_edited_training_of_a_part_voids_the_pilot(trained, tmp_path):
    trained(folded())
    facts = next((tmp_path / "out" / "runs").glob("fold.2of4/*/*/run.json"))
    facts.write_text(facts.read_text().replace("made up", "made upon"), encoding="utf-8")
    with pytest.raises(RecordError, match="edited"):
        trained(folded())


def test_documents_in_two_parts_are_counted(trained, monkeypatch, tmp_path):
    results = trained(folded())
    monkeypatch.setattr(Tokens, "open", lambda _: packed("the same"))
    found = folds.cross_validation(folds.round_of(folded()), results, tmp_path / "out")
    assert found.score.cautions == ("6 of 8 held-out documents are in more than one part",)


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


@pytest.mark.parametrize(("changes", "told"), [
    ({"corpus": {"held_out": 0.3}}, r"lower corpus\.held_out to 0\.25"),
    ({"folds": 6, "corpus": {"held_out": 0.3}}, r"lower corpus\.held_out to 0\.16"),
    ({"goal": {"metric": "nats_per_token", "target": 3.0}}, "goal.metric is nats_per_token"),
])  # fmt: skip
def test_parts_that_overlap_or_do_not_compare_are_refused(changes, told):
    with pytest.raises(ConfigError, match=told):
        folded(**changes).check()


def test_two_parts_are_too_few_and_names_of_parts_are_taken():
    with pytest.raises(ValueError, match="folds"):
        folded(folds=2)
    with pytest.raises(ValueError, match=r"begins with 'tune\.' or 'fold\.'"):
        folded(variants={"fold.1of4": {"set": {"train.optim.lr": 0.001}}})
