"""`pilot tokens`: pack a plan's text into token ids, and look at what was packed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from pilotlight.tokens.tokens import Tokens

tokens = typer.Typer(no_args_is_help=True, help="Pack text into token ids, and look at them.")

SAMPLE = 10
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no notes.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")]


@tokens.command()
def pack(
    plan: Annotated[Path, typer.Argument(help="A pilot file (YAML), or one that holds only corpus and tokenizer.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for the corpus and the tokens.")],
    workers: Annotated[int | None, typer.Option(min=0, help="Processes; by default one per core.")] = None,
    worker: Annotated[str, typer.Option(help="Share i/n (0/4 ... 3/4) of the work that n commands do together.")] = "",
    cluster: Annotated[str, typer.Option(help="Address of a Ray cluster that does the work: auto, HOST:PORT.")] = "",
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Pack the text of PLAN into OUT/tokens, building OUT/corpus first where it is missing."""
    from pilotlight.cli.talk import Talk
    from pilotlight.corpus.build import build
    from pilotlight.corpus.sharing import build_on_cluster, build_share
    from pilotlight.errors import ConfigError
    from pilotlight.pilot.text_plan import load_text
    from pilotlight.tokens.pack import pack as packed
    from pilotlight.tokens.sharing import pack_on_cluster, pack_share
    from pilotlight.work.claims import read_share

    talk = Talk(quiet, json)
    pilot = load_text(plan)
    text, ids, watch = out / "corpus", out / "tokens", talk.watch
    if worker and cluster:
        raise ConfigError("--worker and --cluster are two ways to share the work. Give one of them.")
    if worker:
        share, many = read_share(worker), workers or 1
        corpus = build_share(pilot.corpus, text, share, workers=many, watch=watch)
        found = pack_share(corpus, pilot.tokenizer, ids, share, workers=many, watch=watch)
    elif cluster:
        corpus = build_on_cluster(pilot.corpus, text, cluster, watch=watch)
        found = pack_on_cluster(corpus, pilot.tokenizer, ids, cluster, watch=watch)
    else:
        corpus = build(pilot.corpus, text, watch=watch, workers=workers)
        found = packed(corpus, pilot.tokenizer, ids, watch=watch, workers=workers)
    _tell(found, talk)


@tokens.command()
def show(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of `pilot tokens pack` or `pilot run`.")],
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Show what was packed into DIR: documents, tokens and bytes by source, and the first tokens of a document."""
    from pilotlight.cli.talk import Talk

    _tell(_opened(folder), Talk(quiet, json))


@tokens.command()
def compare(
    text: Annotated[
        Path, typer.Argument(metavar="TEXT", help="A plan (YAML), also of text alone, or the folder of a corpus.")
    ],
    tokenizers: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="TOKENIZER",
            help="bpe:8192, unigram:16k, bytes, characters, a tokenizer file or folder, or a YAML list. Default: the plan's.",
        ),
    ] = None,
    context: Annotated[int, typer.Option(min=2, help="Tokens of a row, for the waste of packing.")] = 1024,
    width: Annotated[int, typer.Option(min=1, help="Width of the model, for the size of its embedding.")] = 512,
    out: Annotated[Path | None, typer.Option("--out", help="Folder to keep the corpus and the tokenizers in.")] = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Compare tokenizers on the held-out text of TEXT; the first one is what the others are compared with."""
    from tempfile import TemporaryDirectory

    from pilotlight.cli.talk import Talk
    from pilotlight.tokens.candidates import add, candidates, named
    from pilotlight.tokens.compare import compare as compared

    talk = Talk(quiet, json)
    with TemporaryDirectory(prefix="pilotlight-compare-") as temporary:
        folder = out or Path(temporary)
        corpus, own = _compared_text(text, folder, talk)
        found = candidates(tokenizers or [])
        if not found:
            for settings in own:
                add(found, named(settings), settings)
        keep = folder / "tokenizers" if out else None
        result = compared(found, corpus, context=context, keep=keep, watch=talk.watch)
    _tell_comparison(result, width, talk)


def _compared_text(text: Path, folder: Path, talk: Any) -> tuple[Any, list[Any]]:
    """Return the corpus that TEXT means, and the tokenizers its plan has."""
    from pilotlight.corpus.corpus import Corpus
    from pilotlight.errors import DataError
    from pilotlight.manifest import NAME

    if not text.is_dir():
        from pilotlight.corpus.build import build
        from pilotlight.pilot.text_plan import load_text

        plan = load_text(text)
        return build(plan.corpus, folder / "corpus", watch=talk.watch), [plan.tokenizer]
    inner = text / "corpus" if (text / "corpus").is_dir() else text
    below = sorted(path.parent for path in inner.glob(f"*/{NAME}"))
    if not (inner / NAME).is_file() and below:
        if len(below) > 1:
            raise DataError(f"{inner} holds several corpora; give one: {', '.join(map(str, below))}.")
        inner = below[0]
    return Corpus.open(inner), []


def _tell_comparison(found: Any, width: int, talk: Any) -> None:
    from pilotlight.tokens.compare import embedding_parameters
    from pilotlight.tokens.comparison_tables import tables
    from pilotlight.units import show_bytes

    talk.say(f"{found.documents} held-out documents, {show_bytes(found.bytes)}.")
    for title, columns, rows in tables(found, width):
        talk.table(title, columns, rows)
    for caution in found.cautions:
        talk.say(caution)
    cost = {item.name: embedding_parameters(item.vocabulary, width) for item in found.tokenizers}
    talk.data({"comparison": found, "width": width, "embedding_parameters": cost})


def _opened(folder: Path) -> Tokens:
    from pilotlight.errors import DataError
    from pilotlight.manifest import NAME
    from pilotlight.tokens.tokens import Tokens

    # A pilot keeps the tokens of each variant in a folder of its own below `tokens`.
    inner = folder / "tokens" if (folder / "tokens").is_dir() else folder
    below = sorted(path.parent for path in inner.glob(f"*/{NAME}"))
    if (inner / NAME).is_file() or not below:
        return Tokens.open(inner)
    if len(below) > 1:
        raise DataError(f"{inner} holds several packed texts; give one: {', '.join(map(str, below))}.")
    return Tokens.open(below[0])


def _tell(found: Tokens, talk: Any) -> None:
    facts = found.manifest.facts
    first = _first_tokens(found)
    talk.table(
        f"{found.folder}",
        ("split", "source", "documents", "tokens", "bytes", "bytes per token"),
        [row for name, split in facts["splits"].items() for row in _rows(name, split)],
    )
    learnt = facts["tokenizer"]
    talk.say(
        f"Tokenizer {found.tokenizer['kind']}: {found.vocabulary} ids; each document ends with "
        f"{learnt['end_token']} (id {found.end}, {learnt['end_token_from']})."
    )
    talk.say("First tokens: " + " ".join(f"{token['text']!r}:{token['id']}" for token in first))
    talk.data(
        {
            "folder": str(found.folder), "fingerprint": found.fingerprint, "tokenizer": found.tokenizer,
            "facts": facts, "first_tokens": first,
        }
    )  # fmt: skip


def _rows(name: str, split: dict[str, Any]) -> list[tuple[str, ...]]:
    from pilotlight.units import show_bytes, show_count

    lines = [("all", split)] if len(split["sources"]) != 1 else []
    return [
        (
            name, source, str(amount["documents"]), show_count(amount["tokens"]), show_bytes(amount["bytes"]),
            f"{amount['bytes_per_token']:.2f}" if amount["bytes_per_token"] else "",
        )
        for source, amount in [*lines, *split["sources"].items()]
    ]  # fmt: skip


def _first_tokens(found: Tokens) -> list[dict[str, Any]]:
    encoder = found.encoder()
    ids = [int(id) for id in found.split("train").ids[:SAMPLE]]
    return [{"id": id, "text": "(end)" if id == found.end else encoder.decode([id])} for id in ids]
