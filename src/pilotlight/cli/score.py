"""``pilot score``: trained models, and reference models, on tasks in files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from pilotlight.cli.talk import Talk
    from pilotlight.record.scores import Scored, ScoreTable
    from pilotlight.stats.estimate import Estimate

Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress, only the result.")]
Json = Annotated[bool, typer.Option("--json", help="The result as JSON on standard output.")]


def score(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="RUN... [FILE...]", show_default=False,
            help="Folders of runs, of `pilot run` or `pilot train`, or of Hugging Face models; then files of tasks (JSON "
            "lines or text, also .gz or .zst). Without a file: the held-out text of the runs.",
        ),
    ],
    variant: Annotated[list[str] | None, typer.Option(help="Variant of a pilot, may be repeated; by default all.")] = None,
    scale: Annotated[str, typer.Option(help="Scale of a pilot; by default the largest.")] = "",
    task: Annotated[
        str, typer.Option(help="choice, classification or passage; by default told from the fields.")
    ] = "",
    set: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="A setting: prompt='Q: {question} A:', labels=no,yes, text_field=, label_field=, count_from=1; items=500, "
            "context=, device=, threads=, out=.",
        ),
    ] = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:  # fmt: skip
    """Score models on multiple choice, classification or plain text, with uncertainty over items and seeds.

    Runs that differ in their seed alone count as one model; several models are compared with the first on the same items.
    """
    from pilotlight.cli.talk import Talk
    from pilotlight.evals.arms import find

    talk = Talk(quiet, json)
    folders, files = split(paths)
    scoring, settings = read_settings(set or [])
    arms = find(folders, variant or [], scale)
    from pilotlight.evals.score import score as go  # after the arguments: torch takes seconds to load

    table = go(arms, files, kind=task, task=settings, scoring=scoring, watch=talk.watch)
    _tell(table, talk)
    talk.data(table)


def split(paths: list[Path]) -> tuple[list[Path], list[Path]]:
    """Return the folders, which hold models, and the files, which hold tasks.

    Raises:
        DataError: a path does not exist, or no folder was given.
    """
    from pilotlight.errors import DataError

    for path in paths:
        if not path.exists():
            raise DataError(f"{path} does not exist. Give the folder of a run, or a file of JSON lines or text.")
    folders = [path for path in paths if path.is_dir()]
    if not folders:
        raise DataError(f"{paths[0]} is a file; give first the folder of a run or of a Hugging Face model.")
    return folders, [path for path in paths if not path.is_dir()]


def read_settings(given: list[str]) -> tuple[Any, dict[str, Any]]:
    """Return how scoring goes, and the settings of the tasks, from words such as ``labels=no,yes``.

    Raises:
        ConfigError: a word is no setting, or its value is wrong.
    """
    from pydantic import ValidationError

    from pilotlight.errors import ConfigError
    from pilotlight.evals.settings import Scoring

    values: dict[str, Any] = {}
    for word in given:
        name, equals, value = word.partition("=")
        if not equals or not name.strip():
            raise ConfigError(f"--set {word}: expected name=value, such as labels=no,yes.")
        values[name.strip()] = value
    if "labels" in values:
        values["labels"] = tuple(label.strip() for label in values["labels"].split(",") if label.strip())
    if "prompt" in values:
        values["prompt"] = values["prompt"].replace("\\n", "\n")
    if "count_from" in values and values["count_from"].isdigit():
        values["count_from"] = int(values["count_from"])
    try:
        scoring = Scoring.model_validate(
            {name: value for name, value in values.items() if name in Scoring.model_fields}
        )
    except ValidationError as error:
        first = error.errors()[0]
        name = first["loc"][0]
        raise ConfigError(f"--set {name}={values[str(name)]}: {first['msg']}") from error
    return scoring, {name: value for name, value in values.items() if name not in Scoring.model_fields}


def _range(estimate: Estimate) -> str:
    return str(estimate).partition("]")[0] + "]"


def _n(estimate: Estimate, runs: int) -> str:
    return f"{runs} runs" if runs > 1 else f"{estimate.n} items" if estimate.n > 1 else "1 item"


def _tell(table: ScoreTable, talk: Talk) -> None:
    for name in dict.fromkeys(scored.task for scored in table.scores):
        _tell_task([scored for scored in table.scores if scored.task == name], talk)
    if table.differences:
        talk.table(
            f"minus {table.differences[0].against}, on the same items",
            ["task", "model", "metric", "difference [95% interval]", "unit", "better"],
            [
                [one.task, one.model, one.metric, _range(one.estimate), one.estimate.unit, one.better]
                for one in table.differences
            ],
        )
    methods = [item.estimate.method for scored in table.scores for item in scored.measures]
    methods += [one.estimate.method for one in table.differences]
    talk.say(f"intervals: {'; '.join(dict.fromkeys(methods))}")
    _cautions(table, talk)
    for folder in table.folders:
        talk.say(f"scores  {folder}")


def _tell_task(of_task: list[Scored], talk: Talk) -> None:
    from pilotlight.units import show_count

    first = of_task[0]
    aside = f", {first.refused} rows set aside" if first.refused else ""
    talk.table(
        f"{first.task}: {first.kind}, {show_count(first.items)} items{aside}",
        ["model", "metric", "value [95% interval]", "unit", "chance", "n"],
        [
            [
                scored.model, item.metric, _range(item.estimate), item.estimate.unit,
                f"{item.chance:.3f}" if item.chance is not None else "", _n(item.estimate, len(scored.runs)),
            ]
            for scored in of_task for item in scored.measures
        ],
    )  # fmt: skip
    talk.say(f"tokens of context: {', '.join(f'{scored.model} {scored.context}' for scored in of_task)}")


def _cautions(table: ScoreTable, talk: Talk) -> None:
    """Say every caution once, with the models and metrics it holds for."""
    found: dict[str, list[str]] = {}
    for scored in table.scores:
        for measured in scored.measures:
            for caution in measured.estimate.cautions:
                found.setdefault(caution, []).append(f"{scored.model} {measured.metric}")
    for one in table.differences:
        for caution in one.estimate.cautions:
            found.setdefault(caution, []).append(f"{one.model} minus {one.against}")
    for caution, where in found.items():
        places = list(dict.fromkeys(where))
        shown = ", ".join(places[:3]) + (f" and {len(places) - 3} more" if len(places) > 3 else "")
        talk.say(f"caution: {caution}: {shown}")
