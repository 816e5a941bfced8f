"""Training speed beside a Hugging Face Llama of the same shape, on the same machine in the same run.

python bench/training.py                         the shapes below, into bench/RESULTS.md
python bench/training.py --shapes 3.4M           one of them
python bench/training.py --tiny                  tiny trials: one thread, every mode, with the cost of compiling

A step is forward, backward and fused AdamW on one batch, with float32 parameters; bf16 is torch.autocast for the peer and
``compute_dtype`` here. Steps of the two alternate, so that a busy machine slows both; medians are reported.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import torch

from pilotlight.model.decoder import Decoder
from pilotlight.model.size import measure
from pilotlight.model.weight import initialise

RESULTS = Path(__file__).parent / "RESULTS.md"
MODES = {
    "compiled bf16": (True, True),
    "compiled fp32": (True, False),
    "eager bf16": (False, True),
    "eager fp32": (False, False),
}
Step = Callable[[], None]
CLOCK = time.perf_counter


@dataclass(frozen=True)
class Shape:
    """The size of a model and of its batch."""

    depth: int
    width: int
    head_dim: int = 64
    context: int = 256
    rows: int = 16
    vocabulary: int = 4096

    @property
    def decoder(self) -> Decoder:
        """Return the settings of our model."""
        attention = {"kind": "grouped", "head_dim": self.head_dim}
        return Decoder.model_validate({"depth": self.depth, "width": self.width, "attention": attention})

    @property
    def tokens(self) -> int:
        """Return the tokens of a batch."""
        return self.rows * self.context


SHAPES = {"1M": Shape(2, 192), "3.4M": Shape(4, 256), "10M": Shape(8, 320, rows=8), "30M": Shape(9, 512, rows=4)}
TINY = [Shape(depth, width, 32, rows=8) for depth, width in ((2, 64), (3, 96), (3, 128), (4, 192))]


def batch(shape: Shape) -> torch.Tensor:
    """Return random ids, [rows context+1]."""
    generator = torch.Generator().manual_seed(0)
    return torch.randint(shape.vocabulary, (shape.rows, shape.context + 1), generator=generator)


def stepping(losses: Callable[[torch.Tensor], torch.Tensor], model: torch.nn.Module, ids: torch.Tensor) -> Step:
    """Return a training step of a model whose mean loss of ``ids`` is ``losses(ids)``."""
    adam = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=True)

    def step() -> None:
        losses(ids).backward()
        adam.step()
        adam.zero_grad(set_to_none=True)

    return step


def ours(shape: Shape, compiled: bool, bf16: bool) -> Step:
    """Return a training step of our decoder."""
    model = shape.decoder.build(shape.vocabulary)
    initialise(model, 0)
    model.compute_dtype = torch.bfloat16 if bf16 else torch.float32
    if compiled:
        model.compile_parts()
    return stepping(lambda ids: model(ids[:, :-1], ids[:, 1:]).mean(), model, batch(shape))


def llama(shape: Shape, compiled: bool, bf16: bool) -> Step | None:
    """Return a training step of the peer, or None where transformers is not installed."""
    try:
        from transformers import LlamaConfig, LlamaForCausalLM
    except ImportError:
        return None
    heads = shape.width // shape.head_dim
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=shape.vocabulary,
            hidden_size=shape.width,
            intermediate_size=3 * shape.width,
            num_hidden_layers=shape.depth,
            num_attention_heads=heads,
            num_key_value_heads=heads,
            max_position_embeddings=shape.context,
            tie_word_embeddings=True,
            use_cache=False,
        )
    )
    called = torch.compile(model, dynamic=False) if compiled else model

    def loss(ids: torch.Tensor) -> torch.Tensor:
        # The peer shifts the labels itself, and so predicts one token fewer per row.
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            return called(input_ids=ids[:, :-1], labels=ids[:, :-1]).loss

    return stepping(loss, model, batch(shape))


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


def compare(name: str, seconds: float) -> list[str]:
    """Return the rows of one shape: both models in every mode."""
    shape, rows = SHAPES[name], []
    size = measure(shape.decoder, shape.vocabulary, shape.context)
    for mode, (compiled, bf16) in MODES.items():
        torch.compiler.reset()
        steps: dict[str, Step] = {"ours": ours(shape, compiled, bf16)}
        if peer := llama(shape, compiled, bf16):
            steps["llama"] = peer
        taken = alternate(steps, seconds)
        speed = shape.tokens / median(taken["ours"])
        work = speed * size.training_flops_per_token / 1e9
        row = f"| {name}: {shape.depth} x {shape.width}, {shape.rows} rows | {mode} | {speed:,.0f} | {work:,.0f} "
        if peer:
            ratio = median(peer_s / own for own, peer_s in zip(taken["ours"], taken["llama"], strict=True))
            row += f"| {shape.tokens / median(taken['llama']):,.0f} | {ratio:.2f} |"
        else:
            row += "| transformers is not installed | - |"
        rows.append(row)
        print(row, flush=True)
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


def tiny(seconds: float) -> list[str]:
    """Return a row per tiny shape: tokens/s of every mode and what compiling costs."""
    rows: list[str] = []
    for place, shape in enumerate(TINY):
        cells, costs = [], []
        for mode, (compiled, _) in MODES.items():
            with tempfile.TemporaryDirectory() as cache:
                environment = os.environ | {"TORCHINDUCTOR_CACHE_DIR": cache, "OMP_NUM_THREADS": "1"}
                command = [sys.executable, __file__, "--tiny-worker", str(place), mode, "--seconds", str(seconds)]
                found = [
                    json.loads(subprocess.run(command, env=environment, check=True, capture_output=True).stdout)
                    for _ in range(2 if compiled else 1)
                ]
            cells.append(f"{found[-1]['speed']:,.0f}")
            if compiled:
                costs.append(f"{found[0]['first']:.0f} / {found[1]['first']:.1f}")
        rows.append(f"| {shape.depth} x {shape.width} | " + " | ".join([*cells, *costs]) + " |")
        print(rows[-1], flush=True)
    return rows


def section(title: str, text: list[str]) -> None:
    """Put ``text`` into RESULTS.md, in place of what stood there under ``title``."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    versions = {"torch": torch.__version__}
    try:
        import transformers

        versions["transformers"] = transformers.__version__
    except ImportError:
        pass
    made = ", ".join(f"{name} {version}" for name, version in versions.items())
    clock = "CPU time of the process" if CLOCK is time.process_time else "wall clock"
    machine = f"{torch.get_num_threads()} threads on {os.cpu_count()} cores, {clock}, load {os.getloadavg()[0]:.1f}"
    facts = f"{datetime.now(UTC):%Y-%m-%d}, commit {commit or 'none'}, {made}, {machine}."
    block = "\n".join([f"## {title}", "", facts, "", *text, ""])
    page = RESULTS.read_text(encoding="utf-8") if RESULTS.exists() else "# Measurements\n"
    old = re.compile(rf"^## {re.escape(title)}\n.*?(?=^## |\Z)", flags=re.MULTILINE | re.DOTALL)
    page = old.sub(lambda _: block + "\n", page) if old.search(page) else page.rstrip() + "\n\n" + block
    RESULTS.write_text(page.rstrip() + "\n", encoding="utf-8")


def use_threads(threads: int | None) -> None:
    """Set torch's threads; with one of them, seconds are CPU time instead of the clock on the wall."""
    global CLOCK
    if threads:
        torch.set_num_threads(threads)
    if threads == 1:
        CLOCK = time.process_time


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--shapes", nargs="+", choices=list(SHAPES), default=list(SHAPES))
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
    if given.tiny:
        text = [
            "Context 256, 8 rows, vocabulary 4096, heads of 32. Compiling: wall seconds of the first step, cold / with the "
            "disk cache.",
            "",
            "| depth x width | " + " | ".join(MODES) + " | bf16 compiling | fp32 compiling |",
            "|---|" + "---|" * 6,
            *tiny(given.seconds),
        ]
        title = "Tiny trials, tokens per second of one thread"
    else:
        text = [
            "Context 256, vocabulary 4096, heads of 64, tied embeddings, feed-forward 3 x width; medians of alternating steps.",
            "",
            "| parameters: depth x width, batch | mode | Pilotlight tokens/s | GFLOP/s | Hugging Face Llama tokens/s | ratio |",
            "|---|---|---|---|---|---|",
            *(row for name in given.shapes for row in compare(name, given.seconds)),
        ]
        title = "Training, tokens per second beside Hugging Face Llama"
    if not given.dry:
        section(title, text)


if __name__ == "__main__":
    main()
