"""Finished artefacts: a folder is finished exactly when its ``manifest.json`` exists.

An artefact is written into a temporary sibling folder, synced, sealed by a manifest with the size and SHA-256 of
every file, and moved into place. Whatever kills the writer leaves either nothing or a finished folder.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import secrets
import shutil
import socket
import threading
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pilotlight.errors import RecordError, ResourceError
from pilotlight.spec import Record, diff

NAME = "manifest.json"


class FileRecord(Record):
    """Size in bytes and SHA-256 of one file of an artefact."""

    bytes: int
    sha256: str


class Manifest(Record):
    """What is in a finished folder, what made it and from what."""

    kind: str
    fingerprint: str
    settings: dict[str, Any]
    inputs: dict[str, str]
    files: dict[str, FileRecord]
    facts: dict[str, Any]
    versions: dict[str, str]


@dataclass
class Draft:
    """An artefact being written: ``folder`` takes its files, ``facts`` what the manifest should say."""

    folder: Path
    facts: dict[str, Any] = field(default_factory=dict[str, Any])


def versions(*packages: str) -> dict[str, str]:
    """Return the versions of Python, Pilotlight and the named installed packages."""
    import platform
    from importlib import metadata

    found = {"python": platform.python_version()}
    for package in ("pilotlight", *packages):
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[package] = metadata.version(package)
    return found


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextlib.contextmanager
def _plain_disk_errors(path: Path) -> Generator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise ResourceError(
                f"{path}: no space left to write ({os.strerror(error.errno)}). Nothing finished was lost: "
                "free some space, or choose another --out, and run the same command again."
            ) from error
        if error.errno in (errno.EACCES, errno.EROFS, errno.EPERM):
            raise ResourceError(
                f"{path} cannot be written ({os.strerror(error.errno)}). Choose a folder you may write to with --out."
            ) from error
        raise


def sync(path: Path) -> None:
    """Force a file or folder to disk (folders only where the system can)."""
    try:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError:
        if not path.is_dir():
            raise


def write_atomic(path: Path, content: str | bytes, *, durable: bool = True) -> None:
    """Write a whole file or leave the old one: temporary name, fsync (unless not ``durable``), rename.

    Raises:
        ResourceError: the disk is full or the folder may not be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.partial")
    with _plain_disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            temporary.write_bytes(content.encode() if isinstance(content, str) else content)
            if durable:
                sync(temporary)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        if durable:
            sync(path.parent)


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and path != folder / NAME)


def seal(folder: Path, manifest: Manifest, *, durable: bool = True) -> Manifest:
    """Write the manifest of ``folder`` last, with the hash of every file in it, and return it complete."""
    files: dict[str, FileRecord] = {}
    for path in _files(folder):
        if durable:
            sync(path)
        files[path.relative_to(folder).as_posix()] = FileRecord(bytes=path.stat().st_size, sha256=sha256(path))
    manifest = manifest.model_copy(update={"files": files})
    write_atomic(folder / NAME, manifest.to_json() + "\n", durable=durable)
    return manifest


def _clear_left_overs(folder: Path, own: Path) -> None:
    """Remove the drafts of ``folder`` that dead processes left.

    Raises:
        RecordError: a living process is writing another draft of it.
    """
    named = re.compile(rf"\.{re.escape(folder.name)}\.([0-9]+)(?:\.old)?\.partial")
    for left_over in list(folder.parent.iterdir()):
        found = named.fullmatch(left_over.name)
        if found is None or left_over == own:
            continue
        if _lives(int(found[1])):
            raise RecordError(
                f"{folder} is being written by process {found[1]}. Wait for it to end and run the same command again, "
                f"or choose another --out; if that process is none of Pilotlight's, remove {left_over}."
            )
        shutil.rmtree(left_over, ignore_errors=True)


def _lives(pid: int) -> bool:
    if os.name != "posix":
        return False  # a signal 0 would end the process there; files that are open cannot be removed there anyway
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return not _is_zombie(pid)


def _is_zombie(pid: int) -> bool:
    """Return whether a process has ended and only waits to be counted by its parent: it writes nothing any more."""
    with contextlib.suppress(OSError):
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        return state[:1] == ["Z"]
    return False


def refuse_foreign(folder: Path) -> None:
    """Return if ``folder`` may be replaced: it is absent, empty, or a finished artefact of ours.

    Raises:
        RecordError: it is a file, or holds files that no artefact holds.
    """
    if folder.is_file():
        raise RecordError(f"{folder} is a file, but a folder is to be written there. Choose another --out.")
    if folder.is_dir() and not (folder / NAME).is_file() and (held := next(folder.iterdir(), None)) is not None:
        raise RecordError(
            f"{folder} holds files that are not ours, such as {held.name}: they would be lost. Choose a folder that is "
            "empty or does not exist with --out."
        )


@contextlib.contextmanager
def building(
    folder: Path,
    *,
    kind: str,
    fingerprint: str,
    settings: dict[str, Any],
    inputs: dict[str, str] | None = None,
) -> Generator[Draft]:
    """Yield a draft whose files become the finished artefact ``folder``, or nothing at all.

    Raises:
        RecordError: another living process is writing the same folder, or it holds files of somebody else.
        ResourceError: the disk is full or the folder may not be written.
    """
    refuse_foreign(folder)
    temporary = folder.with_name(f".{folder.name}.{os.getpid()}.partial")
    with _plain_disk_errors(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(temporary, ignore_errors=True)  # of a killed process that had our number
        temporary.mkdir()
        try:
            _clear_left_overs(folder, temporary)  # with ours there already: of two that begin at once, not both go on
            draft = Draft(temporary)
            yield draft
            manifest = Manifest(
                kind=kind, fingerprint=fingerprint, settings=settings, inputs=inputs or {}, files={},
                facts=draft.facts, versions=versions(),
            )  # fmt: skip
            seal(temporary, manifest)
            refuse_foreign(folder)
            old = folder.with_name(f".{folder.name}.{os.getpid()}.old.partial")
            if folder.exists():
                shutil.rmtree(old, ignore_errors=True)
                folder.replace(old)  # in one step: a kill leaves the old one whole, in its place or aside
            temporary.replace(folder)
            shutil.rmtree(old, ignore_errors=True)
            sync(folder.parent)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


@contextlib.contextmanager
def drafting(folder: Path, *, kind: str, fingerprint: str) -> Generator[Draft]:
    """Yield a draft that becomes the finished artefact ``folder``, unless another one of the same has become it.

    For results that are the same whoever makes them: several processes on several machines may draft the same one, and
    the first to finish wins. It is not forced to disk: after a crash of the machine it has to be verified.

    Raises:
        ResourceError: the disk is full or the folder may not be written.
    """
    host = re.sub(r"[^\w-]", "_", socket.gethostname())
    temporary = folder.with_name(f".{folder.name}.{host}.{os.getpid()}.{secrets.token_hex(4)}.partial")
    with _plain_disk_errors(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        for left_over in folder.parent.glob(f".{folder.name}.{host}.*.partial"):
            pid = left_over.name.split(".")[-3]
            if pid.isdigit() and int(pid) != os.getpid() and not _lives(int(pid)):
                shutil.rmtree(left_over, ignore_errors=True)
        temporary.mkdir()
        try:
            draft = Draft(temporary)
            yield draft
            manifest = Manifest(
                kind=kind, fingerprint=fingerprint, settings={}, inputs={}, files={}, facts=draft.facts,
                versions=versions(),
            )  # fmt: skip
            seal(temporary, manifest, durable=False)
            try:
                temporary.replace(folder)
            except OSError:
                if not (folder / NAME).is_file():  # what is there is no finished one
                    shutil.rmtree(folder, ignore_errors=True)
                    temporary.replace(folder)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def read_manifest(folder: Path, kind: str | None = None, *, verify: bool = False) -> Manifest:
    """Return the manifest of a finished folder; ``verify`` also checks the hash of every file.

    Raises:
        RecordError: the folder is unfinished, of another kind, or a file was lost or changed.
    """
    path = folder / NAME
    if not path.is_file():
        what = "does not exist" if not folder.exists() else "is unfinished: it has no manifest.json"
        raise RecordError(f"{folder} {what}. Expected a finished {kind or 'artefact'}; run the step that makes it.")
    try:
        manifest = Manifest.from_json(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise RecordError(f"{path} is damaged and cannot be read. Remove {folder} and run the step again.") from error
    if kind is not None and manifest.kind != kind:
        raise RecordError(f"{folder} holds a {manifest.kind}, expected a {kind}. Give the folder of a {kind}.")
    if verify:
        for name, record in manifest.files.items():
            file = folder / name
            if not file.is_file() or file.stat().st_size != record.bytes or sha256(file) != record.sha256:
                raise RecordError(f"{file} is missing or differs from its manifest. Remove {folder} and run again.")
    return manifest


def _told(changes: dict[str, tuple[Any, Any]]) -> list[str]:
    """Return the changes of settings as lines; a part that was added or left out as one."""
    parts = {
        path.removesuffix(".kind"): "left out" if new is None else "added"
        for path, (old, new) in changes.items() if path.endswith(".kind") and None in (old, new)
    }  # fmt: skip
    hidden = (*(f"{part}." for part in parts), *(f"{part.rpartition('.')[0]}.order" for part in parts))
    lines = [f"{path}: {old} -> {new}" for path, (old, new) in changes.items() if not path.startswith(hidden)]
    return [*(f"{part}: {what}" for part, what in parts.items()), *lines]


def finished(
    folder: Path,
    fingerprint: str | None = None,
    settings: dict[str, Any] | None = None,
    inputs: dict[str, str] | None = None,
) -> Manifest | None:
    """Return the manifest if ``folder`` is finished, None if there is nothing yet.

    Raises:
        RecordError: the folder is finished, but was made with another fingerprint; shows the settings and the
            inputs that differ.
    """
    if not (folder / NAME).is_file():
        return None
    manifest = read_manifest(folder)
    if fingerprint is None or manifest.fingerprint == fingerprint:
        return manifest
    changes = diff(manifest.settings, settings) if settings is not None else {}
    shown = "".join(f"\n  {line}" for line in _told(changes)[:8])
    known = inputs or manifest.inputs
    others = [name for name in sorted({*known, *manifest.inputs}) if known.get(name) != manifest.inputs.get(name)]
    shown += "".join(f"\n  the content of {name!r} is another" for name in others[:8])
    raise RecordError(
        f"{folder} was made from other settings or other input (fingerprint {manifest.fingerprint}, now {fingerprint})."
        f"{shown}\nChoose another --out, or remove that folder to build it again."
    )
