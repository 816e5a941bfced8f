"""Sources by what there is still to be learned from them, seen while training."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from pydantic import Field

from pilotlight.spec import plain
from pilotlight.tokens.journal import Weights
from pilotlight.tokens.orders import Order
from pilotlight.units import Share

if TYPE_CHECKING:
    from pilotlight.tokens.order import Length, Mix
    from pilotlight.tokens.tokens import Split


@final
class Adaptive(Order):
    """Shares of sources follow their losses; each change is an entry of the journal, so the run stays repeatable.

    With ``reference``, sources with a loss above that of a reference model gain (DoReMi, Xie et al. 2023, used online:
    shares are multiplied by exp(rate * excess) and mixed with even ones). Without, sources with a high moving average
    of the loss gain: the exploration and the softmax of ODM (Albalak et al. 2023), without its importance weights, since
    one batch holds rows of all sources here.
    """

    every: int = Field(default=50, ge=1)
    """Steps between updates; the losses are those of the batch before an update."""
    rate: float = Field(default=1.0, gt=0)
    """How strongly shares follow the losses, per nat a token."""
    even: Share = Field(default=0.05, le=1.0)
    """Least part of the shares that is spread evenly, so that no source is forgotten."""
    memory: Share = Field(default=0.9, lt=1.0)
    """Weight of the earlier average in the moving average of a loss; without a reference only."""
    reference: Path | None = None
    """Table with the loss of a reference model on the training documents (bits per byte, or nats and bytes)."""
    id: str = ""
    """Column of the ids; empty: ``id`` or ``item``."""
    score: str = ""
    """Column of the losses in bits per byte; empty: ``score``, or from ``nats`` and ``bytes``."""
    temperature: float = Field(default=1.0, gt=0)
    """Shares at the beginning go with tokens to the power of 1 / temperature."""

    def mix(self, split: Split, length: Length) -> Mix:
        """Return the sources and their shares at the beginning.

        Raises:
            DataError: the tokens were packed without sources.
        """
        from pilotlight.tokens.mixing import constant, groups_of, shares_by_name
        from pilotlight.tokens.order import Mix

        names, groups, sizes = groups_of(split, "source")
        return Mix(names, groups, constant(shares_by_name(sizes, length.tokens, {"temperature": self.temperature})))

    def updates_every(self) -> int | None:
        """Return ``every``."""
        return self.every

    def update(self, split: Split, before: Weights | None, shares: Mapping[str, float], losses: Mapping[str, float],
               step: int) -> Weights:  # fmt: skip
        """Return the new shares.

        Raises:
            DataError: a source has no document in the reference table.
        """
        from pilotlight.tokens.mixing import by_average, by_excess, reference_losses

        updates = 1 if before is None else before.updates + 1
        if self.reference is None:
            scores = dict(before.scores) if before else {}
            for name, loss in losses.items():
                scores[name] = self.memory * scores[name] + (1 - self.memory) * loss if name in scores else loss
            found = by_average(shares, scores, updates, (self.rate, self.even))
            return Weights(step=step, weights=found, scores=scores, updates=updates)
        known = reference_losses(split, self.reference, (self.id, self.score))
        excess = {name: max(0.0, loss - known[name]) for name, loss in losses.items()}
        found = by_excess(shares, excess, (self.rate, self.even))
        return Weights(step=step, weights=found, scores=excess, updates=updates)

    def identity(self) -> dict[str, Any]:
        """Return the settings, with the content of the table in place of its path."""
        if self.reference is None:
            return plain(self)
        from pilotlight.corpus.target_text import content_digest

        return {**plain(self), "reference": content_digest(self.reference)}
