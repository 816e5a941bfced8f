"""Initialisations: the distribution that matrices start from. One file per kind, what draws it beside it."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar, Literal, NamedTuple

from pydantic import Field

from pilotlight.model.parametrisation import Role, Start
from pilotlight.spec import Part

if TYPE_CHECKING:
    import torch

INTO_STREAM = ("output", "down")
"""Names of the matrices through which mixers and feed-forwards write into the stream of hidden states."""


class Place(NamedTuple):
    """Which parameter of a model it is."""

    name: str
    """Full name, such as blocks.0.mixer.output."""
    shape: tuple[int, ...]
    """The last two sizes are outputs and inputs."""
    depth: int
    """Blocks that the model goes through."""

    @property
    def last_name(self) -> str:
        """Return the name within its layer."""
        return self.name.rpartition(".")[2]


class Initialisation(Part):
    """Settings of the start of the matrices inside the blocks; embedding, gains and biases keep theirs.

    A standard deviation of ``1 / sqrt(inputs)`` keeps the size of what goes in (LeCun et al. 1998); with a
    ``model.matrix_gain`` of 1.41 what a ReLU lets through keeps it (He et al. 2015, Kaiming).
    """

    folder: ClassVar[str] = "pilotlight.model.initialisations"

    fan: Literal["inputs", "average"] = "inputs"
    """Whether the deviation follows from the inputs of a matrix, or from the mean of its inputs and outputs (Glorot and
    Bengio 2010, Xavier)."""
    std: float | None = Field(default=None, gt=0)
    """One standard deviation for all matrices, such as 0.02 (GPT-2); null: by ``fan``."""
    output: Literal["plain", "depth", "zero"] = "plain"
    """Matrices that write into the stream: like the others, smaller by sqrt(2 x depth) (Radford et al. 2019, GPT-2), or 0, so
    that each block begins as the identity (Zhang et al. 2019, Fixup)."""

    @abstractmethod
    def draw(self, shape: tuple[int, ...], generator: torch.Generator) -> torch.Tensor:
        """Return float32 values of mean 0 and variance 1; the last two sizes of ``shape`` are those of a matrix."""

    def start(self, declared: Start, role: Role, place: Place) -> Start:
        """Return the start of a parameter that was declared with a normal distribution."""
        if role is not Role.MATRIX:
            return declared
        std = self.deviation(declared.std, place)
        if place.last_name in INTO_STREAM and self.output == "zero":
            return Start("zeros")
        if place.last_name in INTO_STREAM and self.output == "depth":
            std *= (2 * place.depth) ** -0.5
        return Start("normal", std, self)

    def deviation(self, declared: float, place: Place) -> float:
        """Return the standard deviation by ``fan`` and ``std`` for one that was declared by the inputs."""
        if self.std is not None:
            return self.std
        outputs, inputs = place.shape[-2:]
        return declared * (2 * inputs / (inputs + outputs)) ** 0.5 if self.fan == "average" else declared
