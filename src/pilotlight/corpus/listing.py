"""The files below a folder: hidden ones left out, links read once, folders without rights told."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

from pilotlight.corpus.source import Input
from pilotlight.errors import DataError


def shown_name(path: Path) -> str:
    """Return a path with forward slashes as valid Unicode, whatever bytes the file system holds."""
    return os.fsencode(path.as_posix()).decode("utf-8", "backslashreplace")


@final
@dataclass(frozen=True, slots=True)
class Listing:
    """What lies below a folder."""

    files: list[Input]
    """Sorted by relative path; one that ends with a slash is a folder that may not be listed."""
    links: int
    """Links that are passed over: broken, to folders, or to a file that is listed anyway."""


def any_name(name: str) -> bool:
    """Return true: a file of any name is wanted."""
    del name
    return True


def listing(
    folder: Path,
    passed_over: frozenset[str] = frozenset(),
    fits: Callable[[str], bool] = any_name,
    *,
    lenient: bool = False,
) -> Listing:
    """Return what lies below a folder; hidden files are left out, links to folders are not followed.

    Args:
        folder: where to look.
        passed_over: folders of these names are not entered.
        fits: whether a file is read, by its relative path. A link is passed over where what it leads to is read.
        lenient: take folders below that may not be listed as files that may not be read.

    Raises:
        DataError: the folder may not be listed, or one below it unless ``lenient``.
    """
    barred: list[Input] = []

    def refuse(error: OSError) -> None:
        place = Path(os.fsdecode(error.filename or folder))
        if not lenient or place == folder:
            raise DataError(f"{shown_name(place)} cannot be listed ({error.strerror}). Check its rights.") from error
        barred.append(Input(place, f"{shown_name(place.relative_to(folder))}/"))

    found: list[tuple[Input, bool]] = []
    links = 0
    for parent, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".") and name not in passed_over]
        links += sum(os.path.islink(os.path.join(parent, name)) for name in folders)  # noqa: PTH114, PTH118
        for name in names:
            if name.startswith("."):
                continue
            path = Path(parent, name)
            is_link = os.path.islink(path)  # noqa: PTH114 (it refuses no rights)
            if _may_be_file(path):
                found.append((Input(path, shown_name(path.relative_to(folder))), is_link))
            else:
                links += is_link
    files, twice = without_links(found, fits)
    return Listing(sorted([*files, *barred], key=lambda file: file.relative), links + twice)


def _may_be_file(path: Path) -> bool:
    """Return whether it is a file, or something in a folder whose rights forbid to look at it."""
    try:
        return path.is_file()
    except OSError:
        return True


def without_links(
    files: Sequence[tuple[Input, bool]], fits: Callable[[str], bool] = any_name
) -> tuple[list[Input], int]:
    """Return files without the links that lead to another one of them that fits, sorted, and the number of those.

    Args:
        files: local files, and whether they were reached by a link.
        fits: whether a file is read, by its relative path.
    """
    plain = [file for file, linked in files if not linked]
    others = sorted((file for file, linked in files if linked), key=lambda file: file.relative)
    known = {os.path.realpath(file.path) for file in plain if fits(file.relative)} if others else set[str]()
    kept: list[Input] = []
    for file in others:
        place = os.path.realpath(file.path)
        if fits(file.relative) and place in known:
            continue
        kept.append(file)
        known.add(place)
    return sorted([*plain, *kept], key=lambda file: file.relative), len(others) - len(kept)


def walk(folder: Path, passed_over: frozenset[str] = frozenset()) -> list[Input]:
    """Return every file below a folder, sorted by relative path, see ``listing``.

    Raises:
        DataError: a folder may not be listed.
    """
    return listing(folder, passed_over).files
