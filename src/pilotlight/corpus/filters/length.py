"""Texts that are too short, or too long, to learn from."""

from __future__ import annotations

from typing import ClassVar, final

from pydantic import model_validator

from pilotlight.corpus.filter import Filter
from pilotlight.corpus.view import Values, View
from pilotlight.units import Count


@final
class Length(Filter):
    """Keeps texts with a number of characters, white space not counted, between two bounds."""

    columns: ClassVar = {"characters": "number of characters that are not white space"}
    keeps: ClassVar[tuple[str, ...]] = (
        "La llei entra en vigor l'endemà de la seva publicació.",
        "def double(number):\n    return 2 * number\n",
        "一个国家的法律应当是明确的，并且适用于所有的人，没有例外。",
    )
    drops: ClassVar[tuple[str, ...]] = ("Page 3", "", " \n" * 500 + "Home")

    least: Count = 25
    """Fewest characters; short, because one line of dialogue or one article of a law is text."""
    most: Count | None = None
    """Most characters; none by default, as sources cut long texts into records."""

    @model_validator(mode="after")
    def _ordered(self) -> Length:
        if self.most is not None and self.most < self.least:
            raise ValueError(f"most is {self.most:.0f}, less than least ({self.least:.0f}); no text could stay")
        return self

    def measure(self, view: View) -> Values:
        """Return the number of characters."""
        return {"characters": view.visible}

    def reason_to_drop(self, values: Values, source: str = "") -> str | None:
        """Return the length if it is out of bounds."""
        length = int(values["characters"])
        if length < self.least:
            return f"too short: {length} characters, fewer than {self.least:.0f}"
        if self.most is not None and length > self.most:
            return f"too long: {length} characters, more than {self.most:.0f}"
        return None
