"""What every position has to do, over the folder of positions."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from pilotlight.model.attend import Reach, attend
from pilotlight.model.layer import Rows
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


def attended(layer, hidden, rows):
    """Return what attention of one kind of layer takes, with the places of ``layer`` at all three spots."""
    placed = layer.at_input(hidden, rows)
    heads = layer.at_attention(placed.unflatten(2, (4, 8)), rows).transpose(1, 2)
    return attend(heads, heads, placed.unflatten(2, (4, 8)).transpose(1, 2), rows, Reach(slopes=layer.slopes(4)))


def test_tokens_that_come_later_stand_where_the_whole_row_puts_them(kind):
    layer = make(kind)
    hidden, heads = torch.randn(2, 9, 32), torch.randn(2, 9, 4, 8)
    rows = Rows(first=6)
    torch.testing.assert_close(layer.at_input(hidden[:, 6:], rows), layer.at_input(hidden)[:, 6:])
    torch.testing.assert_close(layer.at_attention(heads[:, 6:], rows), layer.at_attention(heads)[:, 6:])


def test_a_document_within_a_row_is_read_as_if_it_stood_alone(kind):
    layer, hidden = make(kind), torch.randn(2, 12, 32)
    ends = ([0, 5, 12], [0, 9, 12])
    documents = torch.tensor([[0] * 5 + [1] * 7, [3] * 9 + [7] * 3])
    whole = attended(layer, hidden, Rows(documents=documents))
    for row, edges in enumerate(ends):
        for low, high in pairwise(edges):
            alone = attended(layer, hidden[row : row + 1, low:high], Rows())
            torch.testing.assert_close(whole[row : row + 1, :, low:high], alone, atol=1e-5, rtol=1e-4)


def test_slopes_are_one_positive_number_for_each_head_or_none(kind):
    slopes = make(kind).slopes(8)
    assert slopes is None or (slopes.shape == (8,) and bool((slopes > 0).all()))


def test_a_text_in_pieces_with_documents_has_the_places_of_the_whole(kind):
    layer, hidden = make(kind), torch.randn(2, 9, 32)
    documents = torch.tensor([[0, 0, 0, 1, 1, 1, 1, 2, 2], [0, 0, 0, 0, 0, 0, 0, 0, 1]])
    whole = layer.at_input(hidden, Rows(documents=documents))
    last = layer.at_input(hidden[:, 5:], Rows(documents=documents, first=5))
    torch.testing.assert_close(last, whole[:, 5:])
