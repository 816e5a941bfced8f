"""Adafactor: the second moment of a matrix in a row and a column."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from pydantic import Field

from pilotlight.train.optim import Optim

if TYPE_CHECKING:
    import torch


@final
class Adafactor(Optim):
    """Gradients over a factored second moment, clipped (Shazeer and Stern 2018, arXiv 1804.04235, algorithms 4 and 5).

    Without the paper's rate relative to the weights (its section 8), as Zhai et al. train (2022, arXiv 2106.04560,
    section 3.4): so the rate means what AdamW's means and scales with the width as Adam's.
    """

    momentum: float = Field(default=0.0, ge=0, lt=1)
    """Share of the last update kept in the next one; 0 saves the memory of one copy of the weights."""
    decay: float = Field(default=0.8, gt=0, le=1)
    """The second moment of step t keeps 1 - t ** -decay of the last one."""
    clip: float = Field(default=1.0, gt=0)
    """Largest root mean square of a parameter's update before the rate."""
    eps: float = Field(default=1e-30, gt=0)
    """Added to the squared gradient."""

    def make(self, model: torch.nn.Module) -> torch.optim.Optimizer:
        """Return Adafactor over the model's parameter groups."""
        from pilotlight.train.groups import parameter_groups
        from pilotlight.train.optim._adafactor import AdafactorRule

        return AdafactorRule(parameter_groups(model, self), self)
