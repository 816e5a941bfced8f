"""`pilot corpus`: build the text of a plan, look at what became of it, ask why a document is where it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from pilotlight.corpus.corpus import Corpus

corpus = typer.Typer(no_args_is_help=True, help="Build a corpus from text, and see what became of every document.")

_MANY_COLUMNS = 12

Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no notes.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")]
Folder = Annotated[Path, typer.Argument(metavar="DIR", help="Folder that `pilot corpus build` or `pilot run` wrote.")]


@corpus.command()
def build(
    plan: Annotated[Path, typer.Argument(help="A pilot file (YAML), or one that holds only its corpus.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for the corpus.")],
    workers: Annotated[int | None, typer.Option(min=0, help="Processes; by default one per core.")] = None,
    worker: Annotated[str, typer.Option(help="Share i/n (0/4 ... 3/4) of a build that n commands do together.")] = "",
    cluster: Annotated[str, typer.Option(help="Address of a Ray cluster that does the work: auto, HOST:PORT.")] = "",
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Build the text of PLAN into OUT, or find it already there; a build that was stopped goes on."""
    from pilotlight.cli.talk import Talk
    from pilotlight.corpus.build import build as built
    from pilotlight.corpus.sharing import build_on_cluster, build_share
    from pilotlight.errors import ConfigError
    from pilotlight.pilot.text_plan import load_text
    from pilotlight.work.claims import read_share

    talk = Talk(quiet, json)
    recipe = load_text(plan).corpus
    if worker and cluster:
        raise ConfigError("--worker and --cluster are two ways to share the work. Give one of them.")
    if worker:
        found = build_share(recipe, out, read_share(worker), workers=workers or 1, watch=talk.watch)
    elif cluster:
        found = build_on_cluster(recipe, out, cluster, watch=talk.watch)
    else:
        found = built(recipe, out, watch=talk.watch, workers=workers)
    _tell(found, talk)


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
    from pilotlight.corpus.explain import why as explained

    talk = Talk(json=json)
    explanation = explained(_opened(folder), id)
    talk.say(str(explanation))
    if explanation.excerpt:
        talk.say(f"It begins: {explanation.excerpt}")
    if explanation.twin_excerpt:
        talk.say(f"What stays begins: {explanation.twin_excerpt}")
    if explanation.values:
        talk.table("measured", ("what", "value"), list(_measured(explanation.values)))
    talk.data(explanation)


@corpus.command("try")
def try_thresholds(
    folder: Folder,
    changes: Annotated[list[str], typer.Option("--set", help="step.field=value, such as letters.least=0.3.")],
    json: Json = False,
) -> None:
    """Say what other thresholds of filters would keep and drop, from what was measured: nothing is run again."""
    from pilotlight.cli.talk import Talk
    from pilotlight.corpus.what_if import read_changes, what_if
    from pilotlight.units import show_bytes

    talk = Talk(json=json)
    found = what_if(_opened(folder), read_changes(changes))
    amounts = [("trained on now", found.before), ("then", found.after), ("of these not compared yet", found.unsure)]
    for name in found.let_loose:
        talk.say(f"{name} only annotates in this corpus; here it is tried as if it dropped.")
    rows = [(what, str(amount.documents), show_bytes(amount.bytes)) for what, amount in amounts]
    talk.table("with these thresholds", ("what", "documents", "bytes as read"), rows)
    changes_by_source = [
        (item.source, *(f"{way.documents} ({show_bytes(way.bytes)})" for way in (item.gained, item.lost)))
        for item in found.sources
    ]
    if changes_by_source:
        talk.table("by source", ("source", "would come in", "would go"), changes_by_source)
    else:
        talk.say("No document would come in or go.")
    reasons = [
        (step, reason, str(amount.documents), show_bytes(amount.bytes))
        for step, counts in found.reasons.items()
        for reason, amount in counts.items()
    ]
    if reasons:
        talk.table("what the filters would drop", ("step", "reason", "documents", "bytes as read"), reasons)
    for what, ids in (("would come in", found.gained), ("would go", found.lost)):
        if ids:
            talk.say(f"Some that {what}: {' '.join(id[:12] for id in ids)}. Look with: pilot corpus why {folder} ID")
    talk.data(found)


@corpus.command()
def report(
    folder: Folder,
    before: Annotated[Path | None, typer.Option("--before", help="Another corpus to set beside this one.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="File for the page; by default DIR/report.html.")] = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Write a page on the corpus in DIR: what it is, what was removed and why, documents to look at."""
    from pilotlight.cli.talk import Talk
    from pilotlight.report.corpus_page import write_corpus_report

    talk = Talk(quiet, json)
    other = None if before is None else _opened(before).folder
    page = write_corpus_report(_opened(folder).folder, before=other, out=out, watch=talk.watch)
    talk.say(str(page))
    talk.data({"page": str(page)})


@corpus.command()
def card(
    folder: Folder,
    out: Annotated[Path | None, typer.Option("--out", help="File to write; by default the card is printed.")] = None,
    json: Json = False,
) -> None:
    """Write the data card of the corpus in DIR: Markdown with every number counted, and gaps for what only you know."""
    from pilotlight.cli.talk import Talk
    from pilotlight.manifest import write_atomic
    from pilotlight.report.data_card import data_card

    talk = Talk(json=json)
    text = data_card(_opened(folder).folder)
    if out is None:
        talk.say(text.rstrip("\n"))
    else:
        write_atomic(out, text)
        talk.say(str(out))
    talk.data({"card": text if out is None else str(out)})


@corpus.command()
def sample(
    folder: Folder,
    step: Annotated[str, typer.Option("--step", help="Only documents that this step dropped (or measured).")] = "",
    fate: Annotated[str, typer.Option("--fate", help="dropped or train.")] = "dropped",
    count: Annotated[int, typer.Option("--count", min=1, max=1000, help="How many documents.")] = 5,
    seed: Annotated[int, typer.Option("--seed", help="Another number gives other documents.")] = 0,
    json: Json = False,
) -> None:
    """Print documents of DIR to look at by eye, chosen by the hash of their ids; private data in them is replaced."""
    from pilotlight.cli.talk import Talk
    from pilotlight.corpus.summaries.samples import look

    talk = Talk(json=json)
    found = look(_opened(folder), fate=fate, step=step, count=count, seed=seed)
    for one in found:
        talk.say(
            f"--- {one.id[:12]} ({one.source}: {one.origin}) {one.step and 'dropped by ' + one.step} {one.reason}".rstrip()
        )
        talk.say(one.text)
        if one.twin_text:
            talk.say(f"--- what stays in its place: {one.twin[:12]} ({one.twin_source})")
            talk.say(one.twin_text)
    talk.data([{name: getattr(one, name) for name in one.__slots__ if name != "file"} for one in found])


def _measured(values: Mapping[str, float | str]) -> Iterator[tuple[str, str]]:
    """Yield names and values; of a step with many columns those that are not nothing, and how many others there are."""
    for step, names in groupby(values, key=lambda name: name.partition(".")[0]):
        columns = list(names)
        told = [name for name in columns if len(columns) <= _MANY_COLUMNS or values[name] not in (0, "", "[]")]
        yield from ((name, _shown(values[name])) for name in told)
        if len(told) < len(columns):
            yield f"{step}: {len(columns) - len(told)} others", "nothing found"


def _shown(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.4g}"


def _opened(folder: Path) -> Corpus:
    from pilotlight.corpus.corpus import Corpus

    inner = folder / "corpus"
    return Corpus.open(inner if inner.is_dir() else folder)


def _tell(found: Corpus, talk: Any) -> None:
    talk.table(f"{found.folder}", *found.show())
    talk.table("by source", *found.show_sources())
    talk.data({"folder": str(found.folder), "fingerprint": found.fingerprint, "facts": found.facts})
