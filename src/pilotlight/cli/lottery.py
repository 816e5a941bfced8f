"""``pilot lottery``: sparse parts of a model that learn from its early weights what they do not from random ones."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pilotlight.cli.train import Json

if TYPE_CHECKING:
    from pilotlight.cli.talk import Talk
    from pilotlight.train.lottery import Lottery
    from pilotlight.train.machine import Machine
    from pilotlight.train.plan import Plan

_MACHINE = "machine."


def lottery(
    plan: Annotated[
        Path, typer.Argument(help="Plan of one training (YAML) or a pilot file: its baseline at the lowest rung.")
    ],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder; by default out/ and the plan's name with -lottery.")
    ] = None,
    rounds: Annotated[int, typer.Option(help="Times that weights are pruned and the rest is trained again.")] = 5,
    prune: Annotated[str, typer.Option(help="Share of the weights that are left that goes in a round.")] = "20%",
    rewind: Annotated[
        str, typer.Option(help="Share of the steps whose state tickets begin from; 0: the start itself.")
    ] = "5%",
    seeds: Annotated[int, typer.Option(help="Searches with seeds of their own; an interval needs two or more.")] = 1,
    set: Annotated[
        list[str] | None,
        typer.Option("--set", help="Change a setting: path=value, such as train.optim.lr=1e-3 or machine.threads=1."),
    ] = None,
    json: Json = False,
) -> None:
    """Prune a trained model round by round, rewind to its early weights, and train beside each ticket a random control."""
    from pilotlight.cli.talk import Talk
    from pilotlight.corpus.build import build
    from pilotlight.plan_file import validated
    from pilotlight.tokens.pack import pack
    from pilotlight.train.tickets import Tickets

    talk = Talk(json=json)
    given = {"rounds": rounds, "prune": prune, "rewind": rewind, "seeds": seeds}
    tickets = validated(Tickets, given, "--rounds, --prune, --rewind or --seeds")
    settings, machine = _settings(plan, set or [])
    folder = out or Path("out") / f"{plan.stem}-lottery"
    corpus = build(settings.corpus, folder / "corpus", watch=talk.watch)
    tokens = pack(corpus, settings.tokenizer, folder / "tokens", watch=talk.watch)
    from pilotlight.train.lottery import RECORD  # after the text: torch takes seconds to load
    from pilotlight.train.lottery import lottery as search

    found = search(settings, machine, tokens, folder / "runs", tickets, watch=talk.watch)
    _show(found, talk)
    talk.say(f"record  {folder / 'runs' / RECORD}")
    talk.data(found)


def _settings(path: Path, changes: list[str]) -> tuple[Plan, Machine]:
    """Return the plan in a file, or the baseline of a pilot at its lowest rung, and the machine, with settings changed."""
    from pilotlight.cli.train import changed, read_settings
    from pilotlight.plan_file import read_yaml
    from pilotlight.train.machine import Machine

    of_machine = [change.removeprefix(_MACHINE) for change in changes if change.startswith(_MACHINE)]
    machine = changed(Machine(), of_machine)
    changes = [change for change in changes if not change.startswith(_MACHINE)]
    if "scales" not in read_yaml(path)[0]:
        return read_settings(path, changes), machine
    from pilotlight.pilot.pilot import Pilot
    from pilotlight.record.results import BASELINE

    pilot = Pilot.load(path)
    lowest = min(pilot.scales, key=lambda scale: scale.parameters * scale.tokens)
    return changed(pilot.plan(BASELINE, lowest, 0), changes), machine


def _show(found: Lottery, talk: Talk) -> None:
    from statistics import mean

    from pilotlight.units import show_count, show_share

    metric = found.metric.replace("_", " ")
    rows = [["dense", show_share(0.0, 1), f"{mean(found.dense):.4f}", "", "", ""]]
    for one in found.rounds:
        effect = one.effect
        shown = f"{mean(one.tickets) / mean(one.controls) - 1:+.2%}"
        if effect is not None:
            shown = f"{effect.value:+.2%} [{effect.low:+.2%}, {effect.high:+.2%}] ({100 * effect.level:g} %)"
        rows.append([str(one.round), show_share(one.zero_share, 1), f"{mean(one.tickets):.4f}",
                     f"{mean(one.controls):.4f}", shown, one.verdict])  # fmt: skip
    columns = ["round", "zeros", f"ticket, {metric}", f"control, {metric}", "ticket against control", "verdict"]
    talk.table(f"Lottery tickets, {len(found.seeds)} seed{'s' * (len(found.seeds) > 1)}", columns, rows)
    begin = f"step {found.rewind_step} of {found.steps}" if found.rewind_step else "the random start"
    talk.say(f"tickets begin from {begin}; {show_count(found.flops)} FLOPs as dense hardware computes them")
