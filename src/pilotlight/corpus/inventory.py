"""The files that a recipe reads: their identity, and the splits they are read in."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import xxhash

from pilotlight.corpus.reading import open_bytes
from pilotlight.corpus.recipe import Recipe
from pilotlight.corpus.remote import Barred
from pilotlight.corpus.source import Cut, Input, Source
from pilotlight.events import Note, Watcher
from pilotlight.manifest import write_atomic
from pilotlight.spec import plain
from pilotlight.work.flow import Flow, Task

FILES = "files.json"
_LEAST_SPLIT, _MOST_SPLIT = 1 << 22, 1 << 27  # bytes on disk: enough to be worth a unit, little enough for any memory
_SPLITS = 64
_MOST_FILES = 2000  # files in one unit


@final
@dataclass(frozen=True, slots=True)
class Shelf:
    """The files of one source."""

    source: Source
    files: list[dict[str, Any]]
    """For each file what it is (``input``), its ``bytes``, ``digest`` of its content, and ``cuts`` it is read in."""
    passed_over: dict[str, int]

    @property
    def digest(self) -> str:
        """Identity of the files: their paths inside the source, sizes and content."""
        hasher = xxhash.xxh3_128()
        for file in self.files:
            hasher.update(f"{file['input']['relative']}\0{file['bytes']}\0{file['digest']}\n".encode())
        return hasher.hexdigest()


def take(recipe: Recipe, flow: Flow, watch: Watcher) -> list[Shelf]:
    """Return the files of every source, sources and files in sorted order; every byte is read once for its digest.

    Raises:
        DataError: a source has nothing to read, or a file cannot be opened.
    """
    sources = recipe.by_title()
    listed = [source.files() for source in sources]
    sizes = [[file.size() for file in files] for files in listed]
    target = _split_size(sum(map(sum, sizes)))
    shelves: list[Shelf] = []
    for source, files, bytes in zip(sources, listed, sizes, strict=True):
        tasks = [
            Task("pilotlight.corpus.inventory:inspect", (), {
                "source": plain(source), "target": target,
                "files": [[file.to_json(), file.identity()] for file in batch],
            }) for batch in _batches(files, bytes)
        ]  # fmt: skip
        units = flow.run(f"looking at {source.title}"[:80].replace("/", " "), tasks)
        found = [file for unit in units for file in _inspected(unit)]
        others = source.passed_over()
        if others:
            shown = ", ".join(f"{count} {ending}" for ending, count in others.items())
            watch(Note(f"{source.title}: files of other kinds are not read: {shown}."))
        shelves.append(Shelf(source, found, others))
    return shelves


def _split_size(whole: int) -> int:
    """Return how much of the input one split should hold: 64 splits, within bounds; a function of the input alone."""
    return min(_MOST_SPLIT, max(_LEAST_SPLIT, -(-whole // _SPLITS)))


def _batches(files: Sequence[Input], sizes: Sequence[int]) -> list[list[Input]]:
    batches: list[list[Input]] = []
    held = 0
    for file, size in zip(files, sizes, strict=True):
        if not batches or held + size > _MOST_SPLIT or len(batches[-1]) >= _MOST_FILES:
            batches.append([])
            held = 0
        batches[-1].append(file)
        held += size
    return batches


def inspect(out: Path, inputs: Sequence[Path], settings: dict[str, Any], watch: Watcher) -> dict[str, Any]:
    """Write size, digest and cuts of each file of a batch; remote files are copied beside them."""
    del inputs, watch
    source: Source = Source.choose(settings["source"])
    found: list[dict[str, Any]] = []
    for number, (given, identity) in enumerate(settings["files"]):
        file = Input.from_json(given)
        near = file.stage(out / f"{number}")
        try:
            size, digest = _content(near)
            cuts = source.cuts(near, settings["target"]) if size > settings["target"] else [Cut()]
        except Barred as error:  # one file that may not be read is set aside when it is its turn
            size, digest, cuts = 0, f"may not be read: {error.reason}", [Cut()]
        copied = Path(near.path).relative_to(out).as_posix() if near != file else ""
        found.append(
            {
                "input": given,
                "bytes": size,
                "digest": digest,
                "cuts": [plain(cut) for cut in cuts],
                "copied": copied,
                "identity": identity,
            }
        )
    write_atomic(out / FILES, json.dumps(found, ensure_ascii=False))
    return {"files": len(found)}


def _inspected(unit: Path) -> list[dict[str, Any]]:
    """Return what a unit found; a file that it copied is read from the copy from now on."""
    found: list[dict[str, Any]] = json.loads((unit / FILES).read_text(encoding="utf-8"))
    for file in found:
        if copied := file.pop("copied"):
            file["input"] = Input.from_json(file["input"]).at(unit / copied).to_json()
            file["identity"] = Input.from_json(file["input"]).identity()
    return found


def _content(file: Input) -> tuple[int, str]:
    size, hasher = 0, xxhash.xxh3_128()
    with open_bytes(file.path) as handle:
        while data := handle.read(1 << 20):
            hasher.update(data)
            size += len(data)
    return size, hasher.hexdigest()


def splits(shelves: Sequence[Shelf]) -> list[list[dict[str, Any]]]:
    """Return what each split reads: parts of files, in the order of sources, files and cuts.

    A function of the files alone, so it is the same on every machine and for every number of workers.
    """
    target = _split_size(sum(file["bytes"] for shelf in shelves for file in shelf.files))
    found: list[list[dict[str, Any]]] = []
    held = target
    for shelf in shelves:
        for file in shelf.files:
            for cut in file["cuts"]:
                size = file["bytes"] // len(file["cuts"])
                if not found or held + size > target or len(found[-1]) >= _MOST_FILES:
                    found.append([])
                    held = 0
                found[-1].append(
                    {
                        "source": shelf.source.title,
                        "input": file["input"],
                        "digest": file["digest"],
                        "cut": cut,
                        "identity": file["identity"],
                    }
                )
                held += size
    return found
