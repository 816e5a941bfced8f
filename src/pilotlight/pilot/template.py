"""A commented pilot file for somebody's own text, with a ladder that fits how much of it there is."""

from __future__ import annotations

import json
import math
import os
import tempfile
from pathlib import Path

from pilotlight.corpus.build import build
from pilotlight.corpus.readers import format_of
from pilotlight.corpus.recipe import Recipe
from pilotlight.corpus.source import Source
from pilotlight.corpus.sources.folder import Folder
from pilotlight.errors import ConfigError, DataError
from pilotlight.events import Watcher
from pilotlight.manifest import write_atomic
from pilotlight.units import show_bytes, show_count

BYTES_PER_TOKEN = 3.5  # of a 4,096-entry BPE on western prose; measured anew as soon as the pilot runs
TOKENS_PER_PARAMETER = 20  # Hoffmann et al. 2022, table A3: near compute-optimal
MOST_EPOCHS = 12  # with little text the ladder is shortened to this; `pilot run` refuses more than 16
EPOCHS = 4  # repeats up to here cost almost nothing (Muennighoff et al. 2023, figure 5)
BATCH = 8 * 256  # rows times context below
LEAST_STEPS = 20
LARGEST_RUNG = 0.7e6  # parameters that two cores train thrice, with variants, in about half an hour
SMALLEST_RUNG = 0.05e6

_TEMPLATE = """\
# A pilot: small trainings that decide about an expensive one.   pilot run {name}
# Every field and its default: pilot schema. Relative paths start at this file's folder.
question: Which of these changes goes into the full run, and will it reach its target?

goal:
  metric: bits_per_byte             # loss on held-out text; compares across tokenizers
  target: 1.5                       # EDIT: what the full run has to reach to be worth its price
  full_run: {{parameters: {full}, tokens: {tokens}}}     # EDIT: the run you are thinking of
  hardware: {{accelerator: this machine}}  # or {{accelerator: H100, count: 8}}; prices from a dated table or price_per_hour
  limits: {{time: 12 h}}              # and cost: 300 USD, where you have a price

corpus:
  sources:
    - {{kind: {kind}, path: {text}}}   # {found}
  # steps: by default unicode repair, exact deduplication, length and quality filters; see docs/adding.md
tokenizer: {{kind: bpe, vocabulary: 4096}}

model: {{mixer: {{kind: grouped, head_dim: 32}}}}
train:
  rows: 8
  context: 256
  optim: {{kind: muon, lr: 1e-2}}      # at the base shape; other sizes follow by CompleteP

scales:                             # the ladder, smallest first; the law is fitted to the baseline on it
{scales}
seeds: 3                            # repeats of everything, for honest intervals
variants:                           # one change each; x0.5 halves a number
  half_lr: {{set: {{train.optim.lr: x0.5}}, why: "is the learning rate too high?"}}
  relu_squared: {{set: {{model.feedforward.kind: relu_squared}}, why: "So et al. 2021, Primer"}}
rule: {{worth: 0.5%, level: 0.95}}    # the smallest effect that matters, declared before the first run
budget: {{time: 30 min}}
"""


def _ladder(full: float, batch: int, most: float) -> list[tuple[float, float, str]]:
    """Return (parameters, tokens, further settings) of each rung, none longer than ``most`` tokens."""
    top = min(LARGEST_RUNG, full / 3)
    sizes = [max(SMALLEST_RUNG, top / 9), max(SMALLEST_RUNG * 2, top / 3), max(SMALLEST_RUNG * 4, top)]
    least = LEAST_STEPS * batch
    rungs = [(size, max(least, TOKENS_PER_PARAMETER * size), "") for size in sizes[:2]]
    rungs.insert(1, (sizes[0], 3 * max(least, TOKENS_PER_PARAMETER * sizes[0]), ", seeds: 1, baseline_only: true"))
    rungs.append((sizes[2], max(least, TOKENS_PER_PARAMETER * sizes[2]), ", seeds: 2, baseline_only: true"))
    shorter = min(1.0, most / max(length for _, length, _ in rungs))
    return [(size, length * shorter, rest) for size, length, rest in rungs]


def _source(text: Path) -> Source:
    if not text.is_file():
        return Folder(path=text.absolute())
    kind = format_of(text.name) or "text"
    return Source.choose({"kind": "folder" if kind == "json" else kind, "path": text.absolute()})


def _round(value: float) -> str:
    digits = 10 ** (math.floor(math.log10(value)) - 1)
    return show_count(round(value / digits) * digits)


def write_template(plan: Path, text: Path, *, force: bool, watch: Watcher) -> list[str]:
    """Write a pilot file for ``text`` to ``plan`` and return what to say about it.

    Raises:
        ConfigError: ``plan`` exists already.
        DataError: ``text`` is missing, unreadable, or too little for any pilot.
    """
    if plan.exists() and not force:
        raise ConfigError(f"{plan} exists already. Choose another name, or replace it with --force.")
    source = _source(text)
    with tempfile.TemporaryDirectory() as folder:
        kept = build(Recipe(sources=(source,)), Path(folder) / "corpus", watch=watch).facts.train
    tokens = kept.bytes / BYTES_PER_TOKEN
    full = max(4 * SMALLEST_RUNG * 3, tokens * EPOCHS / TOKENS_PER_PARAMETER)
    ladder = _ladder(full, BATCH, MOST_EPOCHS * tokens)
    if ladder[0][1] < LEAST_STEPS * BATCH:
        raise DataError(
            f"{text} holds {show_bytes(kept.bytes)} of text to train on: too little for any pilot. Give at least about "
            f"{show_bytes(kept.bytes * LEAST_STEPS * BATCH / ladder[0][1])}; a few megabytes are a good start."
        )
    scales = "".join(
        f"  - {{parameters: {_round(parameters)}, tokens: {_round(length)}{rest}}}\n"
        for parameters, length, rest in ladder
    )
    found = f"{show_count(kept.documents)} documents, {show_bytes(kept.bytes)}"
    shown = json.dumps(Path(os.path.relpath(text.absolute(), plan.absolute().parent)).as_posix(), ensure_ascii=False)
    write_atomic(plan, _TEMPLATE.format(
        name=plan, full=_round(full), tokens=_round(full * TOKENS_PER_PARAMETER), kind=source.kind, text=shown, found=found,
        scales=scales,
    ))  # fmt: skip
    sentences = [f"{plan} is written for {found} of text.", "Edit the lines marked EDIT, then: pilot run " + str(plan)]
    if full * TOKENS_PER_PARAMETER / tokens > EPOCHS:
        sentences.insert(1, "That is little text: the ladder repeats it more often than is good; more text would help.")
    return sentences
