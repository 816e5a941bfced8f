"""What a training takes, line by line, as records: figures with their origin, memory, what could be bought instead."""

from __future__ import annotations

from typing import Literal

from pilotlight.spec import Record
from pilotlight.stats.estimate import Estimate

Origin = Literal["measured", "counted", "given", "data sheet", "catalogue", "published", "assumed"]
"""Where a figure comes from: this project's own clock, its own count, the user, a vendor, a price list, a report of other
people's trainings, or a guess."""


class Figure(Record):
    """One figure that enters a cost, and how it was obtained."""

    name: str
    value: Estimate
    """Low and high are P10 and P90."""
    origin: Origin
    source: str
    spread: float | None = None
    """Share of the spread of the wall-clock that comes from not knowing this figure; None where it does not enter it."""


THIS_MACHINE = "this machine"
"""What a pilot file calls the hardware that runs it."""
STEPS = "training steps"
"""Name of the line of the steps themselves."""


class CostLine(Record):
    """One line of the bill: what a part of the training takes in time and money."""

    name: str
    seconds: Estimate
    """Wall-clock on all devices; low and high are P10 and P90."""
    money: Estimate | None
    """US dollars; None where no price is known."""
    origin: Origin
    source: str


class MemoryFit(Record):
    """How a training fits into the memory of its devices, as the least sharding that does it."""

    fits: bool
    capacity: float
    """Bytes of one device."""
    needed: float
    """Bytes of one device that the layout takes."""
    zero: int
    """What is divided over the data-parallel devices: 0 nothing, 1 optimizer states, 2 gradients too, 3 parameters too."""
    tensor_parallel: int
    """Devices over which each matrix is divided."""
    recompute: bool
    """Whether activations are computed again in the backward pass, for one more forward pass."""
    micro_batch: int
    """Rows of one device that are in memory at once."""
    parts: dict[str, float]
    """Bytes of one device by what takes them."""
    dominates: str
    """The largest of ``parts``."""
    because: str


class Alternative(Record):
    """Another way to spend the money, beside the run as planned."""

    name: str
    change: str
    parameters: float
    tokens: float
    devices: int
    seconds: Estimate
    money: Estimate | None
    energy: Estimate | None
    loss: Estimate | None
    """What it is predicted to reach; None where the runs cannot say."""
    loss_note: str
    dominated: str
    """Name of another way that is surely no dearer, slower or worse, and better in one; empty where there is none."""
    rival: str = ""
    """Name of another way that is no dearer or slower and is predicted to be no worse, but by less than the intervals tell
    apart; empty where there is none, or where one is surely better."""
    cautions: tuple[str, ...] = ()
