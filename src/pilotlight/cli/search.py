"""``pilot search``: values of fields of the plan, tried in spite of noise."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pilotlight.cli.run import Json, Out, Quiet, Together, Workers

if TYPE_CHECKING:
    from pilotlight.cli.talk import Talk
    from pilotlight.record.search import SearchResult
    from pilotlight.stats.estimate import Estimate

_MOST_ROWS = 12


def search(
    plan: Annotated[Path, typer.Argument(help="Pilot file (YAML) with `search` in it.")],
    out: Out = None,
    workers: Workers = None,
    together: Together = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Search fields of the plan for better values. Kill it, run it again, and it goes on."""
    from pilotlight.cli.talk import Talk
    from pilotlight.pilot.pilot import Pilot
    from pilotlight.pilot.search import search as execute
    from pilotlight.record.search import NAME

    talk = Talk(quiet, json)
    folder = out or Path("out") / f"{plan.stem}-search"
    found = execute(Pilot.load(plan), folder, workers=workers, together=together, watch=talk.watch)
    _show(found, talk)
    talk.say(f"\nrecord  {folder / NAME}")
    talk.data(found)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _show(found: SearchResult, talk: Talk) -> None:
    from pilotlight.report.text import setting

    sign = 1 if found.better == "lower" else -1
    ended = sorted((one for one in found.trials if one.status == "finished" and one.value is not None),
                   key=lambda one: sign * (one.value or 0))  # fmt: skip
    states = [one.status for one in found.trials]
    told = ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states))
    talk.table(
        f"{len(states)} trials at {found.scale} ({told}), the best by {found.metric} on one seed", ["trial", "value", "set"],
        [[one.name, _number(one.value), setting(one.set)] for one in ended[:_MOST_ROWS]],
    )  # fmt: skip
    talk.table("Fields", ["field", "importance", "choice or stretch", "trials", "best", "median"], [
        [view.path if not place else "", "" if place or view.importance is None else f"{100 * view.importance:.0f} %",
         level.name, str(level.trials), _number(level.best), _number(level.median)]
        for view in found.fields for place, level in enumerate(view.levels)
    ])  # fmt: skip
    talk.table("Finals: means over seeds, shrunk towards each other", ["trial", "seeds", "shrunken mean", "interval"], [
        [one.name, str(len(one.values)), _number(one.shrunk.value), f"[{one.shrunk.low:.4f}, {one.shrunk.high:.4f}]"]
        for one in found.finalists
    ])  # fmt: skip
    for path, risk in found.risks.items():
        talk.table(f"Risk map of {path} about its optimum, {_interval(risk.optimum)}", ["missed by", "regret"], [
            [factor, _percent(regret)] for factor, regret in risk.regrets.items()
        ])  # fmt: skip
        talk.say(f"{path}: best tried {risk.best:.4g}, on the safe side {risk.recommended:.4g}, expected to lose "
                 f"{_percent(risk.recommended_regret)} against the optimum")  # fmt: skip
    talk.table(f"Fresh seeds, change of {found.metric} against the plan as it is", ["trial", "seeds", "effect", "set"], [
        [one.name, str(len(one.values)), _percent(one.effect), setting(one.set)] for one in found.confirmations
    ])  # fmt: skip
    talk.say(f"regret of the winner {found.winner} among the finalists: {_percent(found.regret)}")
    for caution in found.cautions:
        talk.say(f"caution: {caution}")
    talk.say(f"\n{found.because}")
    talk.say(f"set: {setting(found.recommended)}" if found.recommended else "set: nothing")


def _interval(estimate: Estimate) -> str:
    return f"{estimate.value:.3g} [{estimate.low:.3g}, {estimate.high:.3g}]"


def _percent(estimate: Estimate) -> str:
    return f"{100 * estimate.value:.2f} % [{100 * estimate.low:.2f}, {100 * estimate.high:.2f}]"
