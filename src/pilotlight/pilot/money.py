"""What a variant's run takes in money beside the baseline's, on the hardware of the full run: its time, and its memory."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import final

from pilotlight.errors import ConfigError
from pilotlight.pilot.accelerators import Accelerator
from pilotlight.pilot.cost import RECOMPUTATION, known, memory_in
from pilotlight.pilot.full import counted
from pilotlight.pilot.hardware import table_of
from pilotlight.pilot.pilot import Pilot
from pilotlight.record.expense import THIS_MACHINE
from pilotlight.stats.multiplier import Price
from pilotlight.stats.student import critical

FOLLOWS = "money follows time on equal hardware"
MOST = 64
"""Multiples of the declared devices that are tried for a run that does not fit into them."""


@final
@dataclass(frozen=True, slots=True)
class _Needs:
    """What one full run needs of the declared accelerators."""

    devices: int
    """The least number that it fits into, the declared one at least; 0: none that was tried."""
    recompute: bool


@final
@dataclass(frozen=True, slots=True)
class Surcharge:
    """What a variant's full run takes in money beyond its time, as a logarithm with its standard error."""

    value: float = 0.0
    error: float = 0.0
    cautions: tuple[str, ...] = ()


def in_money(price: Price, surcharge: Surcharge) -> Price:
    """Return the price in money of what has a ``price`` in seconds: devices are paid by the hour, so money follows time."""
    found = price.times(surcharge.value, surcharge.error) if surcharge.value else price
    return replace(
        found, unit="money", method=f"{price.method}; {FOLLOWS}", cautions=(*price.cautions, *surcharge.cautions)
    )


def surcharge(pilot: Pilot, variant: str, vocabularies: Mapping[str, int]) -> Surcharge:
    """Return what the memory of the declared accelerators makes of the money of a variant's full run.

    More devices of the same kind, where the variant needs them to fit, are more money per hour for fewer hours: that cancels
    as far as throughput grows with them, and a caution says so. Where one of the two runs has to compute its activations again
    and the other not, that is reckoned with: 5 to 33 % of a step (P10 to P90), which no rung has shown. ``vocabularies`` holds
    the number of ids by the tokenizer's fingerprint.
    """
    kind = _kind(pilot)
    if kind is None:
        return Surcharge()
    try:
        base, changed = _needs(pilot, kind, (), vocabularies), _needs(pilot, kind, (variant,), vocabularies)
    except ConfigError:  # no model of the full size can be built with it
        return Surcharge()
    if base is None or changed is None or base == changed:
        return Surcharge()
    cautions = _cautions(base, changed, kind)
    if base.recompute == changed.recompute:
        return Surcharge(cautions=cautions)
    least, usual, most = (math.log(one) for one in RECOMPUTATION)
    return Surcharge(usual if changed.recompute else -usual, (most - least) / (2 * critical(0.8, math.inf)), cautions)


def _kind(pilot: Pilot) -> Accelerator | None:
    hardware = pilot.goal.hardware
    return None if hardware.accelerator == THIS_MACHINE else known(hardware, table_of(hardware))


def _needs(pilot: Pilot, kind: Accelerator, adopted: tuple[str, ...], vocabularies: Mapping[str, int]) -> _Needs | None:
    """Return what the full run needs; None where the memory of the accelerator is not known."""
    full, count = counted(pilot.full_plan(adopted), dict(vocabularies)), pilot.goal.hardware.count
    memory = memory_in(kind, full, count)
    if memory is None:
        return None
    devices = count
    while not memory.fits and devices < MOST * count:
        devices *= 2
        memory = memory_in(kind, full, devices) or memory
    return _Needs(devices if memory.fits else 0, memory.recompute)


def _cautions(base: _Needs, changed: _Needs, kind: Accelerator) -> tuple[str, ...]:
    def needed(one: _Needs) -> str:
        return f"{one.devices} x {kind.name}" if one.devices else f"more than any number of {kind.name} that was tried"

    told: list[str] = []
    if base.devices != changed.devices:
        told.append(
            f"the full run needs {needed(changed)} to fit, the baseline's {needed(base)}: money follows time only as far as "
            "throughput grows with the devices"
        )
    if base.recompute != changed.recompute:
        which = "the variant's, not the baseline's" if changed.recompute else "the baseline's, not the variant's"
        told.append(
            f"activations are computed again in one full run alone ({which}), 5 to 33 % of a step by assumption"
        )
    return tuple(told)
