"""The pilot file: one question, and the one way from (variant, scale, seed) to a training plan."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from pilotlight.corpus.recipe import Recipe
from pilotlight.errors import ConfigError, nearest
from pilotlight.manifest import sha256
from pilotlight.model.decoder import Decoder
from pilotlight.pilot import hardware
from pilotlight.pilot.comparable import check_goal, check_variant
from pilotlight.pilot.goal import Goal
from pilotlight.pilot.search_settings import Search, Tune
from pilotlight.pilot.space import DIGITS, value_at
from pilotlight.plan_file import anchored, override, place_of, read_yaml, validated
from pilotlight.record.expense import THIS_MACHINE
from pilotlight.record.results import ASIDE, BASELINE
from pilotlight.spec import Spec, fingerprint, plain
from pilotlight.stats.rule import Rule
from pilotlight.tokens.tokenizer import Tokenizer
from pilotlight.tokens.tokenizers.bpe import BPE
from pilotlight.train.machine import default_device
from pilotlight.train.plan import Plan, Training
from pilotlight.units import Count, Seconds, show_count


class Setup(Spec):
    """What a variant may change: everything between raw text and weights except size, length and seed."""

    corpus: Recipe = Recipe()
    tokenizer: Tokenizer = BPE()
    model: Decoder = Decoder()
    train: Training = Training()


class Scale(Spec):
    """One rung of the ladder."""

    parameters: Count = Field(gt=0)
    """Non-embedding parameters; the shape follows from them."""
    tokens: Count = Field(gt=0)
    """Training tokens."""
    seeds: int | None = Field(default=None, ge=1)
    """Seeds at this rung, where it is not the pilot's number."""
    baseline_only: bool = False
    """A rung for the law alone: no variant is trained at it."""

    @property
    def name(self) -> str:
        """Name of the rung in folders and tables, such as ``300k-6M``: parameters and tokens."""
        return f"{show_count(self.parameters)}-{show_count(self.tokens)}"

    @property
    def order(self) -> tuple[float, str]:
        """What the rungs of a ladder are sorted by: parameters times tokens, then the name."""
        return self.parameters * self.tokens, self.name


class Variant(Spec):
    """One change to the baseline, and the reason to try it."""

    set: dict[str, Any] = Field(min_length=1)
    """Dotted path of a setting: new value, or x2 for a factor."""
    why: str = ""
    """Where the idea comes from; shown in the report."""


class Budget(Spec):
    """What the pilot may take. A time is turned into FLOPs once, by a calibration that the ledger keeps."""

    time: Seconds | None = Field(default=3600.0, gt=0)
    """Wall-clock of all trainings together."""
    flops: Count | None = Field(default=None, gt=0)
    """Training FLOPs, where that is the limit instead."""


_LATER = ("tune", "search", "samples", "folds", "allocation")
"""Fields newer than the hash: at their defaults they are not in it, so that what does not ask for them keeps its hash."""
_NAME = re.compile(rf"(?!{'|'.join(map(re.escape, ASIDE.values()))})[A-Za-z0-9][A-Za-z0-9_.-]{{0,63}}")


class Pilot(Spec):
    """One question about an expensive training, asked with cheap ones."""

    question: str = Field(min_length=3)
    goal: Goal
    corpus: Recipe = Recipe()
    tokenizer: Tokenizer = BPE()
    model: Decoder = Decoder()
    train: Training = Training()
    scales: tuple[Scale, ...] = Field(min_length=1)
    """The ladder, smallest first."""
    seeds: int = Field(default=3, ge=1, le=50)
    """Trainings of each variant at each rung."""
    repeats: int = Field(default=2, ge=0, le=20)
    """A/A runs: the baseline again at the lowest rung with only the order of the data reseeded."""
    samples: int = Field(default=0, ge=0, le=20)
    """Runs of the baseline at the lowest rung on its training documents drawn again with replacement: how much the result
    hangs on which text was collected."""
    folds: Literal[0, 3, 4, 5, 6, 7, 8, 9, 10] = 0
    """Cross-validation: so many trainings of the baseline at the lowest rung, each with its own part of the documents held
    out and scored; whether the held-out text is like the rest. Each builds a corpus and a tokenizer of its own."""
    confirm: int = Field(default=2, ge=0, le=20)
    """Fresh seeds on which a variant that won is trained again before it is adopted."""
    equal: Literal["parameters", "flops"] = "parameters"
    """What a variant has in common with the baseline at a rung, where it changes the model: non-embedding parameters, or
    FLOPs per token of training. Tokens are equal either way."""
    variants: dict[str, Variant] = {}
    rule: Rule = Rule()
    budget: Budget = Budget()
    allocation: Literal["planned", "adaptive"] = "planned"
    """How the budget goes to variants: ``planned`` trains every one at every rung on every seed, as far as it reaches;
    ``adaptive`` trains each once at the lowest, then whatever is expected to help the choice most for its price."""
    tune: Tune | None = None
    """Tunes the learning rate of every variant before the comparison, so that none loses for want of it; null: none is."""
    search: Search | None = None
    """What `pilot search` tries; `pilot run` does not look at it."""
    tuned: dict[str, float] = {}
    """What `pilot run` found by ``tune``: a multiple of its own learning rate for each variant. Not to be set by hand."""

    @classmethod
    def load(cls, path: Path) -> Self:
        """Return the pilot in a YAML file; relative paths in it start at the file's folder.

        Raises:
            ConfigError: the file cannot be read or holds mistakes, each named at its line and column.
        """
        data, places = read_yaml(path)
        pilot = anchored(validated(cls, data, str(path), places), path.parent)
        variants = {name: _anchored_variant(variant, path.parent) for name, variant in pilot.variants.items()}
        pilot = pilot.model_copy(update={"variants": variants, "search": _anchored_search(pilot.search, path.parent)})
        try:
            if pilot.tuned:
                raise ConfigError("tuned: is found by `pilot run`; leave it out and set train.optim.lr, or tune.")
            pilot.check()
        except ConfigError as error:
            raise ConfigError(f"{path}{place_of(str(error), places)}: {error}") from error
        return pilot

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        names = [scale.name for scale in self.scales]
        if len(set(names)) < len(names):
            raise ValueError(f"scales: two rungs are the same ({', '.join(names)}); keep one of them")
        for name in self.variants:
            if name == BASELINE or not _NAME.fullmatch(name):
                raise ValueError(
                    f"variants: {name!r} cannot be a variant's name; use letters, digits, '_', '-' and '.' "
                    f"(taken are {BASELINE!r} and what begins with {' or '.join(map(repr, ASIDE.values()))})"
                )
        if self.variants and all(scale.baseline_only for scale in self.scales):
            raise ValueError("scales: every rung is baseline_only, so no variant would be trained; free one rung")
        if self.budget.time is None and self.budget.flops is None:
            raise ValueError("budget: give a time or flops")
        largest = max(scale.parameters for scale in self.scales)
        if largest > self.goal.full_run.parameters:
            raise ValueError(
                f"scales: the largest rung ({show_count(largest)} parameters) is larger than goal.full_run "
                f"({show_count(self.goal.full_run.parameters)}); a pilot is smaller than the run it decides about"
            )
        return self

    @property
    def setup(self) -> Setup:
        """The baseline: what every variant starts from."""
        return self._with_tuned(self._declared, ())

    @property
    def _declared(self) -> Setup:
        return Setup(corpus=self.corpus, tokenizer=self.tokenizer, model=self.model, train=self.train)

    @property
    def compared(self) -> tuple[Scale, ...]:
        """The rungs that train variants, lowest first; none where every one is for the law alone."""
        return tuple(sorted((scale for scale in self.scales if not scale.baseline_only), key=lambda scale: scale.order))

    @property
    def lowest(self) -> Scale:
        """The lowest rung that trains variants, where there is tuned and searched; without any, the lowest."""
        return min(self.compared or self.scales, key=lambda scale: scale.order)

    def seeds_at(self, scale: Scale) -> int:
        """Return how many trainings of each variant there are at a rung: its own number, or that of the pilot."""
        return self.seeds if scale.seeds is None else scale.seeds

    @property
    def to_tune(self) -> tuple[str, ...]:
        """Names of what is tuned before the comparison: the baseline, and the variants that do not set the field themselves."""
        if self.tune is None:
            return ()
        return (BASELINE, *(name for name, variant in self.variants.items() if self.tune.path not in variant.set))

    def _with_tuned(self, setup: Setup, names: tuple[str, ...]) -> Setup:
        """Return ``setup`` at its tuned learning rate: of several variants together, at the smallest of their multiples."""
        if self.tune is None or not self.tuned:
            return setup
        given = [self.variants[name].set.get(self.tune.path) for name in names if name != BASELINE]
        if any(value is not None and not str(value).lower().startswith("x") for value in given):
            return setup
        own = [self.tuned[name] for name in names if name != BASELINE and name in self.tuned]
        multiple = min(own, default=self.tuned.get(BASELINE, 1.0))
        value = multiple * value_at(setup, self.tune.path, "tune.path")
        return override(setup, self.tune.path, float(f"{value:.{DIGITS}g}"), "tune")

    @property
    def criteria(self) -> str:
        """Hash of the whole pilot, fixed before the first trial; where its text lies on disk does not enter."""
        return self._hash(_LATER)

    @property
    def earlier_criteria(self) -> str:
        """The same hash as versions made it in which ``samples`` always entered."""
        return self._hash([name for name in _LATER if name != "samples"])

    def _hash(self, later: Iterable[str]) -> str:
        files = (self.goal.hardware.receipt, self.goal.hardware.table)
        content = "".join(sha256(path) for path in files if path is not None and path.is_file())
        if self.goal.task is not None and self.goal.task.is_file():
            content += sha256(self.goal.task)
        parts = {"corpus": self.corpus.identity(), "tokenizer": self.tokenizer.identity()}
        settings = plain(self)
        left_out = ["tuned", *(name for name in later if settings[name] == Pilot.model_fields[name].default)]
        settings = {name: value for name, value in settings.items() if name not in left_out}
        return fingerprint(settings | parts, content)

    def variant(self, *names: str) -> Setup:
        """Return the baseline with the named variants applied, in order (none: the baseline itself).

        Raises:
            ConfigError: there is no such variant, or its change does not fit.
        """
        setup = self._declared
        for name in names:
            if name == BASELINE:
                continue
            if name not in self.variants:
                known = ", ".join(self.variants) or "none"
                raise ConfigError(f"no variant is called {name!r}; known are {known}.{nearest(name, self.variants)}")
            changes = self.variants[name].set
            for path in sorted(changes, key=lambda item: not item.endswith("kind")):
                setup = override(setup, path, changes[path], f"variants.{name}.set")
        return self._with_tuned(setup, names)

    def check(self) -> None:
        """Check what needs more than one field: every variant applies and changes something comparable, prices are known.

        Raises:
            ConfigError: names the variant, rung or hardware and what is wrong with it.
        """
        hardware.check(self.goal.hardware)
        baseline = self.setup
        check_goal(self.goal, baseline)
        check_variant(self.goal, BASELINE, baseline, baseline)
        batch = self.train.rows * self.train.context
        for scale in self.scales:
            if scale.tokens < 10 * batch:
                raise ConfigError(
                    f"scales: {show_count(scale.tokens)} tokens are fewer than 10 steps of {batch} tokens "
                    "(train.rows x train.context); give the rung more tokens, or smaller batches."
                )
        for name in self.variants:
            setup = self.variant(name)
            if setup == baseline:
                raise ConfigError(f"variants.{name}: changes nothing; its settings equal the baseline's already.")
            if _held_out(setup) != _held_out(baseline):
                raise ConfigError(
                    f"variants.{name}: changes the held-out text, so its loss could not be compared with the "
                    "baseline's; change corpus.steps instead of corpus.sources or corpus.held_out."
                )
            check_variant(self.goal, name, baseline, setup)
        self._check_tuning()
        self._check_folds()

    def _check_folds(self) -> None:
        if self.folds and self.goal.metric != "bits_per_byte":
            raise ConfigError(
                f"folds: parts of the text are compared in bits_per_byte, each with a tokenizer of its own, and goal.metric is "
                f"{self.goal.metric}; set folds to 0."
            )
        if self.folds * self.corpus.held_out > 1:
            raise ConfigError(
                f"folds: {self.folds} parts of {self.corpus.held_out:g} of the documents overlap; lower corpus.held_out to "
                f"{math.floor(100 / self.folds) / 100:g}, or folds."
            )

    def _check_tuning(self) -> None:
        for name in self.to_tune:
            value = value_at(self.variant(name), self.tune.path, "tune.path") if self.tune else None
            if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
                raise ConfigError(
                    f"tune.path: {self.tune and self.tune.path} of {name} is {value!r}; expected a number above 0."
                )

    def check_shapes(self) -> None:
        """Check that every rung and the full run, with and without each variant, has a shape that can be built.

        Raises:
            ConfigError: no shape has so few parameters, or a variant does not fit the shape.
        """
        for name in (BASELINE, *self.variants):
            self.full_plan((name,))
            for scale in self.scales:
                self.plan(name, scale, 0)

    def scale(self, name: str) -> Scale:
        """Return the rung called ``name``.

        Raises:
            ConfigError: there is no such rung.
        """
        for scale in self.scales:
            if scale.name == name:
                return scale
        raise ConfigError(f"no scale is called {name!r}; known are {', '.join(scale.name for scale in self.scales)}")

    def plan(self, variant: str, scale: str | Scale, seed: int, repeat: str = "") -> Plan:
        """Return the training of one variant at one rung with one seed.

        ``repeat`` names the one random stream that is reseeded in an A/A run, and may number it: ``batches2``.

        Raises:
            ConfigError: there is no such variant or rung, or no shape fits.
        """
        rung = scale if isinstance(scale, Scale) else self.scale(scale)
        stream = repeat.rstrip("0123456789")
        reseed = {stream: seed + 1_000_003 * (1 + int(repeat[len(stream) :] or 0))} if repeat else {}
        return self._plan((variant,), rung.parameters, rung.tokens, seed, reseed).resolved(default_device())

    def full_plan(self, adopted: tuple[str, ...] = (), seed: int = 0) -> Plan:
        """Return the plan of the full run with the adopted variants applied, in the precision of its hardware."""
        target = self.goal.full_run
        plan = self._plan(adopted, target.parameters, target.tokens, seed, {})
        return plan.resolved(default_device() if self.goal.hardware.accelerator == THIS_MACHINE else "cuda")

    def _plan(
        self, names: tuple[str, ...], parameters: float, tokens: float, seed: int, reseed: dict[str, int]
    ) -> Plan:
        setup = self.variant(*names)
        changed = [f"variants.{name}" for name in names if name != BASELINE]
        try:
            model = self._shaped(setup, parameters)
        except ConfigError as error:
            raise ConfigError(": ".join([*changed, str(error)])) from error
        steps = setup.train.steps_for(tokens * (1 - setup.train.start.already_spent()))
        parts = {"corpus": setup.corpus, "tokenizer": setup.tokenizer, "model": model, "train": setup.train}
        settings = {**parts, "steps": steps, "seed": seed, "reseed": reseed}
        return validated(Plan, settings, ", ".join(changed) or "the baseline")

    def _shaped(self, setup: Setup, parameters: float) -> Decoder:
        """Return the model at a rung: of so many parameters, or of the FLOPs that a baseline of so many takes."""
        from pilotlight.model.equal_flops import shape_by_flops
        from pilotlight.model.size import measure, shape

        vocabulary, context = int(getattr(setup.tokenizer, "vocabulary", 4096)), self.train.context
        if self.equal == "parameters" or setup.model == self.model:
            return shape(setup.model, parameters, vocabulary)
        baseline = measure(shape(self.model, parameters, vocabulary), vocabulary, context)
        return shape_by_flops(setup.model, baseline.training_flops_per_token, vocabulary, context)


def _anchored_variant(variant: Variant, folder: Path) -> Variant:
    """Return the variant with relative paths among its new values starting at ``folder``."""
    moved = {path: _moved(path.rpartition(".")[2], value, folder) for path, value in variant.set.items()}
    return variant.model_copy(update={"set": moved})


def _anchored_search(search: Search | None, folder: Path) -> Search | None:
    """Return the search with relative paths among its choices starting at ``folder``."""
    if search is None:
        return None
    space = {
        path: tuple(_moved(path.rpartition(".")[2], choice, folder) for choice in given)
        if isinstance(given, tuple)
        else given
        for path, given in search.space.items()
    }
    return search.model_copy(update={"space": space})


def _moved(name: str, value: Any, folder: Path) -> Any:
    if isinstance(value, dict):
        return {key: _moved(key, item, folder) for key, item in value.items()}
    if isinstance(value, list):
        return [_moved("", item, folder) for item in value]
    is_path = name == "path" and isinstance(value, str)
    return os.path.normpath(folder.absolute() / Path(value).expanduser()) if is_path else value


def _held_out(setup: Setup) -> dict[str, Any]:
    return {key: value for key, value in setup.corpus.identity().items() if key != "steps"}
