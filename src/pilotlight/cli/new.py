"""``pilot new``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def new(
    plan: Annotated[Path, typer.Argument(help="File to write, such as my.yaml.")],
    text: Annotated[Path, typer.Option("--text", help="Folder or file with your text (.txt, .md, .jsonl[.gz|.zst]).")],
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there already.")] = False,
) -> None:
    """Write a commented pilot file for your own text, its ladder sized to how much there is."""
    from pilotlight.cli.talk import Talk
    from pilotlight.pilot.template import write_template

    talk = Talk()
    for sentence in write_template(plan, text, force=force, watch=talk.watch):
        talk.say(sentence)
