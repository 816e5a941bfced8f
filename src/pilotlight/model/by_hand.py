"""Whether gradients that were written by hand may be used."""

from __future__ import annotations

import torch


def by_hand() -> bool:
    """Return whether a function may use its hand-written gradient.

    A compiler makes a better one from the plain formula, and a stack of models (``torch.vmap``) can be computed from the
    plain formula only.
    """
    return not (torch.compiler.is_compiling() or torch._C._are_functorch_transforms_active())
