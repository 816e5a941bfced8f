"""Texts that read the same: one stays."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, final

from pilotlight.corpus.duplicate import Duplicates, Twin
from pilotlight.corpus.sameness import text_key


@final
class Exact(Duplicates):
    """Texts that are equal but for white space, letter case and the encoding of accents; the smallest id stays.

    Two texts are taken as equal when a 128-bit hash of them is (xxh3); memory is one hash and one id per document.
    """

    same: ClassVar[tuple[tuple[str, str], ...]] = (
        ("The law is the law.", "The law is the law."),
        ("The  law\nis the LAW.\n", "the law is the law."),
        ("cafe\u0301", "caf\xe9"),
    )
    different: ClassVar[tuple[tuple[str, str], ...]] = (
        ("The law is the law.", "The law is the law!"),
        ("Article 1", "Article 2"),
        ("now here", "nowhere"),
    )

    def twins(self, documents: Iterable[tuple[str, str]]) -> dict[str, Twin]:
        """Return the superfluous documents and the one with the smallest id that stays for each."""
        stays: dict[int, str] = {}
        others: list[tuple[str, int]] = []
        for id, text in documents:
            key = text_key(text)
            first = stays.setdefault(key, id)
            if id < first:
                stays[key] = id
            if id != first:
                others.append((max(id, first), key))
        return {id: Twin(stays[key], 1.0) for id, key in others}
