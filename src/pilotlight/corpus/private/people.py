"""People: names from a list, dates of birth, addresses and postal codes by the words beside them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Final, final

from pilotlight.corpus.private.checksums import calendar
from pilotlight.corpus.private.passage import Finding, Passage

_TOKEN: Final = re.compile(r"[^\W\d_]+(?:['\u2019.-]?[^\W\d_]+)*")
_CAPITAL: Final = re.compile(r"(?=[^\W\d_])[^a-z\W\d_][^\W\d_]*(?:['\u2019-][^\W\d_]+)*")
_BIRTH: Final = re.compile(
    r"(?:\bborn\b|(?:date|day|year|time|place and date) of birth|birth ?dates?\b|birthday(?: is|:| on)|\bd\.?o\.?b\b"
    r"|nacid[oa]|nacimiento|naixement|nascut|nascud[ao]|n[ée]e? le|naissance|geboren|geburts|\bgeb\.|nat[oa] il"
    r"|nascita|nascimento|geboortedatum|urodzon|födelse|födt|syntym)[^0-9\n]{0,24}$"
)
_DAY: Final = re.compile(
    r"(?<![0-9./-])(?:([0-9]{1,2})([./ -])([0-9]{1,2})\2((?:1[89]|20)?[0-9]{2})|((?:18|19"
    r"|20)[0-9]{2})([./-])([0-9]{1,2})\6([0-9]{1,2}))(?![0-9])"
)
_BORN: Final = ("born", "birth", "naci", "geboren", "naissance", "naixement", "nascut")
_BORN_NEAR: Final = re.compile("|".join(_BORN))
_WRITTEN: Final = re.compile(
    r"[^0-9\n]{0,24}?((?:[0-9]{1,2}(?:st|nd|rd|th|er|\.)?,? (?:(?:de|d'|of) ?)?[^\W\d_]{3,10}\.?,? (?:(?:de|del) )?"
    r"|[^\W\d_]{3,9}\.? [0-9]{1,2}(?:st|nd|rd|th)?,? )(?:18|19|20)[0-9]{2})(?![0-9])"
)
_MONTH: Final = re.compile(
    r"(?i)(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|ene|abr|ago|dic|gen|mag|giu|lug|set|ott|fév|avr|mai"
    r"|juin|août|déc|mär|okt|dez|gener|març|juny|desembre)"
)
_STREET: Final = re.compile(
    r"(?<![\w.,-])[0-9]{1,5}[A-Za-z]?(?: [NSEW]\.?| (?:North|South|East|West))?(?: [A-Z][a-z'-]{1,20}"
    r"| [0-9]{1,3}(?:st|nd|rd|th)){1,3}"
    r" (?:Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Way|Place|Pl|Square|Sq|Terrace"
    r"|Crescent|Close|Parkway|Pkwy|Highway|Hwy|Circle|Cir)\b\.?"
    r"|\b(?:Calle|Avenida|Avda\.|C/|Carrer|Plaza|Plaça|Rue|Avenue|Via|Viale|Piazza|Rua|Jirón|Jr\.|Av\.) (?:(?:de|del"
    r"|la|el|las|los|des|du|di|da|do|dels|d'|l')\s?){0,3}"
    r"[A-ZÀ-Þ][\w'\u2019-]{1,24}(?: (?:(?:de|del|la|y|i|et) ){0,2}[A-ZÀ-Þ][\w'-]{1,24}){0,3},? (?:n[.ºo°]{1,2} ?"
    r"|núm\. ?|N° ?)?[0-9]{1,5}\b"
    r"|\b[A-ZÄÖÜ][a-zäöüß-]{2,24}(?:straße|strasse|str\.|gasse|weg|allee|platz|straat|laan|vägen|gatan|vej|gade"
    r"|gata) [0-9]{1,4}[a-z]?\b"
)
_ZIP: Final = re.compile(
    r"(?:(?i:\b(?:zip(?: ?code)?|postal code|post ?code|c\.p\.|c[oó]digo postal|codi postal|code postal|plz"
    r"|postleitzahl|cap)\b)[: #.]{0,3}(?:is |es )?)"
    r"([0-9]{3,5}(?:-[0-9]{3,4})?|[A-Z]{1,2}[0-9][0-9A-Z]? ?[0-9][A-Z]{2}|[A-Z][0-9][A-Z] ?[0-9][A-Z][0-9]"
    r"|[0-9]{4} ?[A-Z]{2}|[0-9]{2}-[0-9]{3})(?![0-9A-Za-z])"
    r"|\b[A-Z]{2} ([0-9]{5}(?:-[0-9]{4})?)(?![0-9])"
)


def births(passage: Passage) -> Iterator[Finding]:
    """Yield dates behind words that say somebody was born: numbers anywhere, written months in the same line."""
    text = passage.text
    for first, last in passage.numbers:
        match = _DAY.search(text, first, min(len(text), last + 1))
        if match is not None and _is_day(match) and _BIRTH.search(passage.before(match.start(), 48)):
            yield Finding(match.start(), match.end(), "date_of_birth", 68)
    if not _told_near_a_year(passage):
        return
    for word in _BORN:
        at = text.find(word)
        while at >= 0:
            match = _WRITTEN.match(text, at + len(word))
            if match is not None and _MONTH.search(match[1]) and _BIRTH.search(passage.before(match.start(1), 48)):
                yield Finding(match.start(1), match.end(1), "date_of_birth", 68)
            at = text.find(word, at + len(word))


def _told_near_a_year(passage: Passage) -> bool:
    """Return whether one of the words stands where it can: within 60 characters before a year."""
    done = 0
    for first, last in passage.dated:
        if _BORN_NEAR.search(passage.text, max(done, first - 72), last):
            return True
        done = last
    return False


def _is_day(match: re.Match[str]) -> bool:
    if match[5]:
        return calendar(int(match[5]), int(match[7]), int(match[8]))
    year, one, other = int(match[4]), int(match[1]), int(match[3])
    return calendar(year, one, other) or calendar(year, other, one)


def streets(passage: Passage) -> Iterator[Finding]:
    """Yield a number with the name of a street, in the order of several languages."""
    for match in _STREET.finditer(passage.text):
        yield Finding(match.start(), match.end(), "street_address", 30)


def postal_codes(passage: Passage) -> Iterator[Finding]:
    """Yield postal codes behind words that name them."""
    for match in _ZIP.finditer(passage.text):
        group = 1 if match[1] else 2
        yield Finding(match.start(group), match.end(group), "postal_code", 30)


def folded(word: str) -> str:
    """Return a word without accents, in one case: how names are compared."""
    if word.isascii():
        return word.lower()
    apart = unicodedata.normalize("NFD", word.replace("\u2019", "'").casefold())
    return "".join(letter for letter in apart if not unicodedata.combining(letter))


@final
class Names:
    """Names of people from a list, found in text by their first word; whole words, capital letter first."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._by_first: dict[str, set[tuple[str, ...]]] = {}
        for line in lines:
            words = tuple(folded(word) for word in _TOKEN.findall(line))
            if words:
                self._by_first.setdefault(words[0], set()).add(words)

    def find(self, passage: Passage) -> Iterator[Finding]:
        """Yield the longest name of the list at each place; accents and capitals inside a word do not matter."""
        text, done = passage.text, 0
        for match in _CAPITAL.finditer(text):
            start, end = match.span()
            if start < done or not match[0][0].isupper():
                continue
            if start and (text[start - 1].isalnum() or text[start - 1] == "_"):
                continue
            ended = self._longest(text, start, end)
            if not ended and (elided := _ELIDED.match(match[0])) is not None:
                start += elided.end()
                ended = self._longest(text, start, end)
            if ended:
                done = ended
                yield Finding(start, done, "name", 50)

    def _longest(self, text: str, start: int, end: int) -> int:
        """Return where the longest name ends whose first word stands at a place, 0 if none begins there.

        What makes the last word a possessive is no part of the name.
        """
        first = folded(text[start:end])
        names = self._by_first.get(first)
        if names is not None:
            words, ends = _following(text, start, end, max(map(len, names)))
            for count in range(len(words), 0, -1):
                if tuple(words[:count]) in names:
                    return ends[count - 1]
                if words[count - 1].endswith("'s") and (*words[: count - 1], words[count - 1][:-2]) in names:
                    return ends[count - 1] - 2
        owned = first.endswith("'s") and (first[:-2],) in self._by_first.get(first[:-2], ())
        return end - 2 if owned and not _JOINED.match(text, end) else 0


def _following(text: str, start: int, end: int, most: int) -> tuple[list[str], list[int]]:
    """Return up to ``most`` words from a place on, folded, and where each ends; one space apart."""
    words, ends = [folded(text[start:end])], [end]
    if _JOINED.match(text, end):
        return [], []
    while len(words) < most:
        gap = _GAP.match(text, ends[-1])
        following = _TOKEN.match(text, gap.end()) if gap else None
        if following is None:
            break
        words.append(folded(following[0]))
        ends.append(following.end())
    return words, ends


_GAP: Final = re.compile(r"[ \t\u00a0]{1,2}|, |\n")
_JOINED: Final = re.compile(r"[\d_]")
_ELIDED: Final = re.compile(r"(?i:qu|[cdjlmnst])['\u2019](?=[^\W\d_a-z])")
