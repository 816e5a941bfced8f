"""The same weights at zero from the first step to the last, at random or as a file says."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from pilotlight.errors import ConfigError
from pilotlight.manifest import sha256
from pilotlight.spec import plain
from pilotlight.train.sparsity import Sparsity

if TYPE_CHECKING:
    import torch

    from pilotlight.train.sparsity._pruner import Pruner


@final
class Fixed(Sparsity):
    """A mask that never changes: the control of the other kinds, and the tickets of `pilot lottery`."""

    path: Path | None = None
    """File of masks (``masks.safetensors`` of a checkpoint or of `pilot lottery`) that stand in place of random ones;
    ``share`` and ``layers`` are then those of the file. It has to stay until the training is finished."""

    def make(self, matrices: Mapping[str, torch.nn.Parameter], seed: int, steps: int) -> Pruner:
        """Return a pruner whose masks stay."""
        from pilotlight.train.sparsity._choice import densities, random_masks
        from pilotlight.train.sparsity._fixed import FixedPruner, read_masks

        del steps
        if self.path is not None:
            return FixedPruner(matrices, read_masks(self.path, matrices))
        return FixedPruner(matrices, random_masks(matrices, densities(matrices, self.share, self.layers), seed))

    def inputs(self) -> dict[str, str]:
        """Return the fingerprint of the file of masks."""
        return {} if self.path is None else {"masks": self._content(self.path)}

    def identity(self) -> dict[str, Any]:
        """Return the settings, or the content of the file in their place."""
        own = {name: value for name, value in plain(self).items() if name != "path"}
        return own if self.path is None else {"kind": self.kind, **self.inputs()}

    def _content(self, path: Path) -> str:
        try:
            return sha256(path)[:16]
        except OSError as error:
            raise ConfigError(f"train.sparsity.path: {path} cannot be read ({error.strerror}). Give a masks.safetensors of a "
                              "checkpoint or of `pilot lottery`.") from error  # fmt: skip
