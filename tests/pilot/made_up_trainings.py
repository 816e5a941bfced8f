"""A pilot that trains nothing: every run is the row of a made-up world, in a folder like that of a training."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import made_up_search
from made_up_results import TEXT, World, row_of

from pilotlight.errors import RunError
from pilotlight.manifest import Manifest, seal
from pilotlight.pilot.observed import Observed
from pilotlight.pilot.pilot import Pilot
from pilotlight.pilot.trials import FRESH, Trial
from pilotlight.record.results import BASELINE
from pilotlight.record.run import KIND, RunFacts
from pilotlight.spec import fingerprint
from tiny_pilot import calibration_of

CALLS: list[str] = []
"""Names of the trials that ended."""
KILLED: list[int] = []
"""How many more trainings end before the process is killed; empty: it is not."""
SETTING: list[tuple[Pilot, World]] = []


def trial_of(out: Path) -> Trial:
    variant, scale, tail = out.parts[-3:]
    seed, _, repeat = tail.removeprefix("seed").partition("-")
    return Trial(variant, scale, int(seed), repeat, "confirmation" if int(seed) >= FRESH else "main")


def train(arguments: dict[str, Any], watch: Any) -> dict[str, Any]:
    """Write the run folder of one trial, as ``pilot.trial.run`` does."""
    if KILLED:
        KILLED[0] -= 1
        if KILLED[0] < 0:
            raise KeyboardInterrupt
    out = Path(arguments["out"])
    pilot, world = SETTING[-1]
    row = row_of(pilot, trial_of(out), world)
    CALLS.append(row.name)
    if row.status == "failed":
        raise RunError(row.error)
    out.mkdir(parents=True, exist_ok=True)
    facts = RunFacts(
        status="finished", fingerprint="f" * 16, metrics=row.metrics, train_bits_per_byte=1.0, gap=0.0, fit="ok",
        parameters=int(row.parameters), total_parameters=int(row.total_parameters), tokens=int(row.tokens), steps=10,
        epochs=row.epochs, flops=row.flops, bytes_per_token=1.0, scored_bytes=1000, precision="float32", why="made up",
        versions={},
    )  # fmt: skip
    (out / "run.json").write_text(facts.to_json(), encoding="utf-8")
    seal(out, Manifest(kind=KIND, fingerprint="f" * 16, settings={}, inputs={}, files={}, facts={}, versions={}))
    return {}


def pretend(monkeypatch, pilot: Pilot, world: World) -> None:
    """Let ``pilot`` train in the made-up world, in this process, on text that is not there."""
    from pilotlight.pilot import execute, measure
    from pilotlight.pilot.prepare import Ready

    sizes = {fingerprint(pilot.variant(name).tokenizer): 257 for name in (BASELINE, *pilot.variants)}
    texts = dict.fromkeys((BASELINE, *pilot.variants), TEXT)
    tokens = defaultdict(lambda: SimpleNamespace(folder=Path("tokens"), vocabulary=256))
    monkeypatch.setattr(execute, "ALONE", "made_up_trainings:train")
    monkeypatch.setattr(execute, "Pool", lambda workers, threads, **more: made_up_search.pool(**more))
    monkeypatch.setattr(execute, "prepare", lambda *_: Ready(tokens))
    monkeypatch.setattr(measure, "calibrate", lambda of, *_, **__: calibration_of(of, 2, 1e-3))
    monkeypatch.setattr(
        execute, "observe", lambda pilot, out, results, planned, deviations: Observed(
            planned=planned, vocabularies=sizes, texts=texts, deviations=deviations
        ),
    )  # fmt: skip
    SETTING[:] = [(pilot, world)]
    KILLED.clear()
    CALLS.clear()
