"""The hardware of a plan: its row of the table, its receipt, and how much of its peak to expect where nothing was measured."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pilotlight.errors import ConfigError
from pilotlight.pilot.accelerators import ACCELERATORS, Accelerator, find, read_table
from pilotlight.pilot.goal import Hardware
from pilotlight.record.expense import THIS_MACHINE
from pilotlight.record.receipt import Receipt

UTILISATION = (
    (8, (0.20, 0.40, 0.55)),
    (512, (0.18, 0.38, 0.53)),
    (None, (0.16, 0.38, 0.53)),
)
"""P10, P50, P90 of the share of the peak that training FLOPs reach, by the largest number of devices; assumed, because
nothing was measured there. Published: 38 to 43 % (Llama 3 405B, 8,192 to 16,384 H100), 46 % (PaLM, 6,144 TPU v4), 47 %
(OPT-175B, 992 A100), 48 % (BLOOM, 384 A100; Llama 2 7B by its GPU-hours), 55 % (MegaScale, 12,288 A100), all by teams that
tuned for months."""


def utilisation(devices: int) -> tuple[float, float, float]:
    """Return the share of the peak to expect on so many devices: P10, P50 and P90."""
    return next(shares for most, shares in UTILISATION if most is None or devices <= most)


def table_of(hardware: Hardware) -> Mapping[str, Accelerator]:
    """Return the table that counts for ``hardware``: ours, with the user's rows in it where there are some.

    Raises:
        ConfigError: the user's table cannot be read.
    """
    return ACCELERATORS if hardware.table is None else read_table(hardware.table)


def read_receipt(path: Path) -> Receipt:
    """Return what was measured on the target hardware.

    Raises:
        ConfigError: the file is missing, or no receipt.
    """
    try:
        return Receipt.from_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"goal.hardware.receipt: {path} is no receipt. Make one on the target hardware with "
            "`pilot doctor --bench PLAN --receipt FILE`."
        ) from error


def check(hardware: Hardware) -> None:
    """Check that time and money can be said for ``hardware``, before anything is trained.

    Raises:
        ConfigError: the accelerator is not in the table, or the receipt or the table cannot be read.
    """
    if hardware.receipt is not None:
        read_receipt(hardware.receipt)
    table = table_of(hardware)
    if (hardware.receipt is None or hardware.price_per_hour is None) and hardware.accelerator != THIS_MACHINE:
        find(hardware.accelerator, table)
