"""Lottery tickets: what is pruned, where tickets and controls begin, and that a search goes on where it was."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from training_examples import ONE, digest, plan_of

from pilotlight.errors import ConfigError, RecordError
from pilotlight.events import Progress
from pilotlight.record.run import Run
from pilotlight.train.events import Saved
from pilotlight.train.lottery import RECORD, Lottery, effect_of, lottery, pruned, verdict
from pilotlight.train.tickets import Tickets

SETTINGS = Tickets(rounds=2, prune=0.5, rewind=0.25, seeds=2)
PLAN = plan_of(steps=8, evaluate_every=8, score_bytes=300, schedule={"kind": "constant", "warmup": 0.1})


def results(run: Path) -> dict[str, str]:
    """Return the hashes of a run without the files that hold where the run lies that it branched off from."""
    return {name: value for name, value in digest(run).items() if name not in ("plan.json", "manifest.json")}


@pytest.fixture(scope="module")
def found(tokens, tmp_path_factory):
    folder, seen = tmp_path_factory.mktemp("lottery") / "runs", []
    return lottery(PLAN, ONE, tokens, folder, SETTINGS, watch=seen.append), folder, seen


def test_each_round_leaves_out_the_share_of_what_was_left_and_the_record_is_kept(found):
    result, folder, seen = found
    assert [one.zero_share for one in result.rounds] == pytest.approx([0.5, 0.75], abs=1e-3)
    assert result.seeds == (1, 2)
    assert all(len(one.tickets) == len(one.controls) == 2 for one in result.rounds)
    assert Lottery.from_json((folder / RECORD).read_bytes()) == result
    told = [event for event in seen if isinstance(event, Progress)]
    assert {event.total for event in told} == {10}
    assert told[-1].done == 10
    assert [event.done for event in told] == sorted(event.done for event in told)


def test_a_ticket_is_the_early_weights_under_the_mask_on_the_same_batches(found):
    _, folder, _ = found
    dense = Run.open(folder / "seed-1" / "dense")
    for number in (1, 2):
        ticket = Run.open(folder / "seed-1" / f"round-{number}" / "ticket")
        lines, before = ticket.lines("step"), dense.lines("step")
        assert [line["loss"] for line in lines[:2]] == [line["loss"] for line in before[:2]]  # the dense part
        assert lines[2]["loss"] != before[2]["loss"]
        assert [line["lr"] for line in lines] == [line["lr"] for line in before]
        assert ticket.facts.zero_share == pytest.approx(1 - 0.5**number, abs=1e-3)
    kept = [path.name for path in (folder / "seed-1" / "dense" / "checkpoints").iterdir()]
    assert sorted(kept) == ["step-00000002", "step-00000008"]


def test_what_is_pruned_are_the_smallest_weights_of_the_training_before(found):
    _, folder, _ = found
    place = folder / "seed-2"
    before, first = place / "dense", None
    for number in (1, 2):
        masks = load_file(place / f"round-{number}" / "masks.safetensors")
        weights = load_file(before / "model" / "model.safetensors")
        sizes = torch.cat([weights[name].abs().flatten() for name in masks])
        keep = torch.cat([mask.flatten() for mask in masks.values()])
        assert sizes[keep].min() >= sizes[~keep].max()
        assert first is None or not (keep & ~first).any()
        before, first = place / f"round-{number}" / "ticket", keep


def test_a_control_has_the_ticket_s_mask_and_batches_and_other_weights(found):
    _, folder, _ = found
    place = folder / "seed-1" / "round-1"
    ticket, control = Run.open(place / "ticket"), Run.open(place / "control")
    assert control.manifest.inputs["masks"] == ticket.manifest.inputs["masks"]
    assert control.facts.zero_share == ticket.facts.zero_share
    assert control.facts.steps == ticket.facts.steps == 8
    dense = Run.open(folder / "seed-1" / "dense")
    assert control.lines("step")[0]["loss"] != dense.lines("step")[0]["loss"]
    assert control.manifest.settings["reseed"].keys() == {"weights"}


def test_killed_again_and_again_it_goes_on_and_does_nothing_twice(found, tokens, tmp_path):
    result, folder, _ = found
    out, one, count = tmp_path / "runs", SETTINGS.model_copy(update={"seeds": 1}), 0

    def leave(event):
        nonlocal count
        if isinstance(event, Saved):
            count += 1
            if count in (2, 6, 8):
                raise InterruptedError

    for _ in range(3):
        with pytest.raises(InterruptedError):
            lottery(PLAN, ONE, tokens, out, one, watch=leave)
    again = lottery(PLAN, ONE, tokens, out, one, watch=leave)
    assert again.dense == result.dense[:1]
    for new, old in zip(again.rounds, result.rounds, strict=True):
        assert (new.tickets, new.controls) == (old.tickets[:1], old.controls[:1])
    for run in sorted(out.rglob("run.json")):
        place = run.parent.relative_to(out)
        assert results(out / place) == results(folder / place)
    before = {path: path.stat().st_mtime_ns for path in out.rglob("metrics.jsonl")}
    assert len(before) == 5
    assert lottery(PLAN, ONE, tokens, out, one) == again
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_another_search_is_kept_out_of_the_folder(found, tokens):
    _, folder, _ = found
    with pytest.raises(RecordError, match="another search"):
        lottery(PLAN, ONE, tokens, folder, SETTINGS.model_copy(update={"prune": 0.4}))


def test_rewinding_to_the_start_is_the_random_start_itself(tokens, tmp_path):
    settings = Tickets(rounds=1, prune=0.5, rewind=0, seeds=1)
    result = lottery(plan_of(steps=2, evaluate_every=2, score_bytes=300), ONE, tokens, tmp_path, settings)
    assert result.rewind_step == 0
    assert result.rounds[0].effect is None
    assert result.rounds[0].verdict == "one seed: no interval"
    ticket = Run.open(tmp_path / "seed-1" / "round-1" / "ticket")
    assert ticket.manifest.settings["train"]["start"]["kind"] == "random"
    assert ticket.manifest.settings["reseed"] == {}


def test_plans_that_bring_masks_or_go_on_from_a_run_are_refused(tokens, tmp_path):
    for train in ({"sparsity": "set"}, {"start": {"kind": "branch", "path": str(tmp_path)}}):
        with pytest.raises(ConfigError, match=r"train\.s"):
            lottery(plan_of(**train), ONE, tokens, tmp_path, SETTINGS)


@pytest.mark.parametrize(
    ("tickets", "word"),
    [
        ((0.9, 1.80, 2.70), "ticket better than control"),
        ((1.1, 2.20, 3.30), "control better than ticket"),
        ((0.9, 2.10, 2.95), "undecided"),
        ((0.9,), "one seed: no interval"),
    ],
)
def test_a_verdict_stands_on_the_interval_of_the_paired_differences(tickets, word):
    noise = (1.001, 1.0, 0.999)
    values = tuple(value * shake for value, shake in zip(tickets, noise, strict=False))
    assert verdict(effect_of(values, (1.0, 2.0, 3.0)[: len(values)], 1)) == word


def test_the_interval_widens_with_the_rounds_and_holds_by_hand():
    tickets, controls = (0.98, 0.97, 0.99), (1.0, 1.0, 1.0)
    one, five = (effect_of(tickets, controls, rounds) for rounds in (1, 5))
    logs = torch.tensor(tickets, dtype=torch.float64).log()
    half = 4.302652729911275 * float(logs.std()) / 3**0.5  # Student's t, 2 degrees of freedom
    assert one.low == pytest.approx(float((logs.mean() - half).exp()) - 1)
    assert one.high == pytest.approx(float((logs.mean() + half).exp()) - 1)
    assert five.level == pytest.approx(0.99)
    assert five.low < one.low < one.value == five.value < one.high < five.high


def test_pruning_goes_over_all_matrices_together():
    weights = {"a": torch.tensor([[3.0, -0.1], [0.2, -4.0]]), "b": torch.tensor([[0.3, 5.0]])}
    masks = {"a": torch.tensor([[True, True], [True, False]]), "b": torch.tensor([[True, True]])}
    found = pruned(weights, masks, 0.4)
    assert found["a"].tolist() == [[True, False], [False, False]]
    assert found["b"].tolist() == [[True, True]]
