"""``pilot model``: models from and for the transformers library, and models of another size."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from pilotlight.cli.talk import Talk
    from pilotlight.train.sources import Given

model = typer.Typer(no_args_is_help=True, help="Import, export and grow trained models.")

Out = Annotated[Path, typer.Option("--out", "-o", help="New folder.")]
RULES: dict[str, Literal["stack", "interleave", "middle", "silent"]] = {
    "stack": "stack", "interleave": "interleave", "middle": "middle", "silent": "silent"
}  # fmt: skip
Json = Annotated[bool, typer.Option("--json", help="The result as JSON on standard output.")]


@model.command("import")
def import_(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Local folder: config.json, safetensors, tokenizer.json.")
    ],
    out: Out,
    json: Json = False,
) -> None:
    """Make a Hugging Face model (Llama, Mistral, Qwen2, Qwen3, GPT-2, BERT, RoBERTa) one that can be scored and trained on."""
    from pilotlight.cli.talk import Talk
    from pilotlight.train.exchange import import_model

    _tell(import_model(folder, out), Talk(json=json))


@model.command()
def export(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A finished run, or the folder of a model.")],
    out: Out,
    family: Annotated[
        str, typer.Option("--as", help="llama, qwen3, ...; by default the first that can say all of the model.")
    ] = "",
    json: Json = False,
) -> None:
    """Write a model that transformers loads with the same logits, and its tokenizer."""
    from pilotlight.cli.talk import Talk
    from pilotlight.train.exchange import export_model

    talk = Talk(json=json)
    name = export_model(run, out, family)
    talk.say(f"{name}  {out}")
    talk.data({"family": name, "out": str(out)})


@model.command()
def grow(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A finished run, or the folder of a model.")],
    out: Out,
    depth: Annotated[int | None, typer.Option(min=1, help="Blocks; more or fewer than there are, by --by.")] = None,
    by: Annotated[
        str, typer.Option(help="stack, interleave, middle, or silent, with which the model computes what it did.")
    ] = "stack",
    width: Annotated[int | None, typer.Option(min=1, help="Width: a multiple of what it is; exact.")] = None,
    noise: Annotated[float, typer.Option(min=0, max=1, help="How unevenly copies of a unit share its weights.")] = 0.5,
    json: Json = False,
) -> None:
    """Make a model deeper, shallower or wider. A plan does the same by itself: see train.start."""
    from pilotlight.cli.talk import Talk
    from pilotlight.errors import ConfigError, nearest
    from pilotlight.train.exchange import grow_model

    if (rule := RULES.get(by)) is None:
        raise ConfigError(f"--by {by}: expected one of {', '.join(RULES)}.{nearest(by, RULES)}")
    if depth is None and width is None:
        raise ConfigError("nothing is to change: give --depth, --width or both.")
    _tell(grow_model(run, out, depth=depth, rule=rule, width=width, noise=noise), Talk(json=json))


def _tell(source: Given, talk: Talk) -> None:
    from pilotlight.units import show_count

    facts = source.facts
    depth, width = facts.decoder.size()
    count = sum(tensor.numel() for tensor in source.model.tensors.values())
    talk.table(f"{source.folder}", ["what", "value"], [
        ["shape", f"{depth} blocks, {width} wide"], ["parameters", f"{show_count(count)} with embeddings"],
        ["ids", f"{facts.vocabulary}, of which {facts.extra_ids} stand for no text"],
        ["trained to predict", facts.objective],
    ])  # fmt: skip
    talk.data(facts)
