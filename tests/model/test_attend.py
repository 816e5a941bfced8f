"""Attention under every mask against a square that is masked entry by entry, in float64."""

from itertools import product

import pytest
import torch

from pilotlight.model.attend import Reach, _fused, _in_bands, attend
from pilotlight.model.layer import Rows

BATCH, HEADS, SIZE = 2, 4, 8


def heads(time, reach, kv_heads=2, dtype=torch.float32):
    generator = torch.Generator().manual_seed(time)
    shapes = ((BATCH, HEADS, time, SIZE), (BATCH, kv_heads, reach, SIZE), (BATCH, kv_heads, reach, 6))
    return [torch.randn(shape, generator=generator).to(dtype).requires_grad_() for shape in shapes]


def sees(rows, window, before, reach):
    """Return which of ``reach`` keys each query after ``before`` ones sees, [batch queries keys], rule by rule."""
    other = torch.arange(reach)
    at = torch.arange(before, reach)[:, None]
    near = (at - other).abs() < (reach if window is None else window)
    seen = (near & (other <= at) if rows.causal else near).expand(BATCH, -1, -1)
    if rows.visible is not None:
        seen = seen | (other < rows.visible[:, None, None])
    if rows.documents is not None:
        seen = seen & torch.stack([one[before:, None] == one for one in rows.documents])
    return seen


def naive(query, key, value, rows, bounds):
    query, key, value = (part.double() for part in (query, key, value))
    group = query.shape[1] // key.shape[1]
    key, value = key.repeat_interleave(group, 1), value.repeat_interleave(group, 1)
    time, reach = query.shape[2], key.shape[2]
    scores = query @ key.transpose(2, 3) * (SIZE**-0.5 if bounds.scale is None else bounds.scale)
    if bounds.cap is not None:
        scores = bounds.cap * (scores / bounds.cap).tanh()
    place, before = torch.arange(reach), reach - time
    if bounds.slopes is not None:
        scores = scores - bounds.slopes[:, None, None] * (place[before:, None] - place).abs()
    hidden = ~sees(rows, bounds.window, before, reach)
    return scores.masked_fill(hidden[:, None], float("-inf")).softmax(-1) @ value


def documents(reach):
    return torch.tensor([[place // 5 for place in range(reach)], [place // (reach // 2 + 1) for place in range(reach)]])


MASKS = list(product([True, False], [None, 1, 6], [False, True], [False, True], [False, True]))


@pytest.mark.parametrize(("causal", "window", "apart", "prefix", "sloped"), MASKS)
@pytest.mark.parametrize("way", [_in_bands, _fused])
def test_every_mask_is_that_of_a_masked_square(way, causal, window, apart, prefix, sloped):
    time = 70
    rows = Rows(causal=causal, documents=documents(time) if apart else None,
                visible=torch.tensor([3, 0]) if prefix else None)  # fmt: skip
    bounds = Reach(window=window, slopes=torch.tensor([0.5, 0.1, 0.02, 0.3]) if sloped else None)
    given = heads(time, time)
    expected = naive(*given, rows, bounds)
    torch.testing.assert_close(way(*given, rows, bounds), expected.float(), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("rows", [Rows(), Rows(documents=documents(70)), Rows(causal=False)])
def test_gradients_are_those_of_the_masked_square(rows):
    bounds = Reach(window=20, slopes=torch.tensor([0.5, 0.1, 0.02, 0.3]), cap=2.0, scale=0.7)
    given, others = heads(70, 70), heads(70, 70)
    pull = torch.randn(BATCH, HEADS, 70, 6, generator=torch.Generator().manual_seed(1))
    (attend(*given, rows, bounds) * pull).sum().backward()
    (naive(*others, rows, bounds) * pull).sum().backward()
    for one, other in zip(given, others, strict=True):
        torch.testing.assert_close(one.grad, other.grad, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(("time", "reach"), [(1, 1), (1, 9), (5, 40), (70, 75)])
@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize("way", [_in_bands, _fused])
def test_tokens_after_remembered_ones_see_those_too(way, time, reach, apart):
    """Documents are told of all tokens, the remembered ones included."""
    rows = Rows(documents=documents(reach) if apart else None, first=reach - time)
    for bounds in (Reach(), Reach(window=3, slopes=torch.tensor([0.5, 0.1, 0.02, 0.3]))):
        given = heads(time, reach)
        expected = naive(*given, rows, bounds)
        torch.testing.assert_close(way(*given, rows, bounds), expected.float(), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("kv_heads", [1, 2, 4])
@pytest.mark.parametrize("cap", [None, 1.5])
def test_shared_heads_and_a_cap_on_long_rows(kv_heads, cap):
    rows, bounds = Rows(), Reach(cap=cap)
    given = heads(150, 150, kv_heads)
    torch.testing.assert_close(attend(*given, rows, bounds), naive(*given, rows, bounds).float(), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("rows", [Rows(), Rows(documents=documents(80)), Rows(causal=False)])
def test_bf16_differs_by_its_rounding_only(rows):
    given = heads(80, 80, dtype=torch.bfloat16)
    bounds = Reach(slopes=torch.tensor([0.5, 0.1, 0.02, 0.3]))
    found = attend(*given, rows, bounds)
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found.double(), naive(*given, rows, bounds), atol=0.02, rtol=0.02)
