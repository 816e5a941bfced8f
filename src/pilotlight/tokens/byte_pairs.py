"""Byte-level byte-pair encoding: merges learnt with one library, applied with another, same ids everywhere.

Sennrich, Haddow and Birch 2016 (merges); Radford et al. 2019 (over bytes). Merges come from rustbpe (9.6 MB of text
per CPU-second on 11 MB in several languages, vocabulary 8192, against 3.3 of Hugging Face's trainer; 8,190 of 8,191 strings
agree). It counts in integers and breaks ties by number, so threads, processes and platforms agree on every merge.
Encoding goes through tiktoken (21 MB per CPU-second on the same text). tiktoken merges whatever pair joins to the lowest
id, so ``tokenizer.json`` lists every way to split each token and asks for whole words first: then both give the same ids.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from pilotlight.manifest import write_atomic
from pilotlight.tokens.text import halves, pieces, valid
from pilotlight.tokens.tokenizer import Encoder

if TYPE_CHECKING:
    import numpy as np
    from tokenizers import Tokenizer

END = "<|endoftext|>"
PATTERN = (
    r"'(?:[sdmt]|ll|ve|re)"  # English contractions
    r"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+"  # a word with the one character before it
    r"|\p{N}{1,3}"  # digits in threes, so that numbers do not fill the vocabulary
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*"  # punctuation with the line ends after it
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"  # white space, the last space left to the next word
)
"""How text falls into words before merging. No possessive quantifiers: with them tiktoken was 25 to 40 % slower."""


LONGEST_TOKEN = 128
"""Bytes of the longest token that is learnt: a text with rulers of a thousand dashes would else give one for each."""
BETWEEN = "\ufdd0"
"""Stands between short texts that are encoded in one call, which saves half of the time where texts are a line long. This
character is kept for such use and stands in no sensible text; where it does, texts are encoded one by one."""
SHORT = 1 << 14
_TOGETHER = 1 << 16
_SMALLEST = 256


class BytePairs(Encoder):
    """Encoder of a table of byte strings; an id is the rank at which its string is merged."""

    def __init__(
        self, ranks: Mapping[bytes, int], pattern: str, end: int, special: Mapping[str, int] | None = None
    ) -> None:
        import tiktoken

        self._ranks = dict(ranks)
        self._pattern = pattern
        self._special = dict(special or {END: end})
        self.vocabulary = max(end, *self._special.values(), *ranks.values()) + 1
        self.end = end
        control = dict.fromkeys((end, *self._special.values()), b"")
        self._strings = {rank: string for string, rank in ranks.items()} | control
        # Without any control token tiktoken tries an empty expression at every byte: 10.6 instead of 21 MB/s.
        self._encoding = tiktoken.Encoding(
            "pilotlight", pat_str=pattern, mergeable_ranks=self._ranks, special_tokens={BETWEEN: end}
        )
        self.rescued = 0
        """Pieces of text on which tiktoken gave up so far: their ids are not those of other programs."""

    def encode_batch(self, texts: Sequence[str]) -> list[np.ndarray]:
        """Return the ids of each text (uint32, without an end token), in order."""
        found: list[np.ndarray] = []
        short: list[str] = []
        size = 0
        for text in map(valid, texts):
            if len(text) > SHORT:
                found += self._together(short)
                short, size = [], 0
                found.append(self._encode(text))
                continue
            short.append(text)
            size += len(text)
            if size > _TOGETHER:
                found += self._together(short)
                short, size = [], 0
        return found + self._together(short)

    def _together(self, texts: list[str]) -> list[np.ndarray]:
        import numpy as np

        joined = BETWEEN.join(texts)
        if len(texts) < 2 or joined.count(BETWEEN) != len(texts) - 1:
            return [self._encode(text) for text in texts]
        try:
            ids = self._encoding.encode_to_numpy(joined, allowed_special={BETWEEN}, disallowed_special=())
        except BaseException as error:
            if not _gave_up(error):
                raise
            return [self._encode(text) for text in texts]
        stops = [*np.flatnonzero(ids == self.end).tolist(), len(ids)]
        starts = [0, *(stop + 1 for stop in stops)]
        return [ids[start:stop] for start, stop in zip(starts, stops, strict=False)]

    def _encode(self, text: str) -> np.ndarray:
        parts = [self._ids(part) for part in pieces(text)]
        return parts[0] if len(parts) == 1 else _joined(parts)

    def _ids(self, text: str) -> np.ndarray:
        try:
            return self._encoding.encode_to_numpy(text, disallowed_special=())
        except BaseException as error:
            if not _gave_up(error):
                raise
        self.rescued += 1
        return self._rescue(text)

    def _rescue(self, text: str) -> np.ndarray:
        import numpy as np

        if len(text) <= _SMALLEST:
            return np.array([self._ranks[bytes([byte])] for byte in text.encode()], dtype=np.uint32)
        return _joined([self._ids(half) for half in halves(text)])

    def notes(self) -> tuple[str, ...]:
        """Return what happened to the texts encoded so far that a user should know."""
        if not self.rescued:
            return ()
        return (
            f"tiktoken gave up on {self.rescued} pieces of text, which were cut in two or into bytes: they take more "
            "tokens than they need, and come back unchanged. The pattern of the tokenizer backtracks too much.",
        )

    def decode(self, ids: Sequence[int] | np.ndarray) -> str:
        """Return the text of ``ids``; end tokens are left out, broken UTF-8 becomes U+FFFD."""
        unknown = "\ufffd".encode()
        return b"".join(self._strings.get(int(id), unknown) for id in ids).decode("utf-8", "replace")

    def save_hugging_face(self, folder: Path) -> None:
        """Write ``tokenizer.json`` and ``tokenizer_config.json``, which give the same ids in Transformers."""
        folder.mkdir(parents=True, exist_ok=True)
        name = next(name for name, id in self._special.items() if id == self.end)
        save(self._ranks, folder, pattern=self._pattern, special=self._special, end=name)


def _gave_up(error: BaseException) -> bool:
    # An expression that runs out of its steps or its stack: a panic of Rust is no Exception.
    return isinstance(error, ValueError) or type(error).__name__ == "PanicException"


def _joined(parts: list[np.ndarray]) -> np.ndarray:
    import numpy as np

    return np.concatenate(parts)


@cache
def byte_characters() -> tuple[str, ...]:
    """Return the printable character that stands for each of the 256 bytes in ``tokenizer.json`` files.

    Bytes that print as one visible Latin-1 character stand for themselves, the others for U+0100 and following.
    """
    visible = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    hidden = [byte for byte in range(256) if byte not in visible]
    return tuple(chr(byte) if byte in visible else chr(256 + hidden.index(byte)) for byte in range(256))


def learn_merges(texts: Iterable[str], vocabulary: int) -> dict[bytes, int]:
    """Return at most ``vocabulary`` byte strings and their ids: the 256 bytes in order, then the merges as found.

    Fewer come back when the text has no pair left that occurs twice. No string is longer than 128 bytes.
    """
    # Long white space is cut as it is for encoding: the trainer's expression would run out of its stack too.
    parts = [piece for text in texts for piece in pieces(text)]
    wanted = vocabulary + vocabulary // 50 + 16  # some merges give a string that is there already, or a very long one
    while True:
        strings, exhausted = _learnt(parts, wanted)
        if len(strings) >= vocabulary or exhausted:
            break
        wanted += 2 * (vocabulary - len(strings))
    return _frequent(dict(zip(strings, range(vocabulary), strict=False)), parts)


def _learnt(parts: list[str], wanted: int) -> tuple[list[bytes], bool]:
    import rustbpe

    learner = rustbpe.Tokenizer()  # pyright: ignore[reportAttributeAccessIssue]
    learner.train_from_iterator(iter(parts), wanted, pattern=PATTERN)
    found = sorted((rank, bytes(string)) for string, rank in learner.get_mergeable_ranks())
    return list(dict.fromkeys(string for _, string in found if len(string) <= LONGEST_TOKEN)), len(found) < wanted


def _frequent(ranks: dict[bytes, int], parts: list[str]) -> dict[bytes, int]:
    # Merges come in falling order of frequency and do not depend on later ones, so the last that occurs twice is found
    # by halving. On all but tiny texts the very last one does, and a few texts show it.
    def first(count: int) -> dict[bytes, int]:
        return dict(islice(ranks.items(), count))

    least, most = 256, len(ranks)
    if most == least or _occurs_twice(ranks, parts):
        return ranks
    while most - least > 1:
        middle = (least + most) // 2
        least, most = (middle, most) if _occurs_twice(first(middle), parts) else (least, middle)
    return first(least)


def _occurs_twice(ranks: dict[bytes, int], parts: list[str]) -> bool:
    last = len(ranks) - 1
    encoder = BytePairs(ranks, PATTERN, end=last + 1)
    count = 0
    for part in parts:
        count += int((encoder.encode(part) == last).sum())
        if count >= 2:
            return True
    return False


def _words(pattern: str) -> object:
    from tokenizers import Regex, pre_tokenizers

    return pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(pattern), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )


def _splits(ranks: Mapping[bytes, int]) -> Iterator[tuple[bytes, bytes]]:
    for string in sorted(ranks, key=ranks.__getitem__):
        for at in range(1, len(string)):
            if string[:at] in ranks and string[at:] in ranks:
                yield string[:at], string[at:]


def _portable(ranks: Mapping[bytes, int], pattern: str, special: Mapping[str, int]) -> Tokenizer:
    from tokenizers import AddedToken, Tokenizer, decoders, models

    characters = byte_characters()
    names = {string: "".join(characters[byte] for byte in string) for string in ranks}
    merges = [(names[left], names[right]) for left, right in _splits(ranks)]
    vocabulary = {names[string]: rank for string, rank in ranks.items()}
    order = sorted(special, key=special.__getitem__)
    if [special[name] for name in order] != list(range(len(ranks), len(ranks) + len(order))):
        # Control tokens take the next ids; where these are not the wanted ones, the model has to know them.
        vocabulary |= special
    portable = Tokenizer(models.BPE(vocab=vocabulary, merges=merges, ignore_merges=True))
    portable.pre_tokenizer = _words(pattern)  # pyright: ignore[reportAttributeAccessIssue]
    portable.decoder = decoders.ByteLevel()  # pyright: ignore[reportAttributeAccessIssue]
    portable.add_special_tokens([AddedToken(name, special=True, normalized=False) for name in order])
    return portable


def save(
    ranks: Mapping[bytes, int],
    folder: Path,
    *,
    pattern: str = PATTERN,
    special: Mapping[str, int] | None = None,
    end: str = END,
) -> None:
    """Write ``tokenizer.json`` and ``tokenizer_config.json``, which other programs read too.

    Without ``special``, ``ranks`` number their strings 0, 1, 2, ... and the end token takes the next id.
    """
    portable = _portable(ranks, pattern, special or {end: len(ranks)})
    write_atomic(folder / "tokenizer.json", portable.to_str(pretty=True) + "\n")
    write_config(folder, end)


def write_config(folder: Path, end: str) -> None:
    """Write the ``tokenizer_config.json`` that names the end token to Transformers."""
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast", "eos_token": end, "bos_token": end,
        "clean_up_tokenization_spaces": False, "model_max_length": 1_000_000_000,
    }  # fmt: skip
    write_atomic(folder / "tokenizer_config.json", json.dumps(settings, indent=1) + "\n")


def load_ranks(folder: Path) -> dict[bytes, int]:
    """Return the byte strings and ids of a folder that ``save`` wrote."""
    byte_of = {character: byte for byte, character in enumerate(byte_characters())}
    names = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"]
    return {bytes(byte_of[character] for character in name): rank for name, rank in names.items()}


def load(folder: Path) -> BytePairs:
    """Return the encoder of a folder that ``save`` wrote."""
    ranks = load_ranks(folder)
    return BytePairs(ranks, PATTERN, end=len(ranks))
