"""The files that a path, a folder, a pattern with wildcards or an address means."""

from __future__ import annotations

import glob
from collections.abc import Callable
from pathlib import Path

from pilotlight.corpus import remote
from pilotlight.corpus.reading import plain_name, shown_name, walk
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
    return Path(path).is_dir()


def name_of(path: Path | str) -> str:
    """Return a name for the files that a path or pattern means: the file's own, or its folder's."""
    if remote.is_address(path):
        address = str(path)
        if remote.has_wildcards(address):
            return remote.base_name(remote.fixed_part(address)) or "files"
        name = remote.base_name(address)
        return plain_name(name).partition(".")[0] or name
    local = Path(path)
    if remote.has_wildcards(local):
        return _fixed_part(local).resolve().name or "files"
    if local.is_dir():
        return local.resolve().name or "files"
    return plain_name(local.name).partition(".")[0] or local.name


def below(path: Path | str, passed_over: frozenset[str] = frozenset()) -> list[Input]:
    """Return every file below a folder, here or elsewhere, sorted; hidden ones are left out.

    Folders called one of ``passed_over`` are not entered.

    Raises:
        DataError: the folder cannot be listed.
    """
    if not remote.is_address(path):
        return walk(Path(path), passed_over)
    found: list[Input] = []
    for address, relative in remote.addresses(str(path)):
        *folders, name = relative.split("/")
        if not name.startswith(".") and not any(part.startswith(".") or part in passed_over for part in folders):
            found.append(Input(address, relative))
    return found


def matching_files(path: Path | str, expected: str, fits: Callable[[str], bool] = lambda name: True) -> list[Input]:
    """Return the files that ``path`` names or matches, or that lie below it and fit, sorted.

    Args:
        path: a file, a folder, a pattern or an address.
        expected: says what the files should be.
        fits: whether a file below a folder is one of them, by its name.

    Raises:
        ConfigError: no package for such addresses.
        DataError: there is no such file, the pattern matches none, or no file below the folder fits.
    """
    if remote.has_wildcards(path):
        files = _matches(path)
        if not files:
            raise DataError(f"{path} matches no file. Expected {expected}; correct the pattern.")
        return sorted(files, key=lambda file: file.relative)
    if is_folder(path):
        files = [file for file in below(path) if fits(file.relative)]
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
    if not local.is_file():
        near = nearest(local.name, (item.name for item in local.parent.iterdir())) if local.parent.is_dir() else ""
        raise DataError(f"{local} does not exist. Expected {expected}; correct the path of the source.{near}")
    return [Input(local, shown_name(Path(local.name)))]


def _matches(path: Path | str) -> list[Input]:
    if remote.is_address(path):
        return [Input(address, relative) for address, relative in remote.addresses(str(path))]
    root = _fixed_part(Path(path))
    found = [Path(name) for name in glob.glob(str(path), recursive=True)]  # noqa: PTH207 (pattern from a plan)
    return [Input(item, shown_name(item.relative_to(root))) for item in sorted(set(found)) if item.is_file()]
