"""The files that a path, a folder, a pattern with wildcards or an address means."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable
from pathlib import Path

from pilotlight.corpus import remote
from pilotlight.corpus.listing import Listing, any_name, listing, shown_name, without_links
from pilotlight.corpus.reading import plain_name
from pilotlight.corpus.source import Input
from pilotlight.errors import DataError, nearest


def _fixed_part(path: Path) -> Path:
    """Return the folder that stands before the first wildcard of a pattern."""
    parts = path.parts
    first = next((at for at, part in enumerate(parts) if glob.has_magic(part)), len(parts))
    return Path(*parts[:first])


def is_folder(path: Path | str) -> bool:
    """Return whether a path or an address is a folder.

    Raises:
        DataError: the address was not reached.
    """
    if remote.is_address(path):
        return not remote.has_wildcards(path) and remote.is_folder(str(path))
    return os.path.isdir(path)  # noqa: PTH112 (it refuses no rights)


def name_of(path: Path | str) -> str:
    """Return a name for the files that a path or pattern means: the file's own, or its folder's, or the host's."""
    if remote.is_address(path):
        return _name_of_address(str(path))
    local = Path(path)
    if remote.has_wildcards(local):
        return _fixed_part(local).resolve().name or "files"
    if is_folder(local):
        return local.resolve().name or "files"
    return plain_name(local.name).partition(".")[0] or local.name


def _name_of_address(address: str) -> str:
    pattern = remote.has_wildcards(address)
    fixed = (remote.fixed_part(address) if pattern else address).partition("?")[0]
    if not fixed.partition("://")[2].partition("/")[2].strip("/"):
        return remote.host_of(fixed) or "files"
    name = remote.base_name(fixed)
    is_folder = pattern or fixed.endswith("/")
    return name if is_folder else plain_name(name).partition(".")[0] or name


def below(
    path: Path | str, passed_over: frozenset[str] = frozenset(), fits: Callable[[str], bool] = any_name
) -> list[Input]:
    """Return every file below a folder, here or elsewhere, sorted; hidden ones are left out.

    Folders called one of ``passed_over`` are not entered; a folder below that may not be listed comes as a file that
    cannot be opened. Links to files that are listed too, and that fit, are left out.

    Raises:
        DataError: the folder cannot be listed.
    """
    if not remote.is_address(path):
        return listing(Path(path), passed_over, fits, lenient=True).files
    found: list[Input] = []
    for address, relative in remote.addresses(str(path)):
        *folders, name = relative.split("/")
        if not name.startswith(".") and not any(part.startswith(".") or part in passed_over for part in folders):
            found.append(Input(address, relative))
    return found


def links_of(path: Path | str, fits: Callable[[str], bool] = any_name) -> dict[str, int]:
    """Return how many links are passed over below a folder or among what a pattern matches, as ``{"links": 3}``."""
    if remote.is_address(path):
        return {}
    if remote.has_wildcards(path):
        links = _matches(Path(path)).links
    else:
        links = listing(Path(path), frozenset(), fits, lenient=True).links if is_folder(path) else 0
    return {"links": links} if links else {}


def matching_files(path: Path | str, expected: str, fits: Callable[[str], bool] = any_name) -> list[Input]:
    """Return the files that ``path`` names or matches, or that lie below it and fit, sorted.

    Args:
        path: a file, a folder, a pattern or an address.
        expected: says what the files should be.
        fits: whether a file below a folder is one of them, by its name.

    Raises:
        Barred: the rights of its folder forbid to look at it.
        ConfigError: no package for such addresses.
        DataError: there is no such file, the pattern matches none, or no file below the folder fits.
    """
    if remote.has_wildcards(path):
        files = _matches(path).files
        if not files:
            raise DataError(f"{path} matches no file. Expected {expected}; correct the pattern.")
        return sorted(files, key=lambda file: file.relative)
    if is_folder(path):
        files = [file for file in below(path, fits=fits) if file.unlisted or fits(file.relative)]
        if not files:
            raise DataError(
                f"{path} is a folder without such a file. Expected {expected}, or a folder with some; "
                "write kind: folder to read a folder of files of every kind."
            )
        return files
    if remote.is_address(path):
        remote.must_exist(str(path), expected)
        return [Input(path, remote.base_name(path))]
    local = Path(path)
    if not os.path.isfile(local):  # noqa: PTH113 (it refuses no rights)
        near = nearest(local.name, _names_in(local.parent))
        _refuse_barred(local)
        raise DataError(f"{local} does not exist. Expected {expected}; correct the path.{near}")
    return [Input(local, shown_name(Path(local.name)))]


def _names_in(folder: Path) -> list[str]:
    try:
        return [item.name for item in folder.iterdir()]
    except OSError:
        return []


def _refuse_barred(path: Path) -> None:
    try:
        path.stat()
    except PermissionError as error:
        raise remote.Barred(path, error.strerror) from error
    except OSError:
        return


def _matches(path: Path | str) -> Listing:
    if remote.is_address(path):
        return Listing([Input(address, relative) for address, relative in remote.addresses(str(path))], 0)
    root = _fixed_part(Path(path))
    place = os.path.realpath(root)
    found: list[tuple[Input, bool]] = []
    links = 0
    for item in sorted({Path(name) for name in glob.glob(str(path), recursive=True)}):  # noqa: PTH207 (from a plan)
        inside = item.relative_to(root)
        linked = os.path.realpath(item) != os.path.join(place, inside)  # noqa: PTH118 (one that goes through a link)
        if os.path.isfile(item):  # noqa: PTH113 (it refuses no rights)
            found.append((Input(item, shown_name(inside)), linked))
        else:
            links += os.path.islink(item)  # noqa: PTH114
    files, twice = without_links(found)
    return Listing(files, links + twice)
