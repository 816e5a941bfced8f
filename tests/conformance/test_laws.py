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
BATCH = 1e4
TARGET = np.array([[3e8, 6e9, 6 * 3e8 * 6e9, 6e9 / BATCH]])


def _law(kind):
    law = KINDS[kind]()
    assert isinstance(law, Law)
    return law


def _at_target(found):
    return float(np.exp(found.at(np.log(TARGET))[0][0]))


def _planted(law, ratios=(10, 30, 90)):
    """Points that obey the law exactly, with its own prior centres as exponents."""
    batches = (BATCH, 8 * BATCH) if law.wants == "batches" else (BATCH,)
    cells = [
        (size, ratio * size, batch)
        for size in SIZES
        for ratio in (ratios if not law.best_only else (20,))
        for batch in batches
    ]
    logs = np.log([(n, d, 6 * n * d, d / batch) for n, d, batch in cells])
    reference = logs.mean(axis=0)
    exponents = np.array([law.centres])
    coefficients = np.array([0.8 if name == "E" else 0.4 if name != "down" else 0.0 for name in law.coefficients])

    def loss(where):
        return law.columns(where - reference, exponents)[0] @ coefficients

    return [
        Point(n, d, float(value), batch_tokens=batch) for (n, d, batch), value in zip(cells, loss(logs), strict=True)
    ], loss


@pytest.mark.parametrize("kind", KINDS)
def test_a_law_names_its_numbers(kind):
    law = _law(kind)
    assert len(law.exponents) == len(law.centres)
    assert law.columns(np.zeros((2, 4)), np.array([law.centres])).shape == (1, 2, len(law.coefficients))
    assert set(law.plain(law.centres, [1.0] * len(law.coefficients), np.zeros(4))) == {
        *law.exponents,
        *law.coefficients,
    }
    assert law.kind == kind
    assert law.name


@pytest.mark.parametrize("kind", KINDS)
def test_a_law_recovers_what_it_was_planted_with(kind):
    law = _law(kind)
    points, loss = _planted(law)
    found = fit(law, points)
    value = _at_target(found)
    assert value == pytest.approx(float(loss(np.log(TARGET))[0]), rel=0.015)
    # several settings of a flexible law describe exact points equally well; the prior is centred on the planted one
    tolerance = 0.1 if law.powers and len(law.exponents) < 3 else 0.35
    for name, centre in zip(law.exponents, law.centres, strict=True):
        if name != "r":  # a scale in units of the data, not an exponent
            assert found.numbers()[name] == pytest.approx(centre, rel=tolerance)


@pytest.mark.parametrize("kind", KINDS)
def test_the_numbers_of_a_fit_give_its_predictions(kind):
    law = _law(kind)
    found = fit(law, _planted(law)[0])
    numbers = found.numbers()
    exponents = np.array([[numbers[name] for name in law.exponents]])
    terms = law.columns(np.log(TARGET), exponents)[0, 0]
    total = float(terms @ [numbers[name] for name in law.coefficients])
    # the likeliest setting, and the average over all settings
    assert total == pytest.approx(_at_target(found), rel=0.03)


@pytest.mark.parametrize("kind", KINDS)
def test_the_predicted_loss_never_rises_with_size_and_tokens(kind):
    law = _law(kind)
    found = fit(law, _planted(law)[0])
    path = np.log([(n, 20 * n, 120 * n * n, 20 * n / BATCH) for n in np.geomspace(1e6, 1e12, 30)])
    values, errors = found.at(path)
    assert (np.diff(values) <= 1e-9).all()
    assert (errors >= 0).all()


@pytest.mark.parametrize("kind", KINDS)
def test_an_outlier_moves_the_prediction_little(kind):
    law = _law(kind)
    points, loss = _planted(law)
    bad = points[1]
    points[1] = Point(bad.parameters, bad.tokens, bad.loss * 1.3, batch_tokens=bad.batch_tokens)
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
