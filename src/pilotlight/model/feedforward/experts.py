"""Mixture of experts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self, final

from pydantic import Field, model_validator

from pilotlight.model.feedforward import FeedForward

if TYPE_CHECKING:
    from pilotlight.model.layer import FeedForwardLayer
    from pilotlight.model.parametrisation import Parametrisation


@final
class Experts(FeedForward):
    """Several swiglu experts; a router sends each token to a few of them (Shazeer et al. 2017), and none is dropped.

    The router is float32 in every precision. Its softmax runs over all experts; the shares of the chosen ones are
    made to sum to 1 (Jiang et al. 2024, Mixtral), but that of a single one stays (Fedus et al. 2022, Switch).
    """

    experts: int = Field(default=8, ge=2)
    """Number of experts among which the router chooses."""
    active: int = Field(default=2, ge=1)
    """Experts that a token goes to."""
    shared: int = Field(default=0, ge=0)
    """Further experts of the same size that every token goes to (Dai et al. 2024, DeepSeekMoE)."""
    expansion: float = Field(default=1.5, gt=0)
    """Hidden size of one expert as a multiple of the width; two of 1.5 cost a token as much as swiglu at 3."""
    balance: float = Field(default=0.01, ge=0)
    """Weight of the penalty of unbalanced experts, counted in each row (DeepSeek-V3 2024, arXiv 2412.19437, equation 17)."""
    router_z_loss: float = Field(default=0.001, ge=0)
    """Weight of the square of the router's log-denominator, which keeps its logits small (Zoph et al. 2022, ST-MoE)."""

    @model_validator(mode="after")
    def _enough(self) -> Self:
        if self.active > self.experts:
            raise ValueError(f"active is {self.active}, but there are {self.experts} experts; take at most as many")
        return self

    def build(self, width: int, rules: Parametrisation) -> FeedForwardLayer:
        """Return the layer for a model of ``width``."""
        from pilotlight.model.feedforward.experts_layer import ExpertsLayer

        return ExpertsLayer(self, width, rules)
