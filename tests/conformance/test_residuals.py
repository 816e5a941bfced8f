"""What every residual has to do, over the folder of residuals."""

from __future__ import annotations

import pytest
import torch

from pilotlight.model.norms.none import NoNorm
from pilotlight.model.norms.rms import RMS
from pilotlight.model.parametrisation import Parametrisation
from pilotlight.model.residuals import Residual
from pilotlight.model.weight import initialise
from pilotlight.spec import discover

KINDS = discover(Residual.folder)
WIDTH = 16
pytestmark = pytest.mark.parametrize("kind", KINDS)


def make(kind, norm, depth_ratio=1.0):
    """Return the layer as training may leave it: no parameter is 0."""
    layer = KINDS[kind]().build(WIDTH, norm, Parametrisation("completep", width_ratio=1.0, depth_ratio=depth_ratio))
    initialise(layer, 0)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.fill_(1.0)
    return layer


def draw(seed=0):
    return torch.randn(2, 5, WIDTH, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("norm", [RMS(), NoNorm()])
def test_each_branch_is_gone_through_once(kind, norm):
    calls = []

    def branch(name):
        return lambda hidden: calls.append(name) or hidden.sin()

    make(kind, norm)(draw(), branch("mix"), branch("change"))
    assert sorted(calls) == ["change", "mix"]


@pytest.mark.parametrize("depth_ratio", [1.0, 4.0])
def test_without_norms_the_branches_are_added_by_the_factor_of_the_depth(kind, depth_ratio):
    hidden, mixed, changed = draw(), draw(1), draw(2)
    found = make(kind, NoNorm(), depth_ratio)(hidden, lambda _: mixed, lambda _: changed)
    torch.testing.assert_close(found, hidden + (mixed + changed) / depth_ratio)


def test_branches_stand_where_a_norm_bounds_what_goes_in_or_what_comes_out(kind):
    """The branches of a stream that grew by 1000 add nothing that grew by 1000."""
    layer, sizes = make(kind, RMS()), []

    def branch(normed):
        sizes.append(float(normed.detach().square().mean().sqrt()))
        return normed

    for factor in (1.0, 1000.0):
        hidden = factor * draw()
        added = layer(hidden, branch, branch) - hidden
        bounded = max(sizes[-2:]) < 10 or float(added.detach().square().mean().sqrt()) < 10
        assert bounded or kind == "post"
    if kind == "post":
        out = layer(1000.0 * draw(), branch, branch)
        torch.testing.assert_close(out.square().mean(-1), torch.ones(2, 5), atol=1e-3, rtol=0)


def test_every_parameter_and_both_branches_get_a_gradient(kind):
    layer = make(kind, RMS())
    scales = [torch.ones((), requires_grad=True) for _ in range(2)]
    hidden = draw().requires_grad_()
    out = layer(hidden, lambda normed: (scales[0] * normed).sin(), lambda normed: (scales[1] * normed).cos())
    (out * draw(3)).sum().backward()
    for leaf in (*layer.parameters(), *scales, hidden):
        assert leaf.grad is not None
        assert leaf.grad.any()


def test_bf16_stays_bf16_close_to_float32(kind):
    layer, hidden = make(kind, RMS()), draw().bfloat16()
    rounded = layer(hidden, torch.sin, torch.cos)
    assert rounded.dtype == torch.bfloat16
    torch.testing.assert_close(rounded.float(), layer(hidden.float(), torch.sin, torch.cos), atol=0.05, rtol=0.05)


def test_tokens_do_not_meet_in_it(kind):
    layer, hidden = make(kind, RMS()), draw()
    whole = layer(hidden, torch.sin, torch.cos)
    torch.testing.assert_close(whole[1:, 2:3], layer(hidden[1:, 2:3], torch.sin, torch.cos))
