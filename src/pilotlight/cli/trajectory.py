"""``pilot trajectory``: the whole loss curve of a run under its learning-rate schedule, from the curves of others."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pilotlight.cli.talk import Talk
from pilotlight.errors import ConfigError

if TYPE_CHECKING:
    from pilotlight.scaling.trajectory import Trajectory

_ROWS = 12


def trajectory(
    source: Annotated[Path, typer.Argument(help="A CSV of curves: run_id, step, loss, lr; one row per logged point.")],
    target: Annotated[str, typer.Option(help="The run to predict: its steps and learning rates, no losses needed.")],
    pilots: Annotated[str, typer.Option(help="Runs to predict from, such as A,B; by default all others.")] = "",
    metric: Annotated[str, typer.Option(help="The column that holds the loss.")] = "",
    level: Annotated[float, typer.Option(help="Level of the interval.")] = 0.95,
    json: Annotated[bool, typer.Option("--json", help="Print the whole curve as JSON.")] = False,
) -> None:
    """Predict the whole loss curve of a run under its own learning-rate schedule, from the curves of other runs."""
    if not 0 < level < 1:
        raise ConfigError(f"--level is {level:g}; expected a share between 0 and 1, such as 0.95")
    from pilotlight.scaling.curve import read_curves
    from pilotlight.scaling.trajectory import trajectory as predict_curve

    names = [name.strip() for name in pilots.split(",") if name.strip()]
    talk = Talk(json=json)
    found = predict_curve(read_curves(source, loss=metric), target, names, level=level, unit=metric or "loss")
    talk.data(found)
    _tell(found, talk)


def _tell(found: Trajectory, talk: Talk) -> None:
    from pilotlight.units import show_count

    talk.say(f"{found.run} at its end, step {show_count(found.steps[-1])}: {found.end}")
    count = len(found.steps)
    shown = sorted({round(index * (count - 1) / (_ROWS - 1)) for index in range(_ROWS)})
    rows = [
        (show_count(found.steps[index]), f"{found.values[index]:.4g}", f"{found.low[index]:.4g}",
         f"{found.high[index]:.4g}")
        for index in shown
    ]  # fmt: skip
    talk.table("Predicted curve", ("step", "loss", "low", "high"), rows)
    rows = [(law.name, law.equation, f"{100 * law.weight:.0f} %", f"{100 * law.misfit:.3f} %") for law in found.laws]
    talk.table("Laws (sums and steps as shares of the longest pilot's)", ("law", "loss", "weight", "misfit"), rows)
    rows = [(one.what, f"{100 * one.error:.3f} %", f"{100 * one.claimed:.3f} %") for one in found.hold_out]
    talk.table("Hold-outs", ("left out", "error", "expected"), rows)
    if found.observed_error is not None:
        talk.say(
            f"The table holds losses of {found.run}, which were not used: the prediction is off by "
            f"{100 * found.observed_error:.3f} % on average, and {100 * (found.observed_coverage or 0.0):.0f} % of them "
            "lie in the interval."
        )
    for caution in found.end.cautions:
        talk.say(f"caution: {caution}")
