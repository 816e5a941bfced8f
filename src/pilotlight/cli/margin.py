"""``pilot margin``: how far the learning rate of a plan is from the edge of stability."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pilotlight.cli.train import Json, Quiet, read_settings


def margin(
    plan: Annotated[Path, typer.Argument(help="Plan of one training (YAML), such as full.yaml.")],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            help="Folder; by default out/ and the plan's name with -margin, for a pilot's full.yaml margin.",
        ),
    ] = None,
    steps: Annotated[
        int | None, typer.Option(min=1, help="Steps of each short training; by default 200, or the plan's if fewer.")
    ] = None,
    set: Annotated[
        list[str] | None, typer.Option("--set", help="Change a setting: path=value, such as train.optim.lr=1e-3.")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:1.")] = "auto",
    threads: Annotated[int | None, typer.Option(min=1, help="Threads on the CPU; by default all cores.")] = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Train shortly at 1, 2, 4, ... times the learning rate and say up to which multiple the training survives."""
    from pilotlight.cli.talk import Talk
    from pilotlight.corpus.build import build
    from pilotlight.plan_file import validated
    from pilotlight.tokens.pack import pack
    from pilotlight.train.machine import Machine

    talk = Talk(quiet, json)
    settings = read_settings(plan, set or [])
    machine = validated(Machine, {"device": device, "threads": threads or "auto"}, "--device or --threads")
    is_of_pilot = plan.name == "full.yaml" and (plan.parent / "decision.json").is_file()
    folder = out or (plan.parent / "margin" if is_of_pilot else Path("out") / f"{plan.stem}-margin")
    corpus = build(settings.corpus, folder / "corpus", watch=talk.watch)
    tokens = pack(corpus, settings.tokenizer, folder / "tokens", watch=talk.watch)
    from pilotlight.train.margin import RECORD  # after the text: torch takes seconds to load
    from pilotlight.train.margin import margin as measure

    found = measure(settings, machine, tokens, folder / "runs", steps=steps, watch=talk.watch)
    rows = [
        [f"x{one.multiple:.3g}", f"{one.rate:.3g}", "survived" if one.survived else "did not", one.seen]
        for one in found.attempts
    ]
    talk.table("Stability margin", ["multiple", "learning rate", "", "what happened"], rows)
    talk.say(found.sentence)
    if is_of_pilot and out is None:
        talk.say(f"`pilot decide {plan.parent}` counts it among the criteria")
    talk.say(f"record  {folder / 'runs' / RECORD}")
    talk.data(found)
