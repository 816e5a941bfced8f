"""The extension point of tokenizers: settings that learn from text once, and the encoder this leaves behind."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self, cast

from pilotlight.errors import DataError, RecordError
from pilotlight.manifest import write_atomic
from pilotlight.spec import Part, discover, plain
from pilotlight.tokens.text import Text

if TYPE_CHECKING:
    import numpy as np

NAME = "pilotlight_tokenizer.json"


class Encoder(ABC):
    """Turns text into ids and back; the same ids in every process.

    Control tokens never come out of text: a document that contains ``<|endoftext|>`` gets the ids of these
    characters. Lone surrogates are read as U+FFFD.
    """

    vocabulary: int
    """Number of ids, the end token included: every id is below it."""
    end: int
    """Id of the token that ends a document; never the encoding of any text."""

    @abstractmethod
    def encode_batch(self, texts: Sequence[str]) -> list[np.ndarray]:
        """Return the ids of each text (uint32, without an end token), in order."""

    @abstractmethod
    def decode(self, ids: Sequence[int] | np.ndarray) -> str:
        """Return the text of ``ids``; end tokens are left out, broken UTF-8 becomes U+FFFD."""

    def encode(self, text: str) -> np.ndarray:
        """Return the ids of one text (uint32, without an end token)."""
        return self.encode_batch([text])[0]

    def notes(self) -> tuple[str, ...]:
        """Return what happened to the texts encoded so far that a user should know: sentences, mostly none."""
        return ()

    def save_hugging_face(self, folder: Path) -> None:
        """Write files into ``folder`` that ``transformers.AutoTokenizer`` loads without a network, with the same ids.

        Raises:
            DataError: there is no such form of this tokenizer.
        """
        raise DataError(
            f"This tokenizer has no form for Hugging Face, so nothing was written to {folder}. Choose kind bpe, "
            "unigram, bytes or characters, or a tokenizer.json."
        )


class Tokenizer(Part):
    """Settings of a tokenizer. ``learn`` fills a folder from text, ``open`` reads that folder without the settings."""

    folder: ClassVar[str] = "pilotlight.tokens.tokenizers"

    @abstractmethod
    def learn(self, documents: Iterable[Text], folder: Path) -> dict[str, Any]:
        """Return facts about the encoder whose files it writes into ``folder``, an existing empty folder.

        Raises:
            DataError: the text or the file cannot give a tokenizer.
        """

    @staticmethod
    @abstractmethod
    def open(folder: Path) -> Encoder:
        """Return the encoder whose files are in ``folder``."""

    def at(self, folder: Path) -> Self:
        """Return the settings with relative paths read from ``folder``, where the plan file lies."""
        del folder
        return self

    def identity(self) -> dict[str, Any]:
        """Return what decides the ids, for fingerprints: the settings, and the content of files they name."""
        return plain(self)


PROBES = {
    "spaces in a row": "a  b   c",
    "a space at the beginning": " a",
    "a space at the end": "a ",
    "tabs": "a\tb",
    "line ends": "a\nb\r\nc\n\nd",
    "capital letters": "A Bc",
    "accents": "\u00e9 e\u0301 \u1e69",
    "compatibility characters": "\ufb01 \u2460 \uff21 \u00bd",
    "rare characters": "\U0001f525 \u6f22 \u0e19 \u13a0",
    "unusual spaces": "a\u00a0b\u3000c\u2028d",
    "control characters": "a\x00b\x1fc",
    "the block U+2581": "a\u2581b",
}
"""What tokenizers are known to change, each with a text that shows it."""


def lost(encoder: Encoder) -> list[str]:
    """Return what the encoder does not give back as it was, by name; nothing for one that keeps every text."""
    return [name for name, text in PROBES.items() if _comes_back(encoder, text) != text]


def _comes_back(encoder: Encoder, text: str) -> str | None:
    try:
        return encoder.decode(encoder.encode(text))
    except DataError:
        return None


def learn_encoder(settings: Tokenizer, documents: Iterable[Text], folder: Path) -> dict[str, Any]:
    """Return facts about the encoder that is now in ``folder``, which ``open_encoder`` can read from anywhere.

    ``lossless`` says whether every text comes back as it was; ``loses`` names what does not, where it was found out.

    Raises:
        DataError: the text or the file cannot give a tokenizer.
    """
    folder.mkdir(parents=True, exist_ok=True)
    facts = settings.learn(documents, folder)
    write_atomic(folder / NAME, json.dumps(settings.identity(), indent=1, sort_keys=True) + "\n")
    missing = lost(settings.open(folder))
    return {**facts, "lossless": not missing, "loses": missing}


def open_encoder(folder: Path) -> Encoder:
    """Return the encoder of a folder that ``learn_encoder`` filled, or of a copy of it.

    Raises:
        RecordError: the folder holds no tokenizer, or one of a kind that this version does not know.
    """
    path = folder / NAME
    kinds = discover(Tokenizer.folder)
    try:
        kind = json.loads(path.read_text(encoding="utf-8"))["kind"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RecordError(f"{folder} holds no tokenizer: {NAME} is missing or damaged. Pack the text again.") from error
    if kind not in kinds:
        raise RecordError(f"{path} is of kind {kind!r}; this version knows {', '.join(kinds)}. Pack the text again.")
    return cast("type[Tokenizer]", kinds[kind]).open(folder)
