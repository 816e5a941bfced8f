"""The simulated campaigns of bench/coverage.py, for the tests of coverage."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path

_PATH = Path(__file__).parents[2] / "bench" / "coverage.py"
sys.path.insert(0, str(_PATH.parent))
_SPEC = importlib.util.spec_from_file_location("coverage_bench", _PATH)
assert _SPEC is not None
assert _SPEC.loader is not None
bench = importlib.util.module_from_spec(_SPEC)
sys.modules["coverage_bench"] = bench
_SPEC.loader.exec_module(bench)

effects = importlib.import_module("coverage_effects")

Campaign = bench.Campaign
CORRELATIONS = bench.CORRELATIONS
scores_covered = bench.scores_covered


def above(expected: float, count: int) -> float:
    """Return the lowest share that ``count`` studies with a true share of ``expected`` leave by chance (3 SD)."""
    return expected - 3.0 * (expected * (1.0 - expected) / count) ** 0.5
