"""Masks that never change, and how they are read from a file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import final

import torch
from torch import Tensor

from pilotlight.errors import ConfigError
from pilotlight.train.sparsity._pruner import Pruner


@final
class FixedPruner(Pruner):
    """Keeps the masks it was given."""

    def change(self, done: int) -> bool:
        """Return False: nothing changes."""
        del done
        return False


def read_masks(path: Path, matrices: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the masks in a file of safetensors, one for each matrix: False is zero.

    Raises:
        ConfigError: it cannot be read, or holds masks of another model.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        found = load_file(path)
    except (OSError, SafetensorError) as error:
        raise ConfigError(f"train.sparsity.path: {path} is no file of masks ({error}).") from error
    if missing := [name for name in matrices if name not in found]:
        raise ConfigError(f"train.sparsity.path: {path} has no mask for {', '.join(missing[:3])}; its masks are those of "
                          "another model.")  # fmt: skip
    for name, matrix in matrices.items():
        mask = found[name]
        if mask.shape != matrix.shape or mask.dtype != torch.bool:
            raise ConfigError(f"train.sparsity.path: {path}: the mask of {name} is {mask.dtype} {list(mask.shape)}, expected "
                              f"torch.bool {list(matrix.shape)}.")  # fmt: skip
    return {name: found[name] for name in matrices}
