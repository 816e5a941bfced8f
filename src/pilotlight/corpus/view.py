"""What a step sees of a document: its text, and what the steps share about it, computed once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, final

if TYPE_CHECKING:
    from pilotlight.corpus.words import Words

Value = float | int | str
Values = dict[str, Value]
"""What a step measured on one document, by column."""

_OTHER_SPACE = re.compile(r"[^\S\x00-\x7f]")
_LETTER = re.compile(r"[^\W\d_]")
_SPACES = b" \t\n\r\v\f\x1c\x1d\x1e\x1f"


@final
class View:
    """A text with its facts; what several filters need of it is computed when first asked for, and kept.

    A view is of one text that never changes: an edit makes a new one.
    """

    def __init__(self, text: str, source: str = "", facts: Mapping[str, Any] | None = None) -> None:
        self.text = text
        self.source = source
        self.facts: dict[str, Any] = {"content": "prose", **(facts or {})}
        """What is known about the document: ``content``, and what earlier steps found out, such as ``language``."""

    @cached_property
    def data(self) -> bytes:
        """The text as UTF-8; lone surrogates as question marks."""
        return self.text.encode("utf-8", "replace")

    @cached_property
    def plain(self) -> bytes:
        """The ASCII characters of the text, in order."""
        return self.data if self.text.isascii() else self.text.encode("ascii", "ignore")

    @cached_property
    def visible(self) -> int:
        """Number of characters that are not white space."""
        count = len(self.text) - len(self.plain) + len(self.plain.translate(None, _SPACES))
        return count if len(self.plain) == len(self.text) else count - len(_OTHER_SPACE.findall(self.text))

    @cached_property
    def stripped(self) -> list[str]:
        """Every line without the white space around it; empty lines are there too."""
        return [line.strip() for line in self.text.splitlines()]

    @cached_property
    def lines(self) -> list[str]:
        """The lines that hold more than white space, without the white space around them."""
        return [line for line in self.stripped if line]

    @cached_property
    def paragraphs(self) -> list[str]:
        """What stands between empty lines, its lines without the white space around them."""
        return [part for piece in "\n".join(self.stripped).split("\n\n") if (part := piece.strip("\n"))]

    @cached_property
    def line_characters(self) -> int:
        """Number of characters in ``lines``."""
        return sum(map(len, self.lines))

    @cached_property
    def ended_lines(self) -> list[bool]:
        """Whether each of ``lines`` ends with a mark of punctuation."""
        from pilotlight.corpus.line_ends import ends_sentence

        return [ends_sentence(line) for line in self.lines]

    @cached_property
    def repeated_lines(self) -> tuple[int, int]:
        """How many lines were there before, and how many characters are in them."""
        different = set(self.lines)
        if len(different) == len(self.lines):
            return 0, 0
        return len(self.lines) - len(different), self.line_characters - sum(map(len, different))

    @cached_property
    def repeated_worded_lines(self) -> tuple[int, int]:
        """The same of the lines that have a letter: rulers, cells of tables and rows of dots are left out."""
        return _repeated(self.lines) if self.repeated_lines[0] else (0, 0)

    @cached_property
    def repeated_worded_paragraphs(self) -> tuple[int, int]:
        """How many paragraphs that have a letter were there before, and how many characters are in them."""
        return _repeated(self.paragraphs)

    @cached_property
    def words(self) -> Words:
        """The words of the text as arrays."""
        from pilotlight.corpus.words import words_of

        return words_of(self.text)

    @property
    def language(self) -> str:
        """Code of the language as far as it is known, without region or script; ``und`` if it is not."""
        return re.split("[-_]", str(self.facts.get("language") or "und").lower())[0]


def _repeated(parts: list[str]) -> tuple[int, int]:
    if len(set(parts)) == len(parts):
        return 0, 0
    seen: set[str] = set()
    count = characters = 0
    for part in parts:
        if part not in seen:
            seen.add(part)
        elif _LETTER.search(part):
            count, characters = count + 1, characters + len(part)
    return count, characters
