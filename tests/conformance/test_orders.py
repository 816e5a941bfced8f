"""Every order of the training text keeps these promises."""

from __future__ import annotations

import hashlib
import sys

import numpy as np
import pytest

from pilotlight.spec import discover
from pilotlight.tokens.batches import Batches
from pilotlight.tokens.order import Length
from pilotlight.tokens.orders import Order
from pilotlight.tokens.tokens import Split

pytestmark = [
    pytest.mark.parametrize("kind", discover(Order.folder)), pytest.mark.parametrize("packing", ["concat", "best_fit"])
]  # fmt: skip

STEPS, ROWS, CONTEXT = 60, 4, 12


def text() -> Split:
    lengths = np.array([3 + (n * 29) % 50 for n in range(90)])
    bounds = np.concatenate([[0], np.cumsum(lengths)])
    ids = b"".join(hashlib.md5(str(n).encode()).digest() for n in range(90))
    return Split(
        "train", np.arange(bounds[-1], dtype=np.uint32), bounds, lengths * 3,
        np.frombuffer(ids, dtype=np.uint8).reshape(-1, 16),
        (np.arange(90) % 3).astype("<u2"), ("code", "laws", "notes"),
    )  # fmt: skip


def batches_of(kind, packing, seed=3, split=None):
    split = split or text()
    mix = Order.choose(kind).mix(split, Length(STEPS, ROWS, CONTEXT))
    return Batches(split, ROWS, CONTEXT, seed, packing=packing, mix=mix)


def test_a_batch_depends_on_seed_and_step_alone(kind, packing):
    one, two, other = batches_of(kind, packing), batches_of(kind, packing), batches_of(kind, packing, seed=4)
    for step in (40, 3, 59, 0, 4):
        two.at(step)
    assert all((one.at(step) == two.at(step)).all() for step in range(0, STEPS, 7))
    assert any((one.at(step) != other.at(step)).any() for step in range(0, STEPS, 7))


def test_rows_are_whole_and_of_known_documents(kind, packing):
    batches = batches_of(kind, packing)
    split = batches.split
    for step in range(0, STEPS + 5, 3):
        rows, documents, weights = batches.at(step), batches.documents_at(step), batches.weights_at(step)
        assert rows.shape == documents.shape == (ROWS, CONTEXT + 1)
        counted = weights > 0
        assert counted.any(axis=1).all()
        inside = documents[:, 1:][counted]
        assert (split.bounds[inside] <= rows[:, 1:][counted]).all()
        assert (rows[:, 1:][counted] < split.bounds[inside + 1]).all()
        if batches.mix is not None:
            groups = np.repeat(batches.groups_at(step)[:, None], CONTEXT, axis=1)[counted]
            assert (batches.mix.groups[inside] == groups).all()


def test_shares_are_shares(kind, packing):
    batches = batches_of(kind, packing)
    if batches.mix is None:
        pytest.skip("all text is one group")
    assert len(batches.mix.groups) == len(batches.split.bounds) - 1
    for step in range(STEPS + 20):
        shares = batches.shares(step)
        assert sum(shares.values()) == pytest.approx(1)
        assert min(shares.values()) >= 0


def test_a_mix_is_the_same_every_time(kind, packing):
    one, two = (Order.choose(kind).mix(text(), Length(STEPS, ROWS, CONTEXT)) for _ in range(2))
    assert (one is None) == (two is None)
    if one is not None and two is not None:
        assert one.names == two.names
        assert (one.groups == two.groups).all()
        assert [one.shares(step) for step in range(STEPS)] == [two.shares(step) for step in range(STEPS)]


def test_settings_survive_json_and_load_no_numbers(kind, packing):
    order = Order.choose(kind)
    assert Order.choose(order.model_dump(mode="json")) == order
    assert order.identity() == Order.choose(kind).identity()
    assert not {"numpy", "np", "torch"} & vars(sys.modules[type(order).__module__]).keys()


def test_updates_keep_the_shares_a_whole(kind, packing):
    order, batches = Order.choose(kind), batches_of(kind, packing)
    if order.updates_every() is None:
        pytest.skip("its shares do not follow losses")
    names = batches.mix.names
    entry = order.update(batches.split, None, batches.shares(0), dict.fromkeys(names[1:], 3.0) | {names[0]: 1.0}, 5)
    assert entry.step == 5
    assert set(entry.weights) == set(names)
    assert sum(entry.weights.values()) == pytest.approx(1)
    assert min(entry.weights.values()) > 0
