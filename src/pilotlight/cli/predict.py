"""``pilot predict``: what a large run would reach, from a table of small ones."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pilotlight.cli.talk import Talk
from pilotlight.errors import ConfigError, nearest
from pilotlight.units import read_count, show_count

if TYPE_CHECKING:
    from pilotlight.record.forecast import Prediction

_WANTED = ("parameters", "tokens", "flops")


def read_target(text: str) -> dict[str, float]:
    """Return the target from text such as ``parameters=124M,tokens=2.5B``.

    Raises:
        ConfigError: a part is missing, unknown, twice there or no number above 0.
    """
    found: dict[str, float] = {}
    for part in text.split(","):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals or name not in _WANTED:
            raise ConfigError(
                f"--target has {part.strip()!r}; expected parameters=124M,tokens=2.5B and, if you know it, "
                f"flops=1.9e18.{nearest(name, _WANTED)}"
            )
        if name in found:
            raise ConfigError(f"--target names {name} twice; give it once")
        try:
            found[name] = read_count(value)
        except ValueError as error:
            raise ConfigError(f"--target: {name}: {error}") from error
        if found[name] <= 0:
            raise ConfigError(f"--target: {name} is {value!r}; expected a number above 0")
    for name in ("parameters", "tokens"):
        if name not in found:
            raise ConfigError(f"--target {text!r} lacks {name}; write parameters=124M,tokens=2.5B")
    return found


def predict(
    source: Annotated[Path, typer.Argument(help="A pilot's output folder, or a CSV: parameters, tokens, loss.")],
    target: Annotated[str, typer.Option(help="The run to predict, such as parameters=124M,tokens=2.5B.")],
    metric: Annotated[str, typer.Option(help="Which loss to predict (a metric, or a column of the CSV).")] = "",
    level: Annotated[float, typer.Option(help="Level of the interval.")] = 0.95,
    json: Annotated[bool, typer.Option("--json", help="Print the prediction as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress.")] = False,
) -> None:
    """Predict the loss of a large run from small ones, with an interval that carries model error."""
    if not 0 < level < 1:
        raise ConfigError(f"--level is {level:g}; expected a share between 0 and 1, such as 0.95")
    talk = Talk(quiet=quiet, json=json)
    found = _predict(source, read_target(target), metric, level, talk)
    talk.data(found)
    _tell(found, talk)


def _predict(source: Path, target: dict[str, float], metric: str, level: float, talk: Talk) -> Prediction:
    from pilotlight.record.results import Results
    from pilotlight.scaling.predict import predict as predict_loss
    from pilotlight.scaling.table import ladder_points, read_table
    from pilotlight.stats.metric import METRICS

    if source.is_dir():
        name = metric or "bits_per_byte"
        points, size = ladder_points(Results.open(source), name), "non-embedding parameters"
    else:
        table = read_table(source, loss=metric)
        points, name, size = table.points, table.loss, f"parameters as in column {table.size}"
    unit = METRICS[name].unit if name in METRICS else name
    found = predict_loss(
        points, target["parameters"], target["tokens"], flops=target.get("flops"), level=level, unit=unit,
        watch=talk.watch,
    )  # fmt: skip
    return found.model_copy(update={"size": size})


def _tell(found: Prediction, talk: Talk) -> None:
    size, tokens = show_count(found.parameters), show_count(found.tokens)
    talk.say(f"{size} parameters, {tokens} tokens: {found.loss}")
    talk.say(
        f"{found.reach:.3g} times the largest of {found.runs} runs in FLOPs "
        f"({found.reach_parameters:.3g} in parameters, {found.reach_tokens:.3g} in tokens)"
    )
    rows = [
        (law.name, law.equation, f"{law.at_target.value:.4g}", f"{100 * law.weight:.0f} %", _share(law.hold_out_error))
        for law in found.laws
    ]
    talk.table("Laws", ("law", "loss", "at target", "weight", "hold-out error per decade"), rows)
    tests = [
        (test.what, f"{test.decades:.2f}", f"{test.predicted:.4g}", f"{test.observed:.4g}", _share(test.relative_error))
        for test in found.hold_out
    ]
    talk.table("Hold-outs", ("left out", "decades away", "predicted", "observed", "error"), tests)
    parts = [(name.replace("_", " "), _share(value)) for name, value in found.components.items()]
    talk.table("What the interval is made of", ("part", "standard deviation"), parts)
    for caution in found.cautions:
        talk.say(f"caution: {caution}")


def _share(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.2f} %"
