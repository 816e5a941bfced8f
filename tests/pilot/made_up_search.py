"""A search that trains nothing: losses from a formula, in run folders like those of trainings."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pilotlight.errors import RunError
from pilotlight.manifest import Manifest, seal
from pilotlight.pilot.pilot import Pilot
from pilotlight.pilot.pruning import Bounds, Pruned
from pilotlight.randomness import stream
from pilotlight.record.run import KIND, RunFacts
from pilotlight.train.events import Evaluated

KILLED: list[int] = []
"""How many more trainings end before the process is killed; empty: it is not."""
OPTIMUM, GAIN, NOISE = 0.004, 0.03, 0.004
CALLS: list[str] = []


def loss(plan: dict[str, Any]) -> float:
    """Bits per byte of a plan: a valley in the learning rate, a gain from GELU, and what its seed makes of it."""
    rate, seed = plan["train"]["optim"]["lr"], plan["seed"]
    octaves = math.log2(rate / OPTIMUM)
    value = 2.0 * math.exp(0.01 * (2.7 if octaves > 0 else 1.0) * octaves**2)
    value *= 1 - GAIN * (plan["model"]["feedforward"]["kind"] == "gelu")
    shared = stream(seed, "seed").normal(0, 2 * NOISE)
    own = stream(seed, "run", json.dumps([rate, plan["model"]["feedforward"]["kind"]])).normal(0, NOISE)
    return value * math.exp(shared + own)


def train(arguments: dict[str, Any], watch: Any) -> dict[str, Any]:
    """Write a run folder, as ``pilot.trial.run`` does; rates above 0.1 diverge."""
    out, plan = Path(arguments["out"]), arguments["plan"]
    if KILLED:
        KILLED[0] -= 1
        if KILLED[0] < 0:
            raise KeyboardInterrupt
    CALLS.append(out.as_posix())
    if plan["train"]["optim"]["lr"] > 0.1:
        raise RunError("the loss was not finite")
    value, steps = loss(plan), 10
    bounds = Bounds.of({**arguments, "plan": {**plan, "steps": steps}})
    out.mkdir(parents=True, exist_ok=True)
    lines = []
    try:
        bounds.look_back()
        judge = bounds.watching(watch)
        for step in range(1, steps + 1):
            lines.append({"kind": "evaluation", "step": step, "bits_per_byte": value * (1 + 1 / step)})
            judge(Evaluated(step, "bits_per_byte", {"bits_per_byte": value * (1 + 1 / step)}))
    except Pruned as end:
        return end.told()
    (out / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    facts = RunFacts(
        status="finished", fingerprint="f" * 16, metrics={"bits_per_byte": value}, train_bits_per_byte=value, gap=0.0,
        parameters=1000, total_parameters=2000, tokens=1000, epochs=0.1, steps=steps, flops=1e9, bytes_per_token=1.0,
        scored_bytes=1000, fit="ok", why="made up", precision="float32", versions={},
    )  # fmt: skip
    (out / "run.json").write_text(facts.to_json(), encoding="utf-8")
    seal(out, Manifest(kind=KIND, fingerprint="f" * 16, settings={}, inputs={}, files={}, facts={}, versions={}))
    return {}


def pretend(monkeypatch, pilot) -> None:
    """Let searches and pilots train by the formula, in this process, on text that is not there."""
    from pilotlight.pilot import execute, measure, search
    from pilotlight.pilot.prepare import Ready
    from tiny_pilot import calibration_of

    tokens = defaultdict(lambda: SimpleNamespace(folder=Path("tokens"), vocabulary=256))
    monkeypatch.setattr(execute, "ALONE", "made_up_search:train")
    for module in (execute, search):
        monkeypatch.setattr(module, "prepare", lambda *_: Ready(tokens))
    monkeypatch.setattr(measure, "calibrate", lambda campaign_pilot, *_, **__: calibration_of(campaign_pilot, 2, 1e-4))
    KILLED.clear()
    CALLS.clear()


def pool(**more: Any) -> Any:
    """A pool that does its units in this process."""
    from pilotlight.work.pool import Pool

    return Pool(0, 1, **more)


def goes_on_after_kills(folder: Path, pilot: Pilot, survived: Callable[[int], Iterable[int]], least: int = 1) -> None:
    """Assert that a search killed after so many of its trainings ends as if it had not been, and trains nothing twice.

    ``survived`` returns, of how many trainings there are (``least`` or more), after which of them it is killed.
    """
    from pilotlight.pilot.search import search

    whole = search(pilot, folder / "whole", workers=0, together=1).to_json()
    count = len(CALLS)
    assert count >= least
    for trainings in survived(count):
        out = folder / f"killed{trainings}"
        CALLS.clear()
        KILLED[:] = [trainings]
        with pytest.raises(KeyboardInterrupt):
            search(pilot, out, workers=0, together=1)
        KILLED.clear()
        assert search(pilot, out, workers=0, together=1).to_json() == whole
        assert len(CALLS) == count, "nothing is trained twice"
