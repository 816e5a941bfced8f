"""A pilot so small that all its trainings together take seconds: made-up text, a few thousand parameters."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

SUBJECTS = [
    "the judge",
    "a clerk",
    "the old court",
    "every witness",
    "no lawyer",
    "the council",
    "one citizen",
    "the mayor",
]
VERBS = ["reads", "signs", "keeps", "returns", "questions", "forgets", "finds", "writes"]
OBJECTS = [
    "the letter",
    "a new law",
    "this contract",
    "the long report",
    "an appeal",
    "the first page",
    "their verdict",
]
ENDS = ["in the morning", "before noon", "without a word", "for the third time", "as the law demands", "at the door"]


def sentence(draw: random.Random) -> str:
    words = " ".join(draw.choice(part) for part in (SUBJECTS, VERBS, OBJECTS, ENDS))
    return words[0].upper() + words[1:] + f", {draw.choice(SUBJECTS)} said on day {draw.randrange(10_000)}."


def write_text(folder: Path, documents: int = 300, seed: int = 0) -> Path:
    """Return ``folder`` with one JSON-lines file of ``documents`` texts of about 500 bytes from a small grammar."""
    import json

    draw = random.Random(seed)
    folder.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps({"text": " ".join(sentence(draw) for _ in range(6))}) for _ in range(documents)]
    (folder / "made_up.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def settings(text: Path) -> dict[str, Any]:
    """Return the fields of the tiny pilot on the text in ``text``."""
    return {
        "question": "Which of these changes goes into the full run?",
        "goal": {
            "metric": "bits_per_byte",
            "target": 0.9,
            "full_run": {"parameters": "30k", "tokens": "20k"},
            "limits": {"time": "1 h"},
        },
        "corpus": {
            "sources": [{"kind": "folder", "path": str(text)}],
            "steps": ["unicode", "exact", "length"],
            "held_out": "15%",
        },
        "tokenizer": "bytes",
        "model": {"mixer": {"kind": "grouped", "head_dim": 8}},
        "train": {
            "rows": 4, "context": 32, "evaluate_bytes": 1000, "score_bytes": 4000, "optim": {"kind": "adamw", "lr": 0.01},
        },
        "scales": [
            {"parameters": "2k", "tokens": 2000},
            {"parameters": "2k", "tokens": 6000, "seeds": 1, "baseline_only": True},
            {"parameters": "5k", "tokens": 4000, "seeds": 1, "baseline_only": True},
            {"parameters": "10k", "tokens": 6000, "seeds": 1, "baseline_only": True},
        ],
        "seeds": 2,
        "repeats": 2,
        "confirm": 1,
        "variants": {
            "slow": {"set": {"train.optim.lr": "x0.01"}, "why": "a change for the worse that anybody would see"},
            "gelu": {"set": {"model.feedforward.kind": "gelu"}, "why": "hardly a change"},
        },
        "rule": {"worth": "2%", "level": 0.95},
        "budget": {"time": "10 min"},
    }  # fmt: skip


def merged(old: Any, new: Any) -> Any:
    """Return ``old`` with the fields of ``new`` in it; None takes a field away."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        return new
    kept = {key: value for key, value in old.items() if new.get(key, value) is not None}
    return kept | {key: merged(kept.get(key), value) for key, value in new.items() if value is not None}


def write_plan(path: Path, text: Path, **changes: Any) -> Path:
    """Return ``path``, which holds the tiny pilot with ``changes`` in it."""
    path.write_text(yaml.safe_dump(merged(settings(text), changes), sort_keys=False), encoding="utf-8")
    return path


def keep_calibration(pilot: Any, workers: int, seconds: float = 1.0) -> Any:
    """Keep a made-up calibration in this machine's store, as if the pilot's shapes had been measured; return it."""
    from pilotlight.pilot import calibration as store
    from pilotlight.pilot.measure import shapes_of

    found = calibration_of(pilot, workers, seconds)
    store.keep(store.key(shapes_of(pilot), workers), found)
    return found


def calibration_of(pilot: Any, workers: int = 2, seconds: float = 1.0) -> Any:
    """Return a made-up calibration: a trial takes ``seconds`` per 10 million parameters times tokens."""
    from pilotlight.pilot.calibration import Calibration, Rung
    from pilotlight.stats.estimate import Estimate

    rungs = {
        scale.name: Rung(
            flops=6 * scale.parameters * scale.tokens, seconds=seconds * scale.parameters * scale.tokens / 1e7
        )
        for scale in pilot.scales
    }
    return Calibration(
        machine={"processor": "made up", "cores": workers, "name": "this machine"}, measured_at="2026-01-01",
        workers=workers, rungs=rungs,
        full_step_seconds=Estimate(value=0.02, low=0.015, high=0.03, level=0.8, unit="s/step", n=20, method="made up"),
    )  # fmt: skip


def environment(**more: str) -> dict[str, str]:
    """Return the environment for a command of its own: one thread, warnings as errors only where ours."""
    return os.environ | {"OMP_NUM_THREADS": "1", "COLUMNS": "200", "NO_COLOR": "1"} | more


def pilot(*words: str | Path, cwd: Path | None = None, **more: str) -> subprocess.CompletedProcess[str]:
    """Return what the command ``pilot`` did with ``words``."""
    command = [sys.executable, "-m", "pilotlight.cli.main", *map(str, words)]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=cwd, env=environment(**more), timeout=280
    )
