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
from pilotlight.tokens.rows import MOST_SIZES, Rows, RowsWarmup
from pilotlight.tokens.tokenizer import Tokenizer
from pilotlight.train.augmentations import Augmentation
from pilotlight.train.clipping import Clipping
from pilotlight.train.clipping.norm import Norm
from pilotlight.train.guard import Guard
from pilotlight.train.objectives import Objective
from pilotlight.train.objectives.next_token import NextToken
from pilotlight.train.optim import Optim
from pilotlight.train.optim.muon import Muon
from pilotlight.train.schedules import Schedule
from pilotlight.train.schedules.wsd import WSD
from pilotlight.train.sparsity import Sparsity
from pilotlight.train.starts import Start
from pilotlight.train.starts.random import Random
from pilotlight.units import Count
from pilotlight.work.cores import multiplies_bfloat16

Precision = Literal["auto", "float32", "bfloat16"]

STREAMS = ("batches", "weights", "objective", "augmentations", "dropout", "sparsity", "sample")
"""Names of the random streams of a training; a plan may give each its own seed. Without one of its own, ``sample`` draws
nothing; with one, the documents of the training text are drawn again with replacement."""


def automatic_precision(device: str) -> Precision:
    """Return what ``precision: auto`` means on a device: bfloat16 on an accelerator or a CPU with instructions for it.

    On such CPUs it was 1.6 to 2 times as fast as float32 (see ``bench/RESULTS.md``); on others it is far slower.
    """
    return "bfloat16" if not device.startswith("cpu") or multiplies_bfloat16() else "float32"


@final
class Training(Spec):
    """How a model is trained, apart from its shape, its data and the number of steps."""

    optim: Optim = Muon()
    """Optimiser; its ``lr`` is the peak at the model's base shape."""
    schedule: Schedule = WSD()
    """Learning rate over the steps."""
    objective: Objective = NextToken()
    """What is predicted."""
    augmentations: tuple[Augmentation, ...] = ()
    """Random changes of the inputs, one after another; evaluation sees none of them."""
    rows: int = Field(default=8, ge=1)
    """Rows of a batch; one step takes ``rows`` times ``context`` tokens."""
    context: int = Field(default=256, ge=2)
    """Tokens of a row."""
    packing: Literal["concat", "best_fit"] = "concat"
    """How documents become rows: one after another without a gap, or so that as few as can be are cut, with padding."""
    documents: Literal["joined", "separate"] = "joined"
    """Whether tokens see the documents that stand before theirs in a row; separate ones are read as held-out text is."""
    order: Order = Shuffled()
    """Which text comes when."""
    rows_warmup: RowsWarmup | None = None
    """Batches of fewer rows at the beginning; null: none."""
    clip: Clipping | None = Norm()
    """How the gradient is bounded; a number is the largest norm of the whole gradient. null: it is not."""
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
    start: Start = Random()
    """What the weights are at the beginning: random, those of another model, or a branch off another run."""
    sparsity: Sparsity | None = None
    """Which weights of the matrices inside blocks are kept at zero; null: none."""

    @model_validator(mode="after")
    def _rows_grow(self) -> Self:
        if self.rows_warmup is None:
            return self
        sizes = len(self.rows_warmup.sizes(self.rows))
        if self.rows_warmup.start >= self.rows or sizes > MOST_SIZES:
            raise ValueError(f"rows_warmup.start: {self.rows_warmup.start} rows up to {self.rows} go through {sizes} sizes; "
                             f"expected fewer rows than {self.rows} at the start and at most {MOST_SIZES} sizes "
                             "on the way")  # fmt: skip
        return self

    @model_validator(mode="after")
    def _documents_stay_together(self) -> Self:
        if self.documents == "separate" and not self.objective.keeps_order:
            raise ValueError(f"documents: objective {self.objective.kind!r} moves text to the end of a row, past other "
                             "documents, so they cannot be separate; set documents to joined, or choose "
                             "fill_in_the_middle, which moves it within its document")  # fmt: skip
        return self

    def inputs(self) -> dict[str, str]:
        """Return the fingerprints of the files that the training is made from besides tokens, by name, for manifests."""
        return self.start.inputs() | (self.sparsity.inputs() if self.sparsity else {})

    @property
    def extra_ids(self) -> int:
        """Ids past the tokenizer's that objective and augmentations need, in this order."""
        return self.objective.extra_ids + sum(part.extra_ids for part in self.augmentations)

    def counts(self, steps: int) -> Rows | None:
        """Return the rows of each batch of a training of ``steps`` steps; None: always ``rows``."""
        return self.rows_warmup.rows(self.rows, steps) if self.rows_warmup else None

    def tokens(self, steps: int) -> int:
        """Return the tokens that a training of ``steps`` steps predicts, padding counted."""
        counts = self.counts(steps)
        return (counts.before(steps) if counts else steps * self.rows) * self.context

    def steps_for(self, tokens: float) -> int:
        """Return the number of steps, at least 1, that come closest to a number of tokens."""
        low, high = max(1, int(tokens // (self.rows * self.context))), 2
        if self.rows_warmup is None:
            return max(1, round(tokens / (self.rows * self.context)))
        while self.tokens(high) < tokens:
            high *= 2
        while low < high:  # more steps are always more tokens
            middle = (low + high) // 2
            low, high = (low, middle) if self.tokens(middle) >= tokens else (middle + 1, high)
        return low - 1 if low > 1 and tokens - self.tokens(low - 1) < self.tokens(low) - tokens else low


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

    @model_validator(mode="after")
    def _schedule_fits(self) -> Self:
        self.train.schedule.check(self.steps)
        return self

    @model_validator(mode="after")
    def _mixers_can(self) -> Self:
        if refusal := self.train.objective.refusal(self.model.pattern or (self.model.mixer,)):
            raise ValueError(refusal)
        return self

    @model_validator(mode="after")
    def _positions_reach(self) -> Self:
        if refusal := self.model.position.refusal(self.train.context):
            raise ValueError(refusal)
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
        return self.train.tokens(self.steps)

    @property
    def evaluate_every(self) -> int:
        """Steps between two evaluations."""
        return self.train.evaluate_every or max(1, self.steps // 10)

    def ids(self, vocabulary: int) -> int:
        """Return how many ids the model has beside a tokenizer of ``vocabulary`` ids."""
        return vocabulary + self.train.extra_ids

    def seed_of(self, stream: str) -> int:
        """Return the seed of one named stream."""
        return self.reseed.get(stream, self.seed)

    def identity(self) -> dict[str, Any]:
        """Return what decides the weights, given the tokens: all but where text came from and how it was cut."""
        found = {name: value for name, value in plain(self).items() if name not in ("corpus", "tokenizer")}
        found["train"] = {**found["train"], "order": self.train.order.identity(), "start": self.train.start.identity()}
        if self.train.sparsity is not None:
            found["train"]["sparsity"] = self.train.sparsity.identity()
        # As they were before there was a choice.
        for name in ("packing", "documents", "augmentations", "order", "rows_warmup", "start", "sparsity"):
            if getattr(self.train, name) == type(self.train).model_fields[name].default:
                del found["train"][name]
        if not self.train.objective.z_loss:
            del found["train"]["objective"]["z_loss"]
        if isinstance(self.train.clip, Norm):
            found["train"]["clip"] = self.train.clip.largest
        for name in ("decay_rule", "roles"):
            if getattr(self.train.optim, name) == type(self.train.optim).model_fields[name].default:
                del found["train"]["optim"][name]
        return found

    def resolved(self, device: str = "cpu") -> Plan:
        """Return the plan with ``precision: auto`` replaced by what it means on a device; only such plans are hashed."""
        if self.train.precision != "auto":
            return self
        precision = automatic_precision(device)
        return self.model_copy(update={"train": self.train.model_copy(update={"precision": precision})})
