"""How starts, multipliers and optimiser settings follow the width and depth of a model (no torch here).

``completep`` is CompleteP (Dey et al. 2025, arXiv 2505.01618, table 1 with alpha = 1) on top of muP (Yang et al. 2022,
arXiv 2203.03466): with m_N = width / base width and m_L = depth / base depth,

=====================  ==================================================================
start                  embedding and output std unchanged, matrices gain / sqrt(fan-in)
residual branch        multiplied by 1 / m_L
logits                 multiplied by 1 / m_N
learning rate          matrices x 1 / m_N, everything else unchanged
weight decay           matrices x m_N (the product with the learning rate stays)
Adam's epsilon         1 / (m_N m_L) inside the blocks, 1 / m_N outside
=====================  ==================================================================

``standard`` keeps the same starts and leaves all the rest alone; at the base size the two are the same model.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pilotlight.model.initialisations import Initialisation

Name = Literal["completep", "standard"]


class Role(StrEnum):
    """What a parameter is to the model; optimisers choose their groups by it."""

    EMBEDDING = "embedding"
    """A table looked up by id or by position."""
    MATRIX = "matrix"
    """A matrix product inside a block; both sides grow with the width."""
    VECTOR = "vector"
    """A gain or a bias."""
    OUTPUT = "output"
    """The matrix that makes logits, where it is not the embedding."""


@dataclass(frozen=True, slots=True)
class Start:
    """The distribution a parameter starts from."""

    kind: Literal["normal", "ones", "zeros"]
    std: float = 0.0
    """Standard deviation of ``normal``."""
    by: Initialisation | None = None
    """What is drawn in place of a normal distribution, times ``std``."""


@dataclass(frozen=True, slots=True)
class Scaling:
    """Factors by which a parameter's learning rate, weight decay and Adam epsilon differ from the plan's."""

    lr: float = 1.0
    weight_decay: float = 1.0
    eps: float = 1.0


@dataclass(frozen=True, slots=True)
class Parametrisation:
    """The rules above for a model of one size; ratios are relative to the base size the settings were tuned at."""

    name: Name
    width_ratio: float
    depth_ratio: float
    gain: float = 1.0

    @property
    def branch(self) -> float:
        """Return the factor of every residual branch."""
        return 1.0 / self.depth_ratio if self.name == "completep" else 1.0

    @property
    def output(self) -> float:
        """Return the factor of the logits."""
        return 1.0 / self.width_ratio if self.name == "completep" else 1.0

    def matrix_start(self, fan_in: int) -> Start:
        """Return the start of a matrix that sums over ``fan_in`` inputs."""
        return Start("normal", self.gain / fan_in**0.5)

    def scaling(self, role: Role, *, in_block: bool = True) -> Scaling:
        """Return the optimiser factors of a parameter by its role and place."""
        if self.name == "standard":
            return Scaling()
        eps = 1.0 / self.width_ratio / (self.depth_ratio if in_block else 1.0)
        if role is Role.MATRIX:
            return Scaling(lr=1.0 / self.width_ratio, weight_decay=self.width_ratio, eps=eps)
        return Scaling(eps=eps)
