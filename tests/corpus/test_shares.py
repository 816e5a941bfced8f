"""Mixture weights, fitted margins and balanced corpora."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from selection_examples import decide, document, mixed

from pilotlight.corpus.ranking import summary
from pilotlight.corpus.select.balance import Balance
from pilotlight.corpus.shares import fit_margins, mixture
from pilotlight.errors import ConfigError

SIZES = {"web": 800.0, "books": 150.0, "law": 50.0}


def shares(weights):
    return {weight.source: weight.share for weight in weights}


def test_temperature_one_keeps_proportions_and_a_high_one_makes_them_equal():
    assert shares(mixture(SIZES, 1000, temperature=1)) == pytest.approx({"web": 0.8, "books": 0.15, "law": 0.05})
    assert shares(mixture(SIZES, 1000, temperature=1e9)) == pytest.approx(dict.fromkeys(SIZES, 1 / 3))


def test_declared_shares_imply_epochs():
    weights = mixture(SIZES, 1000, declared={"web": 60, "law": 20, "books": 20})
    assert {weight.source: weight.epochs for weight in weights} == pytest.approx(
        {"web": 0.75, "books": 4 / 3, "law": 4}
    )


def test_unimax_is_uniform_but_for_sources_that_would_repeat_too_often():
    weights = mixture(SIZES, 900, most_epochs=2)
    assert shares(weights) == pytest.approx({"law": 100 / 900, "books": 300 / 900, "web": 500 / 900})
    assert max(weight.epochs for weight in weights) <= 2 + 1e-9


@given(
    sizes=st.dictionaries(st.sampled_from("abcdef"), st.floats(1, 1e6), min_size=1),
    part=st.floats(0.01, 0.99), epochs=st.floats(0.5, 8), temperature=st.none() | st.floats(0.2, 9),
)  # fmt: skip
def test_weights_sum_to_one_and_no_source_passes_the_cap(sizes, part, epochs, temperature):
    training = part * epochs * sum(sizes.values())
    weights = mixture(sizes, training, most_epochs=epochs, temperature=temperature)
    assert sum(weight.share for weight in weights) == pytest.approx(1)
    assert all(weight.epochs <= epochs * (1 + 1e-6) for weight in weights)


def test_mixtures_that_cannot_be_are_refused():
    with pytest.raises(ConfigError, match=r"5k of training .* of all 1k of text: at most 2k"):
        mixture(SIZES, 5000, most_epochs=2)
    with pytest.raises(ConfigError, match="Did you mean 'books'"):
        mixture(SIZES, 100, declared={"boks": 1})
    with pytest.raises(ConfigError, match="not both"):
        mixture(SIZES, 100, declared={"web": 1}, temperature=2)


@settings(max_examples=60)
@given(
    cells=st.lists(st.floats(1, 1000), min_size=6, max_size=6), row=st.floats(0.05, 0.95), column=st.floats(0.05, 0.6)
)
def test_fitted_tables_have_the_declared_margins(cells, row, column):
    table = {(a, b): cells[3 * i + j] for i, a in enumerate("xy") for j, b in enumerate("pqr")}
    margins = [{"x": row, "y": 1 - row}, {"p": column, "q": 0.3, "r": 0.7 - column}]
    fitted = fit_margins(table, margins)
    for axis, margin in enumerate(margins):
        for value, share in margin.items():
            assert sum(part for cell, part in fitted.items() if cell[axis] == value) == pytest.approx(share, abs=1e-8)


def test_margins_that_exclude_each_other_are_refused():
    with pytest.raises(ConfigError, match="does not combine"):
        fit_margins({("a", "en"): 1.0, ("b", "ca"): 1.0}, [{"a": 0.5, "b": 0.5}, {"en": 0.9, "ca": 0.1}])


def test_balance_reaches_declared_shares_on_two_axes_with_the_largest_corpus(tmp_path):
    documents = mixed(600)
    step = Balance(shares={"language": {"ca": "50%"}, "source": {"law": "50%"}})
    _, facts = decide(step, [documents], tmp_path, summary)
    assert facts["axes"]["language"]["ca"]["share_after"] == pytest.approx(0.5, abs=0.02)
    assert facts["axes"]["language"]["en"]["share_wanted"] == pytest.approx(0.5)
    assert facts["axes"]["source"]["law"]["share_after"] == pytest.approx(0.5, abs=0.02)
    assert 0.3 < facts["bytes_kept"] / facts["bytes"] < 0.9


def test_balance_repeats_what_is_too_little_instead_of_dropping_the_rest(tmp_path):
    documents = [document(f"text number {n} of this kind", n, source="a" if n < 90 else "b") for n in range(100)]
    step = Balance(shares={"source": {"a": 0.6, "b": 0.4}}, most_repeats=4)
    decisions, facts = decide(step, [documents], tmp_path, summary)
    repeats = [decisions[one.id].values["repeats"] for one in documents]
    assert repeats[90:] == [4] * 10
    assert sum(repeats[:90]) == 60
    assert facts["axes"]["source"]["b"]["share_after"] == pytest.approx(0.4, abs=0.01)
    assert facts["bytes_with_repeats"] == pytest.approx(facts["bytes"], rel=0.02)
    assert all((decisions[one.id].drop == "") == (times > 0) for one, times in zip(documents, repeats, strict=True))


def test_shares_that_no_document_can_fill_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="no document is 'fr'"):
        decide(Balance(shares={"language": {"fr": "50%"}}), [mixed(20)], tmp_path)
    with pytest.raises(ValidationError, match="more than the whole"):
        Balance(shares={"language": {"en": "80%", "ca": "30%"}})
    with pytest.raises(ValidationError, match="no share is declared"):
        Balance(shares={})
