"""The rule that is declared before the first run."""

from __future__ import annotations

from pydantic import Field

from pilotlight.spec import Spec
from pilotlight.units import Share


class Rule(Spec):
    """What has to be shown, and how surely, before a change is adopted."""

    worth: Share = Field(default=0.005, gt=0.0, lt=1.0)
    """Smallest relative effect that matters; anything smaller is not worth a change."""

    level: Share = Field(default=0.95, gt=0.5, lt=1.0)
    """Confidence of intervals; one minus it is the share of false discoveries that is accepted."""

    power: Share = Field(default=0.8, gt=0.5, lt=1.0)
    """Chance that a comparison has to have of seeing an effect of the size of ``worth``."""

    most_seeds: int = Field(default=8, ge=2)
    """Largest number of seeds per arm that advice may ask for."""
