"""What a rule for numbers of one country is: a form, a check, and when it holds without words beside it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

_LETTER_FIRST = re.compile(r"(?:\(\?i:)?\[[A-Za-z]")
_LEFT = r"(?<![0-9A-Za-z_])(?<![0-9][.,/\-])"
_RIGHT = r"(?![0-9A-Za-z_]|[.,/\-][0-9])"
_WORD = re.compile(r"[^\W\d_]+")


class Rule(NamedTuple):
    """How one kind of number is recognised."""

    kind: str
    country: str
    """ISO 3166 code of the country that gives it out; empty for papers of any country."""
    sizes: range
    """How many digits stand in a row, separators aside; numbers of other sizes are not tried."""
    form: re.Pattern[str]
    check: Callable[[str], bool]
    """Whether digits and letters (capitals, no separators) pass the check of the issuer."""
    words: tuple[str, ...]
    """What names the number, to be looked for in ``context``."""
    alone: str
    """Without the words: 'always' (the form and check are enough), 'expected' (in its country), 'never'."""
    code: bool
    """It begins with a letter."""

    def named(self, context: str) -> bool:
        """Return whether one of the words stands in the context."""
        return any(map(context.__contains__, self.words))


def rule(
    kind: str, country: str, sizes: str, form: str, check: Callable[[str], bool], words: str, alone: str = "never"
) -> Rule:
    """Return a rule; ``form`` is a regular expression of the number alone.

    ``words`` are phrases with bars between them; a star behind a phrase leaves its end open, one before it both ends.
    """
    pattern = re.compile(f"{_LEFT}(?:{form}){_RIGHT}")
    least, _, most = sizes.partition("-")
    phrases = tuple(_phrase(word) for word in words.split("|") if word)
    code = _LETTER_FIRST.match(form) is not None
    return Rule(kind, country, range(int(least), int(most) + 1), pattern, check, phrases, alone, code)


def any_form(rules: Sequence[Rule]) -> re.Pattern[str]:
    """Return an expression that matches wherever the form of one of the rules does."""
    forms: list[str] = []
    groups = 0
    for given in rules:
        form = given.form.pattern.removeprefix(_LEFT).removesuffix(_RIGHT)
        forms.append(re.sub(r"\\([1-9])", lambda match, groups=groups: f"\\{int(match[1]) + groups}", form))
        groups += given.form.groups
    return re.compile(f"{_LEFT}(?:{'|'.join(forms)}){_RIGHT}" if forms else r"(?!)")


def _phrase(word: str) -> str:
    if word.startswith("*"):
        return word[1:]
    return f" {word[:-1]}" if word.endswith("*") else f" {word} "


def context_of(around: str) -> str:
    """Return the words of a text in small letters with one blank before, between and after them."""
    return f" {' '.join(_WORD.findall(around))} "


def anything(_: str) -> bool:
    """Return True: the issuer gives no check digit."""
    return True
