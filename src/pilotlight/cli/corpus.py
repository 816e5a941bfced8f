"""`pilot corpus`: build the text of a plan, look at what became of it, ask why a document is where it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from pilotlight.corpus.corpus import Corpus

corpus = typer.Typer(no_args_is_help=True, help="Build a corpus from text, and see what became of every document.")

Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no notes.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")]
Folder = Annotated[Path, typer.Argument(metavar="DIR", help="Folder that `pilot corpus build` or `pilot run` wrote.")]


@corpus.command()
def build(
    plan: Annotated[Path, typer.Argument(help="The pilot file (YAML) that names the text.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for the corpus.")],
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Build the text of PLAN into OUT, or find it already there."""
    from pilotlight.cli.talk import Talk
    from pilotlight.corpus.build import build as built
    from pilotlight.pilot.pilot import Pilot

    talk = Talk(quiet, json)
    _tell(built(Pilot.load(plan).corpus, out, watch=talk.watch), talk)


@corpus.command()
def show(folder: Folder, json: Json = False) -> None:
    """Show what became of the text in DIR: trained on, held out, dropped by reason, quarantined."""
    from pilotlight.cli.talk import Talk

    _tell(_opened(folder), Talk(json=json))


@corpus.command()
def why(
    folder: Folder,
    id: Annotated[str, typer.Argument(metavar="ID", help="First digits of a document's id, or its origin.")],
    json: Json = False,
) -> None:
    """Say why the document ID of DIR is trained on, held out, dropped or quarantined."""
    from pilotlight.cli.talk import Talk

    talk = Talk(json=json)
    explanation = _opened(folder).why(id)
    talk.say(str(explanation))
    if explanation.excerpt:
        talk.say(f"It begins: {explanation.excerpt}")
    talk.data(explanation)


def _opened(folder: Path) -> Corpus:
    from pilotlight.corpus.corpus import Corpus

    inner = folder / "corpus"
    return Corpus.open(inner if inner.is_dir() else folder)


def _tell(found: Corpus, talk: Any) -> None:
    talk.table(f"{found.folder}", *found.show())
    talk.table("by source", *found.show_sources())
    talk.data({"folder": str(found.folder), "fingerprint": found.fingerprint, "facts": found.facts})
