"""``pilot sample``: a trained model goes on writing."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pilotlight.cli.talk import Talk
    from pilotlight.model.decoder_layer import DecoderModel
    from pilotlight.model.sampling import Sampling
    from pilotlight.tokens.tokenizer import Encoder

Json = Annotated[bool, typer.Option("--json", help="The texts as JSON on standard output.")]

_CHOOSING = ("top_k", "top_p")
_READING = ("context", "device", "threads")


def sample(
    run: Annotated[Path, typer.Argument(help="Folder of a run, or of its model.")],
    prompt: Annotated[
        list[str] | None, typer.Option(help="Text to go on with, may be repeated; by default the beginning of a document.")
    ] = None,
    tokens: Annotated[int, typer.Option(min=1, help="Most tokens that are added.")] = 200,
    temperature: Annotated[
        float, typer.Option(min=0, help="Below 1 likely tokens become likelier; 0: always the likeliest.")
    ] = 1.0,
    seed: Annotated[int, typer.Option(help="The same seed, the same text.")] = 0,
    set: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="A setting: top_k=40, choose among so many of the likeliest; top_p=0.9, among the fewest that have this "
            "probability together; context=, tokens it looks back on; device=, threads=.",
        ),
    ] = None,
    json: Json = False,
) -> None:  # fmt: skip
    """Let a trained model go on with a text, token by token; several prompts are gone on with together."""
    from pilotlight.cli.talk import Talk
    from pilotlight.model.sampling import Sampling
    from pilotlight.plan_file import validated
    from pilotlight.train.hardware import resolve, threads
    from pilotlight.train.machine import Machine

    talk = Talk(json=json)
    words = _words(set or [])
    choosing = {name: words[name] for name in _CHOOSING if name in words}
    sampling = validated(
        Sampling, {"tokens": tokens, "temperature": temperature, "seed": seed} | choosing, "the command line"
    )
    given = {"device": words.get("device", "auto"), "threads": _count(words, "threads") or "auto"}
    machine = resolve(validated(Machine, given, "--set"))
    model, encoder, context = _open(run, _count(words, "context"), str(machine.device))
    prompts = prompt or [""]
    with threads(int(machine.threads)):
        if len(prompts) == 1 and not json:
            _write(model, encoder, prompts[0], sampling, context)
        else:
            _write_all(model, encoder, prompts, sampling, context, talk)


def _words(given: list[str]) -> dict[str, str]:
    from pilotlight.errors import ConfigError, nearest

    names = (*_CHOOSING, *_READING)
    found: dict[str, str] = {}
    for word in given:
        name, equals, value = word.partition("=")
        if not equals or name.strip() not in names:
            wanted = ", ".join(f"{one}=" for one in names)
            raise ConfigError(f"--set {word}: expected one of {wanted}.{nearest(name.strip(), names)}")
        found[name.strip()] = value.strip()
    return found


def _count(words: dict[str, str], name: str) -> int | None:
    from pilotlight.errors import ConfigError

    if name not in words:
        return None
    if not words[name].isdecimal() or int(words[name]) < 1:
        raise ConfigError(f"--set {name}={words[name]}: expected a whole number from 1 on.")
    return int(words[name])


def _open(folder: Path, context: int | None, device: str) -> tuple[DecoderModel, Encoder, int]:
    """Return the model, its tokenizer and how many tokens it looks back on.

    Raises:
        ConfigError: the model predicts no next token.
        RecordError: there is no finished model, or a file of it is damaged.
    """
    from pilotlight.errors import ConfigError
    from pilotlight.train.final import open_model, read_facts

    facts = read_facts(folder)
    if facts.metric != "bits_per_byte":
        raise ConfigError(f"{folder} was trained for {facts.objective}, not to predict the next token, so it cannot go on "
                          "with a text. Take a run whose train.objective is next_token.")  # fmt: skip
    model, encoder = open_model(folder, device)
    return model, encoder, context or facts.context


def _write(model: DecoderModel, encoder: Encoder, prompt: str, sampling: Sampling, context: int) -> None:
    from pilotlight.cli.talk import clean
    from pilotlight.model.sample import stream_text

    sys.stdout.write(clean(prompt))
    for piece in stream_text(model, encoder, prompt, sampling, context=context):
        sys.stdout.write(clean(piece))
        sys.stdout.flush()
    sys.stdout.write("\n")


def _write_all(
    model: DecoderModel, encoder: Encoder, prompts: list[str], sampling: Sampling, context: int, talk: Talk
) -> None:
    from pilotlight.model.sample import generate

    starts = [[encoder.end, *encoder.encode(prompt).tolist()] for prompt in prompts]
    found = generate(model, starts, sampling, end=encoder.end, context=context, below=encoder.vocabulary)
    texts = [encoder.decode([*start, *ids]) for start, ids in zip(starts, found, strict=True)]
    for text in texts:
        talk.say(text + "\n")
    rows = zip(prompts, texts, found, strict=True)
    talk.data([
        {"prompt": prompt, "text": text, "tokens": len(ids), "ended": len(ids) < sampling.tokens}
        for prompt, text, ids in rows
    ])  # fmt: skip
