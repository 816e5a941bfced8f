"""How fast this machine trains this pilot: measured once, kept in the ledger, reused ever after.

A time budget becomes FLOPs here, and nowhere else does a clock reading enter a decision: a restart, or the same file
in a new folder on the same machine, finds the same calibration and so runs the same trials.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pilotlight.errors import RecordError
from pilotlight.record.expense import THIS_MACHINE
from pilotlight.spec import Record, fingerprint
from pilotlight.stats.estimate import Estimate
from pilotlight.work.cores import core_count


class Rung(Record):
    """What one trial at one rung takes here, with every worker busy."""

    flops: float
    """Training FLOPs of one trial, counted from the module."""
    seconds: float
    """Wall-clock of one trial on one worker, evaluation and checkpoints included."""


class Calibration(Record):
    """Measured speed of this machine on the shapes of one pilot."""

    machine: dict[str, Any]
    measured_at: str
    """Date of the measurement; shown, never compared."""
    workers: int
    rungs: dict[str, Rung]
    full_step_seconds: Estimate
    """Wall-clock of one step of the full run's shape on all cores; low and high are P10 and P90."""

    def seconds(self, scale: str) -> float:
        """Return the seconds that one trial at ``scale`` takes on one worker."""
        return self.rungs[scale].seconds

    def price(self, scale: str, budget: Any) -> float:
        """Return what one trial costs of the budget, in FLOPs.

        Of a budget in FLOPs that is its own count. Of a budget in time it is its seconds at the rate of the dearest
        rung: small shapes reach fewer FLOPs per second, and at their own count would look cheaper than they are.
        """
        return self.rungs[scale].flops if budget.flops is not None else self.rungs[scale].seconds * self.rate

    @property
    def rate(self) -> float:
        """FLOPs per second of one worker at the dearest rung."""
        dearest = max(self.rungs.values(), key=lambda rung: rung.flops)
        return dearest.flops / dearest.seconds

    def budget_flops(self, budget: Any) -> float:
        """Return the budget in FLOPs: as declared, or the time on all workers at the measured rate."""
        return float(budget.flops) if budget.flops is not None else float(budget.time) * self.workers * self.rate

    def everything(self, trials: list[Any]) -> float:
        """Return the wall-clock seconds that ``trials`` take on all workers."""
        return sum(self.seconds(trial.scale) for trial in trials) / self.workers


def machine_facts() -> dict[str, Any]:
    """Return what identifies this machine: processor, cores, accelerators, and the versions that set its speed."""
    import platform
    from importlib import metadata

    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        lines = info.read_text(encoding="utf-8").splitlines()
        model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), model)
    return {
        "processor": model, "cores": core_count(), "system": platform.system(), "name": THIS_MACHINE,
        "torch": metadata.version("torch"), "pilotlight": metadata.version("pilotlight"),
    }  # fmt: skip


def store() -> Path:
    """Return the folder where this machine keeps its calibrations (``$XDG_CACHE_HOME/pilotlight``)."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "pilotlight" / "calibrations"


def key(plans: Mapping[str, Any], workers: int) -> str:
    """Return what a calibration is kept under: the machine, the number of workers, every shape, batch and vocabulary."""
    shapes = {
        name: {"model": plan.model, "tokenizer": plan.tokenizer.identity(), "train": plan.train, "steps": plan.steps}
        for name, plan in plans.items()
    }
    return fingerprint(machine_facts(), workers, shapes)


def recall(name: str) -> Calibration | None:
    """Return the calibration kept under ``name``, or None."""
    path = store() / f"{name}.json"
    try:
        return Calibration.from_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None  # absent or unreadable: measured again


def keep(name: str, calibration: Calibration) -> None:
    """Keep the calibration for the next pilot with the same shapes on this machine."""
    from pilotlight.errors import ResourceError
    from pilotlight.manifest import write_atomic

    try:
        write_atomic(store() / f"{name}.json", calibration.to_json())
    except (ResourceError, OSError):
        return  # a home folder that cannot be written costs the next pilot a new measurement, nothing else


def from_ledger(facts: dict[str, Any]) -> Calibration:
    """Return the calibration that the ledger kept.

    Raises:
        RecordError: the entry is not a calibration.
    """
    try:
        return Calibration.model_validate(facts)
    except ValueError as error:
        raise RecordError("the calibration in ledger.jsonl cannot be read; run the pilot in a new --out.") from error
