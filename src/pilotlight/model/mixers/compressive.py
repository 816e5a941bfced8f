"""Attention to near tokens beside a compressed memory of all earlier ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal, final

from pydantic import Field

from pilotlight.model.mixers import Mixer

if TYPE_CHECKING:
    from pilotlight.model.layer import MixerLayer
    from pilotlight.model.parametrisation import Parametrisation


@final
class Compressive(Mixer):
    """Sliding-window attention and, for what left the window, a memory of one matrix per head: Infini-attention.

    Both are made from the same queries, keys and values; a learned gate per head mixes them (Munkhdalai et al. 2024; a
    compressed memory for older tokens is from Rae et al. 2019). Unlike the paper a token enters the memory when it leaves
    the window, not with its whole segment, so that no token sees less than the window. The position is used near by and
    not in the memory. Memory while generating does not grow with the text.
    """

    both_ways: ClassVar[bool] = False
    """It goes forwards through a row only."""

    window: int = Field(default=128, ge=1)
    """Tokens that are seen one by one, the token itself included; the ones before are in the memory."""
    update: Literal["delta", "sum"] = "delta"
    """How a token enters the memory: ``delta`` replaces what stood under its key, as far as the token says; ``sum`` adds to
    it, and reading takes a weighted mean (linear attention)."""
    qk_norm: bool = True
    """Normalise queries and keys per head (Henry et al. 2020), which bounds the attention logits."""
    block: int = Field(default=64, ge=1, le=1024)
    """Tokens that enter the memory at once; changes the speed and nothing else."""

    @property
    def width_step(self) -> int:
        """Return the number the model's width has to be a multiple of."""
        return self.head_dim

    def build(self, width: int, rules: Parametrisation) -> MixerLayer:
        """Return the layer for a model of ``width``."""
        from pilotlight.model.mixers.compressive_layer import CompressiveLayer

        return CompressiveLayer(self, width, rules)
