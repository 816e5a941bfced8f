"""``pilot next``: the trial that would help the decision most, or that it is time to stop."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pilotlight.cli.run import Json

if TYPE_CHECKING:
    from pilotlight.cli.talk import Talk
    from pilotlight.pilot.allocation import NextTrials
    from pilotlight.stats.estimate import Estimate

_MOST_ROWS = 10


def next_(
    out: Annotated[Path, typer.Argument(help="Output folder of `pilot run`, finished or under way.")],
    budget: Annotated[
        str, typer.Option(help="What may be spent, such as '10 min' or '2e15 FLOPs'; by default what is left.")
    ] = "",
    json: Json = False,
) -> None:
    """Say which trial would help to choose among the variants most for its price, or that no more are needed."""
    from pilotlight.cli.talk import Talk
    from pilotlight.pilot.allocation import next_trials, read_budget

    talk = Talk(json=json)
    found = next_trials(out, read_budget(budget) if budget else None)
    _show(found, talk)
    talk.data(found)


def _show(found: NextTrials, talk: Talk) -> None:
    from pilotlight.units import show_chance, show_seconds

    percent = found.unit == "relative"

    def shown(value: float) -> str:
        return f"{100 * value:.3f} %" if percent else f"{value:.2g}"

    talk.table("At the full size", ["variant", "P(best)", "change against the baseline"], [
        [one.variant, show_chance(one.best), "" if one.change is None else _interval(one.change, percent)]
        for one in found.standings
    ])  # fmt: skip
    rows: list[list[str]] = []
    for place, one in enumerate(found.offers[:_MOST_ROWS], 1):
        names = ", ".join(trial.variant for trial in one.trials)
        seeds = ", ".join(dict.fromkeys(str(trial.seed) for trial in one.trials))
        takes = [f"{one.flops:.2g}", show_seconds(one.seconds)]
        rows.append([str(place), names, one.trials[0].scale, seeds, *takes, shown(one.gain)])
    if rows:
        talk.table(
            f"Offers, most for their price first ({len(found.offers)} weighed)",
            ["", "variants", "rung", "seed", "FLOPs", "takes", "lowers the expected regret by"], rows,
        )  # fmt: skip
    for note in found.notes:
        talk.say(f"note: {note}")
    talk.say(f"\n{found.action}: {found.because}")


def _interval(change: Estimate, percent: bool) -> str:
    if percent:
        return f"{100 * change.value:+.2f} % [{100 * change.low:+.2f}, {100 * change.high:+.2f}]"
    return f"{change.value:+.3g} [{change.low:+.3g}, {change.high:+.3g}]"
