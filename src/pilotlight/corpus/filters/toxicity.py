"""Insults and vulgar words, and texts that a model trained on a user's examples calls toxic."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, final

from pilotlight.corpus.filter import Filter
from pilotlight.corpus.lexicons.profanity import find_profanity
from pilotlight.corpus.view import Values, View
from pilotlight.units import Share


@final
class Toxicity(Filter):
    """Measures every text by a list of insults in eleven languages, and by a ``model`` if given; drops only if told to.

    Set ``only_annotate: false`` after looking at whom it would drop: lists and models of toxicity flag what some groups
    write, and what is written about them, more often (docs/bias.md has the rates). The list holds slurs but no names
    of groups. A model is trained by ``pilotlight.corpus.learning.train_filter`` on labelled texts of your own.
    """

    columns: ClassVar[Mapping[str, str]] = {
        "words": "insults and vulgar words found by the list, number",
        "share": "those over all words, from 0 to 1",
        "score": "from 0 to 1: weights of the words found, thinned by length; of the model if one is given and says more",
    }
    keeps: ClassVar[tuple[str, ...]] = (
        "The gay community centre and the mosque share a car park; both were opened in 1998.",
        "Chop the garlic, brown the beef and let it simmer. Everyone will want to eat it.",
        "Elle arrive tard avec son fils, et le bus n'attend pas.",
    )
    drops: ClassVar[tuple[str, ...]] = (
        "Shut up, you stupid moron. You are a pathetic idiot and everybody knows it.",
        codecs.decode("Lbh ner n shpxvat vqvbg, nffubyr.", "rot13"),
        codecs.decode("Reerf ha tvyvcbyynf, rfghcvqb, irgr n yn zvreqn.", "rot13"),
    )

    only_annotate: bool = True
    """Measure and report, but drop nothing."""
    model: Path | None = None
    """File of a trained linear model; without one the word list gives the score."""
    threshold: Share | None = None
    """Score from which a text is toxic; by default that of the model, or 0.4 for the word list."""

    def measure(self, view: View) -> Values:
        """Return what the word list found, and the score."""
        found = find_profanity(view.text, str(view.facts.get("language", "")))
        score = found.score
        if self.model is not None:
            from pilotlight.corpus.linear import cached_model

            # A model knows the insults of its examples; the list knows those it never met.
            score = max(score, cached_model(str(self.model)).score(view.text))
        return {"words": found.found, "share": round(found.share, 6), "score": round(score, 6)}

    def reason_to_drop(self, values: Values, source: str = "") -> str | None:
        """Return the score if it reaches the threshold."""
        score, least = float(values["score"]), self._threshold()
        return f"toxic: {score:.2f}, at least {least:.2f} ({values['words']} words)" if score >= least else None

    def _threshold(self) -> float:
        if self.threshold is not None:
            return float(self.threshold)
        if self.model is None:
            return 0.4
        from pilotlight.corpus.linear import cached_model

        return cached_model(str(self.model)).threshold
