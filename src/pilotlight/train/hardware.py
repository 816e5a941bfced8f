"""What this computer has, and holding a training to its share of it."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator

import torch

from pilotlight.errors import ConfigError
from pilotlight.train.machine import Machine
from pilotlight.work.cores import core_count


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
    return machine.model_copy(update={"device": device, "threads": threads, "compile": compiled})


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
