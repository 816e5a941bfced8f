"""Ways to bound a gradient, one per file. ``plan.train.clip.kind`` is the file's name."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from pilotlight.spec import Part

if TYPE_CHECKING:
    import torch


class Clipper(ABC):
    """Bounds the gradients of one training, and may remember earlier ones; what it remembers goes into checkpoints."""

    @abstractmethod
    def clip(self, parameters: list[torch.nn.Parameter], norm: float) -> None:
        """Change the gradients in place.

        Called for steps that are applied, and for no other: what is skipped leaves no trace.

        Args:
            parameters: those with a gradient, always in the same order.
            norm: of all their gradients together, finite.
        """

    def state(self) -> dict[str, Any]:
        """Return everything remembered, as JSON types."""
        return {}

    def restore(self, state: dict[str, Any]) -> None:
        """Take over what ``state`` returned in an earlier process, in place of what is remembered now."""
        del state


class Clipping(Part):
    """Settings of a bound of the gradient. A number stands for ``{kind: norm, largest: number}``."""

    folder: ClassVar[str] = "pilotlight.train.clipping"

    @abstractmethod
    def build(self) -> Clipper:
        """Return what clips the gradients of one training."""

    @classmethod
    def choose(cls, value: Any) -> Any:
        """Return the part that ``value`` (an instance, a name, a mapping with ``kind`` or a number) asks for.

        Raises:
            ValidationError: there is no such kind, or its settings are wrong.
        """
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return super().choose({"kind": "norm", "largest": value} if is_number else value)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> dict[str, Any]:
        """Return the JSON schema: any of the kinds, by name or with settings, or a number."""
        found = super().__get_pydantic_json_schema__(schema, handler)
        if "folder" in cls.__dict__:
            found["anyOf"] = [{"type": "number", "exclusiveMinimum": 0}, *found["anyOf"]]
        return found


def scale_down(parameters: list[torch.nn.Parameter], norm: float, largest: float) -> None:
    """Scale all gradients, whose norm together is ``norm``, down to ``largest`` if they are above."""
    if norm > largest:
        for parameter in parameters:
            if parameter.grad is not None:
                parameter.grad.mul_(largest / norm)
