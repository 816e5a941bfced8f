"""Damaged checkpoints, full disks and poisoned batches."""

from __future__ import annotations

import os
import random
import resource
import shutil
import sys
from pathlib import Path

import pytest

from pilotlight.errors import RecordError, ResourceError, RunError
from pilotlight.train.events import Incident, Saved, Started

EXAMPLES = Path(__file__).parents[1] / "train"

pytestmark = pytest.mark.fault


class Enough(Exception):
    """Raised by a watcher to leave a training in the middle, as a kill would."""


@pytest.fixture(scope="module")
def examples():
    sys.path.insert(0, str(EXAMPLES))
    import training_examples

    yield training_examples
    sys.path.remove(str(EXAMPLES))


@pytest.fixture(scope="module")
def tokens(examples, tmp_path_factory):
    return examples.tokens_in(tmp_path_factory.mktemp("packed") / "tokens")


@pytest.fixture(scope="module")
def go(examples, tokens):
    from pilotlight.train.loop import train

    def run(out, plan=None, **named):
        return train(plan or examples.plan_of(), examples.ONE, tokens, out, checkpoint_seconds=0.0, **named)

    return run


@pytest.fixture(scope="module")
def whole(go, tmp_path_factory):
    return go(tmp_path_factory.mktemp("whole") / "run")


@pytest.fixture(scope="module")
def half(go, tmp_path_factory):
    """A run that was left after its checkpoints of steps 6 and 7."""
    folder = tmp_path_factory.mktemp("half") / "run"

    def leave(event):
        if isinstance(event, Saved) and event.step == 7:
            raise Enough

    with pytest.raises(Enough):
        go(folder, watch=leave)
    return folder


def _flip(path: Path, bit: int) -> None:
    content = bytearray(path.read_bytes())
    content[bit // 8 % len(content)] ^= 1 << bit % 8
    path.write_bytes(content)


def _damage(kind: str, checkpoint: Path) -> None:
    draw = random.Random(kind)
    if kind.startswith("flip"):
        files = ("model.safetensors", "optim.safetensors", "state.json", "manifest.json")
        _flip(checkpoint / files[int(kind[4:]) % 4], draw.randrange(10**6))
    elif kind == "cut":
        (checkpoint / "optim.safetensors").write_bytes((checkpoint / "optim.safetensors").read_bytes()[:-5])
    elif kind == "emptied":
        (checkpoint / "model.safetensors").write_bytes(b"")
    elif kind == "lost":
        (checkpoint / "state.json").unlink()
    else:
        (checkpoint / "manifest.json").unlink()


@pytest.mark.parametrize("kind", [*(f"flip{number}" for number in range(12)), "cut", "emptied", "lost", "unsealed"])
def test_a_damaged_checkpoint_is_set_aside_and_the_one_before_it_used(kind, half, whole, go, examples, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(half, run)
    _damage(kind, run / "checkpoints" / "step-00000007")
    seen = []
    again = go(run, watch=seen.append)
    incident = next(event for event in seen if isinstance(event, Incident))
    assert incident.kind == "damaged_checkpoint"
    assert incident.step == 7
    assert next(event.step for event in seen if isinstance(event, Started)) == 6
    assert (run / "quarantine" / "step-00000007").is_dir()
    expected, found = examples.digest(whole.folder), examples.digest(again.folder)
    assert {name: found[name] for name in expected} == expected


def test_a_run_without_a_valid_checkpoint_never_starts_over_by_itself(half, go, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(half, run)
    for checkpoint in (run / "checkpoints").iterdir():
        _damage("cut", checkpoint)
    for _ in range(2):
        with pytest.raises(RunError, match=r"no checkpoint .* is valid") as error:
            go(run)
        assert error.value.exit_code == 3


def test_metrics_that_were_cut_short_are_refused(half, go, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(half, run)
    lines = (run / "metrics.jsonl").read_bytes()
    (run / "metrics.jsonl").write_bytes(lines[: len(lines) // 2])
    with pytest.raises(RecordError, match="lines were lost"):
        go(run)


@pytest.mark.skipif(os.name != "posix", reason="limits of POSIX systems")
def test_a_disk_that_is_full_for_a_while_costs_no_step(whole, go, examples, tmp_path):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    seen = []

    def fill_and_free(event):
        seen.append(event)
        if isinstance(event, Saved) and event.step == 4:
            resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
        if isinstance(event, Incident) and event.step == 8:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    try:
        run = go(tmp_path / "run", watch=fill_and_free)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    failed = [event.step for event in seen if isinstance(event, Incident)]
    assert failed == [5, 6, 7, 8]
    assert [event.step for event in seen if isinstance(event, Saved)] == [1, 2, 3, 4, 9, 10, 11, 12]
    assert examples.digest(run.folder) == examples.digest(whole.folder)


@pytest.mark.skipif(os.name != "posix", reason="limits of POSIX systems")
def test_a_disk_that_is_full_at_the_end_is_said_and_the_run_goes_on_later(whole, go, examples, tmp_path):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill(event):
        if isinstance(event, Saved) and event.step == 10:
            resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))

    try:
        with pytest.raises(ResourceError):
            go(tmp_path / "run", watch=fill)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    seen = []
    run = go(tmp_path / "run", watch=seen.append)
    assert next(event.step for event in seen if isinstance(event, Started)) == 10
    assert examples.digest(run.folder) == examples.digest(whole.folder)


def test_a_batch_that_always_gives_nan_is_tried_twice_taken_out_and_recorded(go, examples, tokens, tmp_path):
    sums = examples.sums_of(examples.plan_of(), tokens, 4)
    plan = examples.plan_of(objective=examples.Poisoned(sums=sums))
    run = go(tmp_path / "run", plan)
    assert [(incident.kind, incident.step) for incident in run.facts.incidents] == [("non_finite", 4)]
    assert run.facts.steps == 12
    assert [line["step"] for line in run.lines("skip")] == [4]
    assert all(line["loss"] < 10 for line in run.lines("step"))


def test_a_batch_that_gives_nan_once_is_not_lost(whole, go, examples, tokens, tmp_path):
    sums = examples.sums_of(examples.plan_of(), tokens, 4)
    plan = examples.plan_of(objective=examples.Poisoned(sums=sums, times=1))
    run = go(tmp_path / "run", plan)
    assert "a fault of the machine" in run.facts.incidents[0].action
    weights = "model/model.safetensors"
    assert examples.digest(run.folder)[weights] == examples.digest(whole.folder)[weights]


def test_a_spike_after_a_kill_is_still_seen(go, examples, tokens, tmp_path):
    sums = examples.sums_of(examples.plan_of(), tokens, 40)
    plan = examples.plan_of(steps=45, objective=examples.Poisoned(sums=sums, factor=30.0))

    def leave(event):
        if isinstance(event, Saved) and event.step == 35:
            raise Enough

    with pytest.raises(Enough):
        go(tmp_path / "run", plan, watch=leave)
    run = go(tmp_path / "run", plan)
    assert [(incident.kind, incident.step) for incident in run.facts.incidents] == [("spike", 40)]
    assert run.facts.steps == 45
