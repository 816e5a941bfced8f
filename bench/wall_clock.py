"""Held-out loss after the same minutes of training on the same text: Pilotlight's default recipe and its peers.

    python bench/wall_clock.py                                    text that every Python has
    python bench/wall_clock.py --text FOLDER --minutes 3          text of your own
    python bench/wall_clock.py --nanogpt FOLDER                   with a checkout of nanoGPT, too

Everybody trains a model of the same depth, width and heads on the same packed tokens, in the precision that is fastest
here and in the faster of eager and compiled, which is measured first and not counted. A peer takes the steps that fit
into the time at its own speed, with AdamW (0.9, 0.95, decay 0.1, clip 1), 5 % warm-up and a cosine to a tenth, at each of
three learning rates, and its best, chosen at one seed, goes on with the others. Pilotlight runs with the defaults of a plan.
All are judged in bits per byte on the same held-out windows. Seconds are those of the training steps alone, on the clock
of the wall. The interval of the difference is over trainings (Welch), as a pilot's is.
"""

from __future__ import annotations

import argparse
import math
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from model_peers import Peer, Shape, peers
from pilotlight.events import silent
from pilotlight.model.decoder import Decoder
from pilotlight.pilot.pilot import Setup
from pilotlight.pilot.prepare import tokens_of
from pilotlight.stats.arms import Observation
from pilotlight.stats.comparison import compare as compare_runs
from pilotlight.stats.rule import Rule
from pilotlight.tokens.batches import Batches
from pilotlight.tokens.held_out import windows
from pilotlight.tokens.tokens import Tokens
from pilotlight.train.evaluate import evaluate
from pilotlight.train.examples import Vocabulary
from pilotlight.train.loop import train
from pilotlight.train.machine import Machine
from pilotlight.train.objectives.next_token import NextToken
from pilotlight.train.plan import Plan, Training, automatic_precision
from pilotlight.train.throughput import throughput
from results_page import facts, write_section

TITLE = "Training: held-out loss after the same minutes"
RATES = (1e-3, 3e-3, 1e-2)
OURS = "Pilotlight"
SCORED = 256_000
CALIBRATION = 8.0  # seconds


class Result(NamedTuple):
    """What one training came to."""

    who: str
    how: str
    seed: int
    steps: int
    seconds: float
    bits: float

    @property
    def row(self) -> str:
        """Return the line of the table."""
        return f"| {self.who} | {self.how} | {self.seed} | {self.steps} | {self.seconds:.0f} | {self.bits:.4f} |"


def ours(tokens: Tokens, shape: Shape, minutes: float, seeds: int, folder: Path) -> Iterator[Result]:
    """Yield the trainings of a plan with nothing set but the shape and the seed."""
    model = Decoder.model_validate({
        "depth": shape.depth, "width": shape.width,
        "mixer": {"kind": "grouped", "head_dim": shape.width // shape.heads},
    })  # fmt: skip
    training = Training(context=shape.context, score_bytes=SCORED, evaluate_every=10**9)
    plan = Plan(corpus=Setup().corpus, tokenizer=Setup().tokenizer, model=model, train=training, steps=10**6)
    plan = plan.resolved(Machine().resolve().device)
    found = {
        compiled: median(throughput(plan, Machine(compile=compiled), tokens, CALIBRATION).steps)
        for compiled in (False, True)
    }
    compiled = min(found, key=lambda way: found[way])
    steps = max(1, int(60 * minutes / found[compiled]))
    how = f"defaults: {plan.train.optim.kind} {plan.train.optim.lr:g}, {plan.train.rows} rows, {_mode(compiled)}"
    for seed in range(seeds):
        seeded = plan.model_copy(update={"steps": steps, "seed": seed})
        run = train(seeded, Machine(compile=compiled), tokens, folder / f"ours{seed}")
        seconds = sum(session.seconds for session in run.timing.sessions)
        yield Result(OURS, how, seed, steps, seconds, run.facts.metrics["bits_per_byte"])


def _mode(compiled: bool) -> str:
    return "compiled" if compiled else "eager"


class Trainer:
    """Trains a peer's model as its users do."""

    def __init__(self, peer: Peer, tokens: Tokens, shape: Shape) -> None:
        self.peer, self.shape, self.tokens = peer, shape, tokens
        self.device = Machine().resolve().device
        self.rounded = automatic_precision(self.device) == "bfloat16"
        self.batches = Batches(tokens.split("train"), shape.rows, shape.context, 0)
        """Of the training that goes on."""
        self.seconds = {compiled: self._seconds(compiled) for compiled in (False, True)}
        self.compiled = min(self.seconds, key=lambda way: self.seconds[way])

    def _start(
        self, compiled: bool, rate: float, seed: int = 0
    ) -> tuple[nn.Module, Callable[[Tensor], Tensor], torch.optim.Optimizer]:
        model = self.peer.make(seed)
        model.to(self.device)
        called: Any = torch.compile(model, dynamic=False) if compiled else model

        def run(ids: Tensor) -> Tensor:
            with torch.autocast(self.device.partition(":")[0], torch.bfloat16, enabled=self.rounded):
                return self.peer.logits(called, ids)

        fused = torch.optim.AdamW(model.parameters(), lr=rate, betas=(0.9, 0.95), weight_decay=0.1, fused=True)
        return model, run, fused

    def _step(self, run: Callable[[Tensor], Tensor], model: nn.Module, adam: torch.optim.Optimizer, step: int) -> None:
        rows = torch.from_numpy(self.batches.at(step)).to(self.device)
        loss = functional.cross_entropy(run(rows[:, :-1]).float().flatten(0, 1), rows[:, 1:].flatten())
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        adam.step()
        adam.zero_grad(set_to_none=True)
        loss.item()

    def _seconds(self, compiled: bool) -> float:
        model, run, adam = self._start(compiled, 1e-4)
        for step in range(3):
            self._step(run, model, adam, step)
        taken: list[float] = []
        end = time.perf_counter() + CALIBRATION
        while time.perf_counter() < end or len(taken) < 5:
            begun = time.perf_counter()
            self._step(run, model, adam, len(taken))
            taken.append(time.perf_counter() - begun)
        return median(taken)

    def result(self, who: str, rate: float, minutes: float, seed: int) -> Result:
        """Return a training of so many minutes at one learning rate with one seed of weights and batches."""
        self.batches = Batches(self.tokens.split("train"), self.shape.rows, self.shape.context, seed)
        steps = max(1, int(60 * minutes / self.seconds[self.compiled]))
        model, run, adam = self._start(self.compiled, rate, seed)
        if self.compiled:
            run(torch.from_numpy(self.batches.at(0)).to(self.device)[:, :-1]).sum().backward()
            model.zero_grad(set_to_none=True)
        begun = time.perf_counter()
        for step in range(steps):
            factor = 0.1 + 0.45 * (1 + math.cos(math.pi * step / steps))
            adam.param_groups[0]["lr"] = rate * min((step + 1) / max(1, 0.05 * steps), factor)
            self._step(run, model, adam, step)
        seconds = time.perf_counter() - begun
        how = f"AdamW {rate:g}, {self.shape.rows} rows, {_mode(self.compiled)}"
        return Result(who, how, seed, steps, seconds, self._bits(run))

    def _bits(self, run: Callable[[Tensor], Tensor]) -> float:
        def losses(asked: Any) -> Tensor:
            logits = run(asked.inputs).float()
            return functional.cross_entropy(logits.transpose(1, 2), asked.targets, reduction="none")

        few = windows(self.tokens, self.shape.context, SCORED)
        ids = Vocabulary(self.tokens.vocabulary, self.tokens.end, self.tokens.vocabulary)
        found = evaluate(losses, NextToken(), few, ids, rows=self.shape.rows, device=self.device)
        return found.metrics["bits_per_byte"]


def compare(tokens: Tokens, given: argparse.Namespace, folder: Path, loads: list[float]) -> list[Result]:
    """Return all trainings, Pilotlight's first."""
    shape = Shape(given.depth, given.width, given.heads, given.context, given.rows, tokens.vocabulary)
    found: list[Result] = []

    def note(result: Result) -> Result:
        loads.append(os.getloadavg()[0])
        print(result.row, flush=True)
        found.append(result)
        return result

    for result in ours(tokens, shape, given.minutes, given.seeds, folder):
        note(result)
    for who, peer in peers(shape, given.nanogpt).items():
        trainer = Trainer(peer, tokens, shape)
        tried = {rate: note(trainer.result(who, rate, given.minutes, 0)).bits for rate in RATES}
        best = min(RATES, key=lambda rate: tried[rate])
        for seed in range(1, given.seeds):
            note(trainer.result(who, best, given.minutes, seed))
    return found


def difference(found: list[Result], who: str) -> str:
    """Return how much better than a peer at its best rate Pilotlight is, with its interval where there are seeds enough."""
    theirs = [one for one in found if one.who == who]
    best = min((one for one in theirs if one.seed == 0), key=lambda one: one.bits)
    arms = {"peer": [one for one in theirs if one.how == best.how], OURS: [one for one in found if one.who == OURS]}
    means = {name: sum(one.bits for one in runs) / len(runs) for name, runs in arms.items()}
    start = (
        f"Beside {who} at its best rate ({best.how}), means of {len(arms[OURS])} and {len(arms['peer'])} trainings: "
    )
    start += f"{means[OURS]:.4f} against {means['peer']:.4f} bits per byte"
    if min(map(len, arms.values())) < 2:
        return f"{start}, {100 * (means[OURS] / means['peer'] - 1):+.1f} %; one training each has no interval."
    seen = [
        Observation(variant=name, scale="bench", size=1.0, seed=one.seed + 1000 * (name == OURS), value=one.bits)
        for name, runs in arms.items() for one in runs
    ]  # fmt: skip
    effect = compare_runs(seen, "peer", Rule()).comparisons[0].effect
    return (
        f"{start}, {100 * effect.value:+.1f} % [{100 * effect.low:+.1f}, {100 * effect.high:+.1f}] ({effect.method})."
    )


def text(found: list[Result], given: argparse.Namespace, loads: list[float]) -> list[str]:
    """Return the section."""
    names = ("pilotlight", "torch", "transformers")
    said = [difference(found, who) for who in sorted({one.who for one in found} - {OURS})]
    return [
        facts(names, loads), "",
        f"Depth {given.depth}, width {given.width}, {given.heads} heads, context {given.context}, vocabulary 4096, "
        f"{given.minutes:g} minutes of steps on {torch.get_num_threads()} threads, "
        f"{automatic_precision(Machine().resolve().device)}; text: "
        f"{given.text.name if given.text else 'what every Python brings along'}.",
        "", "| who | how | seed | steps | seconds | bits per byte |", "|---|---|--:|--:|--:|--:|", *(one.row for one in found),
        "", *said,
    ]  # fmt: skip


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--text", type=Path, help="folder or file of text; default: what every Python has")
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument("--seeds", type=int, default=3, help="trainings of ours, and of a peer at its best rate")
    parser.add_argument("--nanogpt", type=Path, help="a checkout of nanoGPT")
    for name, value in list(Shape._field_defaults.items())[:5]:
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--dry", action="store_true", help="leave RESULTS.md alone")
    given = parser.parse_args()
    sources = (
        [{"kind": "folder" if given.text.is_dir() else "text", "path": given.text.absolute()}] if given.text else None
    )
    corpus = {"corpus": {"sources": sources}} if sources else {}
    setup = Setup.model_validate(corpus | {"tokenizer": {"kind": "bpe", "vocabulary": 4096}})
    loads: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        found = compare(tokens_of(setup, Path(folder), silent), given, Path(folder), loads)
    section = text(found, given, loads or [0.0])
    print("\n".join(section))
    if not given.dry:
        write_section(TITLE, section)


if __name__ == "__main__":
    main()
