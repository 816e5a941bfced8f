"""Which processor cores and how many threads a worker gets."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "RAYON_NUM_THREADS",
)


def thread_variables(threads: int) -> dict[str, str]:
    """Return the environment variables that hold numerical libraries to ``threads`` threads each."""
    return {name: str(threads) for name in _THREAD_VARIABLES}


def core_count() -> int:
    """Return how many cores this process may use, at least 1."""
    return len(available_cores()) or os.cpu_count() or 1


def multiplies_bfloat16() -> bool:
    """Return whether this processor has instructions for matrix products of bfloat16 (AVX-512 BF16, AMX, or Arm BF16)."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    flags = {word for line in text.splitlines() if line.startswith(("flags", "Features")) for word in line.split()}
    return not flags.isdisjoint({"avx512_bf16", "amx_bf16", "bf16"})


def available_cores() -> list[int]:
    """Return the cores this process may use, one of every physical core first; empty where nobody can say.

    Two hardware threads of one core share its arithmetic units: two workers belong on two cores.
    """
    if not hasattr(os, "sched_getaffinity"):
        return []
    return sorted(os.sched_getaffinity(0), key=lambda core: (_place_among_siblings(core), core))


def _place_among_siblings(core: int) -> int:
    path = Path(f"/sys/devices/system/cpu/cpu{core}/topology/thread_siblings_list")
    try:
        return _read_ranges(path.read_text()).index(core)
    except (OSError, ValueError):
        return 0


def _read_ranges(text: str) -> list[int]:
    found: list[int] = []
    for part in text.strip().split(","):
        first, _, last = part.partition("-")
        found.extend(range(int(first), int(last or first) + 1))
    return found


def share_out(cores: Sequence[int], workers: int, threads: int) -> list[tuple[int, ...]]:
    """Return the cores of each worker; an empty tuple means any.

    Workers are pinned only where together they fill the machine exactly. With fewer threads than cores the system
    spreads them better than a fixed place could (two pools would otherwise pile up on the first cores), and with
    more threads than cores a fixed place only adds waiting.
    """
    if workers * threads != len(cores):
        return [()] * workers
    return [tuple(cores[index * threads : (index + 1) * threads]) for index in range(workers)]
