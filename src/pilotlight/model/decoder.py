"""Settings of a decoder-only language model."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from pydantic import Field

from pilotlight.errors import ConfigError
from pilotlight.model.attention import Attention
from pilotlight.model.attention.grouped import Grouped
from pilotlight.model.feedforward import FeedForward
from pilotlight.model.feedforward.swiglu import SwiGLU
from pilotlight.model.norms import Norm
from pilotlight.model.norms.rms import RMS
from pilotlight.model.parametrisation import Name, Parametrisation
from pilotlight.model.positions import Position
from pilotlight.model.positions.rotary import Rotary
from pilotlight.spec import Spec

if TYPE_CHECKING:
    from pilotlight.model.decoder_layer import DecoderModel


@final
class Decoder(Spec):
    """A pre-norm transformer that predicts the next token.

    Learning rate, weight decay and epsilon in a plan are those of a model of ``base_width`` and ``base_depth``; other
    sizes scale them (see ``pilotlight.model.parametrisation``).
    """

    depth: int | None = Field(default=None, ge=1)
    """Number of blocks; follows from the scale where it is left out."""
    width: int | None = Field(default=None, ge=8)
    """Size of the vector that stands for a token; follows from the scale where it is left out."""
    attention: Attention = Grouped()
    """How tokens see each other."""
    feedforward: FeedForward = SwiGLU()
    """How each token is changed by itself."""
    norm: Norm = RMS()
    """Normalisation before every attention, every feed-forward and the logits."""
    position: Position = Rotary()
    """How the model knows where a token stands."""
    tied: bool = True
    """Use the embedding as the output matrix too."""
    parametrisation: Name = "completep"
    """How hyper-parameters follow the size: completep, or standard for comparison."""
    base_width: int = Field(default=128, ge=8)
    """Width at which the hyper-parameters were tuned."""
    base_depth: int = Field(default=4, ge=1)
    """Depth at which the hyper-parameters were tuned."""
    embedding_std: float = Field(default=0.02, gt=0)
    """Standard deviation of the embedding and the output matrix at the start."""
    matrix_gain: float = Field(default=1.0, gt=0)
    """Standard deviation of the other matrices at the start, times the square root of their inputs."""

    def size(self) -> tuple[int, int]:
        """Return depth and width.

        Raises:
            ConfigError: one of them is not set, or the width does not fit the heads.
        """
        if self.depth is None or self.width is None:
            missing = "depth" if self.depth is None else "width"
            raise ConfigError(
                f"model.{missing} is not set; set it, or let the scale choose it (pilotlight.model.size.shape)"
            )
        step = self.attention.width_step
        if self.width % step:
            below = max(step, self.width // step * step)
            raise ConfigError(
                f"model.width is {self.width}, but it has to be a multiple of {step} for these heads; "
                f"take {below} or {below + step}, or change model.attention.head_dim"
            )
        return self.depth, self.width

    def rules(self) -> Parametrisation:
        """Return how starts, multipliers and optimiser settings scale at this size."""
        depth, width = self.size()
        return Parametrisation(
            name=self.parametrisation,
            width_ratio=width / self.base_width,
            depth_ratio=depth / self.base_depth,
            gain=self.matrix_gain,
        )

    def build(self, vocabulary: int) -> DecoderModel:
        """Return the model for ids below ``vocabulary``, on torch's default device, not yet initialised.

        Raises:
            ConfigError: depth or width is not set, or does not fit.
        """
        from pilotlight.model.decoder_layer import DecoderModel

        return DecoderModel(self, vocabulary)
