"""What a training says of itself when its loss does not fall as expected."""

from __future__ import annotations

from typing import Literal, final

from pilotlight.spec import Record


@final
class Cause(Record):
    """One likely cause, what speaks for it, and the change to try."""

    kind: Literal["rate_too_high", "rate_too_low", "text_repeated", "text_shifted", "units_dead", "plateau"]
    """``plateau``: nothing that is looked at stands out."""
    evidence: str
    change: str


@final
class Diagnosis(Record):
    """A loss that is not as expected, and why that may be."""

    step: int
    bits_per_byte: float
    """Of held-out text at this step."""
    seen: str
    """What was expected and what came."""
    causes: tuple[Cause, ...]
    """Likeliest first."""

    @property
    def sentence(self) -> str:
        """The whole in words."""
        causes = " ".join(
            f"Likely {cause.kind.replace('_', ' ')}: {cause.evidence}. Try: {cause.change}." for cause in self.causes
        )
        return f"the loss does not fall as expected: {self.seen}. {causes}"
