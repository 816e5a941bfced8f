"""The engine: every detector asked for, one reading of the text, no two findings in one place."""

from __future__ import annotations

import bisect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, final

from pilotlight.corpus.private import accounts, addresses, keys, national, people, phones, signs
from pilotlight.corpus.private.kinds import Action
from pilotlight.corpus.private.passage import Finding, Passage

_Detector = Callable[[Passage], Iterator[Finding]]
_DETECTORS: Final[tuple[tuple[_Detector, int, frozenset[str]], ...]] = (
    (addresses.mail, signs.AT, frozenset({"email"})),
    (addresses.hidden_mail, signs.BRACKET, frozenset({"email_hidden"})),
    (addresses.credentials, signs.COLON, frozenset({"url_credentials"})),
    (addresses.network, signs.DIGIT, frozenset({"ip_address", "local_ip"})),
    (addresses.colons, signs.COLON | signs.DASH, frozenset({"ip_address", "local_ip", "mac_address"})),
    (addresses.handles, signs.AT, frozenset({"handle"})),
    (accounts.cards, signs.DIGIT, frozenset({"payment_card"})),
    (accounts.accounts, signs.DIGIT, frozenset({"iban"})),
    (accounts.wallets, signs.DIGIT, frozenset({"crypto_wallet"})),
    (
        national.identity,
        signs.DIGIT,
        frozenset({"ssn", "national_id", "company_id", "passport", "driver_license", "bank_account"}),
    ),
    (phones.phones, signs.DIGIT, frozenset({"phone"})),
    (keys.issued, signs.UNDERSCORE | signs.DASH | signs.CAPITAL | signs.COLON, frozenset({"secret"})),
    (keys.assigned, signs.COLON | signs.EQUALS, frozenset({"secret"})),
    (keys.told, signs.DIGIT, frozenset({"secret"})),
    (keys.private_keys, signs.DASH, frozenset({"private_key"})),
    (people.births, signs.DIGIT, frozenset({"date_of_birth"})),
    (people.streets, signs.DIGIT, frozenset({"street_address"})),
    (people.postal_codes, signs.DIGIT, frozenset({"postal_code"})),
)
"""Each with the signs of which at least one must be in a text, and the kinds that it finds."""


_REACH: Final = 1000


@final
class Detector:
    """Finds the kinds that settings do not ignore."""

    def __init__(self, actions: Mapping[str, Action], names: people.Names | None, placeholders: Iterable[str]) -> None:
        self._wanted = frozenset(kind for kind, action in actions.items() if action != "ignore")
        self._redacted = frozenset(kind for kind, action in actions.items() if action == "redact")
        self._detectors = [(detect, sign) for detect, sign, kinds in _DETECTORS if kinds & self._wanted]
        self._names = names if "name" in self._wanted else None
        marks = sorted({mark for mark in placeholders if mark}, key=lambda mark: (-len(mark), mark))
        self._mark = re.compile("|".join(map(re.escape, marks))) if marks else None

    def find(self, text: str, regions: Iterable[str] = ()) -> list[Finding]:
        """Return what is private in the text, in order, nothing overlapping; nothing inside a placeholder."""
        marked = [match.span() for match in self._mark.finditer(text)] if self._mark else []
        passage = Passage(text, regions, self._mark if marked else None)
        there = passage.signs
        found = [item for detect, sign in self._detectors if there & sign for item in detect(passage)]
        if self._names is not None:
            found += self._names.find(passage)
        if not found:
            return []
        return [item for item in _apart(found, marked) if item.kind in self._wanted]

    def redact(
        self, text: str, placeholders: Mapping[str, str], regions: Iterable[str] = ()
    ) -> tuple[str, list[Finding]]:
        """Return the text with placeholders, and all findings at their places in the text that was given.

        What stands beside a placeholder is read again until nothing more is found: so redacting the result changes
        nothing. Words decide at 60 characters at most and what is found is seldom longer than 400, so what may have
        changed lies within ``_REACH``; if anything is found there the whole text is read once more.
        """
        regions = frozenset(regions)
        found = self.find(text, regions)
        gone = [item for item in found if item.kind in self._redacted]
        edited = text
        while True:
            edited, places = _replaced(text, gone, placeholders)
            if not any(self._redactable(edited[start:end], regions) for start, end in _beside(edited, places[0][1:])):
                return edited, sorted({*found, *gone})
            more = self._redactable(edited, regions)
            if not more:
                return edited, sorted({*found, *gone})
            gone = sorted([*gone, *(_placed(item, places) for item in more)])

    def _redactable(self, text: str, regions: frozenset[str]) -> list[Finding]:
        return [item for item in self.find(text, regions) if item.kind in self._redacted]


def _beside(text: str, places: list[int]) -> list[tuple[int, int]]:
    """Return what has to be read again around the ends of placeholders: whole lines where they end soon."""
    found: list[tuple[int, int]] = []
    for place in places:
        furthest = max(0, place - 2 * _REACH)
        start = max(furthest, text.rfind("\n", furthest, max(0, place - _REACH)))
        last = min(len(text), place + 2 * _REACH)
        end = text.find("\n", place + _REACH, last)
        end = last if end < 0 else end
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def _replaced(
    text: str, gone: list[Finding], placeholders: Mapping[str, str]
) -> tuple[str, tuple[list[int], list[int]]]:
    """Return the text with placeholders, and where each piece that stayed begins: in it, and in the text given."""
    pieces: list[str] = []
    here, there, size, at = [0], [0], 0, 0
    for item in gone:
        pieces += (text[at : item.start], placeholders[item.kind])
        size += len(pieces[-2]) + len(pieces[-1])
        at = item.end
        here.append(size)
        there.append(at)
    return "".join([*pieces, text[at:]]), (here, there)


def _placed(item: Finding, places: tuple[list[int], list[int]]) -> Finding:
    """Return a finding in edited text at its place in the text that was given."""
    here, there = places
    at = bisect.bisect_right(here, item.start) - 1
    offset = there[at] - here[at]
    return item._replace(start=item.start + offset, end=item.end + offset)


def _apart(found: list[Finding], marked: list[tuple[int, int]]) -> list[Finding]:
    """Return the surest of the findings that overlap, in the order of the text."""
    kept: list[Finding] = []
    taken: list[tuple[int, int]] = list(marked)
    if len(found) > 1:
        found.sort(key=lambda item: (-item.strength, item.start - item.end, item.start, item.kind))
    taken.sort()
    for item in found:
        at = bisect.bisect_left(taken, (item.end, -1))
        if at and taken[at - 1][1] > item.start:
            continue
        bisect.insort(taken, (item.start, item.end))
        kept.append(item)
    kept.sort()
    return kept
