"""The content of what a training starts from, by its hashes; no torch here."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from pilotlight.errors import ConfigError
from pilotlight.manifest import read_manifest, sha256
from pilotlight.spec import fingerprint

_MODEL = "model"
_KINDS = (".safetensors", ".json", ".model", ".tiktoken")


def model_folder(path: Path) -> Path:
    """Return the folder with the model itself: of the output of `pilot train`, of a run, or of a model.

    Raises:
        ConfigError: there is nothing of the kind.
    """
    for folder in (path / "run" / _MODEL, path / _MODEL, path):
        if (folder / "model.json").is_file():
            return folder
    if (path / "config.json").is_file():
        return path
    raise ConfigError(f"{path} holds no model to start from. Give the folder of a finished run, of an imported model, or of a "
                      "Hugging Face model (config.json and safetensors).")  # fmt: skip


def is_own(folder: Path) -> bool:
    """Return whether the folder of a model is one of ours."""
    return (folder / "model.json").is_file()


def fingerprint_of(path: Path) -> str:
    """Return sixteen hex digits that follow from the files of a model.

    Raises:
        ConfigError: there is none.
        RecordError: it is unfinished.
    """
    folder = model_folder(path)
    if is_own(folder):
        return fingerprint({name: record.sha256 for name, record in read_manifest(folder, _MODEL).files.items()})
    files = sorted(file for file in folder.iterdir() if file.suffix in _KINDS)
    return fingerprint({file.name: _hash(file, *_marks(file)) for file in files})


def fingerprint_of_checkpoint(folder: Path) -> str:
    """Return sixteen hex digits that follow from the files of a checkpoint.

    Raises:
        RecordError: it is unfinished.
    """
    return fingerprint({name: record.sha256 for name, record in read_manifest(folder, "checkpoint").files.items()})


def _marks(file: Path) -> tuple[int, int]:
    found = file.stat()
    return found.st_mtime_ns, found.st_size


@lru_cache(maxsize=256)
def _hash(file: Path, changed: int, size: int) -> str:
    """Return the hash of a file; one that was not touched since is not read again."""
    del changed, size
    return sha256(file)
