"""Training speed beside other people's models of the same shape, on the same machine in the same run.

    python bench/training.py                         the shapes for this machine, into bench/RESULTS.md
    python bench/training.py --shapes 3.4M           one of them
    python bench/training.py --nanogpt FOLDER        with a checkout of nanoGPT, too
    python bench/training.py --tiny                  tiny trials: one thread, every mode, with the cost of compiling

A step is forward, backward and fused AdamW on one batch, with float32 parameters; bf16 is torch.autocast for peers and
``compute_dtype`` here. Steps of all alternate, so that a busy machine slows all; medians are reported, and the ratio is
the median over neighbouring steps. The share of the peak is that of the fastest large matrix product of the same precision,
measured in the same run between the steps. Memory is what the backward pass of an uncompiled step keeps; on an
accelerator the peak of the whole step.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import NamedTuple

import torch

from model_peers import Peer, Shape, peers
from pilotlight.model.decoder import Decoder
from pilotlight.model.size import measure
from pilotlight.model.weight import initialise
from pilotlight.train.machine import default_device
from results_page import facts, write_section

MODES = {
    "compiled bf16": (True, True),
    "compiled fp32": (True, False),
    "eager bf16": (False, True),
    "eager fp32": (False, False),
}
Step = Callable[[], None]
CLOCK = time.perf_counter
DEVICE = default_device()
SMALL = {
    "1M": Shape(2, 192, 3), "3.4M": Shape(), "10M": Shape(8, 320, 5, rows=8), "30M": Shape(9, 512, 8, rows=4),
}  # fmt: skip
LARGE = {
    "124M": Shape(12, 768, 12, context=1024, rows=16, vocabulary=50304),
    "350M": Shape(24, 1024, 16, context=1024, rows=16, vocabulary=50304),
}
SHAPES = SMALL | LARGE
TINY = [Shape(depth, width, width // 32, rows=8) for depth, width in ((2, 64), (3, 96), (3, 128), (4, 192))]


def decoder(shape: Shape) -> Decoder:
    """Return the settings of our model."""
    mixer = {"kind": "grouped", "head_dim": shape.width // shape.heads}
    return Decoder.model_validate({"depth": shape.depth, "width": shape.width, "mixer": mixer})


def batch(shape: Shape) -> torch.Tensor:
    """Return random ids, [rows context+1]."""
    generator = torch.Generator().manual_seed(0)
    return torch.randint(shape.vocabulary, (shape.rows, shape.context + 1), generator=generator).to(DEVICE)


def wait() -> None:
    """Wait until the device has done what it was given."""
    if DEVICE != "cpu":
        torch.accelerator.synchronize()


def stepping(loss: Callable[[torch.Tensor], torch.Tensor], model: torch.nn.Module, rows: torch.Tensor) -> Step:
    """Return a training step of a model whose mean loss of ``rows`` is ``loss(rows)``."""
    adam = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=True)

    def step() -> None:
        loss(rows).backward()
        adam.step()
        adam.zero_grad(set_to_none=True)
        wait()

    return step


def ours(shape: Shape, compiled: bool, bf16: bool) -> Step:
    """Return a training step of our decoder."""
    model = decoder(shape).build(shape.vocabulary)
    initialise(model, 0)
    model.compute_dtype = torch.bfloat16 if bf16 else torch.float32
    model.to(DEVICE)
    if compiled:
        model.compile_parts()
    return stepping(lambda rows: model(rows[:, :-1], rows[:, 1:]).mean(), model, batch(shape))


def theirs(peer: Peer, shape: Shape, compiled: bool, bf16: bool) -> Step:
    """Return a training step of a peer."""
    model = peer.make(0).to(DEVICE)
    called = torch.compile(model, dynamic=False) if compiled else model

    def loss(rows: torch.Tensor) -> torch.Tensor:
        with torch.autocast(DEVICE.partition(":")[0], torch.bfloat16, enabled=bf16):
            return peer.loss(called, rows)

    return stepping(loss, model, batch(shape))


def product(bf16: bool) -> tuple[Step, float]:
    """Return a large matrix product and its FLOPs: the peak that a training step is compared with."""
    size = 2048 if DEVICE == "cpu" else 8192
    left, right = (torch.randn(size, size, device=DEVICE).to(torch.bfloat16 if bf16 else torch.float32) for _ in "ab")

    def step() -> None:
        left @ right
        wait()

    return step, 2.0 * size**3


def alternate(steps: dict[str, Step], seconds: float) -> dict[str, list[float]]:
    """Return the seconds of every step, taken in turn for about ``seconds``."""
    taken: dict[str, list[float]] = {name: [] for name in steps}
    for step in (*steps.values(), *steps.values()):
        step()
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(next(iter(taken.values()))) < 3:
        for name, step in steps.items():
            start = CLOCK()
            step()
            taken[name].append(CLOCK() - start)
    return taken


class Kept:
    """Counts the bytes that a forward pass keeps for the backward pass, each storage once."""

    def __init__(self) -> None:
        self.storages: dict[int, int] = {}

    def pack(self, tensor: torch.Tensor) -> torch.Tensor:
        """Return ``tensor``, its storage noted."""
        storage = tensor.untyped_storage()
        self.storages[storage.data_ptr()] = storage.nbytes()
        return tensor


def memory_per_token(step: Step, shape: Shape, parameters: int) -> float:
    """Return bytes per token of a batch that a step holds beyond the parameters."""
    if DEVICE != "cpu":
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        step()
        return (torch.cuda.max_memory_allocated() - before) / shape.tokens
    kept = Kept()
    with torch.autograd.graph.saved_tensors_hooks(kept.pack, lambda tensor: tensor):
        step()
    return max(0.0, sum(kept.storages.values()) - 4 * parameters) / shape.tokens


def compare(name: str, seconds: float, modes: list[str], nanogpt: Path | None) -> list[str]:
    """Return the rows of one shape: all models in every mode."""
    shape, rows = SHAPES[name], []
    size = measure(decoder(shape), shape.vocabulary, shape.context)
    others = peers(shape, nanogpt)
    for mode in modes:
        compiled, bf16 = MODES[mode]
        torch.compiler.reset()
        steps: dict[str, Step] = {"ours": ours(shape, compiled, bf16)}
        steps |= {who: theirs(peer, shape, compiled, bf16) for who, peer in others.items()}
        steps["product"], flops = product(bf16)
        memory = (
            memory_per_token(steps["ours"], shape, size.total_parameters) if DEVICE != "cpu" or not compiled else None
        )
        taken = alternate(steps, seconds)
        peak = flops / median(taken["product"])
        speed = shape.tokens / median(taken["ours"])
        work = speed * size.training_flops_per_token
        beside = [
            f"{who} {shape.tokens / median(taken[who]):,.0f} "
            f"({median(peer / own for own, peer in zip(taken['ours'], taken[who], strict=True)):.2f})"
            for who in others
        ]
        rows.append(
            f"| {name}: {shape.depth} x {shape.width}, {shape.rows} x {shape.context} | {mode} | {speed:,.0f} | "
            f"{work / 1e9:,.0f} | {100 * work / peak:.0f} % of {peak / 1e9:,.0f} | {'; '.join(beside) or '–'} | "
            f"{'–' if memory is None else f'{memory / 1000:,.0f}'} |"
        )
        print(rows[-1], flush=True)
    return rows


def tiny_worker(place: int, mode: str, seconds: float) -> None:
    """Print tokens/s and the seconds of the first step of one tiny shape in one mode, on one thread."""
    use_threads(1)
    step = ours(TINY[place], *MODES[mode])
    start = time.perf_counter()
    step()
    first = time.perf_counter() - start
    taken = alternate({"ours": step}, seconds)["ours"]
    print(json.dumps({"first": first, "speed": TINY[place].tokens / median(taken)}))


def tiny(seconds: float, modes: list[str]) -> list[str]:
    """Return a row per tiny shape: tokens/s of every mode and what compiling costs."""
    rows: list[str] = []
    for place, shape in enumerate(TINY):
        cells, costs = [], []
        for mode in modes:
            compiled, _ = MODES[mode]
            with tempfile.TemporaryDirectory() as cache:
                environment = os.environ | {"TORCHINDUCTOR_CACHE_DIR": cache, "OMP_NUM_THREADS": "1"}
                command = [sys.executable, __file__, "--tiny-worker", str(place), mode, "--seconds", str(seconds)]
                found = [
                    json.loads(subprocess.run(command, env=environment, check=True, capture_output=True).stdout)
                    for _ in range(2 if compiled else 1)
                ]
            cells.append(f"{found[-1]['speed']:,.0f}")
            costs.append(f"{found[0]['first']:.0f} / {found[1]['first']:.1f}" if compiled else "–")
        rows.append(f"| {shape.depth} x {shape.width} | " + " | ".join([*cells, *costs]) + " |")
        print(rows[-1], flush=True)
    return rows


def use_threads(threads: int | None) -> None:
    """Set torch's threads; with one of them, seconds are CPU time instead of the clock on the wall."""
    global CLOCK
    if threads:
        torch.set_num_threads(threads)
    if threads == 1:
        CLOCK = time.process_time


class Section(NamedTuple):
    """A part of RESULTS.md."""

    title: str
    text: list[str]


def tiny_section(given: argparse.Namespace) -> Section:
    """Return the section on tiny trials."""
    modes = given.modes
    return Section("Tiny trials, tokens per second of one thread", [
        "Context 256, 8 rows, vocabulary 4096, heads of 32; CPU time of the process. Compiling: wall seconds of the first "
        "step, cold / with the disk cache.", "",
        "| depth x width | " + " | ".join(modes) + " | " + " | ".join(f"{mode}, compiling" for mode in modes) + " |",
        "|---|" + "---|" * (2 * len(modes)), *tiny(given.seconds, modes),
    ])  # fmt: skip


def main_section(given: argparse.Namespace) -> Section:
    """Return the section on models of one million parameters and more."""
    clock = "CPU time of the process" if CLOCK is time.process_time else "wall clock"
    where = DEVICE if DEVICE != "cpu" else f"{torch.get_num_threads()} threads"
    rows = [row for name in given.shapes for row in compare(name, given.seconds, given.modes, given.nanogpt)]
    return Section("Training, tokens per second beside peers", [
        f"Tied embeddings, heads of 64, feed-forward 3 x width; medians of alternating steps, {clock}, {where}.", "",
        "| parameters: depth x width, rows x context | mode | Pilotlight tokens/s | GFLOP/s | of the product's | "
        "peer's tokens/s (Pilotlight is faster by) | kept per token, kB |",
        "|---|---|--:|--:|--:|---|--:|", *rows,
    ])  # fmt: skip


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    default = list(SMALL if DEVICE == "cpu" else LARGE)
    parser.add_argument("--shapes", nargs="+", choices=list(SHAPES), default=default)
    parser.add_argument("--modes", nargs="+", choices=list(MODES), default=list(MODES))
    parser.add_argument("--nanogpt", type=Path, help="a checkout of nanoGPT")
    parser.add_argument("--tiny", action="store_true", help="tiny trials on one thread, with the cost of compiling")
    parser.add_argument("--tiny-worker", nargs=2, metavar=("PLACE", "MODE"), help=argparse.SUPPRESS)
    parser.add_argument("--seconds", type=float, default=20.0, help="measuring time per shape and mode")
    parser.add_argument(
        "--threads", type=int, help="threads of torch; 1 is timed by CPU time, which a busy machine spares"
    )
    parser.add_argument("--dry", action="store_true", help="leave RESULTS.md alone")
    given = parser.parse_args()
    use_threads(1 if given.tiny else given.threads)
    if given.tiny_worker:
        tiny_worker(int(given.tiny_worker[0]), given.tiny_worker[1], given.seconds)
        return
    load = [os.getloadavg()[0]]
    found = tiny_section(given) if given.tiny else main_section(given)
    load.append(os.getloadavg()[0])
    text = [facts(("pilotlight", "torch", "transformers"), load), "", *found.text]
    if not given.dry:
        write_section(found.title, text)


if __name__ == "__main__":
    main()
