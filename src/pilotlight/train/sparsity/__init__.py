"""Ways to train with most weights at zero, one per file. ``plan.train.sparsity.kind`` is the file's name."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal, final

from pydantic import Field

from pilotlight.spec import Part, plain
from pilotlight.units import Share

if TYPE_CHECKING:
    import torch

    from pilotlight.train.sparsity._pruner import Pruner

Layers = Literal["uniform", "erdos_renyi"]


class Sparsity(Part):
    """Settings of a sparse training: which weights of the matrices inside blocks are zero, and when that changes.

    Embeddings, output, gains, biases and kernels of one row stay dense. Zeros are kept by masks: a step computes and costs
    what a dense one does.
    """

    folder: ClassVar[str] = "pilotlight.train.sparsity"

    share: Share = Field(default=0.8, gt=0, lt=1)
    """Share of the weights of the matrices inside blocks that are zero at the end of the training."""
    layers: Layers = "uniform"
    """How the share is spread. ``uniform``: the same in every matrix; ``erdos_renyi``: a matrix of m rows and n columns keeps
    weights in proportion to m + n, so that larger ones are sparser (Mocanu et al. 2018, equation 3)."""

    @final
    def build(self, model: torch.nn.Module, seed: int, steps: int) -> Pruner:
        """Return what keeps weights of ``model`` at zero in a training of ``steps`` steps; some are zero from now on.

        Raises:
            ConfigError: a mask that is given does not fit the model.
        """
        from pilotlight.train.sparsity._pruner import prunable

        return self.make(prunable(model), seed, steps)

    @abstractmethod
    def make(self, matrices: Mapping[str, torch.nn.Parameter], seed: int, steps: int) -> Pruner:
        """Return the pruner of the matrices inside blocks, by their names.

        What is drawn follows from ``seed``, the number of the update and the name of the parameter.
        """

    def inputs(self) -> dict[str, str]:
        """Return the fingerprints of files it reads, by name, for manifests."""
        return {}

    def identity(self) -> dict[str, Any]:
        """Return what decides the weights: the settings, and of files their content and not their place."""
        return plain(self)
