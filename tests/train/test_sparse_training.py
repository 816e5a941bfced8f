"""Each kind of sparse training against its paper, under every optimiser, through rewinds and off a dense run."""

from __future__ import annotations

import math

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn
from training_examples import ONE, Uphill, digest, plan_of, sums_of

from pilotlight.errors import ConfigError
from pilotlight.model.weight import Role, Start, weight
from pilotlight.record.run import Run
from pilotlight.spec import discover
from pilotlight.train.events import Saved
from pilotlight.train.judged import evaluation_weights
from pilotlight.train.loop import train
from pilotlight.train.optim import Optim
from pilotlight.train.sparsity import Sparsity
from pilotlight.train.sparsity._choice import densities, largest
from pilotlight.train.sparsity._pruner import prunable
from pilotlight.train.together import Member, train_together


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        start = Start("normal", 1.0)
        self.tall = weight(20, 10, start=start, role=Role.MATRIX)
        self.square = weight(10, 10, start=start, role=Role.MATRIX)
        self.kernel = weight(4, 1, 3, start=start, role=Role.MATRIX)
        self.gain = weight(10, start=start, role=Role.VECTOR)


class Model(nn.Module):
    """A block with matrices, a kernel of one row and a gain, and a matrix outside of it."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.ModuleList([Block()])
        self.change = weight(10, 10, start=Start("normal", 1.0), role=Role.MATRIX)
        with torch.no_grad():
            for number, parameter in enumerate(self.parameters()):
                parameter.copy_(torch.randn(parameter.shape, generator=torch.Generator().manual_seed(number)))

    def gradients(self, step: int) -> None:
        for number, parameter in enumerate(self.parameters()):
            draw = torch.Generator().manual_seed(100 * step + number)
            parameter.grad = torch.randn(parameter.shape, generator=draw)


def step(model, pruner, optimiser, done: int) -> None:
    model.gradients(done)
    pruner.mask_gradients(done)
    optimiser.step()
    pruner.after_update(done, optimiser)


SQUARE = "blocks.0.square"


def test_kernels_of_one_row_and_matrices_outside_of_blocks_stay_dense():
    assert set(prunable(Model())) == {"blocks.0.tall", "blocks.0.square"}


def test_erdos_renyi_keeps_weights_in_proportion_to_the_sides_and_makes_small_matrices_dense():
    shapes = {"a": torch.empty(20, 10), "b": torch.empty(40, 10), "tiny": torch.empty(2, 2)}
    found = densities(shapes, 0.5, "erdos_renyi")
    assert found["tiny"] == 1.0
    kept = sum(found[name] * value.numel() for name, value in shapes.items())
    assert kept == pytest.approx(0.5 * 604)
    assert found["a"] / found["b"] == pytest.approx((30 / 200) / (50 / 400))
    assert densities(shapes, 0.5, "uniform") == dict.fromkeys(shapes, 0.5)


def test_the_largest_are_kept_and_among_equals_the_first_ones():
    scores = torch.tensor([[1.0, 3.0], [3.0, 3.0]])
    assert largest(scores, 2).tolist() == [[False, True], [True, False]]
    assert not largest(scores, 0).any()


def test_set_drops_the_smallest_weights_and_what_grows_was_zero_before():
    model = Model()
    settings = {"kind": "set", "share": 0.5, "layers": "uniform", "drop": 0.3, "every": 3, "until": 0.5}
    pruner = Sparsity.choose(settings).build(model, 1, 12)
    optimiser = torch.optim.SGD(model.parameters(), lr=1e-6)
    seen = [pruner.masks[SQUARE].clone()]
    for done in range(1, 13):
        before = model.blocks[0].square.detach().abs()
        step(model, pruner, optimiser, done)
        seen.append(pruner.masks[SQUARE].clone())
        if not torch.equal(seen[-1], seen[-2]):
            gone, come = seen[-2] & ~seen[-1], seen[-1] & ~seen[-2]
            assert int(gone.sum()) == int(come.sum()) == 15  # 0.3 of 50
            assert before[gone].max() <= before[seen[-1] & seen[-2]].min()
            assert not model.blocks[0].square.detach()[come].any()
    assert [done for done in range(1, 13) if not torch.equal(seen[done], seen[done - 1])] == [3, 6]


def test_rigl_grows_where_the_dense_gradient_is_the_largest_fewer_at_a_time():
    model = Model()
    settings = {"kind": "rigl", "share": 0.5, "layers": "uniform", "drop": 0.4, "every": 2, "until": 0.75}
    pruner = Sparsity.choose(settings).build(model, 1, 12)
    optimiser = torch.optim.SGD(model.parameters(), lr=0.0)
    for done in range(1, 13):
        old, size = pruner.masks[SQUARE].clone(), model.blocks[0].square.detach().abs()
        model.gradients(done)
        gradient = model.blocks[0].square.grad.abs().clone()
        step(model, pruner, optimiser, done)
        new = pruner.masks[SQUARE]
        if done % 2 or done >= 9:
            assert torch.equal(old, new)
            continue
        count = int(0.2 * (1 + math.cos(math.pi * done / 9)) * 50)
        left = old & largest(size.masked_fill(~old, -1.0), 50 - count)
        grown = largest(gradient.masked_fill(left, -1.0), count)
        assert torch.equal(new, left | grown)
        assert not model.blocks[0].square.detach()[grown & ~old].any()


def test_gradual_follows_the_cubic_curve_and_prunes_the_smallest():
    model = Model()
    settings = {"kind": "gradual", "share": 0.8, "begin": 0.1, "until": 0.5, "every": 3}
    pruner = Sparsity.choose(settings).build(model, 1, 20)
    optimiser = torch.optim.SGD(model.parameters(), lr=1e-6)
    shares = []
    for done in range(1, 21):
        old, size = pruner.masks[SQUARE].clone(), model.blocks[0].square.detach().abs()
        step(model, pruner, optimiser, done)
        new = pruner.masks[SQUARE]
        assert not (new & ~old).any()
        if (old & ~new).any():
            assert size[old & ~new].max() <= size[new].min()
        shares.append(1 - int(new.sum()) / 100)
    at = {done: 0.8 - 0.8 * (1 - (done - 2) / 8) ** 3 for done in (2, 5, 8, 10)}
    expected = [at[max((point for point in at if point <= done), default=2)] for done in range(1, 21)]
    assert shares == pytest.approx(expected, abs=0.0051)
    assert shares[-1] == 0.8


def test_gradual_pruning_that_starts_after_its_end_prunes_at_once():
    model = Model()
    pruner = Sparsity.choose({"kind": "gradual", "share": 0.8, "until": 0.5}).build(model, 1, 20)
    optimiser = torch.optim.SGD(model.parameters(), lr=1e-6)
    step(model, pruner, optimiser, 15)
    assert pruner.zero_share() == pytest.approx(0.8)


@pytest.mark.parametrize("wrong", [{"begin": 0.7}, {"first": 0.9}, {"share": 0.0}, {"share": 1.0}])
def test_a_curve_that_does_not_rise_is_refused(wrong):
    with pytest.raises(ValueError, match=r"expected less than|expected at most|greater than|less than"):
        Sparsity.choose({"kind": "gradual", **wrong})


@pytest.mark.parametrize("optim", discover(Optim.folder))
@pytest.mark.parametrize("kind", ["set", "rigl"])
def test_under_every_optimiser_pruned_weights_and_their_moments_are_zero_and_grown_ones_start_at_zero(optim, kind):
    model = Model()
    pruner = Sparsity.choose({"kind": kind, "share": 0.6, "every": 2}).build(model, 1, 12)
    optimiser = Optim.choose({"kind": optim, "lr": 0.01, "weight_decay": 0.1}).build(model)
    turned = getattr(optimiser, "turned", ())
    changed = 0
    for done in range(1, 13):
        old = {name: mask.clone() for name, mask in pruner.masks.items()}
        step(model, pruner, optimiser, done)
        for name, parameter in pruner.matrices.items():
            new = pruner.masks[name]
            changed += int((new & ~old[name]).sum())
            zero = ~new | (new & ~old[name])
            assert not parameter.detach()[zero].any()
            moments = {what: value for what, value in optimiser.state[parameter].items()
                       if value.shape == parameter.shape and what not in turned}  # fmt: skip
            assert not any(bool(value[zero].any()) for value in moments.values())
    assert changed
    with evaluation_weights(optimiser):
        assert all(not value.detach()[~pruner.masks[name]].any() for name, value in pruner.matrices.items())
    left = [bool(value.detach()[pruner.masks[name]].any()) for name, value in pruner.matrices.items()]
    assert all(left)


@pytest.mark.parametrize("rule", ["independent", "gradient", "cautious"])
def test_no_decay_rule_brings_a_weight_back(rule):
    model = Model()
    pruner = Sparsity.choose({"kind": "fixed", "share": 0.6}).build(model, 1, 12)
    decay = 0.01 if rule == "independent" else 0.1
    settings = {"kind": "adamw", "lr": 0.01, "weight_decay": decay, "decay_rule": rule}
    optimiser = Optim.choose(settings).build(model)
    for done in range(1, 5):
        step(model, pruner, optimiser, done)
    assert pruner.zero_share() == pytest.approx(0.6)


def test_what_is_drawn_follows_from_the_seed_and_its_own_stream():
    def masks(seed: int):
        return Sparsity.choose("fixed").build(Model(), seed, 12).masks[SQUARE]

    assert torch.equal(masks(1), masks(1))
    assert not torch.equal(masks(1), masks(2))
    assert plan_of(seed=1, reseed={"sparsity": 2}).seed_of("sparsity") == 2


def test_the_guard_sees_the_masked_gradient(tokens, tmp_path, monkeypatch):
    seen = []

    def judged(state, loss, norm):
        gradients = [parameter.grad for parameter in state.model.parameters()]
        pruned = [parameter.grad[~state.pruner.masks[name]] for name, parameter in state.pruner.matrices.items()]
        seen.append((norm, float(nn.utils.get_total_norm(gradients)), any(bool(one.any()) for one in pruned)))
        return "accept"

    monkeypatch.setattr("pilotlight.train.step.judged", judged)
    train(plan_of(steps=3, sparsity={"kind": "rigl", "every": 1}), ONE, tokens, tmp_path / "run")
    assert len(seen) == 3
    assert all(norm == pytest.approx(found, rel=1e-6) and not leaks for norm, found, leaks in seen)


def test_rows_in_memory_at_once_change_nothing_but_rounding(tokens, tmp_path):
    plan = plan_of(steps=4, sparsity={"kind": "rigl", "every": 2})
    runs = [train(plan, ONE.model_copy(update={"rows_at_once": rows}), tokens, tmp_path / str(rows)) for rows in (4, 1)]
    losses = [[line["loss"] for line in run.lines("step")] for run in runs]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


def test_a_rewind_takes_back_the_masks_and_a_kill_in_it_changes_nothing(tokens, tmp_path):
    guard = {"first": 8, "window": 16, "back": 4, "beyond": 2, "anchor_every": 5}
    sums = sums_of(plan_of(), tokens, *range(14, 18))
    plan = plan_of(steps=24, optim={"kind": "adamw", "lr": 0.03}, guard=guard, objective=Uphill(sums=sums, by=3.0),
                   sparsity={"kind": "rigl", "share": 0.3, "every": 2})  # fmt: skip
    whole = train(plan, ONE, tokens, tmp_path / "whole")
    assert whole.lines("rewind")

    def leave(event):
        if isinstance(event, Saved) and event.step == 20:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        train(plan, ONE, tokens, tmp_path / "parts", watch=leave, checkpoint_seconds=0)
    train(plan, ONE, tokens, tmp_path / "parts", checkpoint_seconds=0)
    assert digest(tmp_path / "parts") == digest(whole.folder)


def test_beside_other_trainings_in_one_program_it_is_the_same_within_rounding(tokens, tmp_path):
    sparse = plan_of(steps=4, sparsity={"kind": "rigl", "share": 0.5, "every": 2})
    members = [Member(plan_of(steps=4), tokens, tmp_path / "dense"), Member(sparse, tokens, tmp_path / "sparse")]
    _, found = train_together(members, ONE)
    alone = train(sparse, ONE, tokens, tmp_path / "alone")
    assert found.facts.zero_share == alone.facts.zero_share == pytest.approx(0.5, abs=0.001)
    losses = [[line["loss"] for line in run.lines("step")] for run in (found, alone)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)


@pytest.fixture(scope="module")
def dense(tokens, tmp_path_factory) -> Run:
    machine = ONE.model_copy(update={"milestone_every": 4})
    return train(plan_of(steps=8), machine, tokens, tmp_path_factory.mktemp("dense") / "run")


def test_a_sparse_training_may_go_on_from_a_dense_one_and_resumes(dense, tokens, tmp_path):
    sparsity = {"kind": "fixed", "share": 0.5}
    plan = plan_of(steps=8, sparsity=sparsity, start={"kind": "branch", "path": dense.folder, "step": 4})
    whole = train(plan, ONE, tokens, tmp_path / "whole")
    assert whole.facts.zero_share == pytest.approx(0.5, abs=0.001)
    assert [line["loss"] for line in whole.lines("step")][:4] == [line["loss"] for line in dense.lines("step")][:4]

    def leave(event):
        if isinstance(event, Saved) and event.step == 6:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        train(plan, ONE, tokens, tmp_path / "parts", watch=leave, checkpoint_seconds=0)
    train(plan, ONE, tokens, tmp_path / "parts", checkpoint_seconds=0)
    assert digest(tmp_path / "parts") == digest(whole.folder)


def test_masks_from_a_file_are_the_plan_by_their_content(dense, tokens, tmp_path):
    masks = {name: parameter.detach().abs() > parameter.detach().abs().median()
             for name, parameter in prunable(plan_of().model.build(tokens.vocabulary)).items()}  # fmt: skip
    weights = load_file(dense.folder / "model" / "model.safetensors")
    masks = {name: weights[name].abs() > weights[name].abs().median() for name in masks}
    for name in ("one", "two"):
        save_file(masks, tmp_path / f"{name}.safetensors")
    plans = [
        plan_of(steps=3, sparsity={"kind": "fixed", "path": tmp_path / f"{name}.safetensors"})
        for name in ("one", "two")
    ]
    assert plans[0].identity() == plans[1].identity()
    run = train(plans[0], ONE, tokens, tmp_path / "run")
    assert run.facts.zero_share == pytest.approx(0.5, abs=0.001)
    assert train(plans[1], ONE, tokens, tmp_path / "run").folder == run.folder  # moved, and the same
    assert "masks" in run.manifest.inputs


def test_files_that_are_no_masks_of_the_model_are_refused_with_their_name(tokens, tmp_path):
    names = list(prunable(plan_of().model.build(tokens.vocabulary)))
    save_file({"other": torch.ones(2, dtype=torch.bool)}, tmp_path / "other.safetensors")
    save_file({name: torch.ones(2, dtype=torch.bool) for name in names}, tmp_path / "shapes.safetensors")
    (tmp_path / "text.safetensors").write_text("no tensors")
    for file, words in (("none", "cannot be read"), ("other", "has no mask for"), ("shapes", "expected"),
                        ("text", "is no file of masks")):  # fmt: skip
        plan = plan_of(steps=1, sparsity={"kind": "fixed", "path": tmp_path / f"{file}.safetensors"})
        with pytest.raises(ConfigError, match=words):
            train(plan, ONE, tokens, tmp_path / f"run-{file}")
