"""`pilot corpus learn, difficulty, topics, mixture`: what a text is made of, and how to weigh it."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pilotlight.corpus.corpus import Corpus

Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no notes.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")]
Folder = Annotated[Path, typer.Argument(metavar="DIR", help="Folder that `pilot corpus build` or `pilot run` wrote.")]


def learn(
    labelled: Annotated[Path, typer.Argument(help="CSV or JSON lines with a text and a label in each row.")],
    out: Annotated[Path, typer.Option("--out", help="File for the model (.npz); its card goes beside it.")],
    text: Annotated[str, typer.Option(help="Column of the text.")] = "text",
    label: Annotated[str, typer.Option(help="Column of the label.")] = "label",
    positive: Annotated[
        str | None, typer.Option(help="The label that is to be found, where it is no yes or no.")
    ] = None,
    json: Json = False,
) -> None:
    """Learn a filter from LABELLED examples: `{kind: classifier, model: FILE}`, or the `model` of `toxicity`."""
    from pilotlight.cli.talk import Talk
    from pilotlight.corpus.learning import train_filter

    talk = Talk(json=json)
    model = train_filter(labelled, out, text=text, label=label, positive=positive)
    rows = [
        (name, f"{value:.3f}", f"{low:.3f} to {high:.3f}")
        for name, (value, low, high) in model.card["measures"].items()
    ]
    title = f"{out}: on {model.card['held_out']} texts that it did not learn from, with 95 % intervals"
    talk.table(title, ("what", "value", "interval"), rows)
    groups: list[tuple[str, ...]] = []
    for name, row in model.card["flags_by_group"].items():
        rate, low, high = (f"{100 * share:.1f}" for share in row["false_positive_rate"])
        groups.append((name, str(row["texts"]), f"{rate} %", f"{low} to {high} %"))
    if groups:
        title = "negative texts wrongly flagged, by the group they name; in a fair filter none is far above `any`"
        talk.table(title, ("group", "texts", "flagged", "interval"), groups)
    talk.data(model.card)


def difficulty(
    folder: Folder,
    out: Annotated[Path, typer.Option("--out", help="File for the table: .parquet or .csv.")],
    by: Annotated[str, typer.Option(help="What `score` is: length, perplexity, rare_words, or loss.")] = "perplexity",
    losses: Annotated[Path | None, typer.Option(help="Table of losses per document, such as scores.jsonl.")] = None,
    quiet: Quiet = False,
) -> None:
    """Write how hard each document of DIR is: a table for curricula and for the step `scores`."""
    from pilotlight.cli.talk import Talk
    from pilotlight.corpus.difficulty import check_ending, measure_named, write_table
    from pilotlight.corpus.difficulty import difficulty as measured
    from pilotlight.corpus.study import pile_over

    talk = Talk(quiet)
    by = measure_named(by, losses=losses is not None)
    check_ending(out)
    with tempfile.TemporaryDirectory() as work, pile_over(_opened(folder), Path(work), watch=talk.watch) as pile:
        write_table(measured(pile, by, losses=losses), out)
    talk.say(f"{out}: difficulty by {by} of every document; larger is harder.")


def topics(
    folder: Folder,
    clusters: Annotated[int, typer.Option(min=2, max=1000, help="How many topics to look for.")] = 16,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Show the topics of DIR: clusters of documents with the words that set them apart, and their sources."""
    from pilotlight.cli.talk import Talk
    from pilotlight.corpus.study import pile_over
    from pilotlight.corpus.topics import topics as found
    from pilotlight.units import show_bytes

    talk = Talk(quiet, json)
    with tempfile.TemporaryDirectory() as work, pile_over(_opened(folder), Path(work), watch=talk.watch) as pile:
        rows = found(pile, clusters)
    whole = sum(topic.bytes for topic in rows) or 1
    talk.table(
        f"topics of {folder}", ("words", "documents", "bytes", "share", "sources"),
        [
            (
                topic.label, str(topic.documents), show_bytes(topic.bytes), f"{100 * topic.bytes / whole:.1f} %",
                _largest(topic.sources),
            )
            for topic in rows
        ],
    )  # fmt: skip
    talk.data([
        {"words": topic.words, "documents": topic.documents, "bytes": topic.bytes, "sources": topic.sources}
        for topic in rows
    ])  # fmt: skip


def _largest(sources: dict[str, int], most: int = 3) -> str:
    """Return the largest sources of some text with their shares, for people."""
    whole = sum(sources.values()) or 1
    shown = [f"{name} {100 * size / whole:.0f} %" for name, size in list(sources.items())[:most]]
    return ", ".join(shown) + (f", {len(sources) - most} more" if len(sources) > most else "")


def mixture(
    folder: Folder,
    temperature: Annotated[float | None, typer.Option(help="1: in proportion to size; more is flatter.")] = None,
    most_epochs: Annotated[float | None, typer.Option(help="No source is gone through more often than this.")] = None,
    budget: Annotated[str, typer.Option(help="Bytes that will be trained on, such as 2G; by default all once.")] = "",
    json: Json = False,
) -> None:
    """Show weights for the sources of DIR, and how often each would be gone through: even by default (UniMax)."""
    from pilotlight.cli.talk import Talk
    from pilotlight.corpus.shares import mixture as weighed
    from pilotlight.errors import ConfigError
    from pilotlight.units import read_count, show_bytes

    talk = Talk(json=json)
    sizes = {name: facts.train.bytes for name, facts in _opened(folder).facts.sources.items() if facts.train.bytes}
    try:
        amount = read_count(budget) if budget else float(sum(sizes.values()))
    except ValueError as error:
        raise ConfigError(f"--budget: {error}.") from None
    found = weighed(sizes, amount, temperature=temperature, most_epochs=most_epochs, unit="bytes")
    talk.table(
        f"weights for {show_bytes(amount)}", ("source", "bytes", "weight", "epochs"),
        [(item.source, show_bytes(sizes[item.source]), f"{item.share:.4f}", f"{item.epochs:.2f}") for item in found],
    )  # fmt: skip
    talk.data({item.source: {"share": item.share, "epochs": item.epochs} for item in found})


def _opened(folder: Path) -> Corpus:
    from pilotlight.corpus.corpus import Corpus

    inner = folder / "corpus"
    return Corpus.open(inner if inner.is_dir() else folder)
