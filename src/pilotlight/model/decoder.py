"""Settings of a decoder-only language model."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Self, final

from pydantic import Field, model_validator

from pilotlight.errors import ConfigError
from pilotlight.model.feedforward import FeedForward
from pilotlight.model.feedforward.swiglu import SwiGLU
from pilotlight.model.initialisations import Initialisation
from pilotlight.model.initialisations.normal import Normal
from pilotlight.model.mixers import Mixer
from pilotlight.model.mixers.grouped import Grouped
from pilotlight.model.norms import Norm
from pilotlight.model.norms.rms import RMS
from pilotlight.model.parametrisation import Name, Parametrisation
from pilotlight.model.positions import Position
from pilotlight.model.positions.rotary import Rotary
from pilotlight.model.residuals import Residual
from pilotlight.model.residuals.pre import Pre
from pilotlight.spec import Spec

if TYPE_CHECKING:
    from pilotlight.model.decoder_layer import DecoderModel


@final
class Decoder(Spec):
    """A stack of blocks between an embedding and the logits: transformer, recurrent or convolutional by its mixers.

    Learning rate, weight decay and epsilon in a plan are those of a model of ``base_width`` and ``base_depth``; other
    sizes scale them (see ``pilotlight.model.parametrisation``).
    """

    depth: int | None = Field(default=None, ge=1)
    """Number of blocks; follows from the scale where it is left out."""
    width: int | None = Field(default=None, ge=8)
    """Size of the vector that stands for a token; follows from the scale where it is left out."""
    mixer: Mixer = Grouped()
    """How tokens learn of each other: attention, recurrence or convolution."""
    pattern: tuple[Mixer, ...] = ()
    """Mixers of successive blocks, over and over, in place of ``mixer``: such as two windows and one full attention."""
    feedforward: FeedForward = SwiGLU()
    """How each token is changed by itself."""
    norm: Norm = RMS()
    """Normalisation inside the blocks and before the logits."""
    residual: Residual = Pre()
    """How the branches of a block join the stream, and where its norms stand."""
    position: Position = Rotary()
    """How the model knows where a token stands."""
    tied: bool = True
    """Use the embedding as the output matrix too."""
    embedding_norm: bool = False
    """Normalise the embedded tokens before the first block too (BERT)."""
    final_norm: bool = True
    """Normalise after the last block; a ``post`` residual has done it already."""
    output_change: bool = False
    """A matrix, GELU and a norm before the output matrix, as encoders of masked tokens have them (Devlin et al. 2019)."""
    output_bias: bool = False
    """Add a learned number to the logit of every id."""
    repeats: int = Field(default=1, ge=1)
    """Times the blocks are gone through, with the same weights each time (Dehghani et al. 2019, universal transformers)."""
    dropout: float = Field(default=0.0, ge=0, lt=1)
    """Share of the entries of embeddings and branches that is zero at random in training (Srivastava et al. 2014)."""
    softcap: float | None = Field(default=None, gt=0)
    """Logits are bent to stay below this (Gemma 2): cap * tanh(logits / cap); null: not."""
    parametrisation: Name = "completep"
    """How hyper-parameters follow the size: completep, or standard for comparison."""
    base_width: int = Field(default=128, ge=8)
    """Width at which the hyper-parameters were tuned."""
    base_depth: int = Field(default=4, ge=1)
    """Depth at which the hyper-parameters were tuned."""
    initialisation: Initialisation = Normal()
    """Distribution from which the matrices of the blocks start."""
    embedding_std: float = Field(default=0.02, gt=0)
    """Standard deviation of the embedding and the output matrix at the start."""
    matrix_gain: float = Field(default=1.0, gt=0)
    """Standard deviation of the other matrices at the start, times the square root of their inputs."""

    @model_validator(mode="after")
    def _heads_agree(self) -> Self:
        sizes = {mixer.head_dim for mixer in self.pattern}
        if len(sizes) > 1:
            raise ValueError(f"the mixers of a pattern have heads of {', '.join(map(str, sorted(sizes)))} entries; give all "
                             "of them the same head_dim")  # fmt: skip
        return self

    def mixers(self) -> tuple[Mixer, ...]:
        """Return the mixer of every block.

        Raises:
            ConfigError: depth or width is not set, or does not fit.
        """
        depth, _ = self.size()
        kinds = self.pattern or (self.mixer,)
        return tuple(kinds[number % len(kinds)] for number in range(depth))

    @property
    def width_step(self) -> int:
        """Return the number the width has to be a multiple of."""
        return math.lcm(*(mixer.width_step for mixer in self.pattern or (self.mixer,)))

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
        step = self.width_step
        if self.width % step:
            below = max(step, self.width // step * step)
            raise ConfigError(
                f"model.width is {self.width}, but it has to be a multiple of {step} for these heads; "
                f"take {below} or {below + step}, or change the head_dim of model.mixer (or model.pattern)"
            )
        return self.depth, self.width

    def rules(self) -> Parametrisation:
        """Return how starts, multipliers and optimiser settings scale at this size."""
        depth, width = self.size()
        return Parametrisation(
            name=self.parametrisation,
            width_ratio=width / self.base_width,
            depth_ratio=depth * self.repeats / self.base_depth,
            gain=self.matrix_gain,
        )

    def build(self, vocabulary: int) -> DecoderModel:
        """Return the model for ids below ``vocabulary``, on torch's default device, not yet initialised.

        Raises:
            ConfigError: depth or width is not set, or does not fit.
        """
        from pilotlight.model.decoder_layer import DecoderModel

        return DecoderModel(self, vocabulary)
