"""The best split of a budget between size and tokens."""

from __future__ import annotations

import math

import numpy as np
import pytest
from ladder_examples import chinchilla, grid, ladder

from pilotlight.errors import EvidenceError
from pilotlight.record.forecast import Optimum
from pilotlight.scaling.optimum import optimum
from pilotlight.scaling.predict import Study

BUDGET = 6 * 200e6 * 4e9


def _planted():
    sizes = np.geomspace(1e7, 1e10, 2001)
    losses = [chinchilla(size, BUDGET / 6 / size) for size in sizes]
    return float(sizes[int(np.argmin(losses))]), min(losses)


def test_the_planted_optimum_is_found_within_its_interval():
    size, loss = _planted()
    found = optimum(Study.of(grid(chinchilla)), BUDGET)
    assert found.parameters.low <= size <= found.parameters.high
    assert found.loss.value == pytest.approx(loss, rel=0.02)
    assert found.parameters.value * found.tokens.value == pytest.approx(BUDGET / 6, rel=1e-6)


def test_flatness_is_the_range_that_loses_less_than_it_says():
    found = optimum(Study.of(grid(chinchilla)), BUDGET)
    assert found.flat_low < found.parameters.value < found.flat_high
    assert 0 < found.half_the_size < 0.05
    assert 0 < found.twice_the_size < 0.05
    # the planted law itself loses about that much at the ends
    for end in (found.flat_low, found.flat_high):
        assert chinchilla(end, BUDGET / 6 / end) / _planted()[1] - 1 == pytest.approx(found.flat, abs=0.006)


def test_more_compute_wants_a_larger_model():
    study = Study.of(grid(chinchilla))
    sizes = [optimum(study, BUDGET * factor).parameters.value for factor in (1, 10, 100)]
    assert sizes == sorted(sizes)


def test_a_ladder_of_one_ratio_is_refused_with_a_way_out():
    with pytest.raises(EvidenceError, match="half and for twice as long"):
        optimum(Study.of(ladder(chinchilla)), BUDGET)


def test_an_optimum_survives_being_written_and_read():
    found = optimum(Study.of(grid(chinchilla)), BUDGET)
    assert Optimum.from_json(found.to_json()) == found
    assert math.isfinite(found.flops)
