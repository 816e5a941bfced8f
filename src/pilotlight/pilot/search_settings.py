"""What a pilot file says of a search over the plan's fields, and of tuning the learning rate of every variant."""

from __future__ import annotations

import re
from typing import Annotated, Any, Self, final

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from pilotlight.pilot.pruners import Prune
from pilotlight.pilot.samplers import Sampler
from pilotlight.pilot.samplers.tpe import Tpe
from pilotlight.pilot.space import Range
from pilotlight.spec import Spec, canonical


def _read_multiple(text: Any) -> Any:
    match = re.fullmatch(r"[xX]\s*([0-9]*\.?[0-9]+)", text) if isinstance(text, str) else None
    return float(match[1]) if match else text


Multiple = Annotated[float, BeforeValidator(_read_multiple, json_schema_input_type=str | float), Field(gt=0)]
"""A factor of the value in the plan: ``x0.5`` or ``0.5``."""


def _form(given: Any) -> str:
    return "choices" if isinstance(given, list | tuple) else "range"


Values = Annotated[Annotated[Range, Tag("range")] | Annotated[tuple[Any, ...], Tag("choices")], Discriminator(_form)]
"""A range of numbers, or a list of choices; told apart beforehand, so that a mistake is named once."""


@final
class Search(Spec):
    """Values of fields of the plan, tried at one rung; the best is found in spite of noise and confirmed on fresh seeds."""

    space: dict[str, Values] = Field(min_length=1)
    """Dotted path of a field: a range of numbers, or a list of choices, which may be whole parts."""
    sampler: Sampler = Tpe()
    """How the next points are chosen."""
    trials: int = Field(default=24, ge=4, le=2000)
    """Points that are trained, the plan as it is among them."""
    scale: str | None = None
    """Name of the rung, such as 300k-6M; null: the lowest at which variants are trained."""
    batch: int = Field(default=4, ge=1, le=64)
    """Points of a round, chosen from the rounds before; independent of the number of workers, so that these do not matter."""
    top: int = Field(default=3, ge=1, le=20)
    """Points with the best results that are trained again on other seeds."""
    repeats: int = Field(default=2, ge=1, le=20)
    """Those other seeds."""
    confirm: int = Field(default=3, ge=2, le=20)
    """Fresh seeds on which the winner is compared with the plan as it is."""
    prune: Prune | None = None
    """How trials are given up on the way, ``quantile`` where no kind is named; null: never."""
    shade: tuple[str, ...] | None = None
    """Fields whose best value is shaded to the safe side, after trainings at half and twice that value; null: the learning
    rates among the ranges."""
    seed: int = Field(default=0, ge=0)
    """Of the sampler."""

    @model_validator(mode="after")
    def _is_a_search(self) -> Self:
        for path, given in self.space.items():
            if not isinstance(given, Range) and len({canonical(choice) for choice in given}) < max(2, len(given)):
                raise ValueError(f"space: {path}: expected two or more different choices")
        for path in self.shade or ():
            if not isinstance(self.space.get(path), Range):
                raise ValueError(f"shade: {path} is no range of search.space, so it has no safe side")
        return self

    @property
    def shaded(self) -> tuple[str, ...]:
        """Paths of the fields whose value is shaded, in order."""
        if self.shade is not None:
            return tuple(sorted(self.shade))
        return tuple(sorted(path for path, given in self.space.items()
                            if isinstance(given, Range) and path.endswith(".lr")))  # fmt: skip


@final
class Tune(Spec):
    """The learning rate of every variant is tuned before the comparison, at the lowest rung, on seeds of its own."""

    path: str = Field(default="train.optim.lr", pattern=r"^train\.")
    """The field that is tuned: a number of the training."""
    multiples: tuple[Multiple, ...] = (0.5, 1.0, 2.0)
    """Factors of each variant's own value that are trained; 1 is one of them."""
    seeds: int = Field(default=1, ge=1, le=10)
    """Trainings of every variant at every multiple."""

    @model_validator(mode="after")
    def _can_be_fitted(self) -> Self:
        if len(set(self.multiples)) < max(3, len(self.multiples)) or 1.0 not in self.multiples:
            raise ValueError("multiples: expected three or more different factors, x1 among them")
        return self
