"""Files at addresses such as ``s3://bucket/texts`` beside local paths: listed, described, opened and copied."""

from __future__ import annotations

import glob
import io
import os
import re
import time
from collections.abc import Generator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import IO, Annotated, Any, final
from urllib.parse import unquote, urlsplit

import xxhash
from pydantic import BeforeValidator

from pilotlight.errors import ConfigError, DataError, PilotlightError

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_MANGLED = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/[^/]")
_WEB = ("http://", "https://")
_TRIES = 4
_BLOCK = 1 << 22
_BUFFER = 1 << 18
_NOT_FOUND = 404
_VERSION_KEYS = ("ETag", "etag", "md5Hash", "crc32c", "LastModified", "updated", "mtime", "created")


def _location(value: Any) -> Any:
    """Return a local path, or an address as it was written: a path would swallow one of its slashes."""
    if isinstance(value, str):
        if value.startswith("file://"):
            return Path(unquote(urlsplit(value).path))
        return value if _ADDRESS.match(value) else Path(value)
    if isinstance(value, Path) and _MANGLED.match(str(value)):
        raise ValueError(f"{value} was an address before it became a path; give the address itself, as text")
    return value


Location = Annotated[Path | str, BeforeValidator(_location)]
"""A local path (relative ones count from the plan file), or the address of something elsewhere."""


@final
class Barred(DataError):
    """A file or folder is there, but its rights forbid to read it; ``reason`` says so without its path."""

    def __init__(self, location: Path | str, reason: str | None) -> None:
        self.reason = reason or "no right to read it"
        shown = os.fsencode(location).decode("utf-8", "backslashreplace")
        super().__init__(
            f"{shown} cannot be read ({self.reason}). Expected a readable text file; check path and rights."
        )


def is_address(location: Path | str) -> bool:
    """Return whether the file is elsewhere, and not in a local folder."""
    return isinstance(location, str) and bool(_ADDRESS.match(location))


def base_name(location: Path | str) -> str:
    """Return the name of the file or folder, without what follows ``?`` in a web address."""
    if isinstance(location, Path) or not is_address(location):
        return Path(location).name
    path = unquote(urlsplit(location).path) if location.startswith(_WEB) else location.partition("://")[2]
    return path.rstrip("/").rpartition("/")[2] or urlsplit(location).netloc


def host_of(address: str) -> str:
    """Return the host of an address without port and user, or its bucket."""
    parts = urlsplit(address)
    return parts.hostname or parts.netloc or address.partition("://")[2]


def is_pattern(address: str) -> bool:
    """Return whether an address has wildcards; ``?`` is none, because web addresses have it."""
    return "*" in address or "[" in address


def file_system(address: str) -> tuple[Any, str]:
    """Return the fsspec file system of an address, and the path inside it.

    Raises:
        ConfigError: nothing here can read such addresses, or a package for them is not installed.
    """
    fsspec: Any = import_module("fsspec.core")
    scheme = address.partition("://")[0]
    try:
        return fsspec.url_to_fs(address)
    except ImportError as error:
        raise ConfigError(
            f"{address} needs a package that is not installed ({error}). Install it with: "
            "pip install 'pilotlight[remote]'"
        ) from error
    except ValueError as error:
        raise ConfigError(
            f"{address}: no file system is called {scheme!r}. Expected s3://, gs://, https:// or a local path."
        ) from error


@contextmanager
def explained(address: str, *, doing: str = "read", expected: str = "text there") -> Generator[None]:
    """Turn what goes wrong with an address into a DataError that names it and the way out.

    Raises:
        DataError: the file system refused, was not reached, or has no such file.
    """
    try:
        yield
    except (PilotlightError, GeneratorExit):
        raise
    except Exception as error:
        # the packages behind fsspec share no class of error: botocore, google and aiohttp each raise their own, and a
        # web server that was not reached is, for fsspec, a file that was not found because of that
        cause = error.__cause__ if isinstance(error, FileNotFoundError) and error.__cause__ else error
        if isinstance(cause, FileNotFoundError) or getattr(cause, "status", 0) == _NOT_FOUND:
            raise DataError(f"{address} does not exist. Expected {expected}; correct the path.") from error
        reason = f"{type(cause).__name__}: {cause}"[:200]
        raise DataError(
            f"{address} cannot be {doing} ({reason}). Check the address, the network and the credentials, "
            "which come from the environment as for other tools."
        ) from error


def _full(system: Any, address: str, path: str) -> str:
    """Return the address of a path that the file system listed."""
    if path.startswith(_WEB):
        return path
    scheme = address.partition("://")[0]
    return f"{scheme}://{str(system._strip_protocol(path)).removeprefix('/')}"


def fixed_part(address: str) -> str:
    """Return the folder that stands before the first wildcard of an address."""
    parts = address.split("/")
    first = next((at for at, part in enumerate(parts) if is_pattern(part)), len(parts))
    return "/".join(parts[:first])


def addresses(address: str) -> list[tuple[str, str]]:
    """Return the files that an address with wildcards matches, or that lie below it: (address, relative path), sorted.

    Raises:
        ConfigError: no package for such addresses.
        DataError: it cannot be listed.
    """
    system, path = file_system(address)
    with explained(address, doing="listed"):
        system.invalidate_cache()
        if is_pattern(address):
            found = [name for name, item in system.glob(path, detail=True).items() if item["type"] == "file"]
            root = fixed_part(address)
        else:
            found, root = list(system.find(path)), address
    inner = str(system._strip_protocol(root)).strip("/")
    pairs: list[tuple[str, str]] = []
    for name in found:
        plain = str(system._strip_protocol(name)).strip("/")
        relative = plain.removeprefix(inner).strip("/") if plain.startswith(inner) else plain
        pairs.append((_full(system, address, name), unquote(relative.partition("?")[0]) or base_name(name)))
    return sorted(set(pairs), key=lambda pair: (pair[1], pair[0]))


def is_folder(address: str) -> bool:
    """Return whether files lie below an address; of web pages it is known by a slash at the end.

    Raises:
        ConfigError: no package for such addresses.
        DataError: the file system was not reached.
    """
    if address.startswith(_WEB):
        return address.endswith("/")
    system, path = file_system(address)
    with explained(address):
        system.invalidate_cache()
        return bool(system.isdir(path))


def must_exist(address: str, expected: str) -> None:
    """Return if there is a file at an address.

    Raises:
        ConfigError: no package for such addresses.
        DataError: there is none; says that ``expected`` was looked for.
    """
    system, path = file_system(address)
    with explained(address, expected=expected):
        system.info(path)


@final
class _RemoteFile(io.RawIOBase):
    """A file of another file system whose errors say what to do."""

    def __init__(self, file: Any, address: str) -> None:
        super().__init__()
        self._file, self._address = file, address

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True  # where the server does not allow it, ``seek`` says so, and readers do not guess

    def readinto(self, buffer: Any, /) -> int:
        with explained(self._address):
            data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        with explained(self._address):
            return int(self._file.seek(offset, whence))

    def tell(self) -> int:
        return int(self._file.tell())

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()


def open_address(address: str) -> IO[bytes]:
    """Return the file at an address opened for reading; it reads ahead and can be positioned where the server allows.

    What goes wrong later, while it is read, is a DataError too.

    Raises:
        ConfigError: no package for such addresses.
        DataError: it cannot be opened.
    """
    system, path = file_system(address)
    with explained(address):
        whole = address.startswith(_WEB) and not system.info(path).get("partial")
        file = system.open(path, "rb", block_size=0 if whole else _BLOCK)  # 0: from the start to the end only
    return io.BufferedReader(_RemoteFile(file, address), _BUFFER)


def identity_of(location: Path | str) -> list[int | str]:
    """Return what changes when the file changes, found without reading it: its size and its version.

    The version is the time of the last change on a local disk, and elsewhere the mark that the server keeps. A size
    of 0 elsewhere may mean that the server does not say it.

    Raises:
        Barred: its rights forbid to look at it.
        ConfigError: no package for such addresses.
        DataError: the file is not there.
    """
    if not is_address(location):
        try:
            status = Path(location).stat()
        except PermissionError as error:
            raise Barred(location, error.strerror) from error
        except OSError as error:
            raise DataError(f"{location} cannot be read ({error.strerror}). Check path and rights.") from error
        return [status.st_size, status.st_mtime_ns]
    address = str(location)
    system, path = file_system(address)
    with explained(address):
        known: dict[str, Any] = system.info(path)
    mark = next((str(known[key]).strip('"') for key in _VERSION_KEYS if known.get(key)), "")
    return [int(known.get("size") or 0), mark]


def size_of(location: Path | str) -> int:
    """Return the size of a file in bytes as it is stored; 0 where a server does not say.

    Raises:
        ConfigError: no package for such addresses.
        DataError: the file is not there.
    """
    return int(identity_of(location)[0])


def fetch(address: str, folder: Path) -> Path:
    """Return a local copy of the file at an address, in ``folder``; one that is there already is used again.

    A copy that breaks off is tried again up to three times, after 1, 2 and 4 seconds.

    Raises:
        ConfigError: no package for such addresses.
        DataError: it cannot be copied, or the copy has another size than the server said.
    """
    size = size_of(address)
    mark = xxhash.xxh3_64_hexdigest(f"{address}\0{identity_of(address)}".encode())
    name = re.sub(r"[^\w.-]", "_", base_name(address))[-120:]
    target = folder / f"{mark}-{name}"
    if target.is_file():
        return target
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f"{mark}.{os.getpid()}.part"
    try:
        for attempt in range(_TRIES):
            try:
                _copy(address, draft, size)
                break
            except DataError:
                if attempt == _TRIES - 1:
                    raise
                time.sleep(2**attempt)
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
    return target


def _copy(address: str, draft: Path, size: int) -> None:
    with explained(address, doing="copied"), open_address(address) as remote, draft.open("wb") as local:
        while data := remote.read(_BLOCK):
            local.write(data)
    copied = draft.stat().st_size
    if size and copied != size:
        raise DataError(f"{address} broke off after {copied} of {size} bytes. Check the network and try again.")


def has_wildcards(location: Path | str) -> bool:
    """Return whether a location means every file that it matches, and not one file or folder."""
    if is_address(location):
        return is_pattern(str(location))
    return glob.has_magic(str(location)) and not os.path.exists(location)  # noqa: PTH110 (it refuses no rights)
