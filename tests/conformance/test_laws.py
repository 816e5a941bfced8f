"""What every law has to do, over the folder of laws."""

from __future__ import annotations

import numpy as np
import pytest

from pilotlight.errors import EvidenceError
from pilotlight.scaling.fit import fit
from pilotlight.scaling.law import Law
from pilotlight.scaling.points import Point
from pilotlight.spec import discover

KINDS = discover(Law.folder)
SIZES = [2e6 * 1.7**step for step in range(6)]
TARGET = np.array([[3e8, 6e9, 6 * 3e8 * 6e9]])


def _law(kind):
    law = KINDS[kind]()
    assert isinstance(law, Law)
    return law


def _at_target(found):
    return float(np.exp(found.at(np.log(TARGET))[0][0]))


def _planted(law, ratios=(10, 30, 90)):
    """Points that obey the law exactly, with its own prior centres as exponents."""
    cells = [(size, ratio * size) for size in SIZES for ratio in (ratios if not law.best_only else (20,))]
    logs = np.log([(n, d, 6 * n * d) for n, d in cells])
    reference = logs.mean(axis=0)
    exponents = np.array([law.centres])
    coefficients = np.array([0.8 if power is None else 0.4 for power in law.powers])

    def loss(where):
        return law.columns(where - reference, exponents)[0] @ coefficients

    return [Point(n, d, float(value)) for (n, d), value in zip(cells, loss(logs), strict=True)], loss


@pytest.mark.parametrize("kind", KINDS)
def test_a_law_names_its_numbers_and_every_column_belongs_to_one(kind):
    law = _law(kind)
    assert len(law.coefficients) == len(law.powers)
    assert len(law.exponents) == len(law.centres)
    assert {power[1] for power in law.powers if power} == set(range(len(law.exponents)))
    assert law.kind == kind
    assert law.name


@pytest.mark.parametrize("kind", KINDS)
def test_a_law_recovers_what_it_was_planted_with(kind):
    law = _law(kind)
    points, loss = _planted(law)
    found = fit(law, points)
    value = _at_target(found)
    assert value == pytest.approx(float(loss(np.log(TARGET))[0]), rel=0.01)
    for name, centre in zip(law.exponents, law.centres, strict=True):
        assert found.numbers()[name] == pytest.approx(centre, rel=0.1)


@pytest.mark.parametrize("kind", KINDS)
def test_the_numbers_of_a_fit_give_its_predictions(kind):
    law = _law(kind)
    found = fit(law, _planted(law)[0])
    numbers = found.numbers()
    total = 0.0
    for name, power in zip(law.coefficients, law.powers, strict=True):
        falling = 1.0 if power is None else float(TARGET[0, power[0]]) ** -numbers[law.exponents[power[1]]]
        total += numbers[name] * falling
    # the likeliest setting, and the average over all settings
    assert total == pytest.approx(_at_target(found), rel=0.03)


@pytest.mark.parametrize("kind", KINDS)
def test_the_predicted_loss_never_rises_with_size_and_tokens(kind):
    law = _law(kind)
    found = fit(law, _planted(law)[0])
    path = np.log([(n, 20 * n, 120 * n * n) for n in np.geomspace(1e6, 1e12, 30)])
    values, errors = found.at(path)
    assert (np.diff(values) <= 1e-9).all()
    assert (errors >= 0).all()


@pytest.mark.parametrize("kind", KINDS)
def test_an_outlier_moves_the_prediction_little(kind):
    law = _law(kind)
    points, loss = _planted(law)
    bad = points[1]
    points[1] = Point(bad.parameters, bad.tokens, bad.loss * 1.3)
    value = _at_target(fit(law, points))
    assert value == pytest.approx(float(loss(np.log(TARGET))[0]), rel=0.02)


@pytest.mark.parametrize("kind", KINDS)
def test_too_few_cells_are_refused(kind):
    law = _law(kind)
    with pytest.raises(EvidenceError, match="rung"):
        fit(law, _planted(law)[0][: law.fewest - 1])


@pytest.mark.parametrize("kind", KINDS)
def test_an_equation_holds_its_numbers(kind):
    law = _law(kind)
    found = fit(law, _planted(law)[0]).numbers()
    assert f"{found[law.exponents[0]]:.3f}" in law.equation(found)
