"""Numbers of identity: the rules of all countries, tried on the runs of digits and the codes of a passage."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from pilotlight.corpus.private import national_americas, national_europe, national_others, national_russia
from pilotlight.corpus.private.passage import Finding, Passage
from pilotlight.corpus.private.rule import Rule, context_of

_ALL: Final = (*national_americas.RULES, *national_europe.RULES, *national_others.RULES, *national_russia.RULES)
_MOST: Final = 20
_NUMBERS: Final = tuple(
    tuple(rule for rule in _ALL if size in rule.sizes and not rule.code) for size in range(_MOST + 1)
)
_CODES: Final = tuple(tuple(rule for rule in _ALL if size in rule.sizes and rule.code) for size in range(_MOST + 1))
_SEPARATORS: Final = re.compile("[^0-9A-Za-z&\u00d1]+")
_NOT_DIGITS: Final = re.compile("[^0-9]+")
_PIECE: Final = re.compile(r"[^ \u00a0]+")
_DATES: Final = re.compile(
    r"(?:1[6-9]|20)[0-9]{2}[-/.][01]?[0-9][-/.][0-3]?[0-9]|[0-3]?[0-9][-/.][0-3]?[0-9][-/.](?:1[6-9]|20)?[0-9]{2}"
    r"|(?:1[6-9]|20)[0-9]{2}[-/](?:1[6-9]|20)[0-9]{2}"
)
_STRENGTHS: Final = {"always": 76, "expected": 67, "never": 65}


def identity(passage: Passage) -> Iterator[Finding]:
    """Yield numbers of identity, of tax, of papers and accounts."""
    text = passage.text
    yield from national_russia.series(passage)
    for first, last in passage.numbers:
        if passage.apart(first, last):
            continue
        yield from _tried(passage, first, last, _NUMBERS)
        if first > 1 and text[first - 1] in " -" and "A" <= text[first - 2] <= "Z":
            # Letters that a separator keeps apart from their digits, as in F-123456-Z.
            start = first - 3 if first > 2 and "A" <= text[first - 3] <= "Z" else first - 2
            yield from _tried(passage, start, last, _CODES)
        if " " in text[first:last] or "\u00a0" in text[first:last]:
            for piece in _PIECE.finditer(text, first, last):
                if len(piece[0]) > 6:
                    yield from _tried(passage, *piece.span(), _NUMBERS)
    for first, last in passage.codes:
        if last - first > 6:
            yield from _tried(passage, first, last, _CODES)


def _tried(passage: Passage, first: int, last: int, rules: tuple[tuple[Rule, ...], ...]) -> Iterator[Finding]:
    text = passage.text
    size = len(_NOT_DIGITS.sub("", text[first:last]))
    if size > _MOST or (first and text[first - 1] in "$€£¥") or _DATES.fullmatch(text, first, last):
        return
    context = ""
    for rule in rules[size]:
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
