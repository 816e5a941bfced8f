"""Every variant gets its own learning rate before the comparison, on seeds that do not enter it."""

from __future__ import annotations

import math

import made_up_search
import pytest
from made_up_results import pilot_of
from made_up_search import OPTIMUM, pretend

from pilotlight.errors import ConfigError, RecordError
from pilotlight.pilot import execute, tune
from pilotlight.pilot.pilot import Pilot
from pilotlight.pilot.trials import schedule
from pilotlight.record.ledger import Ledger
from pilotlight.record.results import TRIAL, TUNING, Results
from tiny_pilot import calibration_of

VARIANTS = {
    "gelu": {"set": {"model.feedforward.kind": "gelu"}},
    "double": {"set": {"train.optim.lr": "x2"}},
    "fixed": {"set": {"train.optim.lr": 0.001}},
}


def tuning(**changes) -> Pilot:
    settings = {
        "tune": {}, "variants": VARIANTS,
        "scales": [{"parameters": "100k", "tokens": "1M"}, {"parameters": "300k", "tokens": "3M"}],
        "train": {"rows": 8, "context": 64, "optim": {"kind": "adamw", "lr": 0.008}}, "repeats": 0, "confirm": 0,
    }  # fmt: skip
    return pilot_of(**(settings | changes))


def rate(pilot: Pilot, *names: str) -> float:
    return pilot.variant(*names).train.optim.lr


@pytest.fixture
def trained(monkeypatch, tmp_path):
    """The ledger of a pilot whose trainings are made up; nothing is decided, as there is no text to decide about."""
    pretend(monkeypatch, None)
    decided: list[Pilot] = []
    monkeypatch.setattr(execute, "conclude", lambda pilot, *_: decided.append(pilot))

    def run(pilot: Pilot) -> tuple[Pilot, Ledger]:
        monkeypatch.setattr(execute.measure, "default_workers", lambda: 1)
        monkeypatch.setattr(execute, "Pool", lambda workers, threads, **more: made_up_search.pool(**more))
        execute.run(pilot, tmp_path / "out", workers=1, together=1)
        return decided[-1], Ledger(tmp_path / "out" / "ledger.jsonl")

    return run


def test_rates_are_tuned_on_the_safe_side_before_the_comparison_and_used_in_it(trained, tmp_path):
    tuned, ledger = trained(tuning())
    assert OPTIMUM / 2 < rate(tuned) < OPTIMUM * 1.1, "the plan had twice the optimum"
    assert rate(tuned, "gelu") != 0.008
    assert rate(tuned, "double") == pytest.approx(2 * rate(tuned), rel=1e-3), (
        "a question about the rate is asked of the tuned one"
    )
    assert rate(tuned, "fixed") == 0.001
    kinds = [entry.kind for entry in ledger.entries()]
    assert kinds.index("tuned") < kinds.index(TRIAL)
    assert len(kinds) - 1 - kinds[::-1].index(TUNING) < kinds.index("tuned")
    rows = Results.open(tmp_path / "out", kind=TUNING).rows
    assert {row.seed for row in rows} == {tune.SEEDS}
    assert {row.variant for row in rows} == {
        f"tune.{name}.x{at}" for name in ("baseline", "gelu") for at in ("0.5", "1", "2")
    }
    assert not {row.seed for row in Results.open(tmp_path / "out").rows} & {tune.SEEDS}
    assert tuned.plan("gelu", "300k-3M", 0).train.optim.lr == rate(tuned, "gelu")
    assert tuned.full_plan(("gelu",)).train.optim.lr == rate(tuned, "gelu")
    assert f"baseline {rate(tuned):g}" in tune.sentence(tuned)


def test_the_criteria_are_those_of_the_file_whatever_was_tuned(trained):
    pilot = tuning()
    tuned, _ = trained(pilot)
    assert tuned.tuned
    assert tuned.criteria == pilot.criteria
    assert pilot.criteria != tuning(tune=None).criteria


def test_killed_while_tuning_it_goes_on_to_the_same_rates(trained, tmp_path):
    made_up_search.KILLED[:] = [4]
    with pytest.raises(KeyboardInterrupt):
        trained(tuning())
    made_up_search.KILLED.clear()
    again, ledger = trained(tuning())
    third, _ = trained(tuning())
    assert len(ledger.entries("tuned")) == 1
    assert len(made_up_search.CALLS) == len(set(made_up_search.CALLS))
    assert third.tuned == again.tuned
    valley = math.log2(rate(again) / OPTIMUM)
    assert -1 < valley < 0.15


def test_an_edited_training_that_tuned_voids_the_pilot(trained, tmp_path):
    trained(tuning())
    facts = next((tmp_path / "out" / "runs").glob("tune.gelu.x1/*/*/run.json"))
    facts.write_text(facts.read_text().replace("made up", "made upon"), encoding="utf-8")
    with pytest.raises(RecordError, match="edited"):
        trained(tuning())


def test_of_what_mostly_diverged_the_best_that_lived_is_taken(trained):
    train = {"rows": 8, "context": 64, "optim": {"kind": "adamw", "lr": 0.3}}
    tuned, _ = trained(tuning(train=train, variants={}, tune={"multiples": [1, 2, "x0.2", 0.1]}))
    assert tuned.tuned == {"baseline": 0.1}


def test_together_variants_train_at_the_smallest_of_their_multiples():
    pilot = tuning(variants=VARIANTS | {"rows": {"set": {"train.rows": 4}}})
    tuned = pilot.model_copy(update={"tuned": {"baseline": 2.0, "gelu": 0.5, "rows": 0.8}})
    assert rate(tuned) == 0.016
    assert rate(tuned, "gelu", "rows") == 0.004
    assert rate(tuned, "rows", "double") == pytest.approx(0.0128)
    assert rate(tuned, "rows", "fixed") == 0.001


def test_tuning_is_paid_from_the_budget():
    one = 6 * 1e5 * 1e6
    plain, tuned = (tuning(tune=asked, budget={"flops": 60 * one}) for asked in (None, {"seeds": 2}))
    left = [schedule(pilot, calibration_of(pilot)).reserve for pilot in (plain, tuned)]
    inside = [len(schedule(pilot, calibration_of(pilot)).inside) for pilot in (plain, tuned)]
    assert left[0] - left[1] == pytest.approx(2 * 2 * 3 * one) or inside[1] < inside[0]


def test_what_cannot_be_tuned_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="no field"):
        tuning(tune={"path": "train.optim.rate"}).check()
    with pytest.raises(ConfigError, match="above 0"):
        tuning(tune={"path": "train.optim.kind"}).check()
    for asked in ({"multiples": [1, 2]}, {"multiples": [0.5, 2, 4]}, {"path": "model.depth"}):
        with pytest.raises(ValueError, match="tune"):
            tuning(tune=asked)
