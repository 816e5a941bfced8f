"""A training that takes a fraction of a second, and faults to put into it."""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from pilotlight.corpus.recipe import Recipe
from pilotlight.model.decoder import Decoder
from pilotlight.tokens.pack import pack
from pilotlight.tokens.tokenizers.bytes import Bytes
from pilotlight.tokens.tokens import Tokens
from pilotlight.train.machine import Machine
from pilotlight.train.objectives import Losses, Objective
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
        model=Decoder.model_validate({"depth": 1, "width": 32, "attention": {"kind": "grouped", "head_dim": 16}}),
        train=Training(**settings | train),
    )  # fmt: skip


def digest(run: Path) -> dict[str, str]:
    """Hashes of everything a finished run holds but its clock readings and the names of its checkpoints."""
    kept = [path for path in run.rglob("*") if path.is_file() and path.name not in ("timing.json", ".lock")]
    names = {path: path.relative_to(run).as_posix() for path in kept}
    return {
        name: hashlib.sha256(path.read_bytes()).hexdigest() for path, name in sorted(names.items(), key=lambda x: x[1])
    }


class Poisoned(Objective):
    """Next token, but some batches spoil the loss: chosen by the sum of their ids, so that a repeat spoils again."""

    sums: tuple[int, ...]
    factor: float = float("nan")
    times: int = 1_000_000

    def build(self) -> Losses:
        plain = NextToken().build()
        left = {"times": self.times}

        def losses(model: Any, rows: torch.Tensor) -> torch.Tensor:
            found = plain(model, rows)
            if torch.is_grad_enabled() and int(rows.sum()) in self.sums and left["times"]:
                left["times"] -= 1
                return found * self.factor
            return found

        return losses


def sums_of(plan: Plan, tokens: Tokens, *steps: int) -> tuple[int, ...]:
    from pilotlight.tokens.batches import Batches

    training = plan.train
    batches = Batches(tokens.split("train"), training.rows, training.context, plan.seed_of("batches"))
    return tuple(int(batches.at(step).sum()) for step in steps)
