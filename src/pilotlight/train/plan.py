"""A plan: everything that decides the weights of one training, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, Self, final

from pydantic import Field, model_validator

from pilotlight.corpus.recipe import Recipe
from pilotlight.errors import nearest
from pilotlight.model.decoder import Decoder
from pilotlight.spec import Spec, plain
from pilotlight.tokens.orders import Order
from pilotlight.tokens.orders.shuffled import Shuffled
from pilotlight.tokens.tokenizer import Tokenizer
from pilotlight.train.guard import Guard
from pilotlight.train.objectives import Objective
from pilotlight.train.objectives.next_token import NextToken
from pilotlight.train.optim import Optim
from pilotlight.train.optim.adamw import AdamW
from pilotlight.train.schedules import Schedule
from pilotlight.train.schedules.wsd import WSD
from pilotlight.units import Count
from pilotlight.work.cores import multiplies_bfloat16

Precision = Literal["auto", "float32", "bfloat16"]

STREAMS = ("batches", "weights")
"""Names of the random streams of a training; a plan may give each its own seed."""


def automatic_precision(device: str) -> Precision:
    """Return what ``precision: auto`` means on a device: bfloat16 on an accelerator or a CPU with instructions for it.

    On such CPUs it was 1.6 to 2 times as fast as float32 (see ``bench/RESULTS.md``); on others it is far slower.
    """
    return "bfloat16" if not device.startswith("cpu") or multiplies_bfloat16() else "float32"


@final
class Training(Spec):
    """How a model is trained, apart from its shape, its data and the number of steps."""

    optim: Optim = AdamW()
    """Optimiser; its ``lr`` is the peak at the model's base shape."""
    schedule: Schedule = WSD()
    """Learning rate over the steps."""
    objective: Objective = NextToken()
    """What is predicted."""
    rows: int = Field(default=16, ge=1)
    """Rows of a batch; one step takes ``rows`` times ``context`` tokens."""
    context: int = Field(default=256, ge=2)
    """Tokens of a row."""
    packing: Literal["concat", "best_fit"] = "concat"
    """How documents become rows: one after another without a gap, or so that as few as can be are cut, with padding."""
    order: Order = Shuffled()
    """Which text comes when."""
    clip: float | None = Field(default=1.0, gt=0)
    """Largest norm of the whole gradient; a larger one is scaled down to it. null: never."""
    precision: Precision = "auto"
    """Arithmetic of the matrix products; weights and sums stay float32. ``auto``: bfloat16 where the
    hardware multiplies it."""
    evaluate_every: int | None = Field(default=None, ge=1)
    """Steps between evaluations; null: ten evaluations in a run, whatever its length."""
    evaluate_bytes: Count = Field(default=16_000, gt=0)
    """Bytes of held-out text scored during training, always the same."""
    score_bytes: Count = Field(default=256_000, gt=0)
    """Bytes of held-out text scored at the end, always the same; of training text, for comparison, a quarter as much."""
    guard: Guard = Guard()
    """Which steps are believed."""


@final
class Plan(Spec):
    """One training. The same plan on the same tokens gives the same weights, up to rounding between machines."""

    corpus: Recipe
    """Where the text comes from and what is done to it."""
    tokenizer: Tokenizer
    """How text becomes ids."""
    model: Decoder
    """The model, with its depth and width."""
    train: Training = Training()
    """How it is trained."""
    steps: int = Field(ge=1)
    """Updates of the weights."""
    seed: int = Field(default=0, ge=0)
    """Seed of every random stream."""
    reseed: dict[str, int] = {}
    """Another seed for single streams, such as ``{batches: 7}``: the A/A runs that measure the noise floor."""

    @model_validator(mode="after")
    def _streams_exist(self) -> Self:
        for name in self.reseed:
            if name not in STREAMS:
                raise ValueError(f"reseed: no random stream is called {name!r}; expected some of "
                                 f"{', '.join(STREAMS)}.{nearest(name, STREAMS)}")  # fmt: skip
        return self

    @classmethod
    def load(cls, path: str | Path) -> Plan:
        """Return the plan in a YAML file such as ``full.yaml``; relative paths in it start at the file's folder.

        Raises:
            ConfigError: the file cannot be read or holds mistakes; each is named at its line and column.
        """
        from pilotlight.plan_file import anchored, load

        return anchored(load(Path(path), cls), Path(path).parent)

    @property
    def tokens(self) -> int:
        """Tokens that are predicted in the whole training, padding counted; the facts of a run do not count it."""
        return self.steps * self.train.rows * self.train.context

    @property
    def evaluate_every(self) -> int:
        """Steps between two evaluations."""
        return self.train.evaluate_every or max(1, self.steps // 10)

    def seed_of(self, stream: str) -> int:
        """Return the seed of one named stream."""
        return self.reseed.get(stream, self.seed)

    def identity(self) -> dict[str, Any]:
        """Return what decides the weights, given the tokens: all but where text came from and how it was cut."""
        found = {name: value for name, value in plain(self).items() if name not in ("corpus", "tokenizer")}
        found["train"] = {**found["train"], "order": self.train.order.identity()}
        for name in ("packing", "order"):  # as they were before there was a choice
            if getattr(self.train, name) == type(self.train).model_fields[name].default:
                del found["train"][name]
        return found

    def resolved(self, device: str = "cpu") -> Plan:
        """Return the plan with ``precision: auto`` replaced by what it means on a device; only such plans are hashed."""
        if self.train.precision != "auto":
            return self
        precision = automatic_precision(device)
        return self.model_copy(update={"train": self.train.model_copy(update={"precision": precision})})
