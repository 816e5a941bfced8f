"""``pilot backtest``: what the predictions would have said of runs that others published."""

from __future__ import annotations

import json as json_text
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pilotlight.cli.talk import Talk

if TYPE_CHECKING:
    from pilotlight.scaling.backtest import Backtest, KindScore, SourceScore
    from pilotlight.scaling.tasks import TaskScore

_COLUMNS = {
    "error": "error", "bias": "bias", "coverage": "in 95 % interval", "half_width": "half width",
    "interval_score": "interval score", "accuracy": "pairs right", "regret": "regret", "brier": "Brier",
}  # fmt: skip
_TITLES = {
    "loss": "Final losses", "decision": "Decisions between variants", "curve": "Whole loss curves",
    "seed": "Further seeds of one set-up",
}  # fmt: skip


def backtest(
    folder: Annotated[Path, typer.Argument(help="A folder with tasks.csv and a table of runs for each source.")],
    only: Annotated[list[str] | None, typer.Option(help="A source to keep; may be given several times.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object per task.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress.")] = False,
) -> None:
    """Hold the predictions against tables of real runs: error, bias, coverage, decisions, regret, by source."""
    from pilotlight.events import Note
    from pilotlight.scaling.backtest import FAILED
    from pilotlight.scaling.backtest import backtest as run

    talk = Talk(quiet=quiet, json=json)

    def told(score: TaskScore) -> None:
        if json:
            print(json_text.dumps(score.model_dump(), ensure_ascii=False), flush=True)

    found = run(folder, only=only or (), watch=talk.watch, told=told)
    for score in found.tasks:
        if score.why.startswith(FAILED):
            talk.watch(Note(f"{score.task} ({score.kind}) {score.why}; it counts as abstained", "warning"))
    for kind in found.kinds:
        _tell(found, kind, talk)


def _tell(found: Backtest, kind: KindScore, talk: Talk) -> None:
    sources = [source for source in found.sources if source.kind == kind.kind]
    shown = {name: title for name, title in _COLUMNS.items() if name in kind.means}
    rows = [(one.source, one.tasks, one.abstained, *_numbers(one, shown)) for one in sources]
    last = ("mean of sources", sum(one.tasks for one in sources), sum(one.abstained for one in sources))
    means = [_shown(name, kind.means[name]) for name in shown]
    talk.table(_TITLES[kind.kind], ("source", "tasks", "abstained", *shown.values()), [*rows, (*last, *means)])
    if kind.coverage_low is not None and kind.coverage_high is not None:
        talk.say(
            f"coverage of the 95 % interval: {100 * kind.means['coverage']:.1f} % "
            f"({100 * kind.coverage_low:.0f} to {100 * kind.coverage_high:.0f} %, from {len(sources)} sources)"
        )


def _numbers(source: SourceScore, shown: dict[str, str]) -> list[str]:
    return [_shown(name, getattr(source, name)) for name in shown]


def _shown(name: str, value: float | None) -> str:
    if value is None:
        return "-"
    if name == "brier":
        return f"{value:.3f}"
    return f"{100 * value:.1f} %" if name in ("coverage", "accuracy") else f"{100 * value:.2f} %"
