"""Numbers of identity: the rules of all countries, tried on the runs of digits and the codes of a passage."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from pilotlight.corpus.private import (
    national_americas,
    national_europe,
    national_more,
    national_others,
    national_russia,
)
from pilotlight.corpus.private.passage import Finding, Passage
from pilotlight.corpus.private.rule import Rule, any_form, context_of

_ALL: Final = (
    *national_americas.RULES,
    *national_europe.RULES,
    *national_others.RULES,
    *national_russia.RULES,
    *national_more.RULES,
)
_MOST: Final = 20


_Sizes = tuple[tuple[re.Pattern[str], tuple[Rule, ...]], ...]


def _by_size(code: bool) -> _Sizes:
    """Return the rules for numbers of each size, with an expression for all their forms together: it fits rarely."""
    sizes = [tuple(rule for rule in _ALL if size in rule.sizes and rule.code == code) for size in range(_MOST + 1)]
    return tuple((any_form(rules), rules) for rules in sizes)


_NUMBERS: Final = _by_size(code=False)
_CODES: Final = _by_size(code=True)
_SEPARATORS: Final = re.compile("[^0-9A-Za-z&\u00d1]+")
_PIECE: Final = re.compile(r"[^ \u00a0]+")
_DATES: Final = re.compile(
    r"(?:1[6-9]|20)[0-9]{2}[-/.][01]?[0-9][-/.][0-3]?[0-9]|[0-3]?[0-9][-/.][0-3]?[0-9][-/.](?:1[6-9]|20)?[0-9]{2}"
    r"|(?:1[6-9]|20)[0-9]{2}[-/](?:1[6-9]|20)[0-9]{2}"
)
_STRENGTHS: Final = {"always": 76, "expected": 67, "never": 65}


def identity(passage: Passage) -> Iterator[Finding]:
    """Yield numbers of identity, of tax, of papers and accounts."""
    yield from national_russia.series(passage)
    for sizes, places in ((_NUMBERS, _numbers(passage)), (_CODES, _codes(passage))):
        for first, last in places:
            size = passage.digits(first, last)
            if size <= _MOST and sizes[size][0].match(passage.text, first) is not None:
                yield from _tried(passage, first, last, sizes[size][1])


def _numbers(passage: Passage) -> Iterator[tuple[int, int]]:
    """Yield places of numbers: runs of digits, and the pieces between the blanks in them."""
    text = passage.text
    for first, last in passage.numbers:
        if not passage.apart(first, last):
            yield first, last
            if " " in (run := text[first:last]) or "\u00a0" in run:
                yield from (piece.span() for piece in _PIECE.finditer(text, first, last) if len(piece[0]) > 6)


def _codes(passage: Passage) -> Iterator[tuple[int, int]]:
    """Yield places of words of letters and digits, and of letters that a separator keeps apart from their digits."""
    text = passage.text
    for first, last in passage.numbers:
        if first > 1 and text[first - 1] in " -" and "A" <= text[first - 2] <= "Z" and not passage.apart(first, last):
            yield (first - 3 if first > 2 and "A" <= text[first - 3] <= "Z" else first - 2), last  # as in F-123456-Z
    for first, last in passage.codes:
        if last - first > 6:
            yield first, last


def _tried(passage: Passage, first: int, last: int, rules: tuple[Rule, ...]) -> Iterator[Finding]:
    text = passage.text
    if (first and text[first - 1] in "$€£¥") or _DATES.fullmatch(text, first, last):
        return
    if first and text[first - 1] == "/" == text[last : last + 1]:
        return  # a part of an address, as in /file/1577431/dl
    context = ""
    for rule in rules:
        match = rule.form.match(text, first)
        if match is None:
            continue
        if not context:
            context = context_of(passage.before(first, 60) + " . " + passage.after(match.end(), 24))
        named = rule.named(context)
        if not (named or rule.alone == "always" or (rule.alone == "expected" and rule.country in passage.regions)):
            continue
        if rule.check(_SEPARATORS.sub("", match[0]).upper()):
            weak = 20 if rule.kind == "bank_account" else 0  # a telephone is known better
            yield Finding(match.start(), match.end(), rule.kind, _STRENGTHS[rule.alone] + 12 * named - weak)
