import pytest
import torch

from pilotlight.model.attend import Reach, attend
from pilotlight.model.decoder import Decoder
from pilotlight.model.positions.alibi_layer import ALiBiLayer
from pilotlight.model.weight import initialise


def test_slopes_are_those_of_the_paper():
    assert ALiBiLayer().slopes(8).tolist() == [2.0**-power for power in range(1, 9)]
    assert ALiBiLayer().slopes(16).tolist() == pytest.approx([2 ** (-power / 2) for power in range(1, 17)])
    assert ALiBiLayer().slopes(4).tolist() == [2.0**-2, 2.0**-4, 2.0**-6, 2.0**-8]


def test_weights_of_equal_keys_fall_by_the_slope_per_token():
    slopes = ALiBiLayer().slopes(4)
    same, value = torch.ones(1, 4, 6, 8), torch.eye(6).expand(1, 4, 6, 6)
    weights = attend(same, same, value, bounds=Reach(slopes=slopes))[0, :, 5]
    torch.testing.assert_close(weights[:, 1:].log() - weights[:, :-1].log(), slopes[:, None].expand(4, 5))


def test_a_model_with_it_tells_orders_apart_and_reads_rows_of_any_length():
    model = Decoder.model_validate({"depth": 1, "width": 32, "position": "alibi",
                                    "mixer": {"kind": "grouped", "head_dim": 8}}).build(20)  # fmt: skip
    initialise(model, 0)
    ids = torch.tensor([[3, 4, 5, 6], [4, 3, 5, 6]])
    one, other = model.logits(ids)[:, -1]
    assert not torch.allclose(one, other)
    long = torch.randint(20, (1, 300), generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(model.logits(long)[:, :200], model.logits(long[:, :200]), atol=1e-5, rtol=1e-4)
