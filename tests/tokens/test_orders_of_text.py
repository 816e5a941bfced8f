import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stream_examples import split_of

from pilotlight.errors import ConfigError, DataError
from pilotlight.tokens.batches import Batches
from pilotlight.tokens.journal import Skip, Weights, read_entry
from pilotlight.tokens.order import Length, Mix, Turns
from pilotlight.tokens.orders import Order
from pilotlight.tokens.orders.adaptive import Adaptive
from pilotlight.tokens.orders.curriculum import Curriculum
from pilotlight.tokens.orders.mixture import Mixture


def taken(mix, rows, places):
    turns = Turns(mix, rows)
    return np.concatenate([turns.at(place).groups for place in range(places)])


def mix_of(shares):
    count = len(shares(0)) if callable(shares) else len(shares)
    return Mix(
        tuple("abcdefghijklmnop"[:count]), np.zeros(1, dtype=int), shares if callable(shares) else lambda _: shares
    )


weights = st.lists(st.integers(0, 1000), min_size=1, max_size=9).filter(any).map(lambda w: [x / sum(w) for x in w])


@settings(deadline=None, max_examples=80)
@given(weights, st.integers(1, 9))
def test_each_group_has_its_share_within_one_row_after_every_row(shares, rows):
    groups = taken(mix_of(shares), rows, 400 // rows)
    counts = np.cumsum(groups[:, None] == np.arange(len(shares)), axis=0)
    due = np.arange(1, len(groups) + 1)[:, None] * np.array(shares)
    assert np.abs(counts - due).max() < 1 + 1e-6
    assert counts[-1][np.array(shares) == 0].sum() == 0


@settings(deadline=None, max_examples=40)
@given(weights, st.data())
def test_any_stretch_has_the_shares_within_two_rows(shares, data):
    groups = taken(mix_of(shares), 4, 100)
    first = data.draw(st.integers(0, 399))
    last = data.draw(st.integers(first, 400))
    counts = np.bincount(groups[first:last], minlength=len(shares))
    assert np.abs(counts - (last - first) * np.array(shares)).max() < 2 + 1e-6


@settings(deadline=None, max_examples=30)
@given(weights, st.data())
def test_shares_that_change_are_kept_within_two_rows(begin, data):
    end = data.draw(st.permutations(begin))

    def shares(place):
        done = min(1.0, place / 99)
        return [(1 - done) * a + done * b for a, b in zip(begin, end, strict=True)]

    groups = taken(mix_of(shares), 4, 100)
    counts = np.cumsum(groups[:, None] == np.arange(len(begin)), axis=0)
    due = np.cumsum(np.repeat([shares(place) for place in range(100)], 4, axis=0), axis=0)
    assert np.abs(counts - due).max() < 2


@settings(deadline=None, max_examples=20)
@given(weights, st.lists(st.integers(0, 1500), min_size=1, max_size=6))
def test_turns_do_not_depend_on_what_was_asked_before(shares, places):
    turns = Turns(mix_of(shares), 3)
    for place in places:
        one, two = turns.at(place), Turns(mix_of(shares), 3).at(place)
        assert (one.groups == two.groups).all()
        assert (one.numbers == two.numbers).all()


TWO = split_of([17, 30, 9, 44, 25, 60, 13, 38] * 3, [0, 1, 1, 0, 1, 0, 0, 1] * 3)


def rows_of(batches, steps):
    return np.concatenate([batches.at(step) for step in range(steps)])


def batches_of(order, split, steps, *, rows=3, context=8, seed=1, packing="concat", journal=()):
    mix = order.mix(split, Length(steps, rows, context))
    return Batches(split, rows, context, seed, journal, packing=packing, mix=mix)


@pytest.mark.parametrize("packing", ["concat", "best_fit"])
def test_every_row_of_a_source_comes_once_an_epoch_of_the_source(packing):
    batches = batches_of(Mixture(shares={"source 0": 3, "source 1": 1}), TWO, 200, packing=packing)
    sources = np.repeat(TWO.sources, np.diff(TWO.bounds))
    for source in (0, 1):
        targets = np.concatenate([
            batches.at(step)[row, 1:][batches.weights_at(step)[row] > 0]
            for step in range(120) for row in range(3) if batches.groups_at(step)[row] == source
        ])  # fmt: skip
        assert (sources[targets] == source).all()
        own = np.flatnonzero(sources == source)
        whole = len(own) if packing == "best_fit" else len(own) // 8 * 8
        first = targets[:whole]
        assert len(np.unique(first)) == whole
        assert packing == "concat" or sorted(first.tolist()) == own.tolist()


def test_epochs_of_each_source_are_told():
    batches = batches_of(Mixture(shares={"source 0": 3, "source 1": 1}), TWO, 200)
    found = batches.epochs_by_group(100)
    tokens = [int(np.diff(TWO.bounds)[source == TWO.sources].sum()) for source in (0, 1)]
    assert found["source 0"] == pytest.approx(225 / (tokens[0] // 8), abs=0.05)
    assert found["source 1"] == pytest.approx(75 / (tokens[1] // 8), abs=0.05)
    assert batches.shares(7) == {"source 0": 0.75, "source 1": 0.25}


def test_temperature_and_epochs_decide_shares_where_none_are_declared():
    split = split_of([900, 100], [0, 1])
    length = Length(100, 2, 10)
    flat = Mixture(temperature=1.0).mix(split, length).shares(0)
    assert flat == pytest.approx((0.9, 0.1))
    assert Mixture(temperature=2.0).mix(split, length).shares(0) == pytest.approx((0.75, 0.25))
    capped = Mixture(most_epochs=4).mix(split, length).shares(0)
    assert capped[1] * length.tokens == pytest.approx(400)
    assert Mixture().mix(split, length).shares(0) == (0.5, 0.5)


def test_a_schedule_goes_in_straight_lines_and_stays_at_its_ends():
    schedule = [{"at": 0.2, "shares": {"source 0": 1}}, {"at": 0.6, "shares": {"source 1": 1, "source 0": 1}}]
    mix = Mixture(schedule=schedule).mix(TWO, Length(1000, 2, 8))
    assert mix.shares(0) == mix.shares(150) == (1.0, 0.0)
    assert mix.shares(399) == pytest.approx((0.75, 0.25), abs=0.002)
    assert mix.shares(600) == mix.shares(10_000) == (0.5, 0.5)


def test_a_schedule_beyond_the_epochs_is_refused_with_numbers():
    schedule = [{"at": 0, "shares": {"source 0": 1}}]
    with pytest.raises(ConfigError, match=r"'source 0' .* times over, more than most_epochs 2"):
        Mixture(schedule=schedule, most_epochs=2).mix(TWO, Length(1000, 2, 8))


def test_unknown_sources_and_several_ways_at_once_are_refused():
    with pytest.raises(ConfigError, match="no source"):
        Mixture(shares={"elsewhere": 1}).mix(TWO, Length(10, 2, 8))
    with pytest.raises(ValueError, match="expected one of them"):
        Mixture(shares={"a": 1}, temperature=2)
    with pytest.raises(ValueError, match="rising"):
        Mixture(schedule=[{"at": 0.5, "shares": {"a": 1}}, {"at": 0.2, "shares": {"a": 1}}])


def test_text_without_sources_is_refused_by_name():
    with pytest.raises(DataError, match="of which source"):
        Mixture().mix(split_of([5, 6]), Length(10, 2, 4))
    with pytest.raises(DataError, match="of which language"):
        Mixture(by="language").mix(TWO, Length(10, 2, 4))


LENGTHS = [5 + (n * 37) % 90 for n in range(120)]


def mean_lengths(batches, steps):
    split = batches.split
    sizes = np.diff(split.bounds)
    return [sizes[batches.documents_at(step)[:, 1:]].mean() for step in range(steps)]


@pytest.mark.parametrize("pace", ["sqrt", "linear", "stages"])
def test_a_curriculum_goes_from_short_to_long_or_back(pace):
    split = split_of(LENGTHS)
    early, late = slice(0, 20), slice(100, 200)
    easy = mean_lengths(batches_of(Curriculum(pace=pace, levels=5), split, 200), 200)
    hard = mean_lengths(batches_of(Curriculum(pace=pace, levels=5, direction="hard_first"), split, 200), 200)
    every = np.average(LENGTHS, weights=LENGTHS)
    assert np.mean(easy[early]) < 0.8 * every < np.mean(hard[early])
    assert np.mean(easy[late]) == pytest.approx(every, rel=0.1)


def test_competence_opens_text_as_the_square_root():
    split = split_of([10] * 1000)
    mix = Curriculum(levels=100, start=0.1, until=0.5).mix(split, Length(1000, 2, 8))
    for place, expected in ((0, 0.1), (125, np.sqrt(0.01 + 0.25 * 0.99)), (499, 1.0), (900, 1.0)):
        assert np.mean(np.array(mix.shares(place)) > 0) == pytest.approx(expected, abs=0.02)
        assert sum(mix.shares(place)) == pytest.approx(1)


def test_difficulty_comes_from_a_table(tmp_path):
    split = split_of([20] * 40)
    ids = split.document_ids
    path = tmp_path / "table.csv"
    path.write_text("id,score\n" + "".join(f"{id},{(7 * n) % 40}\n" for n, id in enumerate(ids)))
    mix = Curriculum(by="table", table=path, levels=4).mix(split, Length(10, 2, 8))
    scores = np.array([(7 * n) % 40 for n in range(40)])
    assert (mix.groups == scores // 10).all()
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-3]))
    with pytest.raises(DataError, match="3 of 40 documents have no score"):
        Curriculum(by="table", table=path).mix(split, Length(10, 2, 8))
    last = Curriculum(by="table", table=path, levels=4, missing="hardest").mix(split, Length(10, 2, 8))
    assert (last.groups[-3:] == 3).all()
    with pytest.raises(ConfigError, match="table is missing"):
        Curriculum(by="table").mix(split, Length(10, 2, 8))


def test_what_a_table_holds_decides_the_identity_and_not_where_it_lies(tmp_path):
    for name in ("one.csv", "two.csv", "three.csv"):
        (tmp_path / name).write_text("id,score\na,1\n" if name != "three.csv" else "id,score\na,2\n")
    one, two, three = (
        Curriculum(by="table", table=tmp_path / name).identity() for name in ("one.csv", "two.csv", "three.csv")
    )
    assert one == two != three


def test_levels_too_small_for_a_row_are_joined():
    mix = Curriculum(levels=10).mix(split_of([3, 3, 3, 3, 30, 30]), Length(10, 2, 20))
    split = split_of([3, 3, 3, 3, 30, 30])
    Batches(split, 2, 20, 0, mix=mix)
    assert 1 < len(mix.names) < 4


def test_new_shares_hold_from_their_step_on_and_change_nothing_before():
    order = Mixture(shares={"source 0": 1, "source 1": 1})
    journal = [Weights(step=20, weights={"source 0": 0.9, "source 1": 0.1})]
    plain, changed = batches_of(order, TWO, 100), batches_of(order, TWO, 100, journal=journal)
    assert (rows_of(plain, 20) == rows_of(changed, 20)).all()
    groups = np.concatenate([changed.groups_at(step) for step in range(20, 80)])
    assert (groups == 0).mean() == pytest.approx(0.9, abs=0.02)


def test_a_journal_that_grows_gives_the_batches_of_the_whole_journal():
    order = Mixture(shares={"source 0": 1, "source 1": 2})
    journal = [
        Weights(step=300, weights={"source 0": 0.9, "source 1": 0.1}), Skip(first=310, last=311),
        Weights(step=420, weights={"source 0": 0.2, "source 1": 0.8}),
    ]  # fmt: skip
    growing = batches_of(order, TWO, 600)
    for step, known in ((0, 0), (299, 0), (300, 1), (310, 2), (417, 2), (418, 3), (500, 3), (5, 3)):
        growing = growing.with_journal(journal[:known])
        assert (growing.at(step) == batches_of(order, TWO, 600, journal=journal).at(step)).all()


def test_old_checkpoints_hold_skips_without_a_kind():
    assert read_entry({"first": 3, "last": 4}) == Skip(first=3, last=4)
    entry = Weights(step=7, weights={"a": 1.0}, scores={"a": 2.0}, updates=3)
    assert read_entry(entry.model_dump()) == entry


def test_sources_with_higher_losses_gain():
    order, shares = Adaptive(even=0.1), {"source 0": 0.5, "source 1": 0.5}
    entry = None
    for update in range(200):
        entry = order.update(TWO, entry, shares, {"source 0": 2.0, "source 1": 4.0}, update)
        assert sum(entry.weights.values()) == pytest.approx(1)
    assert entry.updates == 200
    assert 0.75 < entry.weights["source 1"] < 0.95
    assert entry.weights["source 0"] >= 0.05


def test_with_a_reference_the_excess_decides(tmp_path):
    path = tmp_path / "losses.csv"
    tokens_per_byte = 0.25
    bits = {source: float(nats * tokens_per_byte / np.log(2)) for source, nats in ((0, 1.0), (1, 3.9))}
    rows = zip(TWO.document_ids, TWO.sources.tolist(), strict=True)
    path.write_text("id,score\n" + "".join(f"{id},{bits[source]!r}\n" for id, source in rows))
    order = Adaptive(reference=path, rate=0.5, even=0.0)
    entry = order.update(TWO, None, {"source 0": 0.5, "source 1": 0.5}, {"source 0": 2.0, "source 1": 4.0}, 9)
    assert entry.scores == pytest.approx({"source 0": 1.0, "source 1": 0.1})
    assert entry.weights["source 0"] == pytest.approx(1 / (1 + np.exp(-0.45)))
    assert order.update(TWO, entry, entry.weights, {}, 19).weights == pytest.approx(entry.weights)


def test_a_source_with_less_than_a_row_is_named():
    split = split_of([50, 5], [0, 1])
    with pytest.raises(DataError, match="of source 1 has 5 tokens"):
        batches_of(Order.choose("mixture"), split, 10)


def test_a_source_without_a_share_needs_no_text():
    split = split_of([50, 5, 60], [0, 1, 2])
    mix = Mixture(shares={"source 0": 1, "source 2": 1}).mix(split, Length(10, 2, 8))
    assert mix.names == ("source 0", "source 2")
    assert mix.groups.tolist() == [0, -1, 1]
    batches = Batches(split, 2, 8, 0, mix=mix)
    assert all((batches.documents_at(step) != 1).all() for step in range(10))
