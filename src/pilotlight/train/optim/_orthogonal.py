"""The orthogonal part of a matrix by products alone."""

from __future__ import annotations

import torch
from torch import Tensor

_MARGIN = 1.01
"""Keeps singular values below 1 where products are rounded."""
_POLYNOMIALS = (
    (8.28721201814563, -23.595886519098837, 17.300387312530933),
    (4.107059111542203, -2.9478499167379106, 0.5448431082926601),
    (3.9486908534822946, -2.908902115962949, 0.5518191394370137),
    (3.3184196573706015, -2.488488024314874, 0.51004894012372),
    (2.300652019954817, -1.6689039845747493, 0.4188073119525673),
    (1.891301407787398, -1.2679958271945868, 0.37680408948524835),
    (1.8750014808534479, -1.2500016453999487, 0.3750001645474248),
    (1.875, -1.25, 0.375),
)
"""a x + b x^3 + c x^5: each the best for the singular values the earlier ones leave, where they began in [0.001, 1]
(Amsel et al. 2025, *The Polar Express*, arXiv 2505.16932); the last is Newton-Schulz of the fifth order."""


def orthogonal(matrices: Tensor, iterations: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Return about U V^T for each U S V^T of ``matrices`` [... rows columns], in their own dtype; zero for zero.

    Singular values below a thousandth of the Frobenius norm stay smaller than 1.
    """
    tall = matrices.shape[-2] > matrices.shape[-1]
    found = matrices.mT if tall else matrices  # the Gram matrix is of the shorter side
    found = found.flatten(0, -3)
    scale = torch.linalg.matrix_norm(found, keepdim=True) * _MARGIN
    found = (found / scale.clamp(min=torch.finfo(found.dtype).tiny)).to(dtype)
    for iteration in range(iterations):
        a, b, c = _POLYNOMIALS[min(iteration, len(_POLYNOMIALS) - 1)]
        if iteration < iterations - 1 and iteration < len(_POLYNOMIALS) - 1:
            a, b, c = a / _MARGIN, b / _MARGIN**3, c / _MARGIN**5
        gram = found @ found.mT
        gram = torch.baddbmm(gram, gram, gram, beta=b, alpha=c)
        found = torch.baddbmm(found, gram, found, beta=a)
    if tall:
        found = found.mT
    return found.reshape(matrices.shape).to(matrices.dtype)
