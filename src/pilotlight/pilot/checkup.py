"""What ``pilot doctor`` looks at: can this machine train, do the parts take effect, how fast is it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from pilotlight.events import Progress, Watcher
from pilotlight.manifest import versions, write_atomic
from pilotlight.pilot import calibration as store
from pilotlight.pilot.pilot import Pilot
from pilotlight.record.decision import Check
from pilotlight.record.receipt import Receipt
from pilotlight.stats.estimate import Estimate
from pilotlight.units import show_bytes

LEAST_MEMORY = 2e9
LEAST_DISK = 2e9
BENCH_SECONDS = 20.0


def _check(name: str, threshold: str, found: str, ok: bool, way_out: str, *, unknown: bool = False) -> Check:
    status = "pass" if ok else "unknown" if unknown else "fail"
    return Check(name=name, threshold=threshold, found=found, status=status, because="", way_out="" if ok else way_out)


def _torch() -> Check:
    import torch

    found = f"{torch.__version__}, " + (
        torch.cuda.get_device_name(0) if torch.cuda.is_available() else "no accelerator"
    )
    return _check("torch", "2.11 to 2.13", found, (2, 11) <= _release(torch.__version__) < (2, 14),
                  "pip install -c constraints.txt -e .")  # fmt: skip


def _release(version: str) -> tuple[int, int]:
    major, minor, *_ = version.split(".")
    return int(major), int(minor)


def _memory() -> Check:
    import psutil

    free = psutil.virtual_memory().available
    return _check("memory", f"{show_bytes(LEAST_MEMORY)} free", show_bytes(free), free >= LEAST_MEMORY,
                  "close other programs, or train fewer trials at a time (--workers 1)")  # fmt: skip


def _disk() -> Check:
    free = shutil.disk_usage(Path.cwd()).free
    return _check("disk", f"{show_bytes(LEAST_DISK)} free here", show_bytes(free), free >= LEAST_DISK,
                  "free some space, or choose another --out")  # fmt: skip


def _compiler() -> Check:
    found = next((name for name in ("c++", "g++", "clang++") if shutil.which(name)), None)
    return _check("compiler", "a C++ compiler, for torch.compile", found or "none", found is not None,
                  "install g++; without it training runs uncompiled, slower", unknown=True)  # fmt: skip


def _coordinates() -> Check:
    from pilotlight.model.coordinates import check

    report = check()
    return _check("coordinate check", "activations keep their size over width and depth", report.summary, report.ok,
                  "the parametrisation does not take effect here: please report this machine and its versions")  # fmt: skip


def _store() -> Check:
    folder = store.store()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder):
            ok = True
    except OSError:
        ok = False
    return _check("calibration store", "a folder that can be written", str(folder), ok,
                  "set XDG_CACHE_HOME; without it every pilot measures this machine again", unknown=True)  # fmt: skip


EXAMINATIONS: tuple[Callable[[], Check], ...] = (_torch, _memory, _disk, _compiler, _store, _coordinates)


def examine(watch: Watcher) -> list[Check]:
    """Return what every examination found."""
    found: list[Check] = []
    for number, examination in enumerate(EXAMINATIONS):
        watch(Progress("doctor", number, len(EXAMINATIONS), "checks"))
        found.append(examination())
    watch(Progress("doctor", len(EXAMINATIONS), len(EXAMINATIONS), "checks"))
    return found


def _hardware(device: str, facts: dict[str, Any]) -> str:
    """Return the name of what trains: of the accelerator where there is one, else of the processor."""
    import torch

    name = torch.cuda.get_device_name(device) if device.startswith("cuda") else facts["processor"]
    return f"{name} ({device})"


def measure_full_run(pilot: Pilot, receipt: Path, watch: Watcher) -> Receipt:
    """Return what a step of the pilot's full run takes on this machine, written to ``receipt``.

    The plan's own text is used, built in a temporary folder. Quantiles are over single steps: P10, P50, P90.

    Raises:
        ConfigError: the plan does not fit this machine.
        DataError: the text cannot be read.
    """
    from pilotlight.model.size import measure
    from pilotlight.pilot.prepare import tokens_of
    from pilotlight.train.machine import Machine
    from pilotlight.train.throughput import throughput

    machine = Machine().resolve()
    plan = pilot.full_plan().resolved(machine.device)
    with tempfile.TemporaryDirectory() as folder:
        tokens = tokens_of(pilot.setup, Path(folder), watch)
        steps = sorted(throughput(plan, machine, tokens, BENCH_SECONDS).steps)
        size = measure(plan.model, plan.ids(tokens.vocabulary), plan.train.context)
    batch = plan.train.rows * plan.train.context
    slow, middle, quick = (batch / steps[min(len(steps) - 1, int(share * len(steps)))] for share in (0.9, 0.5, 0.1))
    facts = store.machine_facts()
    rate = Estimate(
        value=middle, low=slow, high=quick, level=0.8, unit="tokens/s", n=len(steps),
        method=f"P10, P50 and P90 over {len(steps)} steps of the full shape, {plan.train.precision} on {machine.device}",
    )  # fmt: skip
    found = Receipt(
        hardware=_hardware(machine.device, facts), devices=1, precision=plan.train.precision,
        parameters=size.parameters, tokens_per_second=rate,
        flops_per_second=rate.scaled(size.training_flops_per_token, "FLOP/s"),
        measured_at=date.today().isoformat(), versions=versions("torch", "numpy"), machine=facts,
    )  # fmt: skip
    write_atomic(receipt, found.to_json() + "\n")
    return found
