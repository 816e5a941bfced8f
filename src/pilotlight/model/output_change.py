"""What stands between the last hidden states and the logits of encoders that were trained on masked tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import torch
import torch.nn.functional as functional
from jaxtyping import Float
from torch import Tensor, nn

from pilotlight.model.layer import linear
from pilotlight.model.weight import matrix, vector

if TYPE_CHECKING:
    from pilotlight.model.norms import Norm
    from pilotlight.model.parametrisation import Parametrisation

_COLUMNS = 8  # matrix kernels want sides that are multiples of it


@final
class OutputChange(nn.Module):
    """norm(gelu(matrix(hidden) + bias)) (Devlin et al. 2019, BERT)."""

    def __init__(self, width: int, norm: Norm, rules: Parametrisation) -> None:
        super().__init__()
        self.matrix = matrix(width, width, rules)
        self.bias = vector(width, rules, value=0.0, in_block=False)
        self.norm = norm.build(width, rules, in_block=False)

    def forward(self, hidden: Float[Tensor, "*rows width"]) -> Float[Tensor, "*rows width"]:
        """Return the hidden states that meet the output matrix."""
        return self.norm(functional.gelu(linear(hidden, self.matrix, self.bias)))


def with_bias(
    hidden: Float[Tensor, "places width"],
    matrix: Float[Tensor, "vocabulary width"],
    bias: Float[Tensor, " vocabulary"],
    one: float,
) -> tuple[Float[Tensor, "places wider"], Float[Tensor, "vocabulary wider"]]:
    """Return hidden states and matrix whose product, times 1 / ``one``, holds the bias: it is a column of the matrix."""
    column = torch.full_like(hidden[:, :1], one)
    wider = functional.pad(torch.cat([hidden, column], dim=1), (0, _COLUMNS - 1))
    return wider, functional.pad(torch.cat([matrix, bias[:, None]], dim=1), (0, _COLUMNS - 1))
