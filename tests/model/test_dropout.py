import pytest
import torch

from pilotlight.model.decoder import Decoder
from pilotlight.model.dropout import dropout
from pilotlight.model.layer import WHOLE, Rows
from pilotlight.model.weight import initialise

SEEDS = torch.tensor([5, 2**31 - 1, 0, 77])


def test_the_rate_is_that_of_the_settings_and_the_mean_stays():
    ones = torch.ones(4, 60, 64)
    for rate in (0.1, 0.5, 0.9):
        dropped = dropout(ones, rate, Rows(seeds=SEEDS), 3)
        count = dropped.numel()
        spread = 4 * (rate * (1 - rate) / count) ** 0.5
        assert abs(float((dropped == 0).float().mean()) - rate) < spread
        assert dropped.unique().tolist() == pytest.approx([0.0, 1 / (1 - rate)])


def test_every_row_and_every_column_has_its_share():
    kept = dropout(torch.ones(4, 400, 400), 0.5, Rows(seeds=SEEDS), 0) > 0
    for dimensions in ((1,), (2,)):
        shares = kept.float().mean(dimensions)
        assert float((shares - 0.5).abs().max()) < 6 * 0.5 / 400**0.5


@pytest.mark.parametrize("change", [{"place": 4}, {"seeds": SEEDS + 1}])
def test_another_place_or_seed_drops_others_independently(change):
    ones = torch.ones(4, 50, 50)
    one = dropout(ones, 0.5, Rows(seeds=SEEDS), 3) > 0
    other = dropout(ones, 0.5, Rows(seeds=change.get("seeds", SEEDS)), change.get("place", 3)) > 0
    assert abs(float((one == other).float().mean()) - 0.5) < 6 * 0.5 / one.numel() ** 0.5
    rows = one.flatten(1).float() - 0.5
    likeness = (rows @ rows.t() / rows.shape[1] * 4).fill_diagonal_(0)
    assert float(likeness.abs().max()) < 6 / rows.shape[1] ** 0.5


def test_a_row_drops_the_same_whatever_else_is_in_the_batch():
    hidden = torch.randn(4, 9, 16)
    whole = dropout(hidden, 0.3, Rows(seeds=SEEDS), 1)
    for row in range(4):
        alone = dropout(hidden[row : row + 1], 0.3, Rows(seeds=SEEDS[row : row + 1]), 1)
        assert torch.equal(whole[row : row + 1], alone)


def test_without_seeds_or_rate_nothing_is_dropped():
    hidden = torch.randn(2, 3, 4)
    assert dropout(hidden, 0.5, WHOLE, 0) is hidden
    assert dropout(hidden, 0.0, Rows(seeds=SEEDS[:2]), 0) is hidden


def test_the_gradient_flows_through_what_was_kept():
    hidden = torch.randn(4, 5, 8, requires_grad=True)
    dropped = dropout(hidden, 0.5, Rows(seeds=SEEDS), 2)
    dropped.sum().backward()
    assert torch.equal(hidden.grad, torch.where(dropped == 0, 0.0, 2.0))


def test_a_model_in_parts_is_the_model_as_a_whole_and_none_without_seeds():
    decoder = Decoder.model_validate({"depth": 2, "width": 32, "dropout": 0.2, "repeats": 2,
                                      "mixer": {"kind": "grouped", "head_dim": 16}})  # fmt: skip
    model = decoder.build(30)
    initialise(model, 0)
    ids = torch.randint(30, (4, 12), generator=torch.Generator().manual_seed(0))
    rows = Rows(seeds=SEEDS, training=True)
    whole = model.losses(ids, ids, rows)
    parts = [
        model.losses(ids[low : low + 2], ids[low : low + 2], rows._replace(seeds=SEEDS[low : low + 2]))
        for low in (0, 2)
    ]
    torch.testing.assert_close(torch.cat(parts), whole)
    torch.testing.assert_close(model.losses(ids, ids, rows), whole, atol=0, rtol=0)
    plain = Decoder.model_validate(decoder.model_dump() | {"dropout": 0.0}).build(30)
    initialise(plain, 0)
    torch.testing.assert_close(model.losses(ids, ids), plain.losses(ids, ids))
    assert not torch.allclose(model.losses(ids, ids), whole)
