"""A receipt: throughput measured on some hardware, to be carried to where the decision is made."""

from __future__ import annotations

from typing import Any

from pilotlight.spec import Record
from pilotlight.stats.estimate import Estimate


class Receipt(Record):
    """What ``pilot doctor --bench`` measured for one plan on one machine."""

    hardware: str
    devices: int
    precision: str
    parameters: float
    """Non-embedding parameters of the measured model."""
    tokens_per_second: Estimate
    flops_per_second: Estimate
    """Training FLOPs counted from the module, per second of wall-clock, on all devices."""
    measured_at: str
    versions: dict[str, str]
    machine: dict[str, Any]
