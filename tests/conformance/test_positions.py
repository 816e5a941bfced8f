"""What every position has to do, over the folder of positions."""

from __future__ import annotations

import pytest
import torch

from pilotlight.model.parametrisation import Parametrisation
from pilotlight.model.positions import Position
from pilotlight.model.weight import initialise
from pilotlight.spec import discover

RULES = Parametrisation("completep", width_ratio=1.0, depth_ratio=1.0)
KINDS = discover(Position.folder)
pytestmark = pytest.mark.parametrize("kind", KINDS)


def make(kind):
    layer = KINDS[kind]().build(32, 8, RULES)
    initialise(layer, 0)
    return layer


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_shapes_and_precision_are_kept(kind, dtype):
    layer = make(kind)
    hidden, heads = torch.randn(2, 9, 32, dtype=dtype), torch.randn(2, 9, 4, 8, dtype=dtype)
    assert layer.at_input(hidden).shape == hidden.shape
    assert layer.at_attention(heads).shape == heads.shape
    assert layer.at_input(hidden).dtype == layer.at_attention(heads).dtype == dtype


def test_a_place_is_the_same_whatever_comes_after_it(kind):
    layer = make(kind)
    hidden, heads = torch.randn(1, 9, 32), torch.randn(1, 9, 4, 8)
    torch.testing.assert_close(layer.at_input(hidden)[:, :5], layer.at_input(hidden[:, :5]))
    torch.testing.assert_close(layer.at_attention(heads)[:, :5], layer.at_attention(heads[:, :5]))


def test_lengths_of_queries_and_keys_are_kept(kind):
    heads = torch.randn(2, 9, 4, 8)
    torch.testing.assert_close(make(kind).at_attention(heads).norm(dim=-1), heads.norm(dim=-1))


def test_products_of_queries_and_keys_depend_on_their_distance_only(kind):
    layer = make(kind)
    query, key = torch.randn(8), torch.randn(8)
    turned_query = layer.at_attention(query.expand(1, 20, 1, 8))[0, :, 0]
    turned_key = layer.at_attention(key.expand(1, 20, 1, 8))[0, :, 0]
    products = turned_query @ turned_key.T
    torch.testing.assert_close(products[1:, 1:], products[:-1, :-1], atol=1e-4, rtol=1e-4)
