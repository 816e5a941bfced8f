"""The next trial is the one that helps the choice most for its price, and a pilot may allocate its whole budget so."""

from __future__ import annotations

import importlib
import json
import math
from pathlib import Path

import made_up_trainings
import pytest
from made_up_results import LADDER, World, pilot_of, results_of, row_of
from made_up_trainings import CALLS, KILLED, pretend

from pilotlight.errors import ConfigError, RecordError
from pilotlight.manifest import building, sha256, write_atomic
from pilotlight.pilot import adaptive, execute
from pilotlight.pilot.again import decide_again, progress_of
from pilotlight.pilot.allocation import next_trials, read_budget
from pilotlight.pilot.analyse import analyse
from pilotlight.pilot.asked import asked, sentence, worth_of
from pilotlight.pilot.pilot import Pilot
from pilotlight.pilot.trials import Trial, schedule, wanted
from pilotlight.record.ledger import Ledger
from pilotlight.record.results import BASELINE, TRIAL, Results, Row
from pilotlight.scaling.allocate import next_trial
from pilotlight.spec import plain
from tiny_pilot import calibration_of

GOOD = World(effects={"half_lr": -0.04})
FIRST = [Trial(name, "100k-1M", 0) for name in (BASELINE, "half_lr", "gelu")]


def study(out, pilot: Pilot, rows: list[Row]):
    """Return the folder of a pilot that ended with ``rows``."""
    write_atomic(out / "pilot.json", pilot.model_dump_json(indent=1))
    ledger = Ledger(out / "ledger.jsonl")
    ledger.append("criteria", criteria=pilot.criteria, pilot=plain(pilot))
    ledger.append("calibration", **plain(calibration_of(pilot, seconds=1e-3)))
    for row in rows:
        told = row
        if row.status == "finished":
            with building(out / "runs" / row.name, kind="run", fingerprint="0" * 16, settings={}):
                pass
            told = row.model_copy(update={"manifest_sha256": sha256(out / "runs" / row.name / "manifest.json")})
        ledger.append(TRIAL, **plain(told))
    return out


def rows_of(pilot: Pilot, trials: list[Trial], world: World = World()) -> list[Row]:  # noqa: B008
    return [row_of(pilot, trial, world) for trial in trials]


def test_after_one_rung_another_is_asked_for_with_its_price_and_what_it_would_change(tmp_path):
    pilot = pilot_of()
    found = next_trials(study(tmp_path, pilot, rows_of(pilot, FIRST)))
    assert found.action == "buy"
    assert {trial.scale for trial in found.trials} == {"100k-4M"}
    assert found.because.startswith("train ")
    assert found.regret > found.gain > found.worth == pytest.approx(0.0005)
    rung = calibration_of(pilot, seconds=1e-3).rungs["100k-4M"]
    assert {(trial.flops, trial.seconds) for trial in found.trials} == {(rung.flops, rung.seconds)}
    assert found.offers[0].trials == found.trials
    rates = [one.gain / sum(trial.seconds for trial in one.trials) for one in found.offers]
    assert rates == sorted(rates, reverse=True)
    assert sum(one.best for one in found.standings) == pytest.approx(1.0)
    assert {one.variant for one in found.standings if one.change is None} == {BASELINE}


def test_a_clear_winner_after_a_whole_pilot_is_safe_and_the_change_holds_the_truth(tmp_path):
    pilot = pilot_of()
    found = next_trials(study(tmp_path, pilot, list(results_of(pilot, GOOD).rows)))
    assert (found.action, found.pick, found.trials) == ("safe", "half_lr", ())
    assert found.regret < found.worth
    best = found.standings[0]
    assert best.variant == "half_lr"
    assert best.best > 0.95
    assert best.change.low < -0.04 < best.change.high


def test_the_interval_of_a_change_is_of_the_level_that_the_rule_declares(tmp_path):
    widths = {}
    for level in (0.8, 0.95):
        pilot = pilot_of(rule={"worth": "0.5%", "level": level})
        found = next_trials(study(tmp_path / str(level), pilot, list(results_of(pilot, GOOD).rows)))
        change = found.standings[0].change
        assert change.level == level
        widths[level] = math.log1p(change.high) - math.log1p(change.low)
    assert widths[0.95] / widths[0.8] == pytest.approx(1.95996 / 1.28155, rel=1e-4)


def test_the_order_in_which_trials_ended_does_not_matter(tmp_path):
    pilot = pilot_of()
    rows = rows_of(pilot, [*FIRST, Trial("gelu", "100k-4M", 0), Trial(BASELINE, "100k-4M", 0)])
    one = next_trials(study(tmp_path / "one", pilot, rows))
    assert one == next_trials(study(tmp_path / "other", pilot, rows[::-1]))


def test_a_budget_limits_what_is_offered_and_a_spent_one_is_said_to_be(tmp_path):
    pilot = pilot_of(budget={"time": "5 s"})
    out = study(tmp_path, pilot, rows_of(pilot, FIRST))
    spent = next_trials(out)
    assert any("the budget is spent" in note for note in spent.notes)
    more = next_trials(out, read_budget("10 h"))
    assert more.notes == ()
    assert {trial.scale for one in more.offers for trial in one.trials} > {"100k-1M"}
    cheap = calibration_of(pilot).rungs["100k-1M"].flops
    little = next_trials(out, read_budget(f"{2.5 * cheap} FLOPs"))
    assert little.offers
    assert {(len(one.trials) <= 2, one.trials[0].scale) for one in little.offers} == {(True, "100k-1M")}
    nothing = next_trials(out, read_budget("1 FLOPs"))
    assert (nothing.action, nothing.offers) == ("useless", ())
    for text in ("soon", "0 s", "12"):
        with pytest.raises(ConfigError, match="10 min"):
            read_budget(text)


def test_before_any_trial_it_says_where_to_start_and_before_the_calibration_why_it_cannot(tmp_path):
    pilot = pilot_of()
    found = next_trials(study(tmp_path, pilot, []))
    assert [trial.name for trial in found.trials] == [trial.name for trial in FIRST]
    assert (found.pick, found.standings, found.offers) == (None, (), ())
    assert "start with baseline, half_lr, gelu at 100k-1M" in found.because
    bare = tmp_path / "bare"
    write_atomic(bare / "pilot.json", pilot.model_dump_json())
    Ledger(bare / "ledger.jsonl").append("criteria", criteria=pilot.criteria, pilot=plain(pilot))
    with pytest.raises(RecordError, match="nothing has a price"):
        next_trials(bare)


def test_a_pilot_without_variants_has_nothing_to_choose_and_one_variant_is_enough(tmp_path):
    without = pilot_of(variants={})
    found = next_trials(study(tmp_path / "none", without, rows_of(without, FIRST[:1])))
    assert (found.action, found.trials) == ("nothing to compare", ())
    assert "no variants" in found.because
    single = pilot_of(variants={"gelu": {"set": {"model.feedforward.kind": "gelu"}}})
    found = next_trials(study(tmp_path / "one", single, rows_of(single, [FIRST[0], FIRST[2]])))
    assert found.action == "buy"
    assert {one.variant for one in found.standings} == {BASELINE, "gelu"}


@pytest.mark.parametrize("scored", [False, True])
def test_a_variant_of_which_a_trial_failed_or_scored_0_is_out_of_the_question(tmp_path, scored):
    pilot = pilot_of()
    rows = rows_of(pilot, FIRST, World() if scored else World(lost=("gelu/100k-1M/seed0",)))
    nothing = {"metrics": {"bits_per_byte": 0.0}}
    rows = [row.model_copy(update=nothing) if scored and row.variant == "gelu" else row for row in rows]
    found = next_trials(study(tmp_path, pilot, rows))
    assert {one.variant for one in found.standings} == {BASELINE, "half_lr"}
    assert any("gelu is out of the question" in note for note in found.notes)
    assert all(trial.variant != "gelu" for one in found.offers for trial in one.trials)


def test_where_higher_is_better_the_highest_is_the_pick():
    pilot = pilot_of()
    pilot = pilot.model_copy(update={"goal": pilot.goal.model_copy(update={"metric": "accuracy"})})
    scores = {BASELINE: 0.50, "half_lr": 0.58, "gelu": 0.49}
    rows = [
        row.model_copy(update={"metrics": {"accuracy": scores[row.variant] + 0.001 * row.seed}})
        for row in results_of(pilot_of()).rows if row.round == "main"
    ]  # fmt: skip
    known = asked(pilot, Results(rows=tuple(rows)), calibration_of(pilot), pilot.budget)
    assert worth_of(pilot, known.bought) == pytest.approx(0.1 * 0.005 * 0.501)
    advice = next_trial(known.bought, known.menu, 1e30, known.question)
    assert advice.pick == "half_lr"
    assert "share" in sentence(pilot, known, advice)


def test_the_command_prints_the_offers_and_json(command, tmp_path):
    pilot = pilot_of()
    out = study(tmp_path, pilot, rows_of(pilot, FIRST))
    said = command("next", out)
    assert said.code == 0
    assert "P(best)" in said.out
    assert "buy: train " in said.out
    found = json.loads(command("next", out, "--budget", "1 h", "--json").out)
    assert found["trials"][0]["name"].endswith("/100k-4M/seed0")
    command("next", out, "--budget", "much").refuses("--budget 'much'")
    command("next", tmp_path / "nowhere").refuses("pilot.json")


def adaptive_pilot(**changes) -> Pilot:
    return pilot_of(**({"allocation": "adaptive", "budget": {"time": "10 h"}} | changes))


@pytest.fixture
def run(monkeypatch):
    """Return a function that runs a pilot in a made-up world."""

    def go(out, pilot: Pilot, world: World, killed: int | None = None):
        pretend(monkeypatch, pilot, world)
        KILLED[:] = [] if killed is None else [killed]
        return execute.run(pilot, out, workers=1, together=1)

    return go


def test_an_adaptive_pilot_adopts_the_winner_with_under_half_of_the_trials(run, tmp_path):
    pilot = adaptive_pilot()
    decision = run(tmp_path, pilot, GOOD)
    main = [name for name in CALLS if "seed100" not in name]
    assert len(main) < len(wanted(pilot)) / 2
    assert decision.adopted == ("half_lr",)
    assert {item.variant for item in decision.findings} == {"half_lr", "gelu"}
    assert "the decision is safe: choosing half_lr now" in decision.allocation
    assert decision.trials["left out"] == 0
    assert decision.forecast is not None, "the ladder of the baseline is trained as planned"
    assert json.loads((tmp_path / "decision.json").read_text())["allocation"] == decision.allocation
    assert decide_again(tmp_path) == decision
    assert progress_of(tmp_path).planned == len(CALLS)


def test_every_round_stands_in_the_ledger_before_it_is_trained(run, tmp_path):
    run(tmp_path, adaptive_pilot(), World(effects={"half_lr": 0.04, "gelu": 0.03}))
    entries = Ledger(tmp_path / "ledger.jsonl").entries()
    kinds = [entry.kind for entry in entries]
    assert kinds.index(adaptive.STOP) > max(place for place, kind in enumerate(kinds) if kind == adaptive.ROUND)
    trained: set[str] = set()
    rounds = 0
    for entry in entries:
        if entry.kind == TRIAL:
            trained.add(entry.facts["name"])
        if entry.kind == adaptive.ROUND:
            rounds += 1
            names = {Trial(one["variant"], one["scale"], one["seed"]).name for one in entry.facts["trials"]}
            assert 0 < len(names) <= adaptive.BATCH
            assert not names & trained
            assert {trial.name for trial in adaptive.opening(adaptive_pilot())} <= trained
    assert rounds


def test_killed_at_any_moment_it_goes_on_and_ends_the_same(run, tmp_path):
    pilot = adaptive_pilot(scales=[{"parameters": "100k", "tokens": "1M"}, {"parameters": "300k", "tokens": "3M"}])
    run(tmp_path / "whole", pilot, GOOD)
    whole, count = (tmp_path / "whole" / "decision.json").read_bytes(), len(CALLS)
    opening = len(adaptive.opening(pilot))
    assert count > opening + 2
    for killed in (2, opening - 1, opening, opening + 1, count - 1):
        out = tmp_path / f"killed{killed}"
        with pytest.raises(KeyboardInterrupt):
            run(out, pilot, GOOD, killed)
        before = list(CALLS)
        with pytest.raises(RecordError, match="not finished"):
            decide_again(out)
        run(out, pilot, GOOD)
        assert (out / "decision.json").read_bytes() == whole
        assert len(before) + len(CALLS) == count
        assert not set(before) & set(CALLS)


def test_it_stops_within_its_budget_and_says_so(run, tmp_path):
    pilot = adaptive_pilot(budget={"time": "10 min"})
    decision = run(tmp_path, pilot, World())
    calibration = calibration_of(pilot, 2, 1e-3)
    spent = sum(calibration.price(made_up_trainings.trial_of(tmp_path / name).scale, pilot.budget) for name in CALLS)
    assert spent <= calibration.budget_flops(pilot.budget)
    assert "the budget is spent" in decision.allocation


def test_the_same_results_in_another_order_choose_the_same_round():
    pilot = adaptive_pilot()
    calibration = calibration_of(pilot, 2, 1e-3)
    so_far = schedule(pilot, calibration, adaptive.opening(pilot))
    rows = [row_of(pilot, trial, World()) for trial in so_far.inside]
    one, other = (
        adaptive.choose(pilot, Results(rows=tuple(order)), calibration, so_far) for order in (rows, rows[::-1])
    )
    assert one == other
    assert len(one.trials) == adaptive.BATCH


def test_the_opening_is_the_ladder_and_every_variant_once_at_the_lowest_rung():
    pilot = adaptive_pilot(scales=[
        {"parameters": "100k", "tokens": "1M"}, {"parameters": "100k", "tokens": "4M", "baseline_only": True},
        {"parameters": "300k", "tokens": "3M"},
    ])  # fmt: skip
    names = [trial.name for trial in adaptive.opening(pilot)]
    assert set(names) <= {trial.name for trial in wanted(pilot)}
    assert [name for name in names if not name.startswith(BASELINE)] == ["half_lr/100k-1M/seed0", "gelu/100k-1M/seed0"]
    assert {f"baseline/100k-4M/seed{seed}" for seed in range(3)} <= set(names)
    assert "baseline/300k-3M/seed0" in names
    assert "baseline/300k-3M/seed1" not in names
    assert {"baseline/100k-1M/seed1", "baseline/100k-1M/seed0-batches"} <= set(names)
    alone = adaptive_pilot(variants={})
    assert adaptive.opening(alone) == wanted(alone)


def test_pilots_that_cannot_be_allocated_still_end(run, tmp_path):
    alone = run(tmp_path / "alone", adaptive_pilot(variants={}), World())
    assert "no variant is left to compare" in alone.allocation
    lost = World(lost=("gelu/100k-1M/seed0", "half_lr/100k-1M/seed0"))
    failed = run(tmp_path / "failed", adaptive_pilot(), lost)
    assert failed.findings == ()
    once = run(tmp_path / "once", adaptive_pilot(seeds=1, repeats=0, confirm=0), World())
    assert {str(item.verdict) for item in once.findings} == {"UNDECIDED"}
    assert all("gain unbounded" in item.because for item in once.findings)


@pytest.mark.parametrize("allocation", ["adaptive", "planned"])
def test_the_benchmark_decides_as_a_pilot_does(run, tmp_path, monkeypatch, allocation):
    """Of a made-up world `bench/adaptive.py` trains the same trials, and adopts the same."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "bench"))
    bench = importlib.import_module("adaptive")

    class Seen:
        @staticmethod
        def results(pilot: Pilot, trials) -> Results:
            return Results(rows=tuple(sorted(rows_of(pilot, list(trials), GOOD), key=lambda row: row.name)))

    pilot = adaptive_pilot(allocation=allocation, scales=LADDER[:3])
    decision = run(tmp_path, pilot, GOOD)
    found = bench.study(pilot, calibration_of(pilot, 2, 1e-3), Seen())
    assert (found.adopted, found.trials) == (set(decision.adopted), len(CALLS))
    assert found.adopted


def test_a_planned_pilot_has_the_criteria_it_always_had_and_says_nothing_of_allocation(run, tmp_path):
    assert pilot_of(allocation="planned").criteria == pilot_of().criteria != adaptive_pilot().criteria
    pilot = pilot_of(scales=[{"parameters": "100k", "tokens": "1M"}], seeds=2, repeats=0)
    assert run(tmp_path, pilot, World()).allocation == ""
    kinds = {entry.kind for entry in Ledger(tmp_path / "ledger.jsonl").entries()}
    assert not kinds & {adaptive.ROUND, adaptive.STOP}


def test_single_runs_beside_one_replicated_baseline_are_compared_by_its_spread():
    """No two differences within seeds are there, so none can say how far they spread."""
    pilot = pilot_of()
    rows = rows_of(pilot, [*FIRST, Trial(BASELINE, "100k-1M", 1)], GOOD)
    findings = analyse(Results(rows=tuple(rows)), pilot).findings
    assert [item.variant for item in findings] == ["half_lr", "gelu"]
    assert {(item.comparison.pairing.used, item.comparison.degrees) for item in findings} == {("unpaired", 1.0)}
    assert not {"ADOPT", "REJECT"} & {str(item.verdict) for item in findings}
