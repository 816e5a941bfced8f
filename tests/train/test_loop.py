"""Training as a whole: what a run leaves behind, what decides it, and what a folder refuses."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import torch
from training_examples import ONE, digest, plan_of

from pilotlight.errors import DataError, RecordError, RunError
from pilotlight.events import Progress
from pilotlight.record.run import Run
from pilotlight.tokens.held_out import windows
from pilotlight.train.events import Evaluated, Finished, Saved, Started, Stepped
from pilotlight.train.final import open_model
from pilotlight.train.loop import train
from pilotlight.train.plan import automatic_precision


@pytest.fixture(scope="module")
def finished(tokens, tmp_path_factory):
    seen = []
    run = train(plan_of(), ONE, tokens, tmp_path_factory.mktemp("runs") / "run", watch=seen.append)
    return run, seen


def test_a_run_learns_and_says_what_it_came_to(finished, tokens):
    run, _ = finished
    facts = run.facts
    steps = run.lines("step")
    assert [line["step"] for line in steps] == list(range(1, 13))
    assert steps[-1]["loss"] < steps[0]["loss"]
    assert facts.tokens == 12 * 4 * 24
    assert facts.steps == 12
    assert facts.flops > 6 * facts.parameters * facts.tokens
    assert facts.epochs == pytest.approx(12 * 4 / (len(tokens.split("train").ids) // 24))
    assert facts.metrics["perplexity"] == pytest.approx(np.exp(facts.metrics["nats_per_token"]))
    assert facts.gap == pytest.approx(facts.metrics["bits_per_byte"] - facts.train_bits_per_byte)
    assert facts.fit in ("ok", "underfit", "overfit")
    assert facts.precision == "float32"


def test_scores_add_up_to_the_metrics_of_the_run(finished):
    run, _ = finished
    scores = run.scores()
    nats, size = sum(score.nats for score in scores), sum(score.bytes for score in scores)
    assert nats / np.log(2) / size == pytest.approx(run.facts.metrics["bits_per_byte"], rel=1e-12)
    assert size == run.facts.scored_bytes
    assert all(score.tokens > 0 and len(score.item) == 32 for score in scores)


def test_the_events_tell_the_run_in_order(finished):
    _, seen = finished
    kinds = [type(event) for event in seen if not isinstance(event, Progress)]
    assert kinds[0] is Started
    assert kinds[-1] is Finished
    assert [event.step for event in seen if isinstance(event, Stepped)] == list(range(1, 13))
    assert [event.step for event in seen if isinstance(event, Evaluated)] == [5, 10, 12]
    assert [event.step for event in seen if isinstance(event, Saved)] == [12]
    assert any(isinstance(event, Progress) and event.done == event.total for event in seen)


def test_no_clock_reading_is_in_what_the_manifest_covers(finished):
    run, _ = finished
    assert "timing.json" not in run.manifest.files
    assert {"run.json", "metrics.jsonl", "scores.jsonl", "model/model.safetensors"} <= set(run.manifest.files)
    assert Run.open(run.folder, verify=True).timing.tokens_per_second > 0


def test_the_final_model_gives_the_scores_of_the_run(finished, tokens):
    run, _ = finished
    model, encoder = open_model(run.folder)
    assert encoder.decode(encoder.encode("acgt")) == "acgt"
    found = windows(tokens, plan_of().train.context, 1200)
    with torch.no_grad():
        nats = model.losses(torch.from_numpy(found.ids[:, :-1]), torch.from_numpy(found.ids[:, 1:])).numpy()
    assert (nats * found.mask).sum() == pytest.approx(sum(score.nats for score in run.scores()), rel=1e-5)


def test_a_finished_run_is_returned_at_once(finished, tokens):
    run, _ = finished
    seen = []
    again = train(plan_of(), ONE, tokens, run.folder, watch=seen.append)
    assert again.facts == run.facts
    assert seen == []


def test_the_same_plan_gives_the_same_bytes_anywhere(finished, tokens, tmp_path):
    run, _ = finished
    again = train(plan_of(), ONE, tokens, tmp_path / "elsewhere", checkpoint_seconds=0.0)
    assert digest(again.folder) == digest(run.folder)


def _weights(run: Run) -> str:
    return digest(run.folder)["model/model.safetensors"]


def _first_loss(run: Run) -> float:
    return run.lines("step")[0]["loss"]


def test_the_seed_decides_weights_and_batches_and_each_can_be_reseeded_alone(finished, tokens, tmp_path):
    run, _ = finished
    other = train(plan_of(seed=2), ONE, tokens, tmp_path / "other")
    batches = train(plan_of(reseed={"batches": 2}), ONE, tokens, tmp_path / "batches")
    weights = train(plan_of(reseed={"weights": 2}), ONE, tokens, tmp_path / "weights")
    both = train(plan_of(reseed={"weights": 2, "batches": 2}), ONE, tokens, tmp_path / "both")
    assert len({_weights(one) for one in (run, other, batches, weights)}) == 4
    assert _weights(both) == _weights(other)
    assert len({_first_loss(one) for one in (run, other, batches, weights)}) == 4


def test_rows_at_once_changes_nothing_beyond_rounding(finished, tokens, tmp_path):
    run, _ = finished
    parts = train(plan_of(), ONE.model_copy(update={"rows_at_once": 3}), tokens, tmp_path / "parts")
    whole, split = ([line["loss"] for line in one.lines("step")] for one in (run, parts))
    assert split == pytest.approx(whole, rel=1e-4)
    assert [line["gradient_norm"] for line in parts.lines("step")][:3] == pytest.approx(
        [line["gradient_norm"] for line in run.lines("step")][:3], rel=1e-4
    )


def test_a_folder_of_another_plan_is_refused_with_the_difference(finished, tokens):
    run, _ = finished
    with pytest.raises(RecordError, match=r"train\.optim\.lr: 0\.01 -> 0\.02"):
        train(plan_of(optim={"kind": "muon", "lr": 0.02}), ONE, tokens, run.folder)


def test_an_unfinished_folder_of_another_plan_is_refused_too(finished, tokens, tmp_path):
    run, _ = finished
    shutil.copytree(run.folder, tmp_path / "copy")
    (tmp_path / "copy" / "manifest.json").unlink()
    with pytest.raises(RecordError, match="steps: 12 -> 13"):
        train(plan_of(steps=13), ONE, tokens, tmp_path / "copy")


def test_the_learning_rate_follows_the_schedule_and_the_multipliers(finished):
    run, _ = finished
    plan = plan_of()
    rates = [line["lr"] for line in run.lines("step")]
    assert rates == [plan.train.optim.lr * plan.train.schedule.factor(step, 12) for step in range(12)]


def test_checks_are_called_at_evaluations_and_end_up_in_the_facts(tokens, tmp_path):
    def width(model, step):
        return {"steps seen": float(step), "parameters": float(sum(p.numel() for p in model.parameters()))}

    run = train(plan_of(), ONE, tokens, tmp_path / "run", checks=[width])
    assert [line["checks"]["steps seen"] for line in run.evaluations() if "checks" in line] == [5.0, 10.0]
    assert run.facts.checks["steps seen"] == 12.0
    assert run.facts.checks["parameters"] == run.facts.total_parameters


def test_bfloat16_is_part_of_the_plan_and_comes_near_float32(finished, tokens, tmp_path):
    run, _ = finished
    half = train(plan_of(precision="bfloat16"), ONE, tokens, tmp_path / "half")
    assert half.fingerprint != run.fingerprint
    assert half.facts.metrics["bits_per_byte"] == pytest.approx(run.facts.metrics["bits_per_byte"], rel=0.02)


def test_text_shorter_than_the_context_is_refused(tokens, tmp_path):
    with pytest.raises(DataError, match="context"):
        train(plan_of(context=100_000), ONE, tokens, tmp_path / "run")


def test_auto_precision_is_resolved_before_the_fingerprint(tokens, tmp_path):
    run = train(plan_of(precision="auto", steps=1), ONE, tokens, tmp_path / "auto")
    precision = automatic_precision("cpu")
    named = train(plan_of(precision=precision, steps=1), ONE, tokens, tmp_path / "named")
    assert run.fingerprint == named.fingerprint
    assert json.loads((run.folder / "plan.json").read_text())["train"]["precision"] == precision


def test_a_machine_with_other_threads_goes_on_with_a_note(tokens, tmp_path):
    class Enough(Exception):
        pass

    def leave(event):
        if isinstance(event, Saved):
            raise Enough

    with pytest.raises(Enough):
        train(plan_of(), ONE, tokens, tmp_path / "run", watch=leave, checkpoint_seconds=0.0)
    seen = []
    train(plan_of(), ONE.model_copy(update={"rows_at_once": 2}), tokens, tmp_path / "run", watch=seen.append)
    assert any("other machine settings" in getattr(event, "text", "") for event in seen)
    assert next(event.step for event in seen if isinstance(event, Started)) == 1


def test_a_run_stopped_by_its_guard_says_so_again(tokens, tmp_path):
    from training_examples import Poisoned

    plan = plan_of(objective=Poisoned(sums=tuple(range(10**5))), guard={"skips": 2})
    with pytest.raises(RunError, match="3 batches skipped") as first:
        train(plan, ONE, tokens, tmp_path / "run")
    assert first.value.exit_code == 3
    with pytest.raises(RunError, match="3 batches skipped") as again:
        train(plan, ONE, tokens, tmp_path / "run")
    # Replayed from its checkpoint it would skip the same batches: nothing but another plan helps.
    for error in (first, again):
        assert "train again in a new folder with a lower train.optim.lr or more train.guard.skips" in str(error.value)
        assert "Remove" not in str(error.value)
