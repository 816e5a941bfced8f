"""Rows under keys come back by partition, whole and in order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilotlight.corpus.partitions import (
    each_partition,
    partition_of,
    partitions_for,
    read_keyed,
    read_partition,
    write_keyed,
    write_partitions,
)
from pilotlight.errors import RecordError

KEYS = st.lists(st.integers(0, 2**64 - 1) | st.sampled_from([0, 1, 2**63 - 1, 2**63, 2**64 - 1]), max_size=30)


@settings(max_examples=30, deadline=None)
@given(units=st.lists(KEYS, min_size=1, max_size=3), count=st.sampled_from([1, 2, 8, 64]))
def test_each_row_comes_back_in_the_partition_of_its_key(tmp_path_factory, units, count):
    folders = []
    for number, values in enumerate(units):
        folders.append(tmp_path_factory.mktemp("unit"))
        keys = np.array(values, dtype=np.uint64)
        rows = np.zeros(len(keys), dtype=[("key", "<u8"), ("row", "<u4"), ("unit", "<u1")])
        rows["key"], rows["row"], rows["unit"] = keys, np.arange(len(keys)), number
        write_partitions(folders[-1], "rows", rows, partition_of(keys, count), count)
        write_keyed(folders[-1], "keyed", keys, rows)
    seen = []
    for number in range(count):
        found = read_partition(folders, "rows", number)
        assert (partition_of(found["key"], count) == number).all()
        assert found.tolist() == sorted(found.tolist(), key=lambda row: (row[2], row[1])), "order of units, then rows"
        assert np.concatenate(list(each_partition(folders, "rows", number))).tolist() == found.tolist()
        keyed = list(read_keyed(folders, "keyed", number, count))
        assert all((keys == rows["key"]).all() and (keys[1:] >= keys[:-1]).all() for keys, rows in keyed)
        assert sorted(row for _, rows in keyed for row in rows.tolist()) == sorted(found.tolist())
        seen += found.tolist()
    assert sorted(seen) == sorted(
        (key, row, unit) for unit, values in enumerate(units) for row, key in enumerate(values)
    )


def test_there_are_enough_partitions_and_a_power_of_two_of_them():
    assert [partitions_for(rows) for rows in (0, 1, 2_000_000, 2_000_001, 7_000_000, 10**12)] == [1, 1, 1, 2, 4, 4096]
    assert partitions_for(100, together=10) == 16


def test_nothing_to_read_is_said():
    with pytest.raises(RecordError, match="no unit has written pairs"):
        read_partition([], "pairs", 0)
