"""``pilot predict``: what a large run would reach, from a table of small ones."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pilotlight.cli.talk import Talk
from pilotlight.errors import ConfigError, nearest
from pilotlight.units import read_count, show_count

if TYPE_CHECKING:
    from pilotlight.record.forecast import Optimum, Prediction, ScoreForecast
    from pilotlight.scaling.table import Table
    from pilotlight.stats.estimate import Estimate

_WANTED = ("parameters", "tokens", "flops", "unique_tokens", "batch_tokens")


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
                f"--target has {part.strip()!r}; expected parameters=124M,tokens=2.5B and, if you know them, "
                f"flops=1.9e18, unique_tokens=500M, batch_tokens=512k.{nearest(name, _WANTED)}"
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
    target: Annotated[str, typer.Option(help="The run to predict, such as parameters=124M,tokens=2.5B.")] = "",
    budget: Annotated[str, typer.Option(help="Training FLOPs, such as 1e21: the best size and tokens for them.")] = "",
    metric: Annotated[str, typer.Option(help="Which loss to predict (a metric, or a column of the CSV).")] = "",
    score: Annotated[
        list[str] | None,
        typer.Option(
            help="A task's score to foretell from the loss: a column, and what guessing scores: acc_piqa:0.5."
        ),
    ] = None,
    level: Annotated[float, typer.Option(help="Level of the interval.")] = 0.95,
    json: Annotated[bool, typer.Option("--json", help="Print the prediction as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress.")] = False,
) -> None:
    """Predict the loss of a large run from small ones, with an interval that carries model error."""
    if not 0 < level < 1:
        raise ConfigError(f"--level is {level:g}; expected a share between 0 and 1, such as 0.95")
    if bool(target) == bool(budget):
        raise ConfigError("give either --target parameters=124M,tokens=2.5B or --budget 1e21 (training FLOPs)")
    if budget and score:
        raise ConfigError("--score needs one run to speak of; give --target parameters=124M,tokens=2.5B, not --budget")
    talk = Talk(quiet=quiet, json=json)
    if budget:
        best = _best(source, _flops(budget), metric, level, talk)
        talk.data(best)
        _tell_best(best, talk)
        return
    found = _predict(source, read_target(target), metric, level, talk)
    scores = tuple(_score(source, metric, one, found) for one in score or ())
    found = found.model_copy(update={"scores": scores})
    talk.data(found)
    _tell(found, talk)


def _flops(text: str) -> float:
    try:
        value = read_count(text)
    except ValueError as error:
        raise ConfigError(f"--budget: {error}") from error
    if value <= 0:
        raise ConfigError(f"--budget is {text!r}; expected FLOPs above 0, such as 1e21")
    return value


def _runs(source: Path, metric: str, talk: Talk) -> Table:
    """Return the runs to predict from; tells how many rows are not among them."""
    from pilotlight.events import Note
    from pilotlight.scaling.table import runs_of

    table = runs_of(source, metric)
    if table.left_out:
        talk.watch(Note(f"{table.left_out} rows of {source} were left out: not finished, or without a {table.loss}"))
    return table


def _predict(source: Path, target: dict[str, float], metric: str, level: float, talk: Talk) -> Prediction:
    from pilotlight.scaling.predict import predict as predict_loss

    table = _runs(source, metric, talk)
    found = predict_loss(table.points, level=level, unit=table.unit, watch=talk.watch, **target)
    return found.model_copy(update={"size": table.counts})


def _score(source: Path, metric: str, asked: str, found: Prediction) -> ScoreForecast:
    from pilotlight.record.forecast import ScoreForecast
    from pilotlight.record.results import Results
    from pilotlight.scaling.table import ladder_scores, read_scores, read_table
    from pilotlight.scaling.task_score import NoForecast, forecast_scores

    name, _, guess = asked.partition(":")
    try:
        chance = float(guess) if guess else None
    except ValueError as error:
        raise ConfigError(f"--score is {asked!r}; expected a column and what guessing scores: acc_piqa:0.5") from error
    if chance is not None and not 0 <= chance < 1:
        raise ConfigError(f"--score is {asked!r}; expected what guessing scores from 0 to below 1: acc_piqa:0.5")
    if source.is_dir():
        points = ladder_scores(Results.open(source), metric or "bits_per_byte", name)
    else:
        points = read_scores(source, read_table(source, loss=metric).loss, name)
    told = forecast_scores(points, found.spread, chance=chance, level=found.loss.level)
    if isinstance(told, NoForecast):
        return ScoreForecast(name=name, estimate=None, why=told.why)
    return ScoreForecast(name=name, estimate=told)


def _best(source: Path, flops: float, metric: str, level: float, talk: Talk) -> Optimum:
    from pilotlight.scaling.optimum import optimum
    from pilotlight.scaling.predict import Study

    table = _runs(source, metric, talk)
    return optimum(Study.of(table.points, watch=talk.watch), flops, level=level, unit=table.unit)


def _tell_best(found: Optimum, talk: Talk) -> None:
    def between(estimate: Estimate) -> str:
        return f"{show_count(estimate.value)} ({show_count(estimate.low)} to {show_count(estimate.high)})"

    share = f"{100 * found.parameters.level:g} %"
    talk.say(
        f"Best for {found.flops:.3g} FLOPs: {between(found.parameters)} parameters on {between(found.tokens)} tokens, {share}"
    )
    talk.say(f"loss there: {found.loss}")
    costs = [
        f"{word} the size {_share(cost)}"
        for word, cost in (("half", found.half_the_size), ("twice", found.twice_the_size))
        if cost is not None
    ]
    talk.say(
        f"how flat: {show_count(found.flat_low)} to {show_count(found.flat_high)} parameters lose less than "
        f"{100 * found.flat:g} % of the loss" + (f"; at the same FLOPs {' and '.join(costs)}" if costs else "")
    )
    for caution in found.cautions:
        talk.say(f"caution: {caution}")


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
    for one in found.scores:
        talk.say(f"{one.name}: {one.estimate or f'not foretold, {one.why}'}")
    weak = [f"{one.name}: {text}" for one in found.scores if one.estimate for text in one.estimate.cautions]
    for caution in (*found.cautions, *weak):
        talk.say(f"caution: {caution}")
    from pilotlight.record import scorecards

    track = scorecards.sentence(scorecards.track(scorecards.read()))
    if track:
        talk.say(track)


def _share(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.2f} %"
