"""Sources by declared shares, by temperature, or as evenly as repetition allows; shares may change over the training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, Self, final

from pydantic import Field, model_validator

from pilotlight.spec import Spec
from pilotlight.tokens.orders import Order
from pilotlight.units import Share

if TYPE_CHECKING:
    from pilotlight.tokens.order import Length, Mix
    from pilotlight.tokens.tokens import Split


@final
class Stage(Spec):
    """Shares at one point of the training."""

    at: Share
    """Share of the training that is done."""
    shares: dict[str, Annotated[float, Field(ge=0)]]
    """Share of each source, in any unit; one that is left out gets none."""


@final
class Mixture(Order):
    """Each source has its share of the rows, after every row within one row; within a source the order is random.

    Without any field all sources have the same share; with ``most_epochs`` alone they are as even as that allows (UniMax,
    Chung et al. 2023; a good value is 4).
    """

    by: Literal["source", "language"] = "source"
    """What text is grouped by."""
    shares: dict[str, Annotated[float, Field(ge=0)]] | None = None
    """Share of each source, in any unit; one that is left out gets none."""
    temperature: float | None = Field(default=None, gt=0)
    """Instead of shares: they go with tokens to the power of 1 / temperature; 1 is in proportion, more is flatter."""
    most_epochs: float | None = Field(default=None, gt=0)
    """How often a source may be seen in the whole training; what goes beyond is given to the others. null: any number."""
    schedule: tuple[Stage, ...] = ()
    """Instead of shares: shares at points of the training, changing in a straight line between them and constant before the
    first and after the last. ``most_epochs`` is checked here, not enforced: a schedule that goes beyond is refused."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        given = [name for name in ("shares", "temperature", "schedule") if getattr(self, name)]
        if len(given) > 1:
            raise ValueError(f"{' and '.join(given)} are given; expected one of them")
        points = [stage.at for stage in self.schedule]
        if points != sorted(set(points)):
            raise ValueError(f"the points of the schedule are {points}; expected rising ones, each once")
        return self

    def mix(self, split: Split, length: Length) -> Mix:
        """Return the sources (or languages) and their shares.

        Raises:
            ConfigError: a name is unknown, or sources would be seen more often than ``most_epochs``.
            DataError: the tokens were packed without sources.
        """
        from pilotlight.tokens.mixing import (
            constant,
            groups_of,
            in_stages,
            refuse_repetition,
            shares_by_name,
            without_idle,
        )
        from pilotlight.tokens.order import Mix

        names, groups, sizes = groups_of(split, self.by)
        points = [stage.at for stage in self.schedule]
        if self.schedule:
            table = [shares_by_name(sizes, 1.0, {"declared": stage.shares}) for stage in self.schedule]
        else:
            how = {"temperature": self.temperature, "declared": self.shares, "most_epochs": self.most_epochs}
            table = [shares_by_name(sizes, length.tokens, how)]
        names, groups, table = without_idle(names, groups, table)
        if not points:
            return Mix(names, groups, constant(table[0]))
        if self.most_epochs is not None:
            refuse_repetition(points, table, {name: sizes[name] for name in names}, length, self.most_epochs)
        return Mix(names, groups, in_stages(points, table, length))
