"""``pilot report``: writes the page of a pilot again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pilotlight.cli.talk import Talk


def report(
    out: Annotated[Path, typer.Argument(help="Output folder of `pilot run`.", show_default=False)],
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but the result.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Write report.html again from the records in OUT, and print its path. Works while the pilot is still going."""
    from pilotlight.record import scorecards
    from pilotlight.report.page import PICTURES, write_report

    talk = Talk(quiet, json)
    page = write_report(out, watch=talk.watch)
    talk.say(str(page))
    track = scorecards.sentence(scorecards.track(scorecards.read()))
    if track:
        talk.say(track)
    talk.data({"page": str(page), "pictures": sorted(str(path) for path in (out / PICTURES).glob("*.png"))})
