"""The space of a search: which fields of the plan may take which values, and what is known of the points tried in it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self, final

from pydantic import Field, model_validator

from pilotlight.errors import ConfigError
from pilotlight.plan_file import override
from pilotlight.spec import Spec, canonical, plain

Point = dict[str, Any]
"""A value for every field that is searched, by its dotted path."""
DIGITS = 4  # significant digits of a number from a range: more say nothing and are hard to read


@final
class Range(Spec):
    """Numbers between two bounds; whole ones where the field holds whole numbers."""

    low: float
    high: float
    log: bool = False
    """Whether factors count rather than differences: right for rates, sizes and counts."""
    points: int = Field(default=5, ge=2, le=100)
    """Values that a grid tries."""

    @model_validator(mode="after")
    def _is_a_range(self) -> Self:
        if not self.low < self.high:
            raise ValueError(f"low is {self.low:g} and high {self.high:g}; expected low below high")
        if self.log and self.low <= 0:
            raise ValueError(f"low is {self.low:g}; a logarithmic range begins above zero")
        return self


@final
@dataclass(frozen=True)
class Dimension:
    """One field of a search, its bounds checked against the plan."""

    path: str
    kind: Literal["number", "whole", "choice"]
    choices: tuple[Any, ...] = ()
    low: float = 0.0
    high: float = 0.0
    log: bool = False
    points: int = 5

    def rounded(self, value: float) -> float | int:
        """Return the value as it is trained: whole, or with few digits, within the bounds."""
        if self.kind == "whole":
            return min(int(self.high), max(int(self.low), round(value)))
        return min(self.high, max(self.low, float(f"{value:.{DIGITS}g}")))

    def unbound(self, value: float) -> float | int:
        """Return the value as it is trained, whatever the bounds: at least 1, or with few digits."""
        return max(1, round(value)) if self.kind == "whole" else float(f"{value:.{DIGITS}g}")

    def grid(self) -> tuple[Any, ...]:
        """Return the values that a grid tries, smallest first."""
        if self.kind == "choice":
            return self.choices
        steps = [step / (self.points - 1) for step in range(self.points)]
        if self.log:
            spaced = [self.low * (self.high / self.low) ** step for step in steps]
        else:
            spaced = [self.low + (self.high - self.low) * step for step in steps]
        return tuple(dict.fromkeys(self.rounded(value) for value in spaced))

    def holds(self, value: Any) -> bool:
        """Return whether the search could have chosen ``value``."""
        if self.kind == "choice":
            return any(canonical(value) == canonical(choice) for choice in self.choices)
        return isinstance(value, int | float) and not isinstance(value, bool) and self.low <= value <= self.high


@final
@dataclass(frozen=True)
class Told:
    """A point and what came of it. ``loss`` is the metric, or its negative where more is better; None: no result.

    Of a trial that was given up on its way it is what finished trials came to that were about as good there.
    """

    number: int
    point: Mapping[str, Any]
    loss: float | None


def value_at(spec: Spec, path: str, where: str = "search.space") -> Any:
    """Return the plain value of the field at a dotted path; ``where`` it is asked for is named in errors.

    Raises:
        ConfigError: there is no such field.
    """
    here: Any = plain(spec)
    for name in path.split("."):
        if isinstance(here, dict) and name in here:
            here = here[name]
        elif isinstance(here, list) and name.isdigit() and int(name) < len(here):
            here = here[int(name)]
        else:
            override(spec, path, None, where)  # which says what is known there
            raise ConfigError(f"{where}: {path}: there is no such field")
    return here


def dimensions(space: Mapping[str, Range | tuple[Any, ...]], baseline: Spec) -> tuple[Dimension, ...]:
    """Return the fields of a search in order of their paths, every bound and choice tried on the baseline alone.

    Raises:
        ConfigError: a field does not exist, or cannot take one of its values.
    """
    found = [_dimension(path, space[path], baseline) for path in sorted(space)]
    kinds = {dimension.path.removesuffix("kind") for dimension in found if dimension.path.endswith(".kind")}
    for dimension in found:
        # Below a part whose kind is searched as well, a field may be missing: such points fail, one by one.
        if any(dimension.path.startswith(kind) and not dimension.path.endswith(".kind") for kind in kinds):
            continue
        for value in dimension.choices or (dimension.rounded(dimension.low), dimension.rounded(dimension.high)):
            override(baseline, dimension.path, value, "search.space")
    return tuple(found)


def _dimension(path: str, given: Range | tuple[Any, ...], baseline: Spec) -> Dimension:
    now = value_at(baseline, path)
    if not isinstance(given, Range):
        return Dimension(path, "choice", tuple(given))
    if now is None:
        raise ConfigError(
            f"search.space: {path} is null in the plan, which is no place within a range; set a number there first, or give a "
            "list of choices."
        )
    if isinstance(now, bool) or not isinstance(now, int | float):
        raise ConfigError(f"search.space: {path} is {now!r}, no number; give a list of choices instead of a range.")
    if not isinstance(now, int):
        return Dimension(path, "number", (), given.low, given.high, given.log, given.points)
    low, high = math.ceil(given.low), math.floor(given.high)
    if not low < high:
        raise ConfigError(f"search.space: {path} holds whole numbers; the range has no two of them.")
    return Dimension(path, "whole", (), low, high, given.log, given.points)
