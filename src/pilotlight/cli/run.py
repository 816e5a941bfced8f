"""``pilot run``, ``pilot status`` and ``pilot decide``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pilotlight.cli.talk import Talk
    from pilotlight.record.decision import Decision

Out = Annotated[Path | None, typer.Option("--out", "-o", help="Output folder; by default out/ and the plan's name.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress, only the result.")]
Json = Annotated[bool, typer.Option("--json", help="The result as JSON on standard output.")]
Workers = Annotated[int | None, typer.Option(min=1, help="Trainings at a time, one core each.")]
Together = Annotated[
    int | None, typer.Option(min=1, help="Trainings of one shape in one program; by default several on an accelerator.")
]


def run(
    plan: Annotated[Path, typer.Argument(help="Pilot file (YAML).")],
    out: Out = None,
    workers: Workers = None,
    together: Together = None,
    measure_again: Annotated[
        bool, typer.Option("--measure-again", help="Measure this machine's speed anew, in a new --out.")
    ] = False,
    deviate: Annotated[
        str, typer.Option("--deviate", help="Why goal.target, limits or hardware changed after the first trial.")
    ] = "",
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Run a pilot: trains what is missing, decides, writes the report. Kill it, run it again, and it goes on."""
    from pilotlight.cli.talk import Talk
    from pilotlight.pilot.execute import run as execute
    from pilotlight.pilot.pilot import Pilot
    from pilotlight.report.page import write_report

    talk = Talk(quiet, json)
    pilot = Pilot.load(plan)
    folder = out or Path("out") / plan.stem
    decision = execute(
        pilot, folder, workers=workers, together=together, measure_again=measure_again, watch=talk.watch, source=plan,
        why=deviate,
    )  # fmt: skip
    page = write_report(folder, watch=talk.watch)
    _show(decision, talk)
    _tell_files(page, folder, talk)
    talk.data(decision)


def decide(
    out: Annotated[Path, typer.Argument(help="Output folder of `pilot run`.")], quiet: Quiet = False, json: Json = False
) -> None:
    """Decide again from a pilot's finished trials and write its report; trains nothing."""
    from pilotlight.cli.talk import Talk
    from pilotlight.pilot.again import decide_again
    from pilotlight.report.page import write_report

    talk = Talk(quiet, json)
    decision = decide_again(out)
    page = write_report(out, watch=talk.watch)
    _show(decision, talk)
    _tell_files(page, out, talk)
    talk.data(decision)


def status(out: Annotated[Path, typer.Argument(help="Output folder of `pilot run`.")], json: Json = False) -> None:
    """Show what a pilot has done and what is missing."""
    from pilotlight.cli.talk import Talk
    from pilotlight.pilot.again import progress_of

    talk = Talk(json=json)
    found = progress_of(out)
    talk.table(
        f"{out}: {found.finished} of {found.planned} trials finished, {found.state}",
        ["trial", "status", "tokens", "result"],
        [[row.name, row.status, row.tokens, row.result] for row in found.trials],
    )
    talk.data(found)


def _show(decision: Decision, talk: Talk) -> None:
    from pilotlight.units import show_share

    rows: list[list[str]] = []
    for item in decision.findings:
        effect = item.comparison.effect
        percent = f"{100 * effect.value:+.2f} % [{100 * effect.low:+.2f}, {100 * effect.high:+.2f}]"
        power = f"{show_share(item.comparison.power, 0)} for {show_share(decision.worth, 1)}"
        rows.append(
            [item.variant, percent, item.comparison.scale, str(item.comparison.seeds), power, str(item.verdict)]
        )
    if rows:
        talk.table(
            f"Variants, change of {decision.target.metric} (negative is better)",
            ["variant", "effect with interval", "at", "seeds", "power", "verdict"], rows,
        )  # fmt: skip
    talk.table("Criteria of the launch", ["criterion", "asked", "found", "status"], [
        [check.name, check.threshold, check.found, check.status] for check in decision.checks
    ])  # fmt: skip
    talk.say(f"\n{decision.launch}: " + " ".join(decision.because))
    _tell_track(talk)


def _tell_files(page: Path, out: Path, talk: Talk) -> None:
    talk.say(f"\nreport    {page}\ndecision  {out / 'decision.json'}\nfull run  {out / 'full.yaml'}")


def _tell_track(talk: Talk) -> None:
    """Say how this user's earlier predictions fared, where there are some."""
    from pilotlight.record import scorecards

    record = scorecards.sentence(scorecards.track(scorecards.read()))
    if record:
        talk.say(record)
