"""Numbers that Russia gives people, taxpayers and holders of passports; the checks are those of the issuers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from pilotlight.corpus.private.checksums import weighted
from pilotlight.corpus.private.passage import Finding, Passage
from pilotlight.corpus.private.rule import Rule, anything, rule

_TAX: Final = (3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8)
_SERIES: Final = re.compile(
    r"(?<!\w)[Сс]ери(?:я|и|ю|ей):? {0,2}([0-9]{2} ?[0-9]{2}),? {0,2}(?:(?:номер|№|N|no?\.?|№):? {0,2})([0-9]{6})(?![0-9])"
)


def _company(digits: str) -> bool:
    return weighted(digits[:9], _TAX[2:]) % 11 % 10 == int(digits[9]) and len(set(digits)) > 2


def _person(digits: str) -> bool:
    checks = (weighted(digits[:10], _TAX[1:]) % 11 % 10, weighted(digits[:11], _TAX) % 11 % 10)
    return checks == (int(digits[10]), int(digits[11])) and len(set(digits)) > 2


def _insurance(digits: str) -> bool:
    return weighted(digits[:9], range(9, 0, -1)) % 101 % 100 == int(digits[9:]) and len(set(digits)) > 2


def series(passage: Passage) -> Iterator[Finding]:
    """Yield passports written as a series and a number with a word between them."""
    text = passage.text
    if not passage.numbers or "ери" not in text:
        return
    for match in _SERIES.finditer(text):
        if "паспорт" in passage.before(match.start(), 60):
            yield Finding(match.start(1), match.end(2), "passport", 77)


RULES: Final[tuple[Rule, ...]] = (
    rule("company_id", "RU", "10-10", r"[0-9]{10}", _company, "инн"),
    rule("national_id", "RU", "12-12", r"[0-9]{12}", _person, "инн"),
    rule("national_id", "RU", "11-11", r"[0-9]{3}-[0-9]{3}-[0-9]{3}[ -][0-9]{2}", _insurance, "снилс", "expected"),
    rule("national_id", "RU", "11-11", r"[0-9]{3}[ -]?[0-9]{3}[ -]?[0-9]{3}[ -]?[0-9]{2}", _insurance, "снилс"),
    rule("passport", "RU", "10-10", r"[0-9]{2} ?[0-9]{2} ?[0-9]{6}", anything, "паспорт*"),
)
"""In the order in which they are tried."""
