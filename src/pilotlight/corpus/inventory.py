"""The files that a recipe reads, and their identity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import xxhash

from pilotlight.corpus.reading import open_bytes
from pilotlight.corpus.recipe import Recipe
from pilotlight.corpus.source import Input, Source
from pilotlight.events import Note, Watcher


@final
@dataclass(frozen=True, slots=True)
class Shelf:
    """The files of one source."""

    source: Source
    files: list[Input]
    bytes: int
    """Size of the files on disk."""
    digest: str
    """Identity of the files: their paths inside the source, sizes and content."""
    passed_over: dict[str, int]


def _content(file: Input) -> tuple[int, str]:
    size, hasher = 0, xxhash.xxh3_128()
    with open_bytes(file.path) as handle:
        while data := handle.read(1 << 20):
            hasher.update(data)
            size += len(data)
    return size, hasher.hexdigest()


def take(recipe: Recipe, watch: Watcher) -> list[Shelf]:
    """Return the files of every source, sources and files in sorted order.

    Raises:
        DataError: a source has nothing to read, or a file cannot be opened.
    """
    shelves: list[Shelf] = []
    for source in recipe.by_title():
        whole, hasher, files = 0, xxhash.xxh3_128(), source.files()
        for file in files:
            size, digest = _content(file)
            whole += size
            hasher.update(f"{file.relative}\0{size}\0{digest}\n".encode())
        others = source.passed_over()
        if others:
            shown = ", ".join(f"{count} {ending}" for ending, count in others.items())
            watch(Note(f"{source.title}: files of other kinds are not read: {shown}."))
        shelves.append(Shelf(source, files, whole, hasher.hexdigest(), others))
    return shelves
