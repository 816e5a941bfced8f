"""A dated table of accelerators: peak rates from their data sheets, prices from public catalogues.

Prices are list prices for one accelerator and one hour on demand, as public catalogues gave them in autumn 2026
(Nebius for H100, H200 and B200, RunPod for A100, Lambda for A6000). They change monthly: a plan overrides them with
``goal.hardware.price_per_hour``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pilotlight.errors import ConfigError, nearest
from pilotlight.pilot.goal import THIS_MACHINE, Hardware
from pilotlight.record.receipt import Receipt

PRICES_OF = "2026-10"

# Share of the peak that trainings of this size commonly reach; a range, because nothing was measured there.
ASSUMED_UTILISATION = (0.20, 0.35, 0.50)


@dataclass(frozen=True)
class Accelerator:
    """One kind of accelerator."""

    name: str
    peak_flops: float
    """Dense bfloat16 matrix FLOPs per second, from the vendor's data sheet."""
    price_per_hour: float
    """US dollars, on demand, of the month ``PRICES_OF``."""


ACCELERATORS = {
    item.name: item
    for item in (
        Accelerator("A6000", 155e12, 1.09),
        Accelerator("A100", 312e12, 1.39),
        Accelerator("H100", 989e12, 2.95),
        Accelerator("H200", 989e12, 3.50),
        Accelerator("B200", 2250e12, 5.50),
    )
}


def accelerator(name: str) -> Accelerator:
    """Return the accelerator called ``name``.

    Raises:
        ConfigError: the table does not have it.
    """
    if name.upper() not in ACCELERATORS:
        known = ", ".join(ACCELERATORS)
        raise ConfigError(
            f"goal.hardware.accelerator: {name!r} is not in the table ({known}). Use one of them, 'this machine', or give "
            f"goal.hardware.receipt from `pilot doctor --bench` there.{nearest(name.upper(), ACCELERATORS)}"
        )
    return ACCELERATORS[name.upper()]


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
        ConfigError: the accelerator is not in the table, or the receipt cannot be read.
    """
    if hardware.receipt is not None:
        read_receipt(hardware.receipt)
    if (hardware.receipt is None or hardware.price_per_hour is None) and hardware.accelerator != THIS_MACHINE:
        accelerator(hardware.accelerator)
