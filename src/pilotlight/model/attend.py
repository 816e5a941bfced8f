"""Softmax attention under every mask: causal, windows, documents, prefixes, slopes, a cap; one function for all mixers."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import torch
import torch.nn.functional as functional
from jaxtyping import Float
from torch import Tensor

from pilotlight.model.layer import WHOLE, Rows

NOT_SEEN = float("-inf")


class Reach(NamedTuple):
    """How far a query sees, and how logits are shaped, beyond what the rows say."""

    window: int | None = None
    """Tokens that are seen, the token itself included; without causality as many on both sides. None: all."""
    slopes: Float[Tensor, " heads"] | None = None
    """What the logits of each head lose per token of distance (ALiBi, Press et al. 2022)."""
    cap: float | None = None
    """Logits are bent to stay below this: cap * tanh(logits / cap) (Gemma 2)."""
    scale: float | None = None
    """Factor of the logits; None: 1 / sqrt(size)."""


UNBOUNDED = Reach()


def attend(
    query: Float[Tensor, "batch heads time size"],
    key: Float[Tensor, "batch kv_heads reach size"],
    value: Float[Tensor, "batch kv_heads reach value_size"],
    rows: Rows = WHOLE,
    bounds: Reach = UNBOUNDED,
) -> Float[Tensor, "batch heads time value_size"]:
    """Return what each query takes from the values it sees, by the way that is fastest on the device.

    Queries are the last ``time`` of ``reach`` tokens; the ones before them are remembered. ``heads`` is a multiple of
    ``kv_heads``, and neighbouring query heads share a key-value head.
    """
    if bounds.window is not None and bounds.window >= key.shape[2]:
        bounds = bounds._replace(window=None)
    if query.device.type != "cpu" and bounds.cap is None:
        return _fused(query, key, value, rows, bounds)
    return _in_bands(query, key, value, rows, bounds)


def _fused(query: Tensor, key: Tensor, value: Tensor, rows: Rows, bounds: Reach) -> Tensor:
    """Return attention by torch's kernels, which need no mask for plain causal rows."""
    shared = key.shape[1] != query.shape[1]
    time, reach = query.shape[2], key.shape[2]
    plain = rows.documents is None and rows.visible is None and bounds.window is None and bounds.slopes is None
    if plain and time == reach:
        return functional.scaled_dot_product_attention(
            query, key, value, is_causal=rows.causal, enable_gqa=shared, scale=bounds.scale
        )
    # A kernel works out what a mask hides; bands leave most of it out where the window is short.
    edges = [(0, time)] if bounds.window is None or not rows.causal else _bands(time, bounds.window)
    bands: list[Tensor] = []
    for low, high in edges:
        first, last = _seen(low, high, time, reach, rows, bounds)
        mask = _mask(query, (low, high), (first, last), reach, rows, bounds)
        mixed = functional.scaled_dot_product_attention(
            query[:, :, low:high], key[:, :, first:last], value[:, :, first:last],
            attn_mask=mask, enable_gqa=shared, scale=bounds.scale,
        )  # fmt: skip
        bands.append(mixed)
    return bands[0] if len(bands) == 1 else torch.cat(bands, dim=2)


def _in_bands(query: Tensor, key: Tensor, value: Tensor, rows: Rows, bounds: Reach) -> Tensor:
    """Return attention as plain products, a band of queries at a time against the keys that any of them can see.

    On a CPU with bf16 products torch's fused attention takes 2 to 7 times as long (forward and backward, 1 thread:
    57 against 26 ms for 16 rows of 256 with 4 heads of 64, 39 against 6 ms for 16 rows of 128 with 4 heads of 32).
    Two bands skip a quarter of the square; more of them cost more to compile than they save.
    """
    batch, heads, time, size = query.shape
    kv_heads, reach = key.shape[1], key.shape[2]
    group, parts = heads // kv_heads, batch * kv_heads
    keys, values = key.reshape(parts, reach, size), value.reshape(parts, reach, -1)
    grouped = query.reshape(parts, group, time, size)
    scale = size**-0.5 if bounds.scale is None else bounds.scale
    bands: list[Tensor] = []
    for low, high in _bands(time, bounds.window if rows.causal else None):
        first, last = _seen(low, high, time, reach, rows, bounds)
        part = grouped[:, :, low:high].reshape(parts, group * (high - low), size)
        mask = _mask(query, (low, high), (first, last), reach, rows, bounds)
        if mask is None:
            scores = torch.bmm(part, keys[:, first:last].transpose(1, 2)) * scale
        else:
            added = _by_part(mask, batch, kv_heads, group)
            if bounds.cap is None:
                scores = torch.baddbmm(added, part, keys[:, first:last].transpose(1, 2), alpha=scale)
            else:
                scores = torch.bmm(part, keys[:, first:last].transpose(1, 2)) * (scale / bounds.cap)
                scores = torch.tanh(scores) * bounds.cap + added
        # Softmax rounds its result only; its sums are float32 in every precision.
        mixed = torch.bmm(torch.softmax(scores, dim=-1), values[:, first:last])
        bands.append(mixed.view(parts, group, high - low, -1))
    joined = bands[0] if len(bands) == 1 else torch.cat(bands, dim=2)
    return joined.view(batch, heads, time, -1)


def _bands(time: int, window: int | None) -> list[tuple[int, int]]:
    count = 1 if time < 64 else 2 if time <= 512 else 4
    if window is not None:
        count = max(count, min(32, time // max(32, window)))
    edges = [round(time * index / count) for index in range(count + 1)]
    return list(pairwise(edges))


def _seen(low: int, high: int, time: int, reach: int, rows: Rows, bounds: Reach) -> tuple[int, int]:
    """Return the range of keys outside of which no query of a band sees any."""
    before = reach - time
    last = before + high if rows.causal and rows.visible is None else reach
    if bounds.window is None or rows.visible is not None:
        return 0, last
    if not rows.causal:
        last = min(reach, before + high + bounds.window - 1)
    return max(0, before + low - bounds.window + 1), last


def _mask(
    query: Tensor, queries: tuple[int, int], keys: tuple[int, int], reach: int, rows: Rows, bounds: Reach
) -> Tensor | None:
    """Return what is added to the logits, [1 or batch, 1 or heads, queries, keys]; None where nothing is hidden.

    ``queries`` count from the first query, ``keys`` from the first key, of which there are ``reach``.
    """
    before = reach - query.shape[2]
    at = before + torch.arange(*queries, device=query.device)[:, None]
    other = torch.arange(*keys, device=query.device)
    hidden = _hidden(at, other, rows.causal, bounds.window)
    if rows.visible is not None and hidden is not None:
        hidden = hidden & (other >= rows.visible.to(query.device)[:, None, None])
    if rows.documents is not None:
        mine, theirs = rows.documents[:, before:][:, slice(*queries)], rows.documents[:, slice(*keys)]
        apart = mine[:, :, None] != theirs[:, None]
        hidden = apart if hidden is None else hidden | apart
    if hidden is None and bounds.slopes is None:
        return None
    if bounds.slopes is None:
        assert hidden is not None
        mask = torch.zeros((), dtype=query.dtype, device=query.device).where(~hidden, NOT_SEEN)
        return mask[None, None] if mask.ndim == 2 else mask[:, None]
    added = -bounds.slopes.to(query.device)[:, None, None] * (at - other).abs()
    if hidden is not None:
        added = added.masked_fill(hidden if hidden.ndim == 2 else hidden[:, None], NOT_SEEN)
    return (added if added.ndim == 4 else added[None]).to(query.dtype)


def _hidden(at: Tensor, other: Tensor, causal: bool, window: int | None) -> Tensor | None:
    """Return which keys stand out of reach of each query by their places alone."""
    if not causal:
        return None if window is None else (at - other).abs() >= window
    hidden = other > at
    return hidden if window is None else hidden | (at - other >= window)


def _by_part(mask: Tensor, batch: int, kv_heads: int, group: int) -> Tensor:
    """Return the mask as products over (row and key-value head) take it: [1 or parts, group x queries, keys]."""
    rows, heads, queries, keys = mask.shape
    if rows == heads == 1:
        return mask[0].repeat(1, group, 1)
    whole = mask.expand(batch, kv_heads * group if heads > 1 else 1, queries, keys)
    if heads == 1:
        return whole[:, :, None].expand(batch, kv_heads, group, queries, keys).reshape(-1, group * queries, keys)
    return whole.reshape(batch * kv_heads, group * queries, keys)
