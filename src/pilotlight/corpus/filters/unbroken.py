"""Texts with long unbroken runs: encoded data, keys, minified code."""

from __future__ import annotations

import re
from typing import ClassVar, final

from pydantic import Field

from pilotlight.corpus.filter import Filter
from pilotlight.corpus.view import Values, View
from pilotlight.units import Share

_RUN = re.compile(rb"[!-~]+")
_TOKEN = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9w"


@final
class Unbroken(Filter):
    """Drops texts of which too large a share stands in unbroken runs of ASCII letters, digits and symbols.

    Only ASCII counts, because scripts such as Chinese and Thai write without spaces.
    """

    columns: ClassVar = {"unbroken": "share of the characters that stand in long runs without a space"}
    keeps: ClassVar[tuple[str, ...]] = (
        "See https://example.org/a/rather/long/address?with=several&parameters=in-it#and-an-anchor for the text of the "
        "decree, which was published in the official gazette and entered into force on the first day of the year.",
        "法律面前人人平等，任何人不得凌驾于法律之上。" * 20,
        "donaudampfschifffahrtsgesellschaftskapitän und andere lange Wörter, die es im Deutschen gibt",
    )
    drops: ClassVar[tuple[str, ...]] = (
        _TOKEN * 8,
        f"image: data:image/png;base64,{_TOKEN * 10} end of the image",
        "!function(e,t){'object'==typeof(exports)?module.exports=t():e.x=t()}(this,function(){return(1)});" * 5,
    )

    run: int = Field(default=200, ge=10)
    """Characters without a space from which a run counts."""
    most: Share = 0.2
    """Largest share of the text in such runs."""

    def measure(self, view: View) -> Values:
        """Return the share of the text in long runs."""
        inside, least = 0, self.run
        for word in view.data.split() if _may_hold(view.data, least) else ():
            if len(word) >= least:  # other scripts and control characters may break what white space does not
                inside += sum([len(run) for run in _RUN.findall(word) if len(run) >= least])
        return {"unbroken": inside / max(len(view.text), 1)}

    def reason_to_drop(self, values: Values, source: str = "") -> str | None:
        """Return the share of the text in unbroken runs if it is too large."""
        if (share := float(values["unbroken"])) > self.most:
            return f"unbroken runs: {share:.2f} of the characters, more than {self.most:.2f}"
        return None


def _may_hold(data: bytes, size: int) -> bool:
    """Return whether somewhere so many bytes stand without a space or the end of a line: a few steps where none do."""
    at = 0
    while at + size <= len(data):
        edge = max(data.rfind(b" ", at, at + size), data.rfind(b"\n", at, at + size))
        if edge < 0:
            return True
        at = edge + 1
    return False
