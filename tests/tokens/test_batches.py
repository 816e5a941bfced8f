import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilotlight.errors import DataError
from pilotlight.tokens.batches import Batches, Skip
from pilotlight.tokens.tokens import Split


def split(tokens, documents=(0,)):
    bounds = np.array([*documents, tokens], dtype=np.int64)
    empty = np.zeros(0, dtype=np.int64)
    return Split("train", np.arange(tokens, dtype=np.uint32), bounds, empty, empty.reshape(-1, 16))


sizes = st.tuples(st.integers(2, 500), st.integers(1, 40), st.integers(1, 7), st.integers(0, 2**63)).filter(
    lambda drawn: drawn[0] > drawn[1]
)


@settings(deadline=None, max_examples=40)
@given(sizes, st.integers(0, 3))
def test_every_window_comes_exactly_once_an_epoch(size, epoch):
    tokens, context, rows, seed = size
    batches = Batches(split(tokens), rows, context, seed)
    first, last = epoch * batches.windows, (epoch + 1) * batches.windows
    steps = range(first // rows, -(-last // rows))
    seen = np.concatenate([batches.at(step) for step in steps])
    seen = seen[first - steps[0] * rows :][: batches.windows]
    targets = seen[:, 1:].ravel()
    assert len(np.unique(targets)) == len(targets) == tokens // context * context
    assert ((np.diff(seen, axis=1) - 1) % tokens == 0).all()


@settings(deadline=None, max_examples=30)
@given(sizes, st.integers(0, 10**12))
def test_a_batch_depends_on_seed_and_step_alone(size, step):
    tokens, context, rows, seed = size
    one, two = Batches(split(tokens), rows, context, seed), Batches(split(tokens), rows, context, seed)
    for earlier in (0, 3, 1):
        two.at(earlier)
    batch = one.at(step)
    assert batch.shape == (rows, context + 1)
    assert batch.dtype == np.int64
    assert (batch == two.at(step)).all()


def test_another_seed_and_another_epoch_give_another_order():
    one, two = Batches(split(4000), 8, 10, 1), Batches(split(4000), 8, 10, 2)
    assert (one.at(0) != two.at(0)).any()
    assert (one.at(0) != one.at(50)).any()
    assert one.windows == 400


def test_the_order_looks_random():
    batches = Batches(split(100_001), 1000, 10, 5)
    starts = np.concatenate([batches.at(step)[:, 0] for step in range(10)])
    ranks = starts.argsort().argsort()
    assert abs(np.corrcoef(ranks, np.arange(len(ranks)))[0, 1]) < 0.05
    assert abs(np.corrcoef(ranks[1:], ranks[:-1])[0, 1]) < 0.05


def test_epochs_count_how_often_the_text_was_gone_through():
    batches = Batches(split(1001), 4, 10, 0)
    assert batches.epochs(0) == 0
    assert batches.epochs(25) == 1
    assert batches.epochs(30) == pytest.approx(1.2)


skips = st.lists(
    st.tuples(st.integers(0, 30), st.integers(0, 5)).map(lambda drawn: Skip(first=drawn[0], last=sum(drawn))),
    max_size=4,
)


@settings(deadline=None)
@given(skips)
def test_a_skipped_batch_never_appears_and_the_rest_keeps_its_order(journal):
    left = list(range(200))
    for skip in journal:
        del left[skip.first : skip.last + 1]
    plain, skipping = Batches(split(999), 2, 3, 7), Batches(split(999), 2, 3, 7, journal)
    assert [skipping.draw(step) for step in range(60)] == left[:60]
    assert all((skipping.at(step) == plain.at(left[step])).all() for step in (0, 10, 35, 59))


def test_a_skip_that_ends_before_it_begins_is_refused():
    with pytest.raises(ValueError, match="before it begins"):
        Skip(first=4, last=3)


def test_text_shorter_than_one_window_is_refused_with_numbers():
    with pytest.raises(DataError, match="has 16 tokens; one window takes 17"):
        Batches(split(16), 1, 16, 0)
    assert Batches(split(17), 1, 16, 0).windows == 1


def test_every_id_knows_its_document():
    bounds = (0, 100, 101, 250)
    batches = Batches(split(300, bounds), 3, 20, 0)
    for step in range(6):
        expected = np.searchsorted(bounds, batches.at(step), side="right") - 1
        assert (batches.documents_at(step) == expected).all()


documents = st.lists(st.integers(1, 40), min_size=1, max_size=40).filter(lambda sizes: sum(sizes) > 25)


def naive(batches, step):
    """Positions, lengths of sequences and weights, worked out id by id."""
    rows, found = batches.at(step), batches.documents_at(step)
    positions, lengths, weights, firsts = (
        np.zeros_like(rows),
        [],
        np.zeros(rows[:, 1:].shape),
        np.zeros(rows.shape, bool),
    )
    for row in range(len(rows)):
        for at in range(rows.shape[1]):
            ids, owners = rows[row], found[row]
            joined = at and owners[at] == owners[at - 1] and (owners[at] < 0 or ids[at] == ids[at - 1] + 1)
            positions[row, at] = positions[row, at - 1] + 1 if joined else 0
            if at < rows.shape[1] - 1:
                if joined:
                    lengths[-1] += 1
                else:
                    lengths.append(1)
            if at:
                weights[row, at - 1] = owners[at] >= 0
                firsts[row, at] = owners[at] >= 0 and ids[at] == batches.split.bounds[owners[at]]
    return positions, lengths, weights, firsts[:, 1:]


@settings(deadline=None, max_examples=60)
@given(documents, st.integers(2, 24), st.integers(1, 4), st.sampled_from(["concat", "best_fit"]), st.integers(0, 9))
def test_positions_bounds_and_weights_are_those_of_a_slow_reading(sizes, context, rows, packing, step):
    from stream_examples import split_of

    batches = Batches(split_of(sizes), rows, context, 5, packing=packing)
    positions, lengths, weights, firsts = naive(batches, step)
    assert (batches.positions_at(step) == positions).all()
    bounds = batches.bounds_at(step)
    assert bounds.starts.dtype == np.int32
    assert bounds.starts.tolist() == [0, *np.cumsum(lengths)]
    assert bounds.starts[-1] == rows * context
    assert bounds.longest == max(lengths)
    assert (batches.weights_at(step) == weights).all()
    assert (batches.weights_at(step, first_tokens=False) == weights * ~firsts).all()
    assert (batches.targets_at(step) == batches.at(step)[:, 1:]).all()
    assert batches.counted(step) == weights.sum()


def test_the_order_of_earlier_runs_is_kept():
    batches = Batches(split(1000), 3, 10, 42)
    assert batches.at(0)[:, 0].tolist() == [77, 867, 917]
    assert batches.at(70)[:, 0].tolist() == [675, 295, 445]


@pytest.mark.parametrize("packing", ["concat", "best_fit"])
def test_a_sample_draws_the_documents_again_with_replacement(packing):
    text = split(400, tuple(range(0, 400, 10)))

    def seen(sample):
        found = Batches(text, rows=1, context=9, seed=0, packing=packing)
        found = found if sample is None else found.with_sample(sample)
        ids = np.concatenate([found.at(step).ravel() for step in range(found.windows)])
        return {int(one) for one in ids if one >= 0}

    assert seen(3) == seen(3) != seen(4)
    assert 0.4 * 400 < len(seen(3)) < 0.85 * 400  # about 63 % of the documents are in a sample
    assert len(seen(None)) > 390


def test_a_sample_is_drawn_in_the_same_way_at_any_step():
    whole = Batches(split(300, tuple(range(0, 300, 7))), 2, 8, 5)
    first, second = whole.with_sample(1), whole.with_sample(1)
    first.at(0)
    assert (first.at(9) == second.with_journal([]).at(9)).all()
    assert (first.at(9) != whole.at(9)).any()
