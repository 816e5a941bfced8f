"""Each residual against its formula, written out."""

import pytest
import torch

from pilotlight.model.norms.rms import RMS
from pilotlight.model.parametrisation import Parametrisation
from pilotlight.model.residuals import Residual
from pilotlight.model.weight import initialise
from pilotlight.spec import discover

BRANCH = 0.5


def norm(hidden):
    return hidden / (hidden.square().mean(-1, keepdim=True) + 1e-6).sqrt()


def mix(hidden):
    return 3 * hidden.roll(1, dims=-1)


def change(hidden):
    return hidden.abs() - 0.3


def pre(hidden):
    hidden = hidden + BRANCH * mix(norm(hidden))
    return hidden + BRANCH * change(norm(hidden))


def post(hidden):
    hidden = norm(hidden + BRANCH * mix(hidden))
    return norm(hidden + BRANCH * change(hidden))


def reordered(hidden):
    hidden = hidden + BRANCH * norm(mix(hidden))
    return hidden + BRANCH * norm(change(hidden))


def sandwich(hidden):
    hidden = hidden + BRANCH * norm(mix(norm(hidden)))
    return hidden + BRANCH * norm(change(norm(hidden)))


def parallel(hidden):
    return hidden + BRANCH * (mix(norm(hidden)) + change(norm(hidden)))


def rezero(hidden):
    return hidden  # as long as the gates stand at their start


FORMULAS = {one.__name__: one for one in (pre, post, reordered, sandwich, parallel, rezero)}


@pytest.mark.parametrize("kind", discover(Residual.folder))
def test_a_residual_is_its_formula(kind):
    layer = discover(Residual.folder)[kind]().build(8, RMS(), Parametrisation("completep", 1.0, 1 / BRANCH))
    initialise(layer, 0)
    hidden = torch.randn(2, 3, 8, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(layer(hidden, mix, change), FORMULAS[kind](hidden))


def test_the_gates_of_rezero_open_the_branches_of_pre():
    kinds, rules = discover(Residual.folder), Parametrisation("completep", 1.0, 1 / BRANCH)
    layer = kinds["rezero"]().build(8, RMS(), rules)
    initialise(layer, 0)
    hidden = torch.randn(2, 3, 8, generator=torch.Generator().manual_seed(0))
    layer(hidden, mix, change).sum().backward()
    assert layer.mixer_gate.grad.item() != 0
    with torch.no_grad():
        layer.mixer_gate.fill_(1.0)
        layer.feedforward_gate.fill_(1.0)
    torch.testing.assert_close(layer(hidden, mix, change), pre(hidden))
