"""Each bound of the gradient against its formula, in a plan, and through kills of a training."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from training_examples import ONE, digest, plan_of

from pilotlight.model.weight import Role, Start, weight
from pilotlight.plan_file import override
from pilotlight.record.run import read_lines
from pilotlight.train.clipping import Clipping
from pilotlight.train.events import Saved
from pilotlight.train.loop import train
from pilotlight.train.plan import Training


def _clipped(clipper, values: list[float]) -> list[float]:
    """Return one gradient after clipping."""
    parameter = nn.Parameter(torch.zeros(len(values)))
    parameter.grad = torch.tensor(values)
    clipper.clip([parameter], float(parameter.grad.norm()))
    return parameter.grad.tolist()


def _norms(clipper, norms: list[float]) -> list[float]:
    """Return the norms after clipping of one step after another."""
    return [_clipped(clipper, [norm])[0] for norm in norms]


def test_a_number_is_the_largest_norm_and_keeps_the_identity_a_plan_had():
    assert Training(clip=0.5).clip == Clipping.choose({"kind": "norm", "largest": 0.5})
    assert Training().clip == Clipping.choose("norm")
    assert Training(clip=None).clip is None
    assert [plan_of(clip=clip).identity()["train"]["clip"] for clip in (1.0, 0.5, None)] == [1.0, 0.5, None]
    assert plan_of(clip="value").identity()["train"]["clip"]["kind"] == "value"


@pytest.mark.parametrize("wrong", [0, -1.0, True, "nrom", [1.0]])
def test_what_is_no_bound_is_refused(wrong):
    with pytest.raises(ValueError, match=r"greater than 0|expected one of"):
        Training(clip=wrong)


def test_variants_multiply_the_norm_or_choose_another_kind():
    assert override(Training(), "clip.largest", "x0.5").clip == Clipping.choose(0.5)
    assert override(Training(), "clip.kind", "zclip").clip == Clipping.choose("zclip")
    assert override(Training(), "clip", 2.0).clip == Clipping.choose(2.0)


def test_the_schema_for_editors_takes_a_number_or_a_part():
    choices = Training.model_json_schema()["properties"]["clip"]["anyOf"]
    assert {"type": "number", "exclusiveMinimum": 0} in choices
    assert {"type": "null"} in choices
    assert any("percentile" in choice.get("enum", []) for choice in choices)


def test_by_norm_the_direction_stays():
    assert _clipped(Clipping.choose(1.0).build(), [3.0, 4.0]) == pytest.approx([0.6, 0.8])
    assert _clipped(Clipping.choose(5.0).build(), [3.0, 4.0]) == [3.0, 4.0]


def test_by_value_each_element_has_its_limit():
    clipper = Clipping.choose({"kind": "value", "largest": 0.5}).build()
    assert _clipped(clipper, [3.0, -0.2, -7.0]) == pytest.approx([0.5, -0.2, -0.5])


def test_adaptively_a_unit_may_change_by_a_share_of_its_weights():
    start = Start("normal", 1.0)
    matrix, output = (weight(3, 2, start=start, role=role) for role in (Role.MATRIX, Role.OUTPUT))
    for parameter in (matrix, output):
        with torch.no_grad():
            parameter.copy_(torch.tensor([[3.0, 4.0], [0.3, 0.4], [0.0, 0.0]]))
        parameter.grad = torch.tensor([[0.6, 0.8], [0.6, 0.8], [0.6, 0.8]])
    Clipping.choose({"kind": "adaptive", "largest": 0.5, "least": 0.01}).build().clip([matrix, output], 1.0)
    assert matrix.grad is not None
    expected = torch.tensor([[0.6, 0.8], [0.15, 0.2], [0.003, 0.004]])
    torch.testing.assert_close(matrix.grad, expected)
    torch.testing.assert_close(output.grad, torch.tensor([[0.6, 0.8]] * 3))


def test_by_percentile_the_bound_is_that_of_the_latest_norms_this_one_among_them():
    clipper = Clipping.choose({"kind": "percentile", "share": 0.5, "window": 8}).build()
    assert _norms(clipper, [4.0, 2.0, 3.0]) == pytest.approx([4.0, 2.0, 3.0])
    assert _norms(clipper, [9.0]) == pytest.approx([3.0])  # of 2, 3, 4, 9
    assert _norms(clipper, [1.0] * 8)[-1] == 1.0
    assert _norms(clipper, [9.0]) == pytest.approx([1.0])  # the window has forgotten the first ones
    bounded = Clipping.choose({"kind": "percentile", "largest": 0.5}).build()
    assert _norms(bounded, [4.0]) == pytest.approx([0.5])


def test_zclip_begins_with_mean_and_variance_and_clips_the_farther_the_harder():
    settings = {"kind": "zclip", "first": 4, "z": 2.0, "memory": 0.5, "largest": None}
    first = [1.0, 3.0, 1.0, 3.0]  # mean 2, deviation 1
    for norm, expected in ((3.9, 3.9), (6.0, 2.0 + 4.0 / 4.0), (42.0, 2.0 + 4.0 / 40.0)):
        clipper = Clipping.choose(settings).build()
        assert _norms(clipper, first) == pytest.approx(first)
        assert _norms(clipper, [norm]) == pytest.approx([expected])
        state = clipper.state()
        mean = 0.5 * 2.0 + 0.5 * expected
        assert state["mean"] == pytest.approx(mean)
        assert state["variance"] == pytest.approx(0.5 * 1.0 + 0.5 * (expected - mean) ** 2)


def test_zclip_on_norms_that_never_vary_clips_what_does():
    clipper = Clipping.choose({"kind": "zclip", "first": 4, "largest": None}).build()
    assert _norms(clipper, [1.0] * 6) == [1.0] * 6
    assert _norms(clipper, [5.0])[0] == pytest.approx(1.0, abs=0.01)
    zeros = Clipping.choose({"kind": "zclip", "first": 4}).build()
    assert _norms(zeros, [0.0] * 6) == [0.0] * 6


@pytest.mark.parametrize("kind", ["percentile", {"kind": "zclip", "first": 3, "z": 0.5}])
def test_a_training_that_is_killed_twice_remembers_its_norms_and_ends_bit_for_bit_the_same(kind, tokens, tmp_path):
    plan = plan_of(steps=9, clip=kind)
    whole = train(plan, ONE, tokens, tmp_path / "whole")
    for last in (4, 6):

        def leave(event, last=last):
            if isinstance(event, Saved) and event.step == last:
                raise InterruptedError

        with pytest.raises(InterruptedError):
            train(plan, ONE, tokens, tmp_path / "parts", watch=leave, checkpoint_seconds=0)
    train(plan, ONE, tokens, tmp_path / "parts", checkpoint_seconds=0)
    assert digest(tmp_path / "parts") == digest(whole.folder)


def test_every_kind_is_a_training_of_its_own(tokens, tmp_path):
    kinds = (None, 0.05, {"kind": "value", "largest": 1e-3}, {"kind": "adaptive", "largest": 1e-3},
             {"kind": "percentile", "share": 0.1}, {"kind": "zclip", "first": 2, "z": 0.1})  # fmt: skip
    ends = []
    for number, clip in enumerate(kinds):
        run = train(plan_of(steps=5, optim="sgd", clip=clip), ONE, tokens, tmp_path / str(number))
        lines = read_lines(run.folder / "metrics.jsonl")
        ends.append([line["loss"] for line in lines if line["kind"] == "step"][-1])
    assert len(set(ends)) == len(kinds)
