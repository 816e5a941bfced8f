"""What every law of loss curves has to do, over the folder of laws."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pilotlight.scaling.curve import Curve, Reference, stretch
from pilotlight.scaling.curve_fit import fit_curves
from pilotlight.scaling.curve_law import CurveLaw
from pilotlight.spec import discover

KINDS = discover(CurveLaw.folder)
FITTED = ("constant", "cosine", "drop")
ASKED = (("late", 2000), ("linear", 4000))
SHAPES = {
    "constant": lambda share: np.ones_like(share),
    "cosine": lambda share: 0.55 + 0.45 * np.cos(np.pi * share),
    "linear": lambda share: 1.0 - 0.99 * share,
    "late": lambda share: np.minimum(1.0, 1.0 - 4.5 * (share - 0.8)),
    "drop": lambda share: np.where(share < 0.4, 1.0, 0.3),
}


def schedule(name, steps=2000):
    """A run without losses: its steps and its learning rates, after a short warm-up."""
    at = np.arange(20.0, steps + 1, 20.0)
    return Curve(name, at, np.full(len(at), np.nan), np.minimum(1.0, at / 50) * SHAPES[name](at / steps))


def _law(kind):
    law = KINDS[kind]()
    assert isinstance(law, CurveLaw)
    return law


def _reference():
    return Reference.of([schedule(name) for name in FITTED])


def _planted(law, curve):
    """The curve with losses that obey the law exactly, its exponents at the centres of their priors."""
    where = stretch(curve, _reference())
    coefficients = np.array([2.0, 0.3, 0.08][: len(law.coefficients)])
    losses = law.columns(where.path, np.array(law.centres)) @ coefficients
    full = np.full(len(curve.steps), np.nan)
    full[-len(losses) :] = losses
    return Curve(curve.run, curve.steps, full, curve.rates)


def _fit(law):
    reference = _reference()
    return fit_curves(law, [stretch(_planted(law, schedule(name)), reference, points=60) for name in FITTED])


@pytest.mark.parametrize("kind", KINDS)
def test_a_law_names_its_numbers_and_gives_a_column_for_every_coefficient(kind):
    law = _law(kind)
    assert law.kind == kind
    assert law.name
    assert len(law.exponents) == len(law.centres) == len(law.widths)
    where = stretch(schedule("cosine"), _reference())
    columns = law.columns(where.path, np.array(law.centres))
    assert columns.shape == (len(where.steps), len(law.coefficients))
    assert (columns[:, 0] == 1).all()
    assert np.isfinite(columns).all()


@pytest.mark.parametrize("kind", KINDS)
def test_a_law_foretells_schedules_and_lengths_that_it_was_not_fitted_to(kind):
    law = _law(kind)
    found = _fit(law)
    for name, steps in ASKED:
        where = stretch(_planted(law, schedule(name, steps)), _reference())
        mean, error = found.at(where)
        assert np.abs(np.exp(mean) / where.losses - 1).max() < 2e-3
        assert (error >= 0).all()


@pytest.mark.parametrize("kind", KINDS)
def test_the_falling_term_falls_and_the_gain_of_annealing_is_a_gain(kind):
    law = _law(kind)
    where = stretch(schedule("late"), _reference())
    columns = law.columns(where.path, np.array(law.centres))
    assert (np.diff(columns[:, 1]) < 0).all()
    assert law.anneals == (len(law.coefficients) > 2)
    if law.anneals:
        assert (columns[:, 2] <= 0).all()
        assert columns[-1, 2] < columns[len(columns) // 2, 2]


@pytest.mark.parametrize("kind", KINDS)
def test_only_a_law_that_says_so_looks_at_the_learning_rates(kind):
    law = _law(kind)
    curve = schedule("cosine")
    known = stretch(curve, _reference())
    unknown = stretch(replace(curve, rates=None), _reference())
    same = np.allclose(law.columns(known.path, np.array(law.centres)), law.columns(unknown.path, np.array(law.centres)))
    assert same != law.needs_rates


@pytest.mark.parametrize("kind", KINDS)
def test_a_spike_moves_the_fit_little(kind):
    law = _law(kind)
    reference = _reference()
    curves = [_planted(law, schedule(name)) for name in FITTED]
    curves[0].losses[60:62] *= 1.2
    found = fit_curves(law, [stretch(curve, reference, points=60) for curve in curves])
    where = stretch(_planted(law, schedule("late")), reference)
    assert np.abs(np.exp(found.at(where)[0]) / where.losses - 1).mean() < 5e-3


@pytest.mark.parametrize("kind", KINDS)
def test_an_equation_holds_its_numbers(kind):
    law = _law(kind)
    numbers = _fit(law).numbers
    text = law.equation(numbers)
    assert f"{numbers['E']:.4g}" in text
    assert f"{numbers['a']:.3f}" in text
