"""Calibrations: measured once, kept by this machine, found again for the same shapes and no others."""

from __future__ import annotations

import shutil

import pytest
from made_up_results import pilot_of

from pilotlight.errors import RecordError
from pilotlight.pilot import calibration as store
from pilotlight.pilot import measure
from pilotlight.pilot.calibration import from_ledger
from pilotlight.pilot.measure import shapes_of
from pilotlight.pilot.pilot import Budget
from pilotlight.spec import plain
from tiny_pilot import calibration_of, keep_calibration


@pytest.fixture(autouse=True)
def store_of_this_test(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def key(pilot, workers: int = 2) -> str:
    return store.key(shapes_of(pilot), workers)


def test_what_is_kept_is_recalled():
    pilot = pilot_of()
    assert store.recall(key(pilot)) is None
    kept = keep_calibration(pilot, 2)
    assert store.recall(key(pilot)) == kept
    told = []
    assert measure.calibrate(pilot, None, None, 2, told.append) == kept  # type: ignore[arg-type]
    assert "2026-01-01" in told[0].text


@pytest.mark.parametrize(
    "changes",
    [
        {"train": {"rows": 16, "context": 64}},
        {"model": {"mixer": {"kind": "grouped", "head_dim": 32}}},
        {"tokenizer": {"kind": "bpe", "vocabulary": 2048}},
        {"scales": [{"parameters": "100k", "tokens": "1M"}]},
        {"goal": {"full_run": {"parameters": "6M", "tokens": "30M"}}},
    ],
)
def test_other_shapes_batches_and_vocabularies_are_measured_anew(changes):
    assert key(pilot_of(**changes)) != key(pilot_of())


def test_what_does_not_change_the_speed_does_not_ask_for_a_new_measurement():
    same = pilot_of(seeds=5, question="Another question?", variants={}, rule={"worth": 0.01})
    assert key(same) == key(pilot_of())
    assert key(pilot_of(), workers=1) != key(pilot_of(), workers=2)


def test_a_damaged_or_unwritable_store_costs_a_measurement_and_nothing_else(tmp_path):
    pilot = pilot_of()
    keep_calibration(pilot, 2)
    (store.store() / f"{key(pilot)}.json").write_text("{", encoding="utf-8")
    assert store.recall(key(pilot)) is None
    shutil.rmtree(tmp_path / "cache")
    (tmp_path / "cache").write_text("a file where a folder should be", encoding="utf-8")
    keep_calibration(pilot, 2)
    assert store.recall(key(pilot)) is None


def test_the_ledger_gives_back_what_it_was_given():
    found = calibration_of(pilot_of())
    assert from_ledger(plain(found)) == found
    with pytest.raises(RecordError, match="new --out"):
        from_ledger({"machine": {}})


def test_small_rungs_are_priced_at_the_rate_of_the_dearest():
    found = calibration_of(pilot_of())
    rung = found.rungs["100k-1M"]
    slow = found.model_copy(
        update={"rungs": found.rungs | {"100k-1M": rung.model_copy(update={"seconds": 3 * rung.seconds})}}
    )
    time, flops = Budget(time=60), Budget(flops=1e15)
    assert slow.price("100k-1M", time) == pytest.approx(3 * found.price("100k-1M", time))
    assert slow.price("1M-10M", time) == found.price("1M-10M", time) == found.rungs["1M-10M"].flops
    assert slow.price("100k-1M", flops) == found.rungs["100k-1M"].flops, "no clock in a budget of FLOPs"
