"""What this computer has, and holding a training to its share of it."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator

import torch

from pilotlight.errors import ConfigError
from pilotlight.train.machine import Machine
from pilotlight.train.seat import here
from pilotlight.work.cores import core_count

MOST_TOGETHER = 16
"""Beyond this many, small trainings on an accelerator gain little more, and a kill loses the work of all."""


def _device(name: str) -> str:
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if name.startswith("cuda"):
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        number = int(name.partition(":")[2] or 0)
        if number >= count:
            raise ConfigError(f"machine.device is {name!r}, but this computer shows {count} CUDA devices. "
                              "Set machine.device to auto or cpu, or check the driver.")  # fmt: skip
    return name


def resolve(machine: Machine) -> Machine:
    """Return the machine with every ``auto`` replaced by what this computer has."""
    device = _device(machine.device)
    threads = core_count() if machine.threads == "auto" else machine.threads
    if threads < 1:
        raise ConfigError(f"machine.threads is {threads}; expected at least 1, or auto.")
    compiled = machine.compile
    if compiled == "auto":
        # On the CPU compiling a pilot-sized model takes longer than most pilots run.
        compiled = device.startswith("cuda") and any(shutil.which(name) for name in ("cc", "gcc", "clang"))
    # Whoever trains many together has said how many; nobody else computes more than one.
    together = most_together(machine, device)
    found = {"device": device, "threads": threads, "compile": compiled, "together": together if here() else 1}
    return machine.model_copy(update=found)


def most_together(machine: Machine, device: str) -> int:
    """Return how many trainings of one shape are computed in one program on a device, if they fit.

    On a CPU one by one is faster: a stack keeps no small product waiting, and its large arrays leave the caches. Its gradients
    took 1.36 (4 models of 2 x 64), 1.21 (4 of 3 x 128) and 1.63 times (12 of 2 x 64) the CPU seconds of one by one, on one
    AVX2 core in float32, uncompiled, 8 rows of 256, 4096 ids.

    Raises:
        ConfigError: the number is below 1.
    """
    found = machine.together
    if found == "auto":
        return MOST_TOGETHER if device.startswith("cuda") else 1
    if found < 1:
        raise ConfigError(f"machine.together is {found}; expected at least 1, or auto.")
    return found


@contextlib.contextmanager
def threads(count: int) -> Iterator[None]:
    """Hold torch to ``count`` threads inside the block: sums over another number of threads round differently."""
    before = torch.get_num_threads()
    if before != count:
        torch.set_num_threads(count)
    try:
        yield
    finally:
        if before != count:
            torch.set_num_threads(before)
