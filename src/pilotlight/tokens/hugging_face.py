"""Encoder of an existing ``tokenizer.json``, made safe: control tokens never come out of text."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from pilotlight.errors import DataError
from pilotlight.manifest import write_atomic
from pilotlight.tokens.byte_level import ByteLevel, byte_level
from pilotlight.tokens.byte_pairs import write_config
from pilotlight.tokens.text import pieces, valid
from pilotlight.tokens.tokenizer import Encoder

if TYPE_CHECKING:
    import numpy as np
    from tokenizers import Tokenizer

COMMON_ENDS = ("<|endoftext|>", "<|end_of_text|>", "</s>", "<eos>", "<|eos|>", "<|im_end|>", "<|eot_id|>", "[SEP]")
"""Names under which published tokenizers keep their end token, the most certain first."""


ENOUGH = 200_000
"""Characters that the library encodes before it pays to look for a faster way, which takes a second or two."""


def read(path: Path) -> Tokenizer:
    """Return the tokenizer of a ``tokenizer.json`` file.

    Raises:
        DataError: the file is something else.
    """
    from tokenizers import Tokenizer

    try:
        return Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises bare Exception
        raise DataError(
            f"{path} is not a tokenizer.json of the Hugging Face tokenizers library ({error}). Give such a file, or a "
            ".tiktoken or a SentencePiece .model file."
        ) from error


def find_end(tokenizer: Tokenizer, wanted: str | None, config: dict[str, object], path: Path) -> tuple[str, str]:
    """Return the end token and where it was found: the settings, ``tokenizer_config.json``, or its usual name.

    Raises:
        DataError: the token asked for does not exist, or none was found.
    """
    configured = config.get("eos_token")
    if isinstance(configured, dict):
        configured = configured.get("content")
    special = [str(token.content) for token in tokenizer.get_added_tokens_decoder().values() if token.special]
    shown = ", ".join(special[:12]) or "none"
    if wanted is not None:
        if tokenizer.token_to_id(wanted) is None:
            raise DataError(f"{path} has no token {wanted!r} to end documents with. Its control tokens are: {shown}.")
        return wanted, "settings"
    if isinstance(configured, str) and tokenizer.token_to_id(configured) is not None:
        return configured, "tokenizer_config.json"
    for name in COMMON_ENDS:
        if tokenizer.token_to_id(name) is not None:
            return name, "its usual name"
    raise DataError(
        f"{path} has no end token under a usual name. Name the token that ends a document, for example "
        f"tokenizer: {{kind: file, path: {path.name}, end: '<name>'}}. Its control tokens are: {shown}."
    )


class JsonEncoder(Encoder):
    """Encoder of a ``tokenizer.json``, with its own ids."""

    def __init__(self, path: Path, end: str) -> None:
        self._path = path
        self._tokenizer = read(path)
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._tokenizer.encode_special_tokens = True
        added = self._tokenizer.get_added_tokens_decoder()
        known = self._tokenizer.token_to_id(end)
        if known is None:
            raise DataError(f"{path} has no token {end!r} to end documents with. Pack the text again.")
        self.end = known
        self._end = end
        self.vocabulary = max(self._tokenizer.get_vocab(with_added_tokens=True).values()) + 1
        self._control = {id: token.content for id, token in added.items() if token.special} | {self.end: end}
        unknown = getattr(self._tokenizer.model, "unk_token", None)
        self._control = {id: name for id, name in self._control.items() if name != unknown or id == self.end}
        self._seen = 0
        self._faster: ByteLevel | None = None

    def encode_batch(self, texts: Sequence[str]) -> list[np.ndarray]:
        """Return the ids of each text (uint32, without control tokens), in order.

        Raises:
            DataError: the tokenizer insists on making a control token of ordinary text.
        """
        parts = [pieces(valid(text)) for text in texts]
        flat = iter(self._fastest([part for of_text in parts for part in of_text]))
        return [_join([next(flat) for _ in of_text]) for of_text in parts]

    def _fastest(self, texts: list[str]) -> list[np.ndarray]:
        """Return the ids of each text: what can be encoded faster with the same ids is, the rest by the library."""
        if self._seen <= ENOUGH:
            self._seen += sum(map(len, texts))
            if self._seen > ENOUGH:
                self._faster = byte_level(self._tokenizer, self._path, self.end)
        found = self._faster.encode(texts) if self._faster is not None else [None] * len(texts)
        rest = iter(self._ids([text for text, ids in zip(texts, found, strict=True) if ids is None]))
        return [next(rest) if ids is None else ids for ids in found]

    def _ids(self, texts: list[str]) -> list[np.ndarray]:
        import numpy as np

        found = [
            np.array(encoding.ids, dtype=np.uint32)
            for encoding in self._tokenizer.encode_batch_fast(texts, add_special_tokens=False)
        ]
        control = np.fromiter(self._control, dtype=np.uint32)
        return [
            self._broken_up(text) if np.isin(ids, control).any() else ids
            for text, ids in zip(texts, found, strict=True)
        ]

    def _broken_up(self, text: str) -> np.ndarray:
        # Some models (unigram, WordPiece) hold their control tokens as ordinary words too: cut every such name in
        # two, so that only its letters can be encoded.
        import numpy as np

        cuts = {0, len(text)}
        for name in self._control.values():
            at = text.find(name)
            while at >= 0:
                cuts |= {at + 1} if len(name) > 1 else set()
                at = text.find(name, at + 1)
        order = sorted(cuts)
        parts = [text[start:stop] for start, stop in pairwise(order)]
        ids = _join(
            [
                np.array(encoding.ids, dtype=np.uint32)
                for encoding in self._tokenizer.encode_batch_fast(parts, add_special_tokens=False)
            ]
        )
        for id in self._control:
            if (ids == id).any():
                raise DataError(
                    f"The tokenizer encodes ordinary text as its control token {self._control[id]!r}, which would end "
                    f"documents early: {text[:60]!r}. Choose another tokenizer file, or learn one (kind: bpe)."
                )
        return ids

    def decode(self, ids: Sequence[int] | np.ndarray) -> str:
        """Return the text of ``ids``; end tokens are left out, broken UTF-8 becomes U+FFFD."""
        kept = [int(id) for id in ids if int(id) != self.end]
        return self._tokenizer.decode(kept, skip_special_tokens=False)

    def save_hugging_face(self, folder: Path) -> None:
        """Write a copy of ``tokenizer.json``, and the ``tokenizer_config.json`` beside it or one with the end token."""
        folder.mkdir(parents=True, exist_ok=True)
        write_atomic(folder / "tokenizer.json", self._path.read_bytes())
        beside = self._path.with_name("tokenizer_config.json")
        if beside.is_file():
            write_atomic(folder / "tokenizer_config.json", beside.read_bytes())
        else:
            write_config(folder, self._end)


def _join(parts: list[np.ndarray]) -> np.ndarray:
    import numpy as np

    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.uint32)
