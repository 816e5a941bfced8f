"""The calculator: what a training of any size would take on any hardware, asked without a pilot."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from pilotlight.errors import ConfigError
from pilotlight.pilot.accelerators import ACCELERATORS, Accelerator, find, read_table
from pilotlight.pilot.alternatives import SPOT_DISCOUNT, Foretell
from pilotlight.pilot.cost import (
    Pace,
    assumed,
    cost_of,
    from_receipt,
    misfit_of,
    pilots_of,
    power_of,
    price_of,
    shape_in,
    unfit,
)
from pilotlight.pilot.foretell import from_runs
from pilotlight.pilot.full import counted
from pilotlight.pilot.goal import Hardware
from pilotlight.pilot.hardware import read_receipt
from pilotlight.pilot.memory import MOST_ROWS, STATES, Arithmetic, Devices, Shape, fit, shape_of
from pilotlight.pilot.ranges import Range, given
from pilotlight.pilot.scenario import FAILURES, PUE, RESTART, Scenario
from pilotlight.record.decision import Cost
from pilotlight.record.expense import THIS_MACHINE
from pilotlight.record.receipt import Receipt
from pilotlight.record.results import Results
from pilotlight.spec import Spec, fingerprint
from pilotlight.tokens.tokenizers.bytes import ByteEncoder, Bytes
from pilotlight.train.plan import Plan
from pilotlight.units import Count, Seconds, Share, read_count, read_money, read_seconds, read_share


def _span(read: Callable[[Any], float]) -> BeforeValidator:
    """Return what reads one figure, or two as ``35%..45%``, into P10 and P90."""

    def both(text: Any) -> tuple[float, float]:
        if isinstance(text, list | tuple) and len(text) == 2:
            return read(text[0]), read(text[1])
        parts = str(text).split("..") if isinstance(text, str) else [text]
        if len(parts) > 2:
            raise ValueError(f"{text!r} is not a figure or a range; write 40% or 35%..45%")
        return read(parts[0]), read(parts[-1])

    return BeforeValidator(both, json_schema_input_type=str | float)


CountSpan = Annotated[tuple[float, float], _span(read_count)]
MoneySpan = Annotated[tuple[float, float], _span(read_money)]
SecondsSpan = Annotated[tuple[float, float], _span(read_seconds)]
ShareSpan = Annotated[tuple[float, float], _span(read_share)]
_PRECISIONS = {"bf16": "bfloat16", "fp32": "float32"}
Precision = Annotated[
    Literal["bfloat16", "float32"], BeforeValidator(lambda text: _PRECISIONS.get(str(text).lower(), text))
]


class CostQuestion(Spec):
    """What is asked: a run, the hardware, and every figure that is known better than the table knows it.

    Figures may be ranges, written ``35%..45%``: P10 and P90.
    """

    parameters: Count | None = Field(default=None, gt=0)
    """Non-embedding parameters."""
    tokens: Count | None = Field(default=None, gt=0)
    """Training tokens; those of the plan where there is one."""
    plan: Path | None = None
    """A plan such as ``full.yaml``, or a pilot file: its full run is counted from the model itself."""
    hardware: str | None = None
    """A name of the table."""
    count: int | None = Field(default=None, ge=1)
    """Number of accelerators."""
    receipt: Path | None = None
    """What ``pilot doctor --bench`` measured on that hardware, in place of an assumed utilisation."""
    utilisation: ShareSpan | None = None
    """Share of the peak that training FLOPs reach."""
    price: MoneySpan | None = None
    """US dollars per accelerator and hour."""
    power: CountSpan | None = None
    """Watts of one accelerator at full load."""
    table: Path | None = None
    """YAML or JSON file with rows of the table of your own."""
    context: int = Field(default=4096, ge=2)
    """Tokens of a row."""
    vocabulary: int = Field(default=32768, ge=2)
    """Ids of the vocabulary; of a plan only where its tokenizer is a file."""
    precision: Precision = "bfloat16"
    """Arithmetic of the products."""
    optimizer: str = "adamw"
    """Decides the bytes of a parameter."""
    batch_tokens: Count | None = Field(default=None, gt=0)
    """Tokens of one step, which bound the rows of one device."""
    failures: CountSpan | None = None
    """Unexpected interruptions per accelerator and day."""
    checkpoint_every: Seconds | None = Field(default=None, gt=0)
    """Work between checkpoints; by default the optimum."""
    checkpoint_seconds: SecondsSpan | None = None
    """How long a checkpoint holds the training up."""
    restart: SecondsSpan | None = None
    """How long it takes after a failure until training goes on."""
    pue: CountSpan | None = None
    """Energy at the meter by energy of the servers."""
    spot_discount: Share = SPOT_DISCOUNT
    """What spot capacity is cheaper by."""
    runs: Path | None = None
    """A pilot's folder or a CSV of runs, from which the loss of every alternative is predicted."""
    metric: str = ""
    """Which loss of the runs."""


def answer(question: CostQuestion) -> Cost:
    """Return what the asked training takes, with its alternatives.

    Raises:
        ConfigError: something is missing or contradicts itself, or a file cannot be read.
    """
    question, plan = _with_plan(question)
    shape, flops_per_token, tokens = _workload(question, plan)
    receipt = None if question.receipt is None else read_receipt(question.receipt)
    table = ACCELERATORS if question.table is None else read_table(question.table)
    kind = _kind(question, receipt, table)
    count = question.count or (receipt.devices if receipt else 1)
    arithmetic = _arithmetic(question, plan)
    memory = None
    if kind is not None and kind.memory is not None:
        step = question.batch_tokens or (plan.train.rows * plan.train.context if plan else None)
        rows = MOST_ROWS if step is None else max(1, min(MOST_ROWS, int(step / shape.context / count)))
        memory = fit(shape, Devices(kind.memory, count, kind.linked), arithmetic, rows)
    hardware = Hardware(accelerator=kind.name) if kind else Hardware()
    pace = _pace(question, receipt, kind, shape, arithmetic, memory is not None and memory.recompute)
    spent, foretell = _pilots(question)
    _possible(question)
    scenario = Scenario(
        shape=shape, arithmetic=arithmetic, tokens=tokens, flops=flops_per_token * tokens, devices=count,
        hardware=pace.hardware, pace=pace.range, basis=pace.basis, because=pace.because, memory=memory,
        price=_or_given("price", question.price, "USD per device and hour", price_of(hardware, kind)),
        power=_or_given("power", question.power, "W a device", power_of(hardware, kind)),
        interval=question.checkpoint_every, pilots=pilots_of(pace, spent, is_here=False),
        cautions=(*unfit(memory), *pace.cautions),
    )  # fmt: skip
    return cost_of(_known_better(scenario, question), spent, foretell, question.spot_discount)


def _possible(question: CostQuestion) -> None:
    """Refuse figures that no machine has: none below these bounds."""
    for name, value, least in (("pue", question.pue, 1.0), ("power", question.power, 1e-9)):
        if value is not None and value[0] < least:
            wanted = "1 or more, such as 1.2" if least == 1.0 else "watts above 0, such as 700"
            raise ConfigError(f"--{name} is {value[0]:g}; expected {wanted}")


def _with_plan(question: CostQuestion) -> tuple[CostQuestion, Plan | None]:
    """Return the question with what a pilot file says of the hardware, and the plan of the full run."""
    from pilotlight.pilot.pilot import Pilot
    from pilotlight.plan_file import read_yaml

    if question.plan is None:
        return question, None
    if question.parameters is not None:
        raise ConfigError("--parameters and --plan both say the size of the model; give one of them")
    data, _ = read_yaml(question.plan)
    if "question" not in data:
        return question, Plan.load(question.plan).resolved("cuda")
    pilot = Pilot.load(question.plan)
    own = pilot.goal.hardware
    told: dict[str, Any] = {"count": own.count, "receipt": own.receipt, "table": own.table}
    told["hardware"] = None if own.accelerator == THIS_MACHINE else own.accelerator
    told["price"] = None if own.price_per_hour is None else (own.price_per_hour,) * 2
    told["power"] = None if own.power is None else (own.power,) * 2
    if own.failures_per_device_day is not None:
        told["failures"] = (own.failures_per_device_day,) * 2
    update = {name: value for name, value in told.items() if value is not None and getattr(question, name) is None}
    return question.model_copy(update=update), pilot.full_plan()


def _workload(question: CostQuestion, plan: Plan | None) -> tuple[Shape, float, float]:
    """Return shape, training FLOPs per token, and tokens."""
    if plan is not None:
        full = counted(plan, {fingerprint(plan.tokenizer): _ids(plan, question.vocabulary)})
        return shape_in(full), full.flops / plan.tokens, question.tokens or plan.tokens
    if question.parameters is None or question.tokens is None:
        raise ConfigError("give --parameters and --tokens, such as 7B and 2T, or --plan with a plan or a pilot file")
    shape = shape_of(question.parameters, question.context, question.vocabulary)
    return shape, shape.training_flops_per_token, question.tokens


def _ids(plan: Plan, otherwise: int) -> int:
    """Return the ids of a plan's tokenizer; ``otherwise`` where only its file knows."""
    if isinstance(plan.tokenizer, Bytes):
        return ByteEncoder.vocabulary
    return int(getattr(plan.tokenizer, "vocabulary", otherwise))


def _arithmetic(question: CostQuestion, plan: Plan | None) -> Arithmetic:
    if plan is not None:
        return Arithmetic(plan.train.precision, plan.train.optim.kind)
    if question.optimizer not in STATES:
        raise ConfigError(f"--optimizer is {question.optimizer!r}; expected one of {', '.join(STATES)}")
    return Arithmetic(question.precision, question.optimizer)


def _kind(question: CostQuestion, receipt: Receipt | None, table: Mapping[str, Accelerator]) -> Accelerator | None:
    """Return the row of the hardware; by the receipt's own words where none was named, None where they say nothing."""
    if question.hardware is not None:
        return find(question.hardware, table, "--hardware")
    if receipt is None:
        raise ConfigError(f"give --hardware, one of {', '.join(table)}, or --receipt from `pilot doctor --bench`")
    words = set(re.findall(r"\w+", receipt.hardware.lower()))
    named = [item for item in table.values() if set(re.findall(r"\w+", item.name.lower())) <= words]
    return max(named, key=lambda item: len(item.name), default=None)


def _pace(
    question: CostQuestion, receipt: Receipt | None, kind: Accelerator | None, shape: Shape, arithmetic: Arithmetic,
    recompute: bool,
) -> Pace:  # fmt: skip
    if receipt is not None:
        if question.utilisation is not None:
            raise ConfigError("--receipt and --utilisation both say how fast the steps go; give one of them")
        count = question.count or receipt.devices
        misfit = misfit_of(kind.name if kind else "", count, receipt, shape.parameters, arithmetic.precision)
        return from_receipt(receipt, count, misfit)
    assert kind is not None, "without a receipt the hardware was named"
    share = given("utilisation", question.utilisation, "of the peak") if question.utilisation else None
    return assumed(kind, question.count or 1, arithmetic.precision, recompute, share)


def _or_given(name: str, value: tuple[float, float] | None, unit: str, otherwise: Range | None) -> Range | None:
    return otherwise if value is None else given(name, value, unit)


def _pilots(question: CostQuestion) -> tuple[float, Foretell | None]:
    """Return the FLOPs that a pilot spent, and what predicts from its runs or from a table."""
    if question.runs is None:
        return 0.0, None
    spent = sum(row.flops for row in Results.open(question.runs).finished()) if question.runs.is_dir() else 0.0
    return spent, from_runs(question.runs, question.metric, question.plan is not None)


def _known_better(scenario: Scenario, question: CostQuestion) -> Scenario:
    """Return the scenario with the figures of failure, checkpoint, restart and PUE that the user gave."""
    failures, write = FAILURES, None
    if question.failures is not None:
        failures = given("failures", question.failures, "per device and hour").times(1 / 24)
    if question.checkpoint_seconds is not None:
        write = given("checkpoint", question.checkpoint_seconds, "s")
    return replace(
        scenario, failures=failures, write=write,
        restart=_or_given("restart", question.restart, "s", None) or RESTART,
        pue=_or_given("PUE", question.pue, "at the meter", None) or PUE,
    )  # fmt: skip
