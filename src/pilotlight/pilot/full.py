"""The full run that a pilot leads to: counted from its plan, and written as ``full.yaml``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pilotlight.manifest import write_atomic
from pilotlight.pilot.pilot import Pilot
from pilotlight.plan_file import override
from pilotlight.record.decision import Decision
from pilotlight.spec import fingerprint, plain
from pilotlight.train.plan import Plan


@dataclass(frozen=True)
class Counted:
    """A plan of the full run and what it holds and takes, counted from its model."""

    plan: Plan
    parameters: float
    """Non-embedding parameters; the nearest shape to what ``goal.full_run`` asks for."""
    flops: float
    """Training FLOPs of the whole plan."""
    ids: int = 4096
    """Ids that the model has."""
    total_parameters: float = 0.0
    """Embedding and output included; 0: not counted."""


def counted(plan: Plan, vocabularies: dict[str, int]) -> Counted:
    """Return the plan with its numbers; ``vocabularies`` holds the number of ids by the tokenizer's fingerprint."""
    from pilotlight.model.size import measure

    ids = plan.ids(vocabularies[fingerprint(plan.tokenizer)])
    size = measure(plan.model, ids, plan.train.context)
    return Counted(plan, size.parameters, size.training_flops_per_token * plan.tokens, ids, size.total_parameters)


def as_launched(pilot: Pilot, decision: Decision) -> Pilot:
    """Return the pilot with what the decision changes in its full run beside the adopted variants."""
    for change in decision.changes:
        pilot = override(pilot, change.setting, change.new, "the decision's changes")
    return pilot


def write_full_plan(pilot: Pilot, decision: Decision, path: Path) -> None:
    """Write the full run's plan as YAML, its reasons as comments; ``pilot train`` takes the file as it is."""
    import yaml

    settings: dict[str, Any] = plain(as_launched(pilot, decision).full_plan(decision.adopted))
    lines = [
        f"The full run that this pilot is about. Decision: {decision.launch}.",
        f"Question: {pilot.question}",
        *decision.because,
        *([decision.tuning] if decision.tuning else []),
        f"Criteria {decision.criteria}. Train it with: pilot train {path.name}",
    ]
    head = "".join(f"# {' '.join(line.split())}\n" for line in lines)
    body = yaml.safe_dump(settings, sort_keys=False, allow_unicode=True, width=110)
    write_atomic(path, head + body)
