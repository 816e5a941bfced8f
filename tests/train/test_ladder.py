"""Skip, rewind and skip, rewind with a lower rate, stop: each rung, and that a kill changes none of it."""

from __future__ import annotations

import json

import pytest
from training_examples import ONE, Poisoned, Uphill, digest, plan_of, sums_of

from pilotlight.errors import RunError
from pilotlight.record.incident import Incident
from pilotlight.train.events import Saved, Stepped
from pilotlight.train.guard import Detector, Guard
from pilotlight.train.loop import train
from pilotlight.train.rewind import anchor_every

GUARD = {"first": 16, "window": 16, "back": 8, "beyond": 4, "anchor_every": 10, "patience": 12}


class Enough(Exception):
    """Raised by a watcher to leave a training in the middle, as a kill would."""


def uphill(tokens, steps=(30, 31, 32, 33, 34, 35), **guard):
    sums = sums_of(plan_of(), tokens, *steps)
    return plan_of(60, optim={"kind": "adamw", "lr": 0.03}, guard=GUARD | guard, objective=Uphill(sums=sums))


@pytest.fixture(scope="module")
def rewound(tokens, tmp_path_factory):
    """A run whose weights are spoilt by six batches from step 30 on."""
    return train(uphill(tokens), ONE, tokens, tmp_path_factory.mktemp("rewound") / "run")


def test_weights_that_went_wrong_are_taken_back_to_before_the_first_flag(rewound):
    kinds = [incident.kind for incident in rewound.facts.incidents]
    assert kinds == ["spike", "spike", "spike", "rewind"]
    flagged = rewound.facts.incidents[0].step
    (line,) = rewound.lines("rewind")
    assert line["branch"] == flagged - GUARD["back"]
    assert line["step"] == line["branch"] // 10 * 10
    assert line["skipped"] == 3 + (flagged - line["branch"]) + GUARD["beyond"]
    assert "accepted before, now has loss" in line["why"]


def test_what_a_rewind_undid_is_in_the_file_and_out_of_the_run(rewound):
    (line,) = rewound.lines("rewind")
    assert [one["step"] for one in rewound.lines("step")] == list(range(1, 61))
    assert rewound.lines("skip") == []
    raw = [json.loads(one) for one in (rewound.folder / "metrics.jsonl").read_text().splitlines()]
    undone = [one["step"] for one in raw[: raw.index(line)] if one["kind"] == "step"]
    assert undone == list(range(1, line["left"] + 1))
    assert rewound.facts.tokens == 60 * 4 * 24


def test_the_steps_before_the_branch_are_trained_again_as_they_were(rewound):
    raw = [json.loads(one) for one in (rewound.folder / "metrics.jsonl").read_text().splitlines()]
    (line,) = rewound.lines("rewind")
    again = {one["step"]: one for one in rewound.lines("step")}
    before = [one for one in raw[: raw.index(line)] if one["kind"] == "step" and one["step"] <= line["branch"]]
    assert len(before) == line["branch"]
    assert all(again[one["step"]][name] == one[name] for one in before for name in ("loss", "lr", "gradient_norm"))


def test_the_losses_after_a_rewind_are_those_of_sound_weights(rewound):
    losses = [line["loss"] for line in rewound.lines("step")]
    assert max(losses[30:]) < 3.0


def test_left_anywhere_and_often_a_rewound_run_ends_with_the_same_bytes(rewound, tokens, tmp_path):
    (line,) = rewound.lines("rewind")
    for first, second in ((line["left"] - 1, 4), (line["left"] + 12, 1)):
        out, seen = tmp_path / f"{first}-{second}", []

        def leave(event, seen=seen, at=first):
            seen.append(event)
            if isinstance(event, Stepped) and sum(isinstance(one, Stepped) for one in seen) > at:
                raise Enough

        with pytest.raises(Enough):
            train(uphill(tokens), ONE, tokens, out, watch=leave, checkpoint_seconds=0.1)
        with pytest.raises(Enough):
            train(uphill(tokens), ONE, tokens, out, checkpoint_seconds=0.1,
                  watch=lambda event, seen=[], at=second: leave(event, seen, at))  # fmt: skip
        again = train(uphill(tokens), ONE, tokens, out)
        assert digest(again.folder) == digest(rewound.folder), (first, second)


@pytest.mark.parametrize("at", ["incident", "saved"])
def test_left_in_the_middle_of_a_rewind_it_is_done_again(at, rewound, tokens, tmp_path):
    rewinding = []

    def leave(event):
        if isinstance(event, Incident) and event.kind == "rewind":
            rewinding.append(event)
            if at == "incident":
                raise Enough
        if isinstance(event, Saved) and rewinding:
            raise Enough

    for _ in range(2):
        rewinding.clear()
        try:
            train(uphill(tokens), ONE, tokens, tmp_path / "run", watch=leave, checkpoint_seconds=0.1)
        except Enough:
            continue
        assert at == "saved"
    again = train(uphill(tokens), ONE, tokens, tmp_path / "run")
    assert digest(again.folder) == digest(rewound.folder)


def test_without_an_anchor_it_goes_back_to_the_start_and_ends_with_the_same_weights(rewound, tokens, tmp_path):
    run = train(uphill(tokens, anchor_every=1000), ONE, tokens, tmp_path / "run")
    (line,), (other,) = run.lines("rewind"), rewound.lines("rewind")
    assert (line["step"], line["branch"]) == (0, other["branch"])
    weights = "model/model.safetensors"
    assert digest(run.folder)[weights] == digest(rewound.folder)[weights]


def test_a_damaged_anchor_is_passed_over(rewound, tokens, tmp_path):
    (line,) = rewound.lines("rewind")
    seen = []

    def spoil(event):
        seen.append(event)
        if isinstance(event, Stepped) and event.step == line["step"] + 1 and len(seen) < 60:
            weights = tmp_path / "run" / "checkpoints" / f"step-{line['step']:08d}" / "model.safetensors"
            weights.write_bytes(weights.read_bytes()[:-1])

    run = train(uphill(tokens), ONE, tokens, tmp_path / "run", watch=spoil)
    assert "damaged_checkpoint" in [event.kind for event in seen if isinstance(event, Incident)]
    assert run.lines("rewind")[0]["step"] == line["step"] - 10
    weights = "model/model.safetensors"
    assert digest(run.folder)[weights] == digest(rewound.folder)[weights]


def test_a_second_rewind_soon_after_goes_further_back_and_lowers_the_rate(tokens, tmp_path):
    plan = uphill(tokens, (*range(30, 36), *range(44, 52)))
    run = train(plan, ONE, tokens, tmp_path / "run")
    first, second = run.lines("rewind")
    assert [first["factor"], second["factor"]] == [1.0, 0.5]
    assert second["branch"] == first["branch"] - GUARD["back"]
    rates = {line["step"]: line["lr"] for line in run.lines("step")}
    schedule, peak = plan.train.schedule, plan.train.optim.lr
    before, after = second["branch"], 60
    assert rates[before] == peak * schedule.factor(before - 1, 60)
    warmed = (after - second["branch"]) / plan.train.guard.rewarm
    assert rates[after] == pytest.approx(peak * schedule.factor(59, 60) * 0.5 * warmed)


def test_a_level_that_drifts_up_without_spikes_lowers_the_rate(tokens, tmp_path):
    run = train(plan_of(60, optim={"kind": "adamw", "lr": 1.0}, guard=GUARD), ONE, tokens, tmp_path / "run")
    assert [incident.kind for incident in run.facts.incidents] == ["slower"]
    assert "median loss has risen from 5.5" in run.facts.incidents[0].seen
    (line,) = run.lines("rewind")
    assert (line["skipped"], line["factor"]) == (0, 0.5)
    assert run.lines("step")[-1]["loss"] < 3.0


def test_where_no_rewind_is_left_it_stops_with_a_card(tokens, tmp_path):
    plan = plan_of(60, optim={"kind": "adamw", "lr": 1.0}, guard=GUARD | {"rewinds": 0})
    for _ in range(2):
        with pytest.raises(RunError, match=r"median loss has risen.*pilot margin"):
            train(plan, ONE, tokens, tmp_path / "run")
    card = Incident.from_json((tmp_path / "run" / "incident.json").read_bytes())
    assert card.kind == "stopped"


def test_damaged_text_is_skipped_and_never_rewound(tokens, tmp_path):
    sums = sums_of(plan_of(), tokens, 30, 31, 32, 33, 34)
    plan = plan_of(40, guard=GUARD, objective=Poisoned(sums=sums, factor=30.0))
    run = train(plan, ONE, tokens, tmp_path / "run")
    assert {incident.kind for incident in run.facts.incidents} == {"spike"}
    assert len(run.lines("skip")) >= 5


def test_text_that_becomes_harder_is_no_divergence(tokens, tmp_path):
    sums = sums_of(plan_of(), tokens, *range(24, 60))
    plan = plan_of(60, guard=GUARD | {"k": 1000.0}, objective=Poisoned(sums=sums, factor=1.5))
    run = train(plan, ONE, tokens, tmp_path / "run")
    assert run.facts.incidents == ()
    assert run.lines("step")[-1]["loss"] > 1.1 * run.lines("step")[22]["loss"]


def test_the_level_is_watched_and_survives_json():
    detector = Detector(Guard(first=8, window=16, patience=5))
    for loss in [3.0] * 20 + [3.6] * 11:
        detector.accept(loss, 1.0)
    assert not detector.is_adrift
    other = Detector(Guard(first=8, window=16, patience=5))
    other.restore(json.loads(json.dumps(detector.state())))
    for one in (detector, other):
        one.accept(3.6, 1.0)
        assert one.is_adrift
        assert one.level.best == 3.0
        assert one.level.at <= 20
    detector.wait()
    assert not detector.is_adrift


def test_flags_far_apart_are_no_trouble():
    detector = Detector(Guard(flags=3, near=10))
    detector.skip(100), detector.skip(105)
    assert detector.cluster(105) == []
    detector.skip(109)
    assert detector.cluster(109) == [100, 105, 109]
    assert detector.cluster(112) == []


def test_anchors_are_as_far_apart_as_a_rewind_reaches_at_least():
    assert anchor_every(plan_of(100)) == 100
    assert anchor_every(plan_of(5000)) == 500
    assert anchor_every(plan_of(5000, guard={"anchor_every": 7})) == 7
