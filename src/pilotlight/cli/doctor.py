"""``pilot doctor``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def doctor(
    bench: Annotated[Path | None, typer.Option("--bench", help="Measure the full run of this pilot file here.")] = None,
    receipt: Annotated[Path, typer.Option("--receipt", help="Where --bench leaves its receipt.")] = Path(
        "receipt.json"
    ),
    json: Annotated[bool, typer.Option("--json", help="The findings as JSON.")] = False,
) -> None:
    """Check that this machine can train, and that what should take effect does; measure it for a plan."""
    from pilotlight.cli.talk import Talk
    from pilotlight.pilot.checkup import examine, measure_full_run

    talk = Talk(json=json)
    if bench is not None:
        from pilotlight.pilot.pilot import Pilot

        found = measure_full_run(Pilot.load(bench), receipt, talk.watch)
        talk.say(f"{found.tokens_per_second}\n{found.flops_per_second}\nreceipt  {receipt}")
        talk.data(found)
        return
    findings = examine(talk.watch)
    talk.table("This machine", ["check", "status", "found", "what to do"], [
        [item.name, item.status, item.found, item.way_out] for item in findings
    ])  # fmt: skip
    talk.data([item.model_dump() for item in findings])
    if any(item.status == "fail" for item in findings):
        raise typer.Exit(1)
