"""SentencePiece models: a unigram vocabulary learnt so that it keeps every text, and existing ``.model`` files.

Kudo 2018 (unigram), Kudo and Richardson 2018 (the library). By itself the library squeezes white space, puts a space
before each text, folds compatibility characters and reads U+2581 as a space; a learnt model does none of these.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pilotlight.errors import DataError
from pilotlight.manifest import write_atomic
from pilotlight.tokens.byte_pairs import write_config
from pilotlight.tokens.text import valid
from pilotlight.tokens.tokenizer import Encoder

if TYPE_CHECKING:
    import numpy as np
    from tokenizers import Tokenizer

MARK = "\u2581"
"""How SentencePiece writes a space inside a token."""
_RESERVED = {MARK, "\u2585", "\0"}
UNKNOWN, END = "<unk>", "</s>"
_FEWEST = 258  # unknown, end, 256 bytes
_CHARACTERS = 0.5
"""Largest share of the places beside the bytes that single characters may take."""


def learn_unigram(texts: Sequence[str], vocabulary: int, coverage: float, *, digits: bool) -> tuple[bytes, int]:
    """Return a SentencePiece model of at most ``vocabulary`` ids, and how many characters have an id of their own.

    Whole texts are learnt and not their lines, so that the end of a sentence and of its paragraph can be one token (3 %
    fewer tokens). Characters beyond ``coverage`` of the text, or beyond half of the vocabulary, are left to their bytes.
    ``digits`` gives each digit a token of its own. One thread: sums in another order would give other vocabularies.

    Raises:
        DataError: the library finds nothing to learn.
    """
    import sentencepiece

    counts = Counter(character for text in texts for character in text)
    kept = _kept(counts, coverage, int(_CHARACTERS * (vocabulary - _FEWEST)))
    # The library leaves at most 2 % of a text to bytes, which is too little for Chinese in a small vocabulary, and skips
    # texts with the characters it keeps for itself; so the text is cut at every character that is left to its bytes.
    breaks = dict.fromkeys((ord(character) for character in counts if character not in kept), "\0")
    parts = [part for text in texts for part in text.translate(breaks).split("\0") if part]
    model = io.BytesIO()
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(parts), model_writer=model, model_type="unigram", vocab_size=vocabulary,
            hard_vocab_limit=False, character_coverage=1.0, byte_fallback=True, split_digits=digits,
            normalization_rule_name="identity", remove_extra_whitespaces=False, add_dummy_prefix=False,
            allow_whitespace_only_pieces=True, max_sentence_length=1 << 24, num_threads=1, minloglevel=4,
            unk_id=0, eos_id=1, bos_id=-1, pad_id=-1, unk_piece=UNKNOWN, eos_piece=END,
        )  # fmt: skip
    except RuntimeError as error:
        raise DataError(
            f"SentencePiece cannot learn {vocabulary} ids from this text ({error}). Give more text or a smaller "
            "vocabulary, or take kind: bpe."
        ) from error
    return model.getvalue(), len(kept)


def _kept(counts: Counter[str], coverage: float, most: int) -> set[str]:
    """Return the most frequent characters that make up ``coverage`` of the text, at most ``most`` of them."""
    kept: set[str] = set()
    whole, reached = sum(counts.values()), 0
    for character in sorted(counts, key=lambda character: (-counts[character], character)):
        if reached >= coverage * whole or len(kept) >= most:
            break
        reached += counts[character]
        if character not in _RESERVED:
            kept.add(character)
    return kept


class SentencePieces(Encoder):
    """Encoder of a SentencePiece model of any type.

    ``escaped`` spells U+2581 as its three bytes, which keeps it; without it the ids are those of the library alone.
    """

    def __init__(self, model: bytes, end: int, *, escaped: bool) -> None:
        import sentencepiece

        self._model = model
        self._processor: Any = sentencepiece.SentencePieceProcessor(model_proto=model, num_threads=1)
        self.vocabulary = max(self._processor.vocab_size(), end + 1)
        self.end = end
        self._spelt = [self._processor.piece_to_id(f"<0x{byte:02X}>") for byte in MARK.encode()] if escaped else []
        self._watched = not escaped and end < self._processor.vocab_size() and not self._processor.is_control(end)

    def encode_batch(self, texts: Sequence[str]) -> list[np.ndarray]:
        """Return the ids of each text (uint32, without an end token), in order.

        Raises:
            DataError: the model makes its end token of ordinary text.
        """
        import numpy as np

        return [np.array(self._encode(valid(text)), dtype=np.uint32) for text in texts]

    def _encode(self, text: str) -> list[int]:
        if self._spelt and MARK in text:
            first, *others = (self._processor.encode(part) for part in text.split(MARK))
            return first + [id for part in others for id in (*self._spelt, *part)]
        ids: list[int] = self._processor.encode(text)
        if self._watched and self.end in ids:
            raise DataError(
                f"The model encodes ordinary text as its end token {self._processor.id_to_piece(self.end)!r}, which "
                f"would end documents early: {text[:60]!r}. Name another token: tokenizer.end."
            )
        return ids

    def decode(self, ids: Sequence[int] | np.ndarray) -> str:
        """Return the text of ``ids``; end tokens and ids beyond the model are left out, broken UTF-8 becomes U+FFFD."""
        size = self._processor.vocab_size()
        return self._processor.decode([int(id) for id in ids if int(id) != self.end and int(id) < size])

    def save_hugging_face(self, folder: Path) -> None:
        """Write ``tokenizer.json`` and ``tokenizer_config.json`` of a unigram model for Transformers.

        The ids are the same but for two things: the other library reads U+2581 as a space, and where two ways to cut
        a word score alike to the last digits it may take the other one.

        Raises:
            DataError: the model is not a unigram model that keeps text as it is.
        """
        if not self._spelt:
            raise DataError(
                "Only a unigram model learnt here can be written for Hugging Face. An imported .model has rules of its "
                "own: use the tokenizer.json that its authors publish, or transformers' own conversion."
            )
        folder.mkdir(parents=True, exist_ok=True)
        write_atomic(folder / "tokenizer.json", self._portable().to_str(pretty=True) + "\n")
        write_config(folder, END)

    def _portable(self) -> Tokenizer:
        from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

        known = self._processor
        scores = [(known.id_to_piece(id), known.get_score(id)) for id in range(known.vocab_size())]
        portable = Tokenizer(models.Unigram(scores, unk_id=known.unk_id(), byte_fallback=True))
        portable.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="never", split=False)  # pyright: ignore[reportAttributeAccessIssue]
        portable.decoder = decoders.Sequence(  # pyright: ignore[reportAttributeAccessIssue]
            [decoders.Replace(MARK, " "), decoders.ByteFallback(), decoders.Fuse()]
        )
        portable.add_special_tokens([AddedToken(name, special=True, normalized=False) for name in (UNKNOWN, END)])
        return portable


def read(path: Path) -> Any:
    """Return the SentencePiece processor of a ``.model`` file.

    Raises:
        DataError: the file is something else.
    """
    import sentencepiece

    try:
        content = path.read_bytes()
        if not content:
            raise RuntimeError("it is empty")
        return sentencepiece.SentencePieceProcessor(model_proto=content, num_threads=1)
    except (RuntimeError, OSError) as error:
        raise DataError(
            f"{path} is not a SentencePiece model ({error}). Give a .model file that the library wrote, a "
            "tokenizer.json, or a .tiktoken file."
        ) from error


def find_end(path: Path, wanted: str | None, configured: object, names: Sequence[str]) -> tuple[str, int, str]:
    """Return the end token, its id, and where it was found: settings, config, the model's own, or a usual name.

    Raises:
        DataError: the token asked for does not exist, or none was found.
    """
    known = read(path)

    def holds(name: object) -> bool:
        return isinstance(name, str) and known.id_to_piece(known.piece_to_id(name)) == name

    if wanted is not None:
        if not holds(wanted):
            raise DataError(f"{path} has no token {wanted!r} to end documents with. Its own is {_own(known)}.")
        return wanted, known.piece_to_id(wanted), "settings"
    if isinstance(configured, str) and holds(configured):
        return configured, known.piece_to_id(configured), "tokenizer_config.json"
    if known.eos_id() >= 0:
        return known.id_to_piece(known.eos_id()), known.eos_id(), "the model"
    for name in names:
        if holds(name):
            return name, known.piece_to_id(name), "its usual name"
    raise DataError(
        f"{path} has no end token. Name the token that ends a document, for example tokenizer: "
        f"{{kind: file, path: {path.name}, end: '<name>'}}."
    )


def _own(known: Any) -> str:
    return repr(known.id_to_piece(known.eos_id())) if known.eos_id() >= 0 else "none"
