import pytest
import torch

from pilotlight.model.decoder import Decoder
from pilotlight.model.initialisations import Initialisation, Place
from pilotlight.model.initialisations.t_fixup import TFixup
from pilotlight.model.parametrisation import Role, Start
from pilotlight.model.weight import initialise, start_of
from pilotlight.spec import discover


def draw(kind, shape):
    return discover(Initialisation.folder)[kind]().draw(shape, torch.Generator().manual_seed(0))


@pytest.mark.parametrize("shape", [(24, 40), (40, 24), (3, 16, 16)])
def test_orthogonal_rows_or_columns_are_orthogonal(shape):
    drawn = draw("orthogonal", shape).double()
    short = drawn if shape[-2] <= shape[-1] else drawn.mT
    gram, size = short @ short.mT, max(shape[-2:])
    expected = (size * torch.eye(min(shape[-2:]), dtype=torch.float64)).expand_as(gram)
    torch.testing.assert_close(gram, expected, atol=1e-3, rtol=0)


def test_uniform_and_truncated_values_stay_within_their_bounds():
    assert float(draw("uniform", (200, 200)).abs().max()) == pytest.approx(3**0.5, abs=1e-3)
    assert float(draw("truncated_normal", (200, 200)).abs().max()) == pytest.approx(2 / 0.8796, abs=5e-3)
    assert float(draw("normal", (200, 200)).abs().max()) > 3.5


def test_the_normal_start_is_the_default():
    settings = {"depth": 1, "width": 64}
    assert Decoder.model_validate(settings | {"initialisation": "normal"}) == Decoder.model_validate(settings)


def test_t_fixup_is_the_rule_of_its_paper():
    factor, width, depth = 0.67 * 16**-0.25, 64, 16
    square = Start("normal", width**-0.5)

    def found(name, shape=(width, width), role=Role.MATRIX):
        return TFixup().start(square, role, Place(name, shape, depth)).std

    assert found("blocks.3.mixer.query") == found("blocks.3.mixer.key") == pytest.approx(width**-0.5)
    assert found("blocks.3.mixer.value") == found("blocks.3.mixer.output") == pytest.approx(factor * width**-0.5)
    assert found("blocks.3.feedforward.up", (192, width)) == pytest.approx(factor * (2 / (192 + width)) ** 0.5)
    assert found("embedding", (500, width), Role.EMBEDDING) == pytest.approx(factor * width**-0.5)
    assert found("position.table", (500, width), Role.EMBEDDING) == square.std


def test_shared_depth_counts_as_depth():
    settings = {"depth": 2, "width": 64, "repeats": 8, "initialisation": {"kind": "normal", "output": "depth"}}
    model = Decoder.model_validate(settings).build(20)
    assert start_of(model.blocks[0].mixer.output).std == pytest.approx(64**-0.5 * 32**-0.5)


def steps_without_norms(initialisation):
    """Return the largest loss of the first steps of a deep model without norms, at a rate that is none too small."""
    model = Decoder.model_validate({
        "depth": 12, "width": 32, "norm": "none", "parametrisation": "standard", "initialisation": initialisation,
        "mixer": {"kind": "grouped", "head_dim": 16, "qk_norm": False}, "feedforward": "gelu",
    }).build(20)  # fmt: skip
    initialise(model, 0)
    ids = torch.randint(20, (4, 17), generator=torch.Generator().manual_seed(0))
    adam = torch.optim.Adam(model.parameters(), lr=1e-2)
    losses = []
    for _ in range(6):
        adam.zero_grad()
        loss = model.losses(ids[:, :-1], ids[:, 1:]).mean()
        loss.backward()
        adam.step()
        losses.append(loss.item())
    return losses


def test_t_fixup_trains_a_deep_model_without_norms_where_the_plain_start_jumps():
    calm, plain = steps_without_norms("t_fixup"), steps_without_norms("normal")
    assert max(calm) < 3.1
    assert calm[-1] < calm[0]
    assert max(plain) > 8.0
