"""A search finds what is better in spite of noise, says what it risks, and goes on after any kill to the same result."""

from __future__ import annotations

import json
import math

import made_up_search
import pytest
from made_up_results import pilot_of
from made_up_search import GAIN, OPTIMUM, goes_on_after_kills, pretend

from pilotlight.errors import ConfigError, EvidenceError, RecordError, RunError
from pilotlight.pilot.pilot import Pilot
from pilotlight.pilot.search import search
from pilotlight.pilot.trials import FRESH
from pilotlight.record.ledger import Ledger
from pilotlight.record.results import SEARCH, Results
from pilotlight.record.search import SearchResult

SPACE = {
    "train.optim.lr": {"low": 5e-4, "high": 0.3, "log": True}, "model.feedforward.kind": ["gelu", "swiglu"],
}  # fmt: skip


def searching(**changes) -> Pilot:
    asked = {"space": SPACE, "trials": 16, "batch": 4, "sampler": {"kind": "tpe", "startup": 5}, "confirm": 4}
    train = {"rows": 8, "context": 64, "optim": {"kind": "adamw", "lr": 0.03}}
    return pilot_of(search=asked | changes.pop("search", {}), train=train, **changes)


@pytest.fixture
def made_up(monkeypatch):
    pretend(monkeypatch, searching())


def run(out, pilot=None) -> SearchResult:
    return search(pilot or searching(), out, workers=0, together=1)


def test_it_finds_what_is_better_shades_it_and_confirms_it_on_fresh_seeds(made_up, tmp_path):
    found = run(tmp_path / "out")
    assert [one.name for one in found.trials][:2] == ["baseline", "t001"]
    assert len(found.trials) == 16
    assert found.recommended["model.feedforward.kind"] == "gelu"
    assert OPTIMUM / 3 < found.recommended["train.optim.lr"] < OPTIMUM * 1.5
    risk = found.risks["train.optim.lr"]
    assert found.recommended["train.optim.lr"] == pytest.approx(risk.recommended, rel=1e-3)
    assert risk.regrets["x4"].value > risk.regrets["x2"].value > 0
    truth = math.log2(0.03 / OPTIMUM) ** 2 * 0.027
    effect = found.confirmations[-1].effect
    assert effect.low < (1 - GAIN) / math.exp(truth) - 1 < effect.high
    assert effect.n == 4
    assert SearchResult.from_json((tmp_path / "out" / "search.json").read_bytes()) == found


def test_what_diverged_is_told_with_its_reason_and_the_rate_explains_most(made_up, tmp_path):
    found = run(tmp_path / "out", searching(search={"sampler": "random", "trials": 30}))
    failed = [one for one in found.trials if one.status == "failed"]
    assert failed
    assert all(one.set["train.optim.lr"] > 0.1 and "not finite" in one.reason for one in failed)
    views = {view.path: view for view in found.fields}
    assert views["train.optim.lr"].importance > views["model.feedforward.kind"].importance
    assert [level.name for level in views["model.feedforward.kind"].levels] == ["gelu", "swiglu"]
    assert sum(level.trials for level in views["train.optim.lr"].levels) == 30


@pytest.mark.parametrize(("sampler", "prune"), [("tpe", {"least": 3}), ("grid", None)])
def test_killed_at_any_moment_it_goes_on_to_the_same_result(made_up, tmp_path, sampler, prune):
    pilot = searching(search={"sampler": sampler, "prune": prune, "trials": 9, "top": 2, "repeats": 1, "confirm": 2})
    goes_on_after_kills(tmp_path, pilot, lambda count: (0, 2, 5, 9, count - 6, count - 1), least=15)


def test_every_round_is_in_the_ledger_before_it_is_trained(made_up, tmp_path):
    made_up_search.KILLED[:] = [6]
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "out")
    rounds = [
        list(entry.facts["points"]) for entry in Ledger(tmp_path / "out" / "ledger.jsonl").entries("search round")
    ]
    assert rounds == [["baseline", "t001", "t002", "t003"], ["t004", "t005", "t006", "t007"]]


def test_trials_that_fall_behind_are_given_up_and_stay_in_the_ledger(made_up, tmp_path):
    found = run(tmp_path / "out", searching(search={"sampler": "random", "prune": {"least": 3}}))
    pruned = [one for one in found.trials if one.status == "pruned"]
    assert pruned
    assert all("given up at step 3 of 10" in one.reason for one in pruned)
    rows = {row.variant: row for row in Results.open(tmp_path / "out", kind=SEARCH).rows if row.seed == 0}
    assert {one.name for one in pruned} == {name for name, row in rows.items() if row.status == "pruned"}
    assert found.recommended["model.feedforward.kind"] == "gelu"
    early = [one for one in found.trials[:4] if one.status == "pruned"]
    assert early == [], "the first round has nothing to fall behind"


def test_with_nothing_to_find_nothing_is_recommended(made_up, tmp_path, monkeypatch):
    def flat(plan):
        return 2.0 + 0.01 * made_up_search.stream(plan["seed"], str(plan["train"]), str(plan["model"])).normal()

    monkeypatch.setattr(made_up_search, "loss", flat)
    found = run(tmp_path / "out")
    assert found.recommended == {}
    assert "nothing is recommended" in found.because or "nothing to confirm" in found.because


def test_a_winner_without_fresh_results_is_no_proof_that_nothing_beat_the_plan(made_up, tmp_path, monkeypatch):
    before = made_up_search.loss

    def dead_on_fresh_seeds(plan):
        if plan["seed"] >= FRESH:
            raise RunError("the loss was not finite")
        return before(plan)

    monkeypatch.setattr(made_up_search, "loss", dead_on_fresh_seeds)
    found = run(tmp_path / "out")
    assert found.recommended == {}
    assert "gave no result" in found.because


def test_two_shaded_fields_of_one_name_have_a_risk_map_each(made_up, tmp_path):
    paths = [f"train.optim.roles.{role}.lr_factor" for role in ("embedding", "output")]
    space = {path: {"low": 0.25, "high": 4.0, "log": True} for path in paths}
    run(tmp_path / "out", searching(search={"space": space, "shade": paths}))
    probes = {row.variant for row in Results.open(tmp_path / "out", kind=SEARCH).rows if ".x" in row.variant}
    assert len(probes) == 4


@pytest.mark.parametrize(("low", "taken", "said"), [
    (0.06, 0.015, "the plan's own value 0.03 won and lies outside of the range that was searched (0.06 to 0.3)"),
    (0.02, 0.02, "lies outside of the range that was searched (0.02 to 0.3); 0.02 was taken"),
])  # fmt: skip
def test_a_safe_value_that_the_range_has_to_do_with_is_said_to_be_one(made_up, tmp_path, low, taken, said):
    """The optimum lies far below either range; the plan as it is, at 0.03, is outside of the first and within the second."""
    space = {"train.optim.lr": {"low": low, "high": 0.3, "log": True}}
    found = run(tmp_path / "out", searching(search={"space": space, "trials": 12, "sampler": "grid"}))
    assert found.confirmations[-1].set["train.optim.lr"] == pytest.approx(taken)
    assert any(said in caution for caution in found.cautions)


def test_points_that_cannot_be_built_fail_alone(made_up, tmp_path):
    space = {"model.feedforward": ["gelu", "swiglu"], "model.mixer.head_dim": [16, 4096]}
    found = run(tmp_path / "out", searching(search={"space": space, "sampler": "grid", "trials": 5}))
    lost = [one for one in found.trials if one.status == "failed"]
    assert len(lost) == 2
    assert all(one.set["model.mixer.head_dim"] == 4096 for one in lost)


def test_the_budget_cuts_trials_and_keeps_the_finals(made_up, tmp_path):
    notes = []
    one = 6 * 1e5 * 1e6
    pilot = searching(budget={"flops": one * 30})
    found = search(pilot, tmp_path / "out", workers=0, together=1, watch=notes.append)
    assert (len(found.trials), found.left_out) == (4, 12)
    assert any("leaves out 12 of 16" in note.text for note in notes if hasattr(note, "text"))
    with pytest.raises(EvidenceError, match=r"raise budget\.time"):
        run(tmp_path / "poor", searching(budget={"flops": one * 20}))


def test_an_edited_run_and_a_changed_search_are_refused(made_up, tmp_path):
    run(tmp_path / "out")
    with pytest.raises(RecordError, match="another plan"):
        run(tmp_path / "out", searching(search={"trials": 15}))
    facts = tmp_path / "out" / "runs" / "t001" / "100k-1M" / "seed0" / "run.json"
    facts.write_text(facts.read_text().replace("made up", "made upon"), encoding="utf-8")
    with pytest.raises(RecordError, match="edited"):
        run(tmp_path / "out")


def test_a_pilot_without_a_search_is_told_what_to_add(tmp_path):
    with pytest.raises(ConfigError, match="add search: "):
        run(tmp_path / "out", pilot_of())
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("asked", "told"), [
    ({"space": {"train.optim.rate": {"low": 1, "high": 2}}}, "no field 'rate'"),
    ({"space": {"model.feedforward.kind": ["gelu", "swigloo"]}}, "no feedforward is called 'swigloo'"),
    ({"space": {"model.feedforward.kind": {"low": 1, "high": 2}}}, "no number"),
    ({"space": {"train.rows": {"low": 8.1, "high": 8.9}}}, "whole numbers"),
    ({"space": {"corpus.held_out": [0.1, 0.2]}}, "held-out text"),
    ({"space": {"corpus": [{}, {"steps": []}]}}, "held-out text"),
    ({"space": {"model.softcap": {"low": 10, "high": 50, "log": True}}}, "is null in the plan"),
    ({"scale": "1k-1k"}, "no scale is called '1k-1k'"),
])  # fmt: skip
def test_what_cannot_be_searched_is_said_before_anything_is_trained(made_up, tmp_path, asked, told):
    with pytest.raises(ConfigError, match=told):
        run(tmp_path / "out", searching(search=asked))
    assert made_up_search.CALLS == []


@pytest.mark.parametrize("asked", [
    {"space": {}}, {"space": {"train.optim.lr": {"low": 2, "high": 1}}}, {"space": {"train.rows": [8]}},
    {"space": {"train.rows": [8, 8]}}, {"shade": ["model.feedforward.kind"]},
    {"space": {"train.optim.lr": {"low": 0, "high": 1, "log": True}}},
])  # fmt: skip
def test_a_search_that_makes_no_sense_is_refused(asked):
    with pytest.raises(ValueError, match="search"):
        searching(search=asked)


def test_whole_numbers_stay_whole_and_other_numbers_are_short(made_up, tmp_path):
    space = {"train.rows": {"low": 2, "high": 40, "log": True}, "train.optim.lr": {"low": 1e-3, "high": 1e-2}}
    found = run(tmp_path / "out", searching(search={"space": space, "sampler": "random"}))
    for one in found.trials:
        assert isinstance(one.set["train.rows"], int)
        assert len(f"{one.set['train.optim.lr']:.10g}".replace("0.", "").lstrip("0")) <= 4
    rounds = Ledger(tmp_path / "out" / "ledger.jsonl").entries("search round")
    assert len(rounds) == 1, "what does not learn is chosen at once"
    assert json.dumps(rounds[0].facts["sampler"]) == '{"kind": "random"}'


def test_paths_among_the_choices_start_at_the_file(tmp_path):
    import tiny_pilot

    steps = [["exact"], ["exact", {"kind": "length", "least": 10}], [{"kind": "blocklist", "path": "words.txt"}]]
    path = tiny_pilot.write_plan(tmp_path / "plan.yaml", tmp_path, search={"space": {"corpus.steps": steps}})
    choices = Pilot.load(path).search.space["corpus.steps"]
    assert choices[2][0]["path"] == str(tmp_path / "words.txt")
    assert choices[0] == ["exact"]


def test_models_of_a_search_have_the_flops_of_the_plan_where_it_asks_for_that(made_up, tmp_path, monkeypatch):
    plans = []
    monkeypatch.setattr(made_up_search, "loss", lambda plan: plans.append(plan) or 2.0 + 0.01 * len(plans))
    space = {"model.feedforward.kind": ["gelu", "swiglu"], "model.mixer.queries_per_kv": [1, 2]}
    run(
        tmp_path / "out", searching(search={"space": space, "sampler": "grid", "trials": 5, "shade": []}, equal="flops")
    )
    from pilotlight.model.decoder import Decoder
    from pilotlight.model.size import measure

    sizes = [measure(Decoder.model_validate(plan["model"]), 256, 64) for plan in plans]
    flops = [size.training_flops_per_token for size in sizes]
    assert max(flops) / min(flops) < 1.1
    assert len({json.dumps(plan["model"]) for plan in plans}) == 4
