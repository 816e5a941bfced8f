"""``pilot ablate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def ablate(
    plan: Annotated[Path, typer.Argument(help="A pilot file (YAML).")],
    out: Annotated[Path | None, typer.Option("--out", help="File to write; default: beside PLAN.")] = None,
    only: Annotated[
        list[str] | None, typer.Option("--only", help="A part to take away, again for each; default: all.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there already.")] = False,
) -> None:
    """Write the pilot that takes away or simplifies one part of PLAN at a time, to see what each is worth."""
    from pilotlight.cli.talk import Talk
    from pilotlight.pilot.ablate import write_ablation

    talk = Talk()
    for sentence in write_ablation(
        plan, out or plan.with_name(f"{plan.stem}-ablation.yaml"), tuple(only or ()), force=force
    ):
        talk.say(sentence)
