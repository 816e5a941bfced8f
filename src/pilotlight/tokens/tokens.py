"""The packed corpus: token ids on disk, mapped into memory, with the bounds and bytes of every document."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from pilotlight.errors import RecordError
from pilotlight.manifest import Manifest, read_manifest
from pilotlight.tokens.tokenizer import Encoder, open_encoder

if TYPE_CHECKING:
    from jaxtyping import Int64, Integer, UInt16

KIND = "tokens"
SplitName = Literal["train", "held_out"]
SPLITS: tuple[SplitName, ...] = ("train", "held_out")
TOKENIZER = "tokenizer"


def passages_file(split: str) -> str:
    """Return the name of the file with the passages of a split that evaluations read."""
    return f"{split}.passages.jsonl"


@dataclass(frozen=True, slots=True)
class Split:
    """Token ids of one split: documents one after another, an end token after each."""

    name: str
    ids: Integer[np.ndarray, " tokens"]
    """Ids, mapped from disk: uint16 where the vocabulary fits, else uint32."""
    bounds: Int64[np.ndarray, " documents+1"]
    """Document i is ``ids[bounds[i]:bounds[i + 1]]``, its end token included."""
    bytes: Int64[np.ndarray, " documents"]
    """UTF-8 bytes of the text of each document; the end token stands for none."""
    id_bytes: np.ndarray
    """The documents' ids as 16 raw bytes each."""
    sources: UInt16[np.ndarray, " documents"] | None = None
    """Number of the source of each document, an index of ``source_names``; None where that is not known."""
    source_names: tuple[str, ...] = ()
    """Names of the sources, the same in all splits."""
    languages: UInt16[np.ndarray, " documents"] | None = None
    """Number of the language of each document, an index of ``language_names``; None where no document has one."""
    language_names: tuple[str, ...] = ()
    """Codes of the languages; empty for documents without one."""

    @property
    def document_ids(self) -> list[str]:
        """The documents' ids: 32 hex digits each, in order."""
        return [row.tobytes().hex() for row in self.id_bytes]


@dataclass(frozen=True)
class Tokens:
    """A finished ``pack``: what training reads."""

    folder: Path
    manifest: Manifest

    @classmethod
    def open(cls, folder: Path) -> Tokens:
        """Return the packed corpus in ``folder``; nothing is read but its manifest.

        Raises:
            RecordError: the folder is unfinished, is something else, or a file was lost or cut short.
        """
        manifest = read_manifest(folder, KIND)
        for name, record in manifest.files.items():
            path = folder / name
            size = path.stat().st_size if path.is_file() else None
            if size != record.bytes:
                what = "is missing" if size is None else f"has {size} bytes, expected {record.bytes}"
                raise RecordError(f"{path} {what}. Remove {folder} and pack the text again.")
        return cls(folder, manifest)

    @property
    def fingerprint(self) -> str:
        """Sixteen hex digits that follow from the corpus and the tokenizer."""
        return self.manifest.fingerprint

    @property
    def held_out_fingerprint(self) -> str:
        """Sixteen hex digits of the text that is evaluated, whatever the tokenizer; losses compare where it agrees."""
        return self.manifest.files[passages_file("held_out")].sha256[:16]

    @property
    def tokenizer(self) -> dict[str, Any]:
        """What decided the ids: settings of the tokenizer, and the hash of the file where it is one."""
        return self.manifest.settings["tokenizer"]

    @property
    def tokenizer_folder(self) -> Path:
        """Folder with the encoder's files, for ``open_encoder``."""
        return self.folder / TOKENIZER

    @property
    def vocabulary(self) -> int:
        """Number of token ids, the end token included."""
        return self.manifest.facts["vocabulary"]

    @property
    def end(self) -> int:
        """Id of the token after each document."""
        return self.manifest.facts["end"]

    @property
    def bytes_per_token(self) -> float:
        """UTF-8 bytes of training text per token, end tokens counted: nats per token / this / ln 2 is bits per byte."""
        return self.manifest.facts["splits"]["train"]["bytes_per_token"]

    @cached_property
    def _splits(self) -> dict[SplitName, Split]:
        return {name: self._map(name) for name in SPLITS}

    def split(self, name: SplitName) -> Split:
        """Return the ids of split ``train`` or ``held_out``, mapped into memory."""
        return self._splits[name]

    def encoder(self) -> Encoder:
        """Return the encoder that made the ids."""
        return open_encoder(self.tokenizer_folder)

    def copy_tokenizer(self, folder: Path) -> None:
        """Write the encoder's files into ``folder``, where ``open_encoder`` reads them."""
        shutil.copytree(self.tokenizer_folder, folder, dirs_exist_ok=True)

    def _map(self, name: str) -> Split:
        def mapped(what: str, kind: str) -> np.ndarray:
            path = self.folder / f"{name}{what}.bin"
            # An empty file cannot be mapped.
            return np.memmap(path, dtype=kind, mode="r") if path.stat().st_size else np.zeros(0, dtype=kind)

        def numbers(what: str) -> tuple[np.ndarray | None, tuple[str, ...]]:
            names = self.manifest.facts.get(what)
            return (mapped(f".{what}", "<u2"), tuple(names)) if names else (None, ())

        sources, source_names = numbers("sources")
        languages, language_names = numbers("languages")
        return Split(
            name=name,
            ids=mapped("", self.manifest.facts["dtype"]),
            bounds=mapped(".bounds", "<i8"),
            bytes=mapped(".bytes", "<i8"),
            id_bytes=mapped(".documents", "|u1").reshape(-1, 16),
            sources=sources,
            source_names=source_names,
            languages=languages,
            language_names=language_names,
        )
