"""Settings of how a text goes on (no torch here)."""

from __future__ import annotations

from typing import final

from pydantic import Field

from pilotlight.spec import Spec


@final
class Sampling(Spec):
    """How the next token is chosen from what the model gives to each; the same settings and model, the same text."""

    tokens: int = Field(default=200, ge=1)
    """Most tokens that are added to a text."""
    temperature: float = Field(default=1.0, ge=0)
    """Logits are divided by it: below 1 the likely become likelier; 0 takes the likeliest always."""
    top_k: int | None = Field(default=None, ge=1)
    """Only so many of the likeliest tokens are left to choose from (Fan et al. 2018); null: all."""
    top_p: float | None = Field(default=None, gt=0, le=1)
    """Only the fewest that together have at least this probability are left (Holtzman et al. 2020); null: all."""
    seed: int = 0
    """Decides the draws: each follows from the seed, the number of the text and that of the token."""
