"""A small sample that stands for the whole, with a certificate."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, Self, final

from pydantic import Field, model_validator

from pilotlight.corpus.pile import Pile
from pilotlight.corpus.selection import Select
from pilotlight.units import Count, Share

Stratum = Literal["source", "language", "length", "content"]


@final
class Sample(Select):
    """Stratified sample that keeps the shares of source, language and length, and the repetition of the full run.

    The same share is taken of every source. So a pilot that trains on that share of the full run's tokens sees every
    source as often as the full run will; with other repetition rates the best mixture of a pilot does not carry over
    (arXiv 2606.07597). Documents that repeat each other are drawn together, so the sample repeats itself inside as
    the whole does. A smaller share gives a part of the larger sample.
    """

    share: Annotated[Share, Field(gt=0)] | None = None
    """Share of the bytes to keep, such as 1%."""
    tokens: Annotated[Count, Field(gt=0)] | None = None
    """Instead of a share: tokens that the pilot trains on; with `full_tokens`, the share is their ratio."""
    full_tokens: Annotated[Count, Field(gt=0)] | None = None
    """Tokens that the full run trains on."""
    by: Annotated[tuple[Stratum, ...], Field(min_length=1)] = ("source", "language", "length")
    """What strata are made of; lengths are in classes that double."""
    keep_together: Literal["near", "exact", "group", "none"] = "near"
    """Which documents come in together or not at all: near or exact repetitions, or those whose fact `group` is equal."""
    tolerance: Annotated[Share, Field(gt=0)] = 0.02
    """Largest total-variation distance of shares, and relative difference of bytes, that passes as representative."""
    require: bool = False
    """Stop the build when the certificate says that the sample is not representative."""
    seed: int = 0
    """Decides which documents are drawn."""

    @model_validator(mode="after")
    def _one_size(self) -> Self:
        if (self.share is None) == (self.tokens is None):
            raise ValueError("give either share, or tokens and full_tokens")
        if (self.tokens is None) != (self.full_tokens is None):
            raise ValueError("tokens and full_tokens belong together: their ratio is the share")
        if self.tokens is not None and self.full_tokens is not None and self.tokens > self.full_tokens:
            raise ValueError(f"tokens {self.tokens:g} are more than the full_tokens {self.full_tokens:g}")
        return self

    @property
    def part(self) -> float:
        """Share of the bytes that is kept."""
        if self.tokens is not None and self.full_tokens is not None:
            return self.tokens / self.full_tokens
        return self.share or 1.0

    def decide(self, pile: Pile) -> list[Path]:
        """Return for every split the unit with the decisions on its documents.

        Raises:
            DataError: there is nothing to sample from, or ``require`` is set and the sample is not representative.
        """
        from pilotlight.corpus.certificate import certificate
        from pilotlight.errors import DataError

        module = "pilotlight.corpus.sampling:"
        given: dict[str, Any] = {
            "seed": self.seed, "together": self.keep_together, "by": list(self.by), "share": self.part,
        }  # fmt: skip
        measured = pile.run("measure", f"{module}measure", [((split,), given) for split in pile.splits])
        cutting = {"share": self.part, "seed": self.seed}
        [chosen] = pile.run("share", f"{module}choose_share", [(measured, cutting)])
        pairs = zip(pile.splits, measured, strict=True)
        counted = pile.run("words", f"{module}count_sample", [((split, unit, chosen), {}) for split, unit in pairs])
        judging = {"share": self.part, "by": list(self.by), "together": self.keep_together, "tolerance": self.tolerance}
        [judged] = pile.run("certificate", f"{module}write_certificate", [((chosen, *measured, *counted), judging)])
        found = certificate(judged)
        if self.require and found["representative"] is not True:
            failed = [item["name"] for item in found["criteria"] if item["representative"] is not True]
            raise DataError(
                f"the sample of {100 * self.part:.3g} % is not representative in {', '.join(failed)}; expected it to pass "
                "every criterion. Take a larger share, a larger tolerance, or set require to false."
            )
        return pile.run("choose", f"{module}choose", [((unit, chosen, judged), {}) for unit in measured])

    def report(self, pile: Pile, decided: list[Path]) -> dict[str, Any]:
        """Return the certificate: wanted and achieved, every criterion with its threshold, and the verdict."""
        from pilotlight.corpus.certificate import told_certificate

        del pile
        return told_certificate(decided)
