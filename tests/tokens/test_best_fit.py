import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stream_examples import split_of

from pilotlight.tokens.batches import Batches
from pilotlight.tokens.best_fit import BestFit, fit
from pilotlight.tokens.packing import waste_of
from pilotlight.tokens.waste import waste

lengths = st.lists(st.integers(1, 70), min_size=1, max_size=60)


def one_after_another(pieces, space):
    """How full the bins of best-fit decreasing are, as it is defined: one piece at a time."""
    free = []
    for piece in sorted(pieces, reverse=True):
        room, at = min(((left, number) for number, left in enumerate(free) if left >= piece), default=(0, -1))
        if at < 0:
            free.append(space - piece)
        else:
            free[at] = room - piece
    return sorted(space - left for left in free)


@settings(deadline=None, max_examples=150)
@given(st.lists(st.integers(1, 16), max_size=80), st.integers(16, 24))
def test_packing_by_length_is_best_fit_decreasing(pieces, space):
    bins, count = fit(np.bincount(pieces, minlength=1), space)
    ordered = sorted(pieces, reverse=True)
    made = [[] for _ in range(count)]
    for at, piece in zip(bins.tolist(), ordered, strict=True):
        made[at].append(piece)
    assert sorted(map(sum, made)) == one_after_another(pieces, space)


@settings(deadline=None, max_examples=60)
@given(lengths, st.integers(2, 30), st.integers(0, 2**40), st.integers(1, 9), st.integers(0, 2))
def test_every_token_is_a_target_exactly_once_an_epoch(sizes, context, seed, window, epoch):
    split = split_of(sizes)
    packed = BestFit(split, context, seed, window=window)
    places = packed.places(np.arange(epoch * packed.rows, (epoch + 1) * packed.rows))
    targets = places[:, 1:]
    assert sorted(targets[targets >= 0].tolist()) == list(range(len(split.ids)))
    assert ((targets[:, 1:] < 0) | (targets[:, :-1] >= 0)).all(), "padding stands at the end"
    assert (targets[:, 0] >= 0).all()


@settings(deadline=None, max_examples=60)
@given(lengths, st.integers(2, 30), st.integers(0, 2**40))
def test_only_documents_longer_than_a_row_are_cut_and_rows_begin_after_the_token_before(sizes, context, seed):
    split = split_of(sizes)
    packed = BestFit(split, context, seed)
    places = packed.places(np.arange(packed.rows))
    documents = np.searchsorted(split.bounds, places[:, 1:], side="right") - 1
    for document, size in enumerate(sizes):
        rows = np.unique(np.nonzero((documents == document) & (places[:, 1:] >= 0))[0])
        assert len(rows) == -(-size // context)
    assert (places[:, 0] == (places[:, 1] - 1) % len(split.ids)).all()


@settings(deadline=None, max_examples=30)
@given(lengths, st.integers(2, 30))
def test_it_takes_the_rows_that_the_waste_says(sizes, context):
    split = split_of(sizes)
    rows = BestFit(split, context, 0).rows
    assert waste(sizes, context).padding == pytest.approx(1 - len(split.ids) / (rows * context))


def test_epochs_and_seeds_put_other_documents_together():
    split = split_of([3 + n % 9 for n in range(300)])
    packed, other = BestFit(split, 20, 1), BestFit(split, 20, 2)

    def together(packing, epoch):
        places = packing.places(np.arange(epoch * packing.rows, (epoch + 1) * packing.rows))
        documents = np.searchsorted(split.bounds, places[:, 1:], side="right") - 1
        return {tuple(sorted(set(row[row >= 0].tolist()))) for row in documents}

    first = together(packed, 0)
    assert together(BestFit(split, 20, 1), 0) == first
    assert len(first & together(packed, 1)) < len(first) / 2
    assert len(first & together(other, 0)) < len(first) / 2


def test_a_chosen_part_of_the_documents_is_packed_alone():
    split = split_of([5, 40, 7, 3, 22, 9])
    packed = BestFit(split, 10, 3, documents=np.array([1, 3, 4]))
    places = packed.places(np.arange(packed.rows))[:, 1:]
    expected = [place for document in (1, 3, 4) for place in range(split.bounds[document], split.bounds[document + 1])]
    assert sorted(places[places >= 0].tolist()) == expected


def test_a_batch_of_best_fit_counts_no_padding():
    split = split_of([7, 9, 4, 30, 6])
    batches = Batches(split, 2, 12, 0, packing="best_fit")
    steps = batches.windows // 2
    counted = [batches.counted(step) for step in range(steps)]
    assert counted == [int(batches.weights_at(step).sum()) for step in range(steps)]
    assert batches.windows % 2 or sum(counted) == len(split.ids)
    for step in range(steps):
        padded = batches.documents_at(step) == -1
        assert (batches.at(step)[padded] == split.ids[-1]).all()
        assert (batches.weights_at(step)[padded[:, 1:]] == 0).all()


def test_waste_is_measured_for_the_usual_contexts():
    bounds = np.concatenate([[0], np.cumsum(np.full(1000, 700))])
    found = waste_of(bounds)
    assert list(found) == ["256", "1024", "4096"]
    assert found["1024"]["cut"] > 0.5
    assert found["1024"]["cut_by_best_fit"] == 0
    assert found["1024"]["padding"] == pytest.approx(1 - 700 / 1024)
