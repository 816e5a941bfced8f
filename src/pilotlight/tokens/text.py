"""Text made safe to encode, cut at character bounds, and sampled in an order that nobody chose."""

from __future__ import annotations

import hashlib
import heapq
import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

from pilotlight.errors import DataError

RUN = 10_000


class Text(Protocol):
    """What a tokenizer or a packer needs of a document."""

    @property
    def text(self) -> str:
        """The text itself."""
        ...

    @property
    def id(self) -> str:
        """32 hex digits that name the document."""
        ...

    @property
    def source(self) -> str:
        """Name of the source it came from."""
        ...


@dataclass(frozen=True, slots=True)
class Passage:
    """The beginning of a document, or all of it: valid text of a known number of UTF-8 bytes."""

    id: str
    source: str
    text: str
    bytes: int


def valid(text: str) -> str:
    """Return ``text`` with every lone surrogate as U+FFFD; everything else unchanged.

    Lone surrogates come from broken JSON escapes; they have no UTF-8 form, so no byte count and no round trip.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def cut(text: str, limit: int) -> str:
    """Return the longest beginning of valid ``text`` that takes at most ``limit`` bytes of UTF-8."""
    if len(text) * 4 <= limit:
        return text
    return text[:limit].encode()[:limit].decode("utf-8", "ignore")


def pieces(text: str) -> list[str]:
    """Return ``text`` cut inside very long runs of white space; the pieces joined are the text.

    A look-ahead over a run of some hundred thousand spaces exhausts the stack of tiktoken's regular expressions
    (seen with 0.14: it panics on a million). Two samples that are ``RUN`` apart hit every run that long, so the
    check costs nothing on ordinary text.
    """
    if len(text) <= 2 * RUN or not re.search(r"\s\s", text[::RUN]):
        return [text]
    ends = [found.end() for found in re.finditer(rf"\s{{{RUN}}}", text)]
    bounds = [0, *ends, len(text)]
    return [text[start:end] for start, end in pairwise(bounds) if start < end]


def halves(text: str) -> tuple[str, str]:
    """Return ``text`` cut in two about the middle, before a space or line end where one is near."""
    middle = len(text) // 2
    at = max(text.rfind(mark, middle // 2, middle + 1) for mark in " \n")
    return (text[:at], text[at:]) if at > 0 else (text[:middle], text[middle:])


class Sample:
    """Passages of documents in the order of a hash of their ids, up to ``limit`` bytes together.

    The same documents give the same passages in whatever order they come, and a larger limit only adds passages
    at the end. Each document gives at most its first ``longest`` bytes, so that a few long ones cannot fill the
    sample; empty documents are passed over. The last passage may reach beyond the limit. Memory: about ``limit``.
    """

    def __init__(self, limit: int, longest: int) -> None:
        self._limit = limit
        self._longest = longest
        self._heap: list[tuple[int, int, Passage]] = []
        self._total = 0
        self._seen = 0

    def add(self, document: Text) -> None:
        """Take the document into account."""
        heap = self._heap
        self._seen += 1
        rank = -int.from_bytes(hashlib.sha256(f"sample {document.id}".encode()).digest()[:8], "big")
        if self._total >= self._limit and rank < heap[0][0]:
            return
        text = cut(valid(document.text[: self._longest]), self._longest)
        if not text:
            return
        passage = Passage(document.id, document.source, text, len(text.encode()))
        heapq.heappush(heap, (rank, -self._seen, passage))
        self._total += passage.bytes
        while self._total - heap[0][2].bytes >= self._limit:
            self._total -= heapq.heappop(heap)[2].bytes

    def passages(self) -> list[Passage]:
        """Return the passages so far, in their order."""
        return [passage for _, _, passage in sorted(self._heap, reverse=True)]


def sampled(documents: Iterable[Text], limit: int, longest: int) -> list[Passage]:
    """Return the passages to learn a tokenizer from, in the order of ``Sample``.

    Raises:
        DataError: there is no text.
    """
    sample = Sample(limit, longest)
    for document in documents:
        sample.add(document)
    passages = sample.passages()
    if not passages:
        raise DataError(
            "The training split has no text, so no tokenizer can be learnt. Expected at least one document: "
            "check the sources and filters of the corpus."
        )
    return passages
