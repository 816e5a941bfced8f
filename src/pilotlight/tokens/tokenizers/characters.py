"""One id per character, and bytes for the rare ones: nothing out of vocabulary, nothing merged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from pilotlight.tokens.text import Text, sampled, valid
from pilotlight.tokens.tokenizer import Encoder, Tokenizer
from pilotlight.units import Count

if TYPE_CHECKING:
    import numpy as np

LONGEST = 64_000
EACH = r"[\s\S]"
"""How Hugging Face's library cuts text into characters."""


class CharacterEncoder(Encoder):
    """Encoder of a list of characters: ids 0 to 255 are bytes, then the characters beyond ASCII, then the end."""

    def __init__(self, characters: Sequence[str]) -> None:
        import numpy as np

        self.end = 256 + len(characters)
        self.vocabulary = self.end + 1
        self._strings = [bytes([byte]) for byte in range(256)] + [mark.encode() for mark in characters] + [b""]
        self._id_of = np.full(0x110000, self.vocabulary, dtype=np.uint32)
        self._id_of[:128] = np.arange(128)
        self._id_of[[ord(mark) for mark in characters]] = np.arange(256, self.end)

    def encode_batch(self, texts: Sequence[str]) -> list[np.ndarray]:
        """Return the ids of each text (uint32, without an end token), in order."""
        return [self._encode(valid(text)) for text in texts]

    def _encode(self, text: str) -> np.ndarray:
        import numpy as np

        points = np.frombuffer(text.encode("utf-32-le"), dtype="<u4")
        ids = self._id_of[points]
        rare = ids == self.vocabulary
        if not rare.any():
            return ids
        lengths = np.where(rare, 2 + (points >= 0x800) + (points >= 0x10000), 1)
        starts = np.cumsum(lengths) - lengths
        found = np.empty(int(lengths.sum()), dtype=np.uint32)
        found[starts[~rare]] = ids[~rare]
        rest = np.ones(len(found), dtype=bool)
        rest[starts[~rare]] = False
        found[rest] = np.frombuffer("".join(map(chr, points[rare].tolist())).encode(), dtype=np.uint8)
        return found

    def decode(self, ids: Sequence[int] | np.ndarray) -> str:
        """Return the text of ``ids``; end tokens are left out, broken UTF-8 becomes U+FFFD."""
        return b"".join(self._strings[int(id)] for id in ids).decode("utf-8", "replace")

    def save_hugging_face(self, folder: Path) -> None:
        """Write ``tokenizer.json`` and ``tokenizer_config.json``, which give the same ids in Transformers."""
        _save(self._strings[256:-1], folder)


class Characters(Tokenizer):
    """Characters as tokens: the most frequent ones of a sample of the training text, all others as their bytes."""

    vocabulary: int = Field(default=4096, ge=257, le=1_000_000)
    """Most ids: 256 bytes (the ASCII characters among them), the characters, and the end token."""
    sample_bytes: Count = Field(default=8e6, ge=1000)
    """UTF-8 bytes of training text to learn from; documents in the order of a hash of their ids."""

    def learn(self, documents: Iterable[Text], folder: Path) -> dict[str, Any]:
        """Return facts about the characters, which are now in ``folder``.

        Raises:
            DataError: there is no text to learn from.
        """
        from pilotlight.tokens.byte_pairs import END

        passages = sampled(documents, int(self.sample_bytes), LONGEST)
        counts: Counter[str] = Counter()
        for passage in passages:
            counts.update(passage.text)
        wide = sorted((mark for mark in counts if mark >= "\x80"), key=lambda mark: (-counts[mark], mark))
        _save([mark.encode() for mark in wide[: self.vocabulary - 257]], folder)
        return {
            "sample_bytes": sum(passage.bytes for passage in passages), "sample_documents": len(passages),
            "end_token": END, "end_token_from": "added",
        }  # fmt: skip

    @staticmethod
    def open(folder: Path) -> Encoder:
        """Return the encoder whose characters are in ``folder``."""
        from pilotlight.tokens.byte_pairs import load_ranks

        ranks = load_ranks(folder)
        return CharacterEncoder([string.decode() for string in sorted(ranks, key=ranks.__getitem__)[256:]])


def _save(characters: Sequence[bytes], folder: Path) -> None:
    from pilotlight.tokens.byte_pairs import save

    folder.mkdir(parents=True, exist_ok=True)
    strings = [*(bytes([byte]) for byte in range(256)), *characters]
    save({string: rank for rank, string in enumerate(strings)}, folder, pattern=EACH)
