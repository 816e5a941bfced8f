"""Private data replaced by placeholders: addresses, telephones, cards, accounts, numbers of identity, keys, names."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final, Literal, final

from pydantic import field_validator

from pilotlight.corpus.edit import Edit
from pilotlight.corpus.private.kinds import KINDS, regions_of
from pilotlight.corpus.side_files import stamp
from pilotlight.corpus.view import Values, View
from pilotlight.errors import DataError, nearest

if TYPE_CHECKING:
    from pilotlight.corpus.private.engine import Detector
    from pilotlight.corpus.private.kinds import Action
    from pilotlight.corpus.private.people import Names

    _Actions = tuple[tuple[str, Action], ...]

_NOTHING: Final[Values] = {**dict.fromkeys(KINDS, 0), "spans": "[]"}
_PLACE = re.compile(r"\{kind\}|\{KIND\}")


@final
class Pii(Edit):
    """Replace private data by typed placeholders such as ``<EMAIL>``, or only note where it is.

    Rules look for the form of each kind, confirm it by check digits where the issuer has some, and ask for words
    beside numbers that could be anything. What is found is noted with its place, never with its text.
    """

    columns: ClassVar[Mapping[str, str]] = {
        **{kind: f"number of {word.meaning}" for kind, word in KINDS.items()},
        "spans": "places of what was found, as JSON: [start, end, kind] in characters of the text before the edit",
    }
    examples: ClassVar[tuple[tuple[str, str], ...]] = (
        ("Write to anna.serra+news@correu.example.cat today.", "Write to <EMAIL> today."),
        ("Call me: +376 812 345, or (415) 555-2671.", "Call me: <PHONE>, or <PHONE>."),
        ("Paid with 4111 1111 1111 1111 in 1999.", "Paid with <PAYMENT_CARD> in 1999."),
        ("IBAN: AD12 0001 2030 2003 5910 0100.", "IBAN: <IBAN>."),
        ("From 81.45.12.200, not from 192.168.0.1.", "From <IP_ADDRESS>, not from 192.168.0.1."),
        ("DNI 12345678Z, version 1.2.3.4, 2001-2005", "DNI <NATIONAL_ID>, version 1.2.3.4, 2001-2005"),
        ("https://ada:Tr0ub4dor@db.example/x", "https://<URL_CREDENTIALS>@db.example/x"),
        ("commit 3f786850e387550fdab836ed7e6dc881de23001b", "commit 3f786850e387550fdab836ed7e6dc881de23001b"),
        ("def load(path: str = '/a/b'):\n    return 0x7f\n", "def load(path: str = '/a/b'):\n    return 0x7f\n"),
    )

    kinds: dict[str, Literal["redact", "annotate", "ignore"]] = {}
    """What is done about each kind, where it is not the default: ``redact``, ``annotate`` (only note) or ``ignore``."""
    style: str = "<{KIND}>"
    """What stands in the place of private data; ``{KIND}`` is its kind in capitals, ``{kind}`` in small letters."""
    regions: tuple[str, ...] = ()
    """Countries (ISO 3166) whose formats are expected besides those of the language of the document."""
    names: Path | None = None
    """A file with names of people, one a line: each is looked for as whole words that begin with a capital."""

    @field_validator("kinds")
    @classmethod
    def _known(cls, value: dict[str, Action]) -> dict[str, Action]:
        for kind in value:
            if kind not in KINDS:
                raise ValueError(
                    f"no kind of private data is called {kind!r}; expected {', '.join(KINDS)}.{nearest(kind, KINDS)}"
                )
        return value

    @field_validator("style")
    @classmethod
    def _plain(cls, value: str) -> str:
        fixed = _PLACE.sub("", value)
        if (not fixed and not value) or len(value) > 60 or re.search(r"[0-9@:]", value) or "\n" in value:
            raise ValueError(
                f"style is {value!r}; expected 1 to 60 characters without digits, @ and :, such as <{{KIND}}>"
            )
        return value

    @field_validator("regions")
    @classmethod
    def _countries(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        wrong = [region for region in value if not re.fullmatch("[A-Z]{2}", region)]
        if wrong:
            raise ValueError(f"{wrong[0]!r} is no country; expected two capitals of ISO 3166, such as AD")
        return value

    def edit(self, text: str) -> str:
        """Return the text with placeholders."""
        return self._engine()[0].redact(text, self._engine()[1], self.regions)[0]

    def edit_view(self, view: View) -> tuple[str, Values]:
        """Return the text with placeholders, how often each kind was found, and where in the text before."""
        detector, placeholders = self._engine()
        regions = (*self.regions, *regions_of(str(view.facts.get("language", ""))))
        edited, found = detector.redact(view.text, placeholders, regions)
        if not found:
            return edited, _NOTHING.copy()
        values = _NOTHING.copy()
        for item in found:
            values[item.kind] = int(values[item.kind]) + 1
        spans = [[item.start, item.end, item.kind] for item in found]
        values["spans"] = json.dumps(spans, separators=(",", ":"))
        return edited, values

    def _engine(self) -> tuple[Detector, dict[str, str]]:
        return _engine(tuple(sorted(self.kinds.items())), self.style, self.names, stamp(self.names))


@cache
def _engine(
    kinds: _Actions, style: str, names: Path | None, changed: tuple[int, int]
) -> tuple[Detector, dict[str, str]]:
    """Return what finds private data under these settings, and the placeholder of each kind; read once per change."""
    del changed
    from pilotlight.corpus.private.engine import Detector

    actions: dict[str, Action] = {kind: word.action for kind, word in KINDS.items()}
    actions.update(kinds)
    placeholders = {kind: style.replace("{KIND}", kind.upper()).replace("{kind}", kind) for kind in KINDS}
    return Detector(actions, _listed(names), placeholders.values()), placeholders


def _listed(path: Path | None) -> Names | None:
    from pilotlight.corpus.private.people import Names

    if path is None:
        return None
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"{path} cannot be read as a list of names ({error}). Give a text file, one name a line."
        ) from error
    return Names(line for line in lines if line.strip() and not line.startswith("#"))
