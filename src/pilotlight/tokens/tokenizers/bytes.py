"""One id per byte of UTF-8: nothing to learn, nothing out of vocabulary."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pilotlight.tokens.text import Text, valid
from pilotlight.tokens.tokenizer import Encoder, Tokenizer

if TYPE_CHECKING:
    import numpy as np


class ByteEncoder(Encoder):
    """Encoder whose ids are the bytes of the text's UTF-8."""

    vocabulary = 257
    end = 256

    def encode_batch(self, texts: Sequence[str]) -> list[np.ndarray]:
        """Return the bytes of each text (uint32), in order."""
        import numpy as np

        return [np.frombuffer(valid(text).encode(), dtype=np.uint8).astype(np.uint32) for text in texts]

    def decode(self, ids: Sequence[int] | np.ndarray) -> str:
        """Return the text of ``ids``; end tokens are left out, broken UTF-8 becomes U+FFFD."""
        return bytes(int(id) for id in ids if id != self.end).decode("utf-8", "replace")

    def save_hugging_face(self, folder: Path) -> None:
        """Write ``tokenizer.json`` and ``tokenizer_config.json``, which give the same ids in Transformers."""
        _save(folder)


class Bytes(Tokenizer):
    """Bytes as tokens: ids 0 to 255, and 256 for the end of a document (Xue et al. 2022, ByT5)."""

    def learn(self, documents: Iterable[Text], folder: Path) -> dict[str, Any]:
        """Return facts about the 257 ids; the documents are not read."""
        from pilotlight.tokens.byte_pairs import END

        _save(folder)
        return {"end_token": END, "end_token_from": "added"}

    @staticmethod
    def open(folder: Path) -> Encoder:
        """Return the encoder; every folder holds the same one."""
        return ByteEncoder()


def _save(folder: Path) -> None:
    from pilotlight.tokens.byte_pairs import save

    folder.mkdir(parents=True, exist_ok=True)
    save({bytes([byte]): byte for byte in range(256)}, folder)
