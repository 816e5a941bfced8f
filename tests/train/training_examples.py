"""A training that takes a fraction of a second, and faults to put into it."""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from pydantic import PrivateAttr

from pilotlight.corpus.recipe import Recipe
from pilotlight.model.decoder import Decoder
from pilotlight.model.layer import Rows
from pilotlight.tokens.pack import pack
from pilotlight.tokens.tokenizers.bytes import Bytes
from pilotlight.tokens.tokens import Tokens
from pilotlight.train.machine import Machine
from pilotlight.train.objectives import Objective
from pilotlight.train.objectives.next_token import NextToken
from pilotlight.train.plan import Plan, Training

ONE = Machine(device="cpu", threads=1, compile=False)


@dataclass
class Text:
    text: str
    id: str
    source: str = "words"


class Words:
    """A corpus of made-up words in a fixed order."""

    fingerprint = "1" * 16

    def __init__(self, documents: int = 60) -> None:
        self.count = documents

    def documents(self, split: str):
        draw = random.Random(split)
        words = ["".join(random.Random(number).choices("abcdefgh", k=5)) for number in range(40)]
        for number in range(self.count if split == "train" else 10):
            text = " ".join(draw.choices(words, k=60))
            yield Text(text, hashlib.md5(f"{split}{number}".encode()).hexdigest())


def tokens_in(folder: Path) -> Tokens:
    return pack(Words(), Bytes(), folder)


def plan_of(steps: int = 12, seed: int = 1, reseed: dict[str, int] | None = None, **train: Any) -> Plan:
    settings: dict[str, Any] = {
        "rows": 4, "context": 24, "evaluate_every": 5, "evaluate_bytes": 300, "score_bytes": 1200, "precision": "float32",
    }  # fmt: skip
    return Plan(
        corpus=Recipe(), tokenizer=Bytes(), steps=steps, seed=seed, reseed=reseed or {},
        model=Decoder.model_validate({"depth": 1, "width": 32, "mixer": {"kind": "grouped", "head_dim": 16}}),
        train=Training(**settings | train),
    )  # fmt: skip


def digest(run: Path) -> dict[str, str]:
    """Hashes of everything a finished run holds but its clock readings and the names of its checkpoints."""
    kept = [path for path in run.rglob("*") if path.is_file() and path.name not in ("timing.json", ".lock")]
    names = {path: path.relative_to(run).as_posix() for path in kept}
    return {
        name: hashlib.sha256(path.read_bytes()).hexdigest() for path, name in sorted(names.items(), key=lambda x: x[1])
    }


class Spoilt(Objective):
    """Next token, but the losses of some batches are another thing: chosen by the sum of their ids."""

    sums: tuple[int, ...]

    def examples(self, rows, weights, documents, draws, vocabulary):
        return NextToken().examples(rows, weights, documents, draws, vocabulary)

    def is_chosen(self, inputs: torch.Tensor, targets: torch.Tensor, rows: Rows) -> bool:
        return rows.training and int(inputs.sum()) + int(targets[:, -1].sum()) in self.sums


class Poisoned(Spoilt):
    """A loss that is no number, or too large; a batch that is computed again spoils again, as often as ``times``."""

    factor: float = float("nan")
    times: int = 1_000_000
    _spoilt: list[int] = PrivateAttr(default_factory=list)

    def losses(self, model: Any, inputs: torch.Tensor, targets: torch.Tensor, rows: Rows) -> torch.Tensor:
        found = super().losses(model, inputs, targets, rows)
        if len(self._spoilt) >= self.times or not self.is_chosen(inputs, targets, rows):
            return found
        self._spoilt.append(1)
        return found * self.factor


def sums_of(plan: Plan, tokens: Tokens, *steps: int) -> tuple[int, ...]:
    from pilotlight.tokens.batches import Batches

    training = plan.train
    batches = Batches(tokens.split("train"), training.rows, training.context, plan.seed_of("batches"))
    return tuple(int(batches.at(step).sum()) for step in steps)


class Uphill(Spoilt):
    """The gradient of some batches points uphill: the loss looks right and the weights get worse."""

    by: float = 1.0

    def losses(self, model: Any, inputs: torch.Tensor, targets: torch.Tensor, rows: Rows) -> torch.Tensor:
        found = super().losses(model, inputs, targets, rows)
        if not self.is_chosen(inputs, targets, rows):
            return found
        return (1 + self.by) * found.detach() - self.by * found
