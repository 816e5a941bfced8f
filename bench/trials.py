"""Time for many small trials of one shape: Pilotlight's ways and the Hugging Face Llama one after another.

    python bench/trials.py                        3 learning rates x 4 seeds, into bench/RESULTS.md
    python bench/trials.py --modes pool llama     some of the ways
    python bench/trials.py --quick --dry          tiny, to see that it runs

Each way is a process of its own, timed from its start to its end with an empty cache of compiled code. Pilotlight's ways
are what a pilot does: runs with their logs, checkpoints, scores and models. The peer trains the same shape on as many
tokens with fused AdamW and scores the same held-out windows, with all its trials in one process and one compilation for
all of them; it is shown in a process for each trial, too. Everything is in the precision that is fastest here, as
``precision: auto`` chooses it. On an accelerator nothing else has to be said.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median
from typing import Any, NamedTuple

from pilotlight.corpus.recipe import Recipe
from pilotlight.model.decoder import Decoder
from pilotlight.record.run import Run
from pilotlight.spec import plain
from pilotlight.tokens.batches import Batches
from pilotlight.tokens.held_out import windows
from pilotlight.tokens.pack import pack
from pilotlight.tokens.tokenizers.bpe import BPE
from pilotlight.tokens.tokens import Tokens
from pilotlight.train.machine import Machine, default_device
from pilotlight.train.plan import Plan, Training, automatic_precision
from pilotlight.units import show_count
from pilotlight.work.cores import core_count
from pilotlight.work.pool import Pool
from pilotlight.work.unit import Unit
from results_page import facts, write_section

TITLE = "Many small trials"
RATES = (1e-3, 3e-3, 1e-2)
SCORED = 16_000  # bytes of held-out text


class Shape(NamedTuple):
    """The size of a model and of its batch."""

    depth: int
    width: int
    heads: int
    context: int
    rows: int
    vocabulary: int


class Task(NamedTuple):
    """What all ways have to do."""

    shape: Shape
    steps: int
    rates: tuple[float, ...]
    seeds: int
    first: int = 0
    """The first seed."""

    @property
    def trials(self) -> list[tuple[float, int]]:
        """Return learning rate and seed of every trial."""
        return [(rate, seed) for rate in self.rates for seed in range(self.first, self.first + self.seeds)]

    @property
    def decoder(self) -> Decoder:
        """Return the settings of our model."""
        head = self.shape.width // self.shape.heads
        mixer = {"kind": "grouped", "head_dim": head}
        return Decoder.model_validate({"depth": self.shape.depth, "width": self.shape.width, "mixer": mixer})

    def plan(self, rate: float, seed: int) -> Plan:
        """Return the plan of one trial."""
        training = Training.model_validate({
            "optim": {"kind": "adamw", "lr": rate}, "rows": self.shape.rows, "context": self.shape.context,
            "evaluate_every": self.steps, "evaluate_bytes": 4000, "score_bytes": SCORED,
        })  # fmt: skip
        tokenizer = BPE(vocabulary=self.shape.vocabulary)
        return Plan(
            corpus=Recipe(), tokenizer=tokenizer, model=self.decoder, train=training, steps=self.steps, seed=seed
        )

    def to_json(self) -> str:
        """Return the task as text for another process."""
        return json.dumps(self)

    @classmethod
    def from_json(cls, text: str) -> Task:
        """Return the task that ``to_json`` wrote."""
        shape, steps, rates, *seeds = json.loads(text)
        return cls(Shape(*shape), steps, tuple(rates), *seeds)


@dataclass
class Text:
    """A document of made-up words."""

    text: str
    id: str
    source: str = "made up"


class Words:
    """A corpus of made-up words, of which frequent ones are short, in a fixed order."""

    fingerprint = "7" * 16

    def __init__(self, documents: int) -> None:
        self.count = documents
        draw = random.Random(0)
        syllables = ["".join(pair) for pair in zip("bcdfghklmnprst" * 5, "aeiou" * 14, strict=True)]
        self.words = ["".join(draw.choices(syllables, k=1 + rank // 400)) for rank in range(3000)]

    def documents(self, split: str) -> Iterator[Text]:
        """Yield the documents of a split."""
        draw = random.Random(split)
        shares = [1 / (rank + 10) for rank in range(len(self.words))]
        for number in range(self.count if split == "train" else 1 + self.count // 20):
            yield Text(" ".join(draw.choices(self.words, shares, k=300)), f"{split}{number}".encode().hex().zfill(32))


def pooled(task: Task, tokens: Tokens, out: Path, workers: int, threads: int) -> list[float]:
    """Return the losses of trials in a pool of processes, as a pilot on a CPU trains them."""
    units = [
        Unit(key=str(number), call="pilotlight.pilot.trial:run", arguments={
            "plan": plain(task.plan(*trial)), "machine": plain(Machine(threads=threads)),
            "tokens": str(tokens.folder), "out": str(out / str(number)),
        })
        for number, trial in enumerate(task.trials)
    ]  # fmt: skip
    with Pool(workers, threads) as pool:
        failed = [outcome.error for outcome in pool.run(units) if outcome.status != "finished"]
    if failed:
        raise SystemExit(failed[0])
    return [nats(Run.open(out / unit.key)) for unit in units]


def stacked(task: Task, tokens: Tokens, out: Path, *, compiled: bool) -> list[float]:
    """Return the losses of trials that are computed in one program, as a pilot on an accelerator trains them."""
    from pilotlight.train.together import Member, train_together

    members = [Member(task.plan(*trial), tokens, out / str(number)) for number, trial in enumerate(task.trials)]
    found = train_together(members, Machine(compile=compiled), watch=lambda event: print(event, file=sys.stderr))
    for run in found:
        if not isinstance(run, Run):
            raise SystemExit(f"a trial failed: {run!r}")
    return [nats(run) for run in found if isinstance(run, Run)]


def nats(run: Run) -> float:
    """Return the held-out loss of a run, nats per token."""
    return run.facts.metrics["nats_per_token"]


def llama_trials(task: Task, tokens: Tokens, *, compiled: bool) -> list[float]:
    """Return the losses of the peer's trials, one after another; seeds are those of the data order."""
    import torch

    import model_peers

    peer = model_peers.llama(model_peers.Shape(**task.shape._replace(vocabulary=tokens.vocabulary)._asdict()))
    if peer is None:
        raise SystemExit("transformers is not installed")
    device = default_device()
    half = automatic_precision(device) == "bfloat16"
    model = peer.make(0).to(device)
    # One model that is filled anew: another one would be compiled again.
    called: Any = torch.compile(model, dynamic=False) if compiled else model
    found: list[float] = []
    for rate, seed in task.trials:
        model.load_state_dict(peer.make(seed).state_dict())
        adam = torch.optim.AdamW(model.parameters(), lr=rate, fused=True)
        batches = Batches(tokens.split("train"), task.shape.rows, task.shape.context, seed)
        for step in range(task.steps):
            rows = torch.from_numpy(batches.at(step)).to(device)
            with torch.autocast(device, torch.bfloat16, enabled=half):
                loss = peer.loss(called, rows)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            adam.step()
            adam.zero_grad(set_to_none=True)
            loss.item()  # what anybody's log asks for
        with torch.no_grad(), torch.autocast(device, torch.bfloat16, enabled=half):
            found.append(_score(lambda ids: peer.logits(model, ids.to(device)), tokens, task))
    return found


def _score(logits: Any, tokens: Tokens, task: Task) -> float:
    import torch

    held_out, total = windows(tokens, task.shape.context, SCORED), 0.0
    for first in range(0, len(held_out.ids), task.shape.rows):
        part = torch.from_numpy(held_out.ids[first : first + task.shape.rows])
        found = logits(part[:, :-1]).float().cpu()
        losses = torch.nn.functional.cross_entropy(found.flatten(0, 1), part[:, 1:].flatten(), reduction="none")
        total += float((losses.numpy() * held_out.mask[first : first + task.shape.rows].ravel()).sum())
    return total / float(held_out.mask.sum())


def one_way(mode: str, task: Task, tokens: Tokens, out: Path) -> list[float]:
    """Return the held-out losses of all trials, nats per token, done in one of the ways."""
    if mode in ("single", "pool"):
        cores = core_count()
        return pooled(task, tokens, out, *((cores, 1) if mode == "pool" else (1, cores)))
    if mode.startswith("stacked"):
        return stacked(task, tokens, out, compiled=mode.endswith("compiled"))
    return llama_trials(task, tokens, compiled=mode.endswith("compiled"))


WAYS = {
    "single": "Pilotlight: one after another, all threads",
    "pool": "Pilotlight: processes pinned to cores, one thread each",
    "stacked": "Pilotlight: stacked, eager",
    "stacked-compiled": "Pilotlight: stacked, compiled",
    "llama": "Hugging Face Llama: one after another, eager",
    "llama-compiled": "Hugging Face Llama: one after another, compiled",
    "llama-each": "Hugging Face Llama: a process for each trial, eager",
}
IN_ONE = ("llama", "llama-compiled")
"""The ways of the peer that the others are held against."""


class Timed(NamedTuple):
    """One way, done once."""

    seconds: float
    losses: list[float]


def timed(mode: str, task: Task, tokens: Path) -> Timed | None:
    """Return how long a way took in a process of its own, its start included; None if it cannot be had here."""
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"TORCHINDUCTOR_CACHE_DIR": f"{folder}/compiled"}
        parts = [task]
        if mode == "llama-each":
            parts = [task._replace(rates=(rate,), first=seed, seeds=1) for rate, seed in task.trials]
        losses: list[float] = []
        begun = time.perf_counter()
        for part in parts:
            command = [sys.executable, __file__, "--one", mode, part.to_json(), str(tokens), f"{folder}/runs"]
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
            if done.returncode:
                print(f"{mode} is left out: {done.stderr.strip().splitlines()[-1:]}", flush=True)
                return None
            losses += json.loads(done.stdout.splitlines()[-1])
        return Timed(time.perf_counter() - begun, losses)


def table(task: Task, found: dict[str, list[Timed]]) -> list[str]:
    """Return the rows of the ways, each beside the faster way of the peer."""
    times = {mode: median(one.seconds for one in runs) for mode, runs in found.items()}
    peers = [seconds for mode, seconds in times.items() if mode in IN_ONE]
    rows = [
        "| way | seconds | trials per minute | against the peer | held-out nats per token |",
        "|---|--:|--:|--:|--:|",
    ]
    for mode, runs in found.items():
        spread = (
            f" [{min(one.seconds for one in runs):.1f}, {max(one.seconds for one in runs):.1f}]"
            if len(runs) > 1
            else ""
        )
        ratio = f"{min(peers) / times[mode]:.2f}" if peers else "-"
        rate = 60 * len(task.trials) / times[mode]
        rows.append(f"| {WAYS[mode]} | {times[mode]:.1f}{spread} | {rate:.1f} | {ratio} | {mean(runs[0].losses):.3f} |")
    return rows


def described(task: Task, tokens: Tokens) -> str:
    """Return what was done, where and in which precision."""
    import torch

    from pilotlight.model.size import measure

    shape, device = task.shape, default_device()
    size = measure(task.decoder, tokens.vocabulary, shape.context)
    name = torch.cuda.get_device_name() if device.startswith("cuda") else f"{core_count()} cores"
    return (
        f"{len(task.trials)} trials ({len(task.rates)} learning rates x {task.seeds} seeds) of {task.steps} steps: depth "
        f"{shape.depth}, width {shape.width}, {shape.heads} heads, {show_count(size.total_parameters)} parameters with "
        f"embeddings, {shape.rows} rows of {shape.context}, vocabulary {tokens.vocabulary:,}. {device} ({name}), "
        f"{automatic_precision(device)} for all; threads: all cores, but one per process in the pool. Wall clock, the start "
        "of processes and compiling included; Pilotlight's ways write their runs, the peer writes nothing."
    )  # fmt: skip


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--modes", nargs="+", choices=list(WAYS), default=list(WAYS))
    parser.add_argument("--depth", type=int, default=3)
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument("--heads", type=int, default=4)
    parser.add_argument("--rows", type=int, default=8)
    parser.add_argument("--context", type=int, default=256)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--repeats", type=int, default=1, help="times that every way is taken, in turn")
    parser.add_argument("--quick", action="store_true", help="four tiny trials of two steps")
    parser.add_argument("--dry", action="store_true", help="leave RESULTS.md alone")
    parser.add_argument("--one", nargs=4, metavar=("MODE", "TASK", "TOKENS", "OUT"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        mode, task, tokens, out = given.one
        print(json.dumps(one_way(mode, Task.from_json(task), Tokens.open(Path(tokens)), Path(out))))
        return
    shape = Shape(given.depth, given.width, given.heads, given.context, given.rows, 4096)
    task = Task(shape, given.steps, RATES, given.seeds)
    if given.quick:
        task = Task(Shape(1, 32, 2, 32, 2, 300), 2, RATES[:2], 2)
    with tempfile.TemporaryDirectory() as folder:
        tokens = pack(
            Words(60 if given.quick else 1200), BPE(vocabulary=task.shape.vocabulary), Path(folder) / "tokens"
        )
        found: dict[str, list[Timed]] = {}
        load: list[float] = []
        for _ in range(given.repeats):
            for mode in given.modes:
                load.append(os.getloadavg()[0])
                if (one := timed(mode, task, tokens.folder)) is not None:
                    found.setdefault(mode, []).append(one)
                    print(f"{WAYS[mode]}: {one.seconds:.1f} s", flush=True)
        text = [described(task, tokens), "", *table(task, found)]
    print("\n".join(text))
    if not given.dry:
        write_section(TITLE, [facts(["torch", "transformers"], load), "", *text])


if __name__ == "__main__":
    main()
