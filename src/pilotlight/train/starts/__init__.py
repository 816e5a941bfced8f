"""Where a training starts from, one way per file: at random, from weights, or off another run."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from pilotlight.spec import Part, plain

if TYPE_CHECKING:
    from pilotlight.model.decoder_layer import DecoderModel
    from pilotlight.tokens.tokens import Tokens
    from pilotlight.train.checkpoint import Checkpoint
    from pilotlight.train.plan import Plan


class Start(Part):
    """Settings of a start."""

    folder: ClassVar[str] = "pilotlight.train.starts"

    @abstractmethod
    def fill(self, model: DecoderModel, plan: Plan, tokens: Tokens) -> None:
        """Fill every parameter of ``model``, which is on the CPU; the same for the same plan and tokens.

        Raises:
            ConfigError: the plan's model cannot start from there; says which part stands in the way.
            DataError: what it starts from is damaged, or belongs to another tokenizer.
            RecordError: what it starts from is unfinished.
        """

    def checkpoint(self, plan: Plan, tokens: Tokens) -> Checkpoint | None:
        """Return the state of another run that the training goes on from; None: it begins at step 0.

        Raises:
            ConfigError: the training would not be a continuation of that run.
            RecordError: there is no such state, or it is damaged.
        """
        del plan, tokens
        return None

    def inputs(self) -> dict[str, str]:
        """Return the fingerprints of what it starts from, by name, for manifests."""
        return {}

    def identity(self) -> dict[str, Any]:
        """Return what decides the weights: the settings, and of files their content and not their place."""
        return plain(self)

    def facts(self) -> dict[str, Any]:
        """Return what a run's manifest should say of its start beyond the fingerprint."""
        return {}

    def already_spent(self) -> float:
        """Return the share of a pilot's tokens at a rung that counts as used before the training begins."""
        return 0.0
