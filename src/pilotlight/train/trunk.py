"""The run that a branch goes off from: what has to agree, its checkpoint, and the lines of its metrics up to there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pilotlight.errors import ConfigError, RecordError
from pilotlight.manifest import read_manifest, write_atomic
from pilotlight.record.run import METRICS
from pilotlight.spec import diff
from pilotlight.tokens.tokens import Tokens
from pilotlight.train.checkpoint import Checkpoint
from pilotlight.train.plan import Plan

_MAY_DIFFER = ("start", "schedule", "evaluate_every", "evaluate_bytes", "score_bytes", "guard")
_METRICS = "metrics_bytes"


def branched(run: Path, place: Path, plan: Plan, tokens: Tokens) -> Checkpoint:
    """Return the checkpoint at ``place`` of ``run``, which a training of ``plan`` on ``tokens`` may go on from.

    Raises:
        ConfigError: the plan differs in more than its length and its schedule, or has no steps left.
        RecordError: the run is of other tokens, or a file was lost or changed.
    """
    try:
        trunk = Plan.model_validate_json((run / "plan.json").read_bytes())
        made_from = json.loads((run / "inputs.json").read_text(encoding="utf-8"))["tokens"]
    except (OSError, ValidationError, ValueError, KeyError) as error:
        raise RecordError(f"{run} holds no run of this version to branch off from ({type(error).__name__}).") from error
    if made_from != tokens.fingerprint:
        raise RecordError(f"{run} was trained on other tokens; a branch goes on with the same ones. To go on with other text, "
                          "start from its weights: start: {kind: weights, path: ...}.")  # fmt: skip
    wanted = _kept(plan)
    if trunk.train.sparsity is None:  # a dense training may go on as a sparse one
        wanted["train"].pop("sparsity", None)
    if changes := diff(_kept(trunk), wanted):
        shown = "".join(f"\n  {path}: {old} -> {new}" for path, (old, new) in list(changes.items())[:8])
        raise ConfigError(f"a branch of {run} may have another schedule and another number of steps; here more differs:"
                          f"{shown}\nSet the same, or start from its weights alone: start: {{kind: weights}}.")  # fmt: skip
    read_manifest(place, "checkpoint", verify=True)
    facts = json.loads((place / "state.json").read_text(encoding="utf-8"))
    if facts["step"] >= plan.steps:
        raise ConfigError(f"steps is {plan.steps}, and the checkpoint {place} is of step {facts['step']}; steps count from "
                          "the beginning of the run that is branched off from, so give more of them")  # fmt: skip
    return Checkpoint(place, facts)


def _kept(plan: Plan) -> dict[str, Any]:
    found = {name: value for name, value in plan.model_copy(update={"train": _plain_start(plan)}).identity().items()}
    found["train"] = {name: value for name, value in found["train"].items() if name not in _MAY_DIFFER}
    return {name: value for name, value in found.items() if name != "steps"}


def _plain_start(plan: Plan) -> Any:
    """Return the training without its start, whose files may be gone."""
    from pilotlight.train.starts.random import Random

    return plan.train.model_copy(update={"start": Random()})


def copy_history(trunk: Checkpoint, metrics: Path) -> int:
    """Return the bytes of the lines of metrics up to the checkpoint, which now stand in the file ``metrics`` too.

    Raises:
        RecordError: lines of the trunk were lost.
    """
    length = int(trunk.facts[_METRICS])
    path = trunk.folder.parent.parent / METRICS
    content = path.read_bytes()[:length] if path.is_file() else b""
    if len(content) < length:
        raise RecordError(f"{path} has {len(content)} bytes, the checkpoint was made with {length}: lines were lost.")
    write_atomic(metrics, content)
    return length
