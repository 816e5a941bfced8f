"""From the weights of a model: another run, or one that was imported."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, final

from pydantic import Field

from pilotlight.spec import plain
from pilotlight.train.starts import Start
from pilotlight.train.starts._content import fingerprint_of

if TYPE_CHECKING:
    from pilotlight.model.decoder_layer import DecoderModel
    from pilotlight.tokens.tokens import Tokens
    from pilotlight.train.plan import Plan


@final
class Weights(Start):
    """The weights of a trained model, grown to the plan's depth and width where they differ; optimiser and steps begin anew.

    The folder has to stay until the training is finished.
    """

    path: Path
    """A finished run, an imported model, or a Hugging Face model (config.json and safetensors) in a local folder."""
    depth: Literal["stack", "interleave", "middle", "silent"] | None = None
    """How blocks become more or fewer where the plan's model has another depth. ``stack``: all of them again behind
    themselves; ``interleave``: copies beside each; ``middle``: the first ones and the last ones, as many as are needed;
    ``silent``: copies that add nothing at first, so that the model computes what it did."""
    noise: float = Field(default=0.5, ge=0, le=1)
    """Where the plan's model is wider: how unevenly copies of a unit share its weights; at 0 they stay copies for ever."""
    tokenizer: Literal["same", "matched"] = "same"
    """``same``: another tokenizer than the model's is refused. ``matched``: ids that stand for the same text keep their rows
    of the embedding, others begin as the mean of all."""
    counted: float = Field(default=0.0, ge=0, lt=1)
    """In a pilot: the share of a rung's training FLOPs that the model has cost already. So many fewer tokens are trained, and
    variants are compared at equal FLOPs. Of a single plan, whose steps are given, it changes nothing."""

    def fill(self, model: DecoderModel, plan: Plan, tokens: Tokens) -> None:
        """Fill every parameter from the model."""
        from pilotlight.train.sources import open_source, start_from

        model.load_state_dict(start_from(open_source(self.path), self, plan, tokens))

    def inputs(self) -> dict[str, str]:
        """Return the fingerprint of the model's files."""
        return {"start": fingerprint_of(self.path)}

    def identity(self) -> dict[str, Any]:
        """Return the settings, with the content of the files for the path."""
        found = {name: value for name, value in plain(self).items() if name not in ("path", "counted")}
        return found | {"source": fingerprint_of(self.path)}

    def facts(self) -> dict[str, Any]:
        """Return the FLOPs that the training of the model took, which those of the run do not count; null: not known."""
        from pilotlight.train.sources import source_flops

        return {"start_flops": source_flops(self.path)}

    def already_spent(self) -> float:
        """Return the share of a rung's tokens that the model's own training stands for."""
        return self.counted
