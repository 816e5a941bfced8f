"""T-Fixup."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, final

from pilotlight.model.initialisations import Initialisation, Place
from pilotlight.model.parametrisation import Role, Start

if TYPE_CHECKING:
    import torch

SHRUNK = ("value", "output", "up", "down")
"""Matrices on the path from a token to the stream; queries, keys and gates only steer it."""


@final
class TFixup(Initialisation):
    """Xavier's uniform start, smaller by 0.67 depth^(-1/4) for embedding, values, outputs and feed-forwards.

    Made so that training holds without norms and without warm-up (Huang et al. 2020); set ``norm: none`` and
    ``parametrisation: standard`` with it. The factor is the one of blocks of two branches, which the paper derives for
    its encoder; the embedding starts at 1 / sqrt(width) times it.
    """

    fan: Literal["inputs", "average"] = "average"
    """Whether the deviation follows from the inputs of a matrix, or from the mean of its inputs and outputs."""

    def draw(self, shape: tuple[int, ...], generator: torch.Generator) -> torch.Tensor:
        """Return float32 values of mean 0 and variance 1."""
        from pilotlight.model.initialisations.uniform_layer import draw

        return draw(shape, generator)

    def start(self, declared: Start, role: Role, place: Place) -> Start:
        """Return the start of a parameter that was declared with a normal distribution."""
        factor = 0.67 * place.depth**-0.25
        if place.name == "embedding":
            return Start("normal", factor * place.shape[-1] ** -0.5)
        found = super().start(declared, role, place)
        if role is Role.MATRIX and place.last_name in SHRUNK and found.kind == "normal":
            return Start("normal", factor * found.std, self)
        return found
