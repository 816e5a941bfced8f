"""``full.yaml``: the plan of the full run that a pilot leads to, with the adopted changes in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pilotlight.manifest import write_atomic
from pilotlight.pilot.pilot import Pilot
from pilotlight.record.decision import Decision
from pilotlight.spec import plain
from pilotlight.stats.verdict import Verdict


def write_full_plan(pilot: Pilot, decision: Decision, path: Path) -> None:
    """Write the full run's plan as YAML, its reasons as comments; ``pilot train`` takes the file as it is."""
    import yaml

    adopted = tuple(item.variant for item in decision.findings if item.verdict is Verdict.ADOPT)
    settings: dict[str, Any] = plain(pilot.full_plan(adopted))
    lines = [
        f"The full run that this pilot is about. Decision: {decision.launch}.",
        f"Question: {pilot.question}",
        *decision.because,
        f"Criteria {decision.criteria}. Train it with: pilot train {path.name}",
    ]
    head = "".join(f"# {' '.join(line.split())}\n" for line in lines)
    body = yaml.safe_dump(settings, sort_keys=False, allow_unicode=True, width=110)
    write_atomic(path, head + body)
