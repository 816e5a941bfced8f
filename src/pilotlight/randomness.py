"""Generators addressed by (seed, purpose, index), never drawn in order.

Two trainings that share a seed then share every stream they both use, whatever else they draw; paired
differences between variants are several times tighter for it.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


def _digest(seed: int, names: tuple[str | int, ...]) -> bytes:
    text = "\x1f".join([str(int(seed)), *(f"{type(name).__name__}:{name}" for name in names)])
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def seed_for(seed: int, *names: str | int) -> int:
    """Return a 63-bit seed that depends on nothing but ``seed`` and ``names``."""
    return int.from_bytes(_digest(seed, names)[:8], "little") >> 1


def stream(seed: int, *names: str | int) -> np.random.Generator:
    """Return a counter-based generator (Philox) addressed by ``seed`` and ``names``."""
    import numpy as np

    return np.random.Generator(np.random.Philox(key=int.from_bytes(_digest(seed, names), "little")))
