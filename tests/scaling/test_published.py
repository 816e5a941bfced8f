"""Predictions on published runs, where a copy of the tables lies beside the repository."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pilotlight.scaling.points import Point
from pilotlight.scaling.predict import Study
from pilotlight.scaling.table import read_table

PLACE = Path(os.environ.get("PILOTLIGHT_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data")) / "scaling"

pytestmark = pytest.mark.skipif(
    not PLACE.is_dir(), reason="no published tables: set PILOTLIGHT_SHARED_DATA to the folder that holds scaling/"
)


def _split(points: tuple[Point, ...], target_flops: float) -> tuple[list[Point], list[Point]]:
    targets = [point for point in points if point.compute >= target_flops]
    return [point for point in points if point.compute <= 0.1 * target_flops], targets


def test_a_published_iso_flop_study_is_predicted_ten_times_further_out():
    pilots, targets = _split(read_table(PLACE / "llama3_isoflop.csv").points, 0.99e22)
    study = Study.of(pilots)
    for target in targets:
        found = study.predict(target.parameters, target.tokens, flops=target.flops).loss
        assert found.value == pytest.approx(target.loss, rel=0.03)
        assert found.low <= target.loss <= found.high
