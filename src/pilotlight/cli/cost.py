"""``pilot cost``: time, money and energy of a training of any size on any hardware."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from pilotlight.cli.talk import Talk
    from pilotlight.record.decision import Cost
    from pilotlight.record.expense import Alternative
    from pilotlight.stats.estimate import Estimate

FIGURES: dict[str, tuple[type, str]] = {
    "parameters": (str, "Non-embedding parameters, such as 7B."),
    "tokens": (str, "Training tokens, such as 2T."),
    "plan": (Path, "A full.yaml or a pilot file in their place: the model itself is counted."),
    "hardware": (str, "A name of the table: H100, A100, RTX 4090, MI300X, TPU v5p, ..."),
    "count": (int, "Number of accelerators; 1 if left out."),
    "receipt": (Path, "What `pilot doctor --bench` measured there, in place of an assumed utilisation."),
    "utilisation": (str, "Share of the peak that is reached: 40%, or a range 35%..45%."),
    "price": (str, "US dollars per accelerator and hour."),
    "power": (str, "Watts of an accelerator at full load."),
    "table": (Path, "YAML or JSON file with rows of the table of your own."),
    "context": (int, "Tokens of a row; 4096 if left out."),
    "vocabulary": (int, "Ids of the vocabulary; 32768 if left out."),
    "precision": (str, "bf16 (default) or fp32."),
    "optimizer": (str, "Decides the bytes of a parameter; adamw if left out."),
    "batch_tokens": (str, "Tokens of one step, which bound the rows of a device."),
    "failures": (str, "Unexpected interruptions per accelerator and day; a published range if left out."),
    "checkpoint_every": (str, "Work between checkpoints, such as 30 min; the optimum if left out."),
    "checkpoint_seconds": (str, "How long a checkpoint holds the training up."),
    "restart": (str, "From a failure until training goes on, such as 5 min..20 min."),
    "pue": (str, "Energy at the meter by that of the servers, such as 1.2."),
    "spot_discount": (str, "What spot capacity is cheaper by, for --compare; 50% if left out."),
    "runs": (Path, "A pilot's folder or a CSV of runs: predicts the loss of each alternative; implies --compare."),
    "metric": (str, "Which loss of the runs."),
}
"""Every figure that may be given, its type and its help; left out it is looked up, measured or assumed."""
_FLAGS = {
    "compare": "Also what could be bought instead.",
    "json": "The whole cost as JSON.",
    "quiet": "Only the result, without the figures behind it.",
}


def _signature() -> inspect.Signature:
    """Return one option for every figure; written as arguments they would be two dozen."""
    options = [
        (name, kind | None, None, typer.Option(f"--{name.replace('_', '-')}", help=text))
        for name, (kind, text) in FIGURES.items()
    ]
    options += [(name, bool, False, typer.Option(f"--{name}", help=text)) for name, text in _FLAGS.items()]
    return inspect.Signature([
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[kind, option])
        for name, kind, default, option in options
    ])  # fmt: skip


def cost(**given: Any) -> None:
    """Say what a training takes in time, money and energy, each as P10, P50 and P90, and whether it fits into memory."""
    from pilotlight.cli.talk import Talk
    from pilotlight.pilot.cost_question import CostQuestion, answer
    from pilotlight.plan_file import validated

    talk = Talk(quiet=given["quiet"], json=given["json"])
    asked = {name: given[name] for name in FIGURES if given[name] is not None}
    found = answer(validated(CostQuestion, asked, "pilot cost"))
    if not given["compare"] and given["runs"] is None:
        found = found.model_copy(update={"alternatives": ()})
    talk.data(found)
    _tell(found, talk, figures=not given["quiet"])


setattr(cost, "__signature__", _signature())  # noqa: B010 - typer reads the options from it


def _tell(found: Cost, talk: Talk, figures: bool) -> None:
    from pilotlight.units import show_share

    size = found.flops
    talk.say(f"{size:.3g} training FLOPs on {found.hardware}; {found.because}")
    rows = [("wall-clock", *_three(found.seconds, "s"))]
    if found.money is not None:
        rows.append(("money", *_three(found.money, "USD")))
    if found.energy is not None:
        rows.append(("energy", *_three(found.energy, "kWh")))
    if found.goodput is not None:
        rows.append(("goodput", *(show_share(value, 1) for value in _numbers(found.goodput))))
    talk.table("Cost", ("", "P10", "P50", "P90"), rows)
    for sentence in _unknown(found):
        talk.say(sentence)
    if found.memory is not None:
        talk.say(f"memory: {found.memory.because}")
    if figures:
        talk.table("The bill", ("line", "time", "money", "origin", "how"), [
            (line.name, _middle(line.seconds), _middle(line.money), line.origin, line.source) for line in found.lines
        ])  # fmt: skip
        talk.table("What went in", ("figure", "P10 / P50 / P90", "unit", "of the spread", "origin", "source"), [
            (item.name, _figure(item.value), item.value.unit, "" if item.spread is None else show_share(item.spread, 0),
             item.origin, item.source) for item in found.figures
        ])  # fmt: skip
    if found.alternatives:
        talk.table("Instead", ("way", "change", "time", "money", "predicted loss", ""), [
            (item.name, item.change, _middle(item.seconds), _middle(item.money), _loss(item.loss),
             _standing(item)) for item in found.alternatives
        ])  # fmt: skip
        for note in dict.fromkeys(item.loss_note for item in found.alternatives if item.loss is None):
            names = ", ".join(item.name for item in found.alternatives if item.loss is None and item.loss_note == note)
            talk.say(f"no predicted loss ({names}): {note}")
    for caution in found.seconds.cautions:
        talk.say(f"caution: {caution}")


def _standing(item: Alternative) -> str:
    if item.dominated:
        return f"dominated by {item.dominated}"
    return f"not told apart from {item.rival}" if item.rival else ""


def _unknown(found: Cost) -> list[str]:
    """Return what cannot be said of this hardware, and what would tell it."""
    asked = (("money", found.money, "--price"), ("energy", found.energy, "--power"))
    return [f"{name}: not known for this hardware; give {option}" for name, value, option in asked if value is None]


def _numbers(estimate: Estimate) -> tuple[float, float, float]:
    return estimate.low, estimate.value, estimate.high


def _show(value: float, unit: str) -> str:
    from pilotlight.units import show_count, show_seconds

    if unit == "s":
        return show_seconds(value)
    return f"{value:,.2f} USD" if unit == "USD" and value < 1000 else f"{show_count(value)} {unit}"


def _three(estimate: Estimate, unit: str) -> tuple[str, ...]:
    return tuple(_show(value, unit) for value in _numbers(estimate))


def _middle(estimate: Estimate | None) -> str:
    return "-" if estimate is None else _show(estimate.value, estimate.unit)


def _figure(estimate: Estimate) -> str:
    low, value, high = (f"{number:.4g}" for number in _numbers(estimate))
    return value if low == high else f"{low} / {value} / {high}"


def _loss(estimate: Estimate | None) -> str:
    if estimate is None:
        return "-"
    return f"{estimate.value:.3f} [{estimate.low:.3f}, {estimate.high:.3f}] {estimate.unit}"
