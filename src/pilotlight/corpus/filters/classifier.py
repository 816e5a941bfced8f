"""Texts that a model, trained on a user's good and bad examples, calls bad."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, final

from pydantic import Field, field_validator

from pilotlight.corpus.filter import Filter
from pilotlight.corpus.view import Values, View
from pilotlight.units import Share


@final
class Classifier(Filter):
    """Keeps texts that a trained linear model scores at least ``least``: quality by example.

    The model is trained by ``pilotlight.corpus.learning.train_filter`` on texts labelled good or bad, as fastText is in
    DCLM (Li et al. 2024, arXiv:2406.11794): `pilot corpus learn` writes it.
    """

    columns: ClassVar[Mapping[str, str]] = {"score": "chance that the text is good, from 0 to 1"}
    keeps: ClassVar[tuple[str, ...]] = ("Water boils at a lower temperature in the mountains.", "def area(r): return r")
    drops: ClassVar[tuple[str, ...]] = ("", " \n\n ", "- - -")

    model: Path | None = Field(default=None, validate_default=True)
    """File of a trained linear model; required."""
    least: Share | None = None
    """Score that a text needs to stay; by default the threshold of the model."""

    @field_validator("model")
    @classmethod
    def _a_model(cls, model: Path | None) -> Path | None:
        if model is None:
            raise ValueError(
                "no model is given, so nothing could be judged; expected the file of a model that "
                "`pilot corpus learn labelled.csv --out model.npz` wrote, such as {kind: classifier, model: model.npz}"
            )
        return model

    def measure(self, view: View) -> Values:
        """Return the score of the text.

        Raises:
            DataError: the file is no model.
        """
        from pilotlight.corpus.linear import cached_model

        return {"score": round(cached_model(str(self.model)).score(view.text), 6)}

    def reason_to_drop(self, values: Values, source: str = "") -> str | None:
        """Return the score if it is too low."""
        score, least = float(values["score"]), self._least()
        return f"low score: {score:.3f}, less than {least:.3f}" if score < least else None

    def _least(self) -> float:
        if self.least is not None:
            return float(self.least)
        from pilotlight.corpus.linear import cached_model

        return cached_model(str(self.model)).threshold
