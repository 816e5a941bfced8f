"""One way to do a training, and what it takes in time, money and energy: a small Monte Carlo over what is not known.

    productive = bare steps x (1 + evaluation)
    wall-clock = productive x stretch(interval, write, restart, time between failures) x (1 + resets)
    money      = wall-clock x devices x price,    energy = wall-clock x devices x power x draw x host x PUE

Every figure is a range with its origin; nothing here reads a clock, and the same figures give the same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pilotlight.pilot.goodput import FAILURES_PER_DEVICE_HOUR, FAILURES_SOURCE, daly, stretch
from pilotlight.pilot.memory import Arithmetic, Shape, checkpoint_bytes
from pilotlight.pilot.ranges import Range, exactly, summary
from pilotlight.record.expense import STEPS, CostLine, Figure, MemoryFit
from pilotlight.stats.estimate import Estimate
from pilotlight.units import show_seconds

if TYPE_CHECKING:
    from pilotlight.pilot.ranges import Floats

EVALUATION = Range(
    "evaluation", 0.01, 0.02, 0.05, "of the steps' time", "assumed", "ten evaluations and the final scores"
)
RESETS = Range(
    "resets", 0.002, 0.02, 0.167, "of the wall-clock", "published",
    "runs thrown away and debugging: none in DeepSeek-V3, 17 % of the main run in SmolLM3",
)  # fmt: skip
RESTART = Range(
    "restart", 180, 600, 1800, "s", "assumed",
    "to detect a failure, replace a device, load and warm up; MegaScale reports 10 min and less",
)  # fmt: skip
DRAW = Range("power drawn", 0.6, 0.8, 0.95, "of full load", "assumed", "accelerators in training, by their utilisation")
HOST = Range("host and network", 1.15, 1.35, 1.8, "x the accelerators", "assumed",
             "processors, memory, network and fans; 1.8 is the nameplate of an 8-GPU server")  # fmt: skip
PUE = Range("PUE", 1.1, 1.25, 1.56, "at the meter", "published",
            "1.1 of the large cloud providers to 1.56, the mean of data centres (Uptime Institute)")  # fmt: skip
FAILURES = Range("failures", *FAILURES_PER_DEVICE_HOUR, "per device and hour", "published", FAILURES_SOURCE)
_SUM = exactly("sum", 1, "", "counted", "the lines above together")
_WRITE_PER_HOST = (0.5e9, 1.2e9, 3e9)  # bytes per second that eight devices write to shared storage
_WRITE_IN_ALL = (50e9, 300e9, 2e12)  # no more together; the storage of Llama 3's cluster sustains 2 TB/s


@dataclass(frozen=True)
class Scenario:
    """A training on some hardware, with everything that decides what it takes."""

    shape: Shape
    arithmetic: Arithmetic
    tokens: float
    flops: float
    """Training FLOPs of all tokens."""
    devices: int
    hardware: str
    pace: Range
    """Seconds per FLOP on all devices together, in bare steps."""
    basis: Literal["measured", "assumed"]
    because: str
    price: Range | None = None
    """US dollars per device and hour."""
    power: Range | None = None
    """Watts of one device at full load."""
    share: Range | None = None
    """Share of ``flops`` that is trained, where that is not all."""
    failures: Range = FAILURES
    restart: Range = RESTART
    write: Range | None = None
    """Seconds that a checkpoint holds the training up; by default its bytes at an assumed bandwidth."""
    interval: float | None = None
    """Seconds of work between checkpoints; by default Daly's optimum for the medians."""
    evaluation: Range = EVALUATION
    resets: Range = RESETS
    pue: Range = PUE
    pilots: Range | None = None
    """Wall-clock of the pilots that came before, on all devices."""
    memory: MemoryFit | None = None
    cautions: tuple[str, ...] = ()

    @property
    def writing(self) -> Range:
        """How long a checkpoint holds the training up."""
        if self.write is not None:
            return self.write
        size, hosts = checkpoint_bytes(self.shape, self.arithmetic), max(1.0, self.devices / 8)
        slow, middle, quick = (
            size / min(host * hosts, whole) for host, whole in zip(_WRITE_PER_HOST, _WRITE_IN_ALL, strict=True)
        )
        return Range("checkpoint", quick, middle, slow, "s", "assumed",
                     "weights in float32 and optimizer states at 0.5 to 3 GB/s per eight devices, training waiting")  # fmt: skip

    @property
    def between(self) -> float:
        """Median seconds between failures of the whole job."""
        return 3600 / (self.failures.middle * self.devices) if self.failures.middle else float("inf")

    @property
    def every(self) -> float:
        """Seconds of work between checkpoints."""
        return self.interval or daly(self.writing.middle, min(self.between, 1e12))


@dataclass(frozen=True)
class Expense:
    """What a scenario takes; low and high of every estimate are P10 and P90."""

    seconds: Estimate
    money: Estimate | None
    energy: Estimate | None
    """Kilowatt-hours."""
    goodput: Estimate
    lines: tuple[CostLine, ...]
    figures: tuple[Figure, ...]


def expense(scenario: Scenario) -> Expense:
    """Return what a scenario takes in time, money and energy."""
    steps = scenario.pace.draws() * scenario.flops
    if scenario.share is not None:
        steps = steps * scenario.share.draws()
    evaluation = steps * scenario.evaluation.draws()
    productive = steps + evaluation
    writing = scenario.writing.draws()
    rate = scenario.failures.draws() * scenario.devices / 3600
    grown = stretch(scenario.every, writing, scenario.restart.draws(), 1 / rate.clip(1e-12))
    checkpoints = productive * writing / scenario.every
    failures = (productive * grown - productive - checkpoints).clip(0)
    resets = (productive * grown) * scenario.resets.draws()
    whole = productive * grown + resets
    method = f"{scenario.pace.source}; evaluation, checkpoints, failures and resets as listed"
    n, cautions = scenario.pace.n, scenario.cautions
    shares = (
        (STEPS, steps, scenario.pace), ("evaluation", evaluation, scenario.evaluation),
        ("checkpoints", checkpoints, scenario.writing), ("failures", failures, scenario.failures),
        ("resets", resets, scenario.resets), ("the run in all", whole, _SUM),
    )  # fmt: skip
    lines = [_line(name, draws, origin, scenario) for name, draws, origin in shares]
    if scenario.pilots is not None:
        lines.append(_line("pilots before it", scenario.pilots.draws(), scenario.pilots, scenario))
        total = whole + scenario.pilots.draws()
        lines.append(_line("everything", total, _SUM, scenario))
    money = None
    if scenario.price is not None:
        paid = f"{scenario.price.middle:g} USD per hour and device ({scenario.price.source}); {method}"
        money = summary(_dollars(whole, scenario), "USD", paid, n, cautions)
    return Expense(
        seconds=summary(whole, "s", method, n, cautions), money=money, energy=_energy(whole, scenario),
        goodput=summary(steps / whole, "of the wall-clock", "steps that count by wall-clock, as listed", n),
        lines=tuple(lines), figures=_figures(scenario, whole),
    )  # fmt: skip


def _dollars(seconds: Floats, scenario: Scenario) -> Floats:
    assert scenario.price is not None
    return seconds * scenario.price.draws() * (scenario.devices / 3600)


def _line(name: str, draws: Floats, figure: Range, scenario: Scenario) -> CostLine:
    money = None
    if scenario.price is not None:
        money = summary(_dollars(draws, scenario), "USD", scenario.price.source, figure.n)
    seconds = summary(draws, "s", figure.source, figure.n)
    return CostLine(name=name, seconds=seconds, money=money, origin=figure.origin, source=figure.source)


def _energy(seconds: Floats, scenario: Scenario) -> Estimate | None:
    if scenario.power is None:
        return None
    watts = scenario.power.draws() * DRAW.draws() * HOST.draws() * scenario.pue.draws()
    method = (
        f"{scenario.power.middle:g} W a device ({scenario.power.source}), times power drawn, host and PUE as listed"
    )
    return summary(seconds * watts * (scenario.devices / 3.6e6), "kWh", method, scenario.pace.n)


def _figures(scenario: Scenario, wall_clock: Floats) -> tuple[Figure, ...]:
    """Return every figure that was put in, with its origin and its share of the spread of the wall-clock."""
    every = scenario.every
    source = f"Daly's optimum for a failure of the job every {show_seconds(min(scenario.between, 1e12))} (median)"
    if scenario.interval:
        source = "given by you"
    interval = exactly("between checkpoints", every, "s", "given" if scenario.interval else "counted", source)
    timed = [scenario.pace.times(1e15, "s per 1e15 FLOPs"), scenario.share, scenario.evaluation, scenario.failures,
             scenario.restart, scenario.writing, interval, scenario.resets]  # fmt: skip
    beside = [scenario.price, scenario.pilots]
    if scenario.power is not None:
        beside += [scenario.power, DRAW, HOST, scenario.pue]
    return (
        *(item.figure(wall_clock) for item in timed if item is not None),
        *(item.figure() for item in beside if item is not None),
    )
