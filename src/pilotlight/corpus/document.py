"""One piece of text with an identity that no processing step can change."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, final

import xxhash

_VISIBLE = re.compile(r"[^\s\x00-\x1f\x7f-\x9f\ufeff]")


def has_text(text: str) -> bool:
    """Return whether anything in ``text`` can be seen: not only white space and control characters."""
    return _VISIBLE.search(text) is not None


def document_id(source: str, path: str, record: str) -> str:
    """Return the 128-bit identity of a document as 32 hex digits.

    It depends on where the text stood (name of the source, path inside it, record in the file) and on nothing
    that a recipe does to it, so the same document keeps its id in every variant of a recipe.
    """
    return xxhash.xxh3_128_hexdigest("\0".join((source, path, record)).encode("utf-8", "surrogateescape"))


@final
@dataclass(frozen=True, slots=True)
class Document:
    """Text with its identity, and where it was found."""

    text: str
    id: str
    """32 hex digits, see ``document_id``."""
    source: str
    """Name of the source in the recipe."""
    origin: str
    """Path inside the source and record in the file, as ``path#record``; lines and pieces count from 1."""
    facts: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What is known about the text; ``content`` is ``prose`` or ``code``."""

    @property
    def bytes(self) -> int:
        """Length of the text in UTF-8 bytes."""
        return len(self.text.encode())
