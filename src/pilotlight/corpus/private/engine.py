"""The engine: every detector asked for, one reading of the text, no two findings in one place."""

from __future__ import annotations

import bisect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, final

from pilotlight.corpus.private import accounts, addresses, keys, national, people, phones
from pilotlight.corpus.private.kinds import Action
from pilotlight.corpus.private.passage import Finding, Passage

_Detector = Callable[[Passage], Iterator[Finding]]
_DETECTORS: Final[tuple[tuple[_Detector, frozenset[str]], ...]] = (
    (addresses.mail, frozenset({"email"})),
    (addresses.hidden_mail, frozenset({"email_hidden"})),
    (addresses.credentials, frozenset({"url_credentials"})),
    (addresses.network, frozenset({"ip_address", "local_ip"})),
    (addresses.colons, frozenset({"ip_address", "local_ip", "mac_address"})),
    (addresses.handles, frozenset({"handle"})),
    (accounts.cards, frozenset({"payment_card"})),
    (accounts.accounts, frozenset({"iban"})),
    (accounts.wallets, frozenset({"crypto_wallet"})),
    (national.identity, frozenset({"ssn", "national_id", "company_id", "passport", "driver_license", "bank_account"})),
    (phones.phones, frozenset({"phone"})),
    (keys.secrets, frozenset({"secret"})),
    (keys.private_keys, frozenset({"private_key"})),
    (people.births, frozenset({"date_of_birth"})),
    (people.streets, frozenset({"street_address"})),
    (people.postal_codes, frozenset({"postal_code"})),
)


@final
class Detector:
    """Finds the kinds that settings do not ignore."""

    def __init__(self, actions: Mapping[str, Action], names: people.Names | None, placeholders: Iterable[str]) -> None:
        self._wanted = frozenset(kind for kind, action in actions.items() if action != "ignore")
        self._redacted = frozenset(kind for kind, action in actions.items() if action == "redact")
        self._detectors = [detect for detect, kinds in _DETECTORS if kinds & self._wanted]
        if names is not None and "name" in self._wanted:
            self._detectors.append(names.find)
        marks = sorted({mark for mark in placeholders if mark}, key=lambda mark: (-len(mark), mark))
        self._mark = re.compile("|".join(map(re.escape, marks))) if marks else None

    def find(self, text: str, regions: Iterable[str] = ()) -> list[Finding]:
        """Return what is private in the text, in order, nothing overlapping; nothing inside a placeholder."""
        marked = [match.span() for match in self._mark.finditer(text)] if self._mark else []
        passage = Passage(text, regions, self._mark if marked else None)
        found = [item for detect in self._detectors for item in detect(passage)]
        if not found:
            return []
        return [item for item in _apart(found, marked) if item.kind in self._wanted]

    def redact(
        self, text: str, placeholders: Mapping[str, str], regions: Iterable[str] = ()
    ) -> tuple[str, list[Finding]]:
        """Return the text with placeholders, and all findings at their places in the text that was given.

        What stood beside a replaced number is read again without it, until nothing more is found: so redacting the
        result changes nothing.
        """
        regions = frozenset(regions)
        found = self.find(text, regions)
        gone = [item for item in found if item.kind in self._redacted]
        edited = text
        while True:
            edited, places = _replaced(text, gone, placeholders)
            more = [item for item in self.find(edited, regions) if item.kind in self._redacted] if gone else []
            if not more:
                return edited, sorted({*found, *gone})
            gone = sorted([*gone, *(_placed(item, places) for item in more)])


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
