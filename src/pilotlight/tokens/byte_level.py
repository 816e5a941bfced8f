"""The same ids as a byte-level ``tokenizer.json`` by a faster library, where it can be shown that they are the same.

The tokenizers library joins the listed pair of the lowest rank, tiktoken whatever pair gives the lowest id. Suppose that
ids rise along the list of pairs, and that every string of the vocabulary, encoded by the pairs alone, becomes itself or
stays in three parts or more. Then both do the same to every word. For let (x, y) be the first pair that only tiktoken
joins, in any word. Nothing has been joined across the bound of x and y nor across their outer ends, so the pairs alone
turn the string xy into x and y as well, with nothing more to join: two parts, which is excluded. Each string is reached
from one pair only, by the same argument, so ties fall alike.

What is left are differences between two engines of regular expressions: both are asked about every character that has,
or may get, a property that the expression names, and texts with a character they disagree on are left to the library.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import chain, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, final

from pilotlight.tokens.byte_pairs import BytePairs, byte_characters
from pilotlight.tokens.tiktoken_file import PATTERNS

if TYPE_CHECKING:
    import numpy as np
    from tokenizers import Tokenizer

# What both engines read alike: no possessive {1,3}+ (which Oniguruma repeats), no anchors, no operations on classes.
_ATOM: Final = r"\\[pP]\{[A-Za-z_]+\}|\\[sSrnt]|\\[^\w\s]"
_PLAIN: Final = re.compile(
    rf"(?:{_ATOM}|\[\^?(?:{_ATOM}|[^\[\]\\&~])+\]|\((?:\?(?:i?:|!|=))?|\)|\||[?*+]\+?|\{{[0-9]+(?:,[0-9]*)?\}}(?!\+)"
    r"|[^\\\[\](){}|?*+.^$])+"
)
_PROPERTY: Final = re.compile(r"\\[pP](\{[A-Za-z_]+\})|\\[sS]")
_UNICODE_FORMS: Final = ("NFC", "NFD", "NFKC", "NFKD")  # all leave ASCII as it is
# Without the insides of blocks that were full, or for private use, long ago.
_CHARACTERS: Final = (
    range(0x3400), range(0x4DB0, 0x4E10), range(0x9FF0, 0xAC10), range(0xD7A0, 0xD800), range(0xF8F0, 0x20010),
    range(0x2A6D0, 0x34000), range(0xE0000, 0xE0200),
)  # fmt: skip
AWKWARD: Final = (
    "", " ", "  ", "   a", "a   ", "\n", "\r\n\r\n", " \n \n", "\t\tif x:\n\t\t\treturn 1\n",
    "don't I'LL we'Ve THEY'RE 'tis", "'\u017fa 'S'\u017f \u212a", "3.14159 1000000 12 345", "x=1;y==2!=3&&!z||w",
    "\u00e9e\u0301\u1e69 \ufb01\u2460\uff21\u00bd", "\u6f22\u5b57\u304b\u306a\uac00\u0e44\u0e17\u0e22",
    "\u0627\u0644\u0639\u0631\u0628\u064a\u0629 \u05e2\u05d1\u05e8", "\u0939\u093f\u0928\u094d\u0926\u0940",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f525\U0001f1e6\U0001f1e9",
    "a\u00a0b\u2003c\u2028d\u3000e\u0085f\u200bg", "a\x00b\x1fc\x7f", "\u00b2\u00bd\u216b\u0663\u09ea\U0001d7d9",
    "a" * 50, "-" * 90 + "=" * 90, " \u0301a \u200d\u0301", "\u01c5\u02b0\u00aa\u00ba",
    "https://www.example.com/a_b?c=d&e=%20#f", "\ufffd\ue000\U0010ffff", "\ud55c\uad6d\uc5b4 \uc870\uc120\ub9d0",
)  # fmt: skip
"""Texts on which tokenizers are known to differ: both forms are asked about each before one takes the other's place."""


@final
class ByteLevel:
    """Encodes what is sure to get the ids of the library; what it leaves out the library has to encode."""

    def __init__(self, pairs: BytePairs, ranks: dict[bytes, int], normalizer: Any, left: Sequence[str]) -> None:
        import numpy as np

        self._pairs = pairs
        self._normalizer = normalizer
        self._left = re.compile("|".join(map(re.escape, left))) if left else None
        self._sizes = np.zeros(pairs.vocabulary, dtype=np.int64)
        self._sizes[list(ranks.values())] = [len(string) for string in ranks]

    def encode(self, texts: Sequence[str]) -> list[np.ndarray | None]:
        """Return the ids of each valid text, None for a text that the library has to encode itself."""
        found: list[np.ndarray | None] = [None] * len(texts)
        taken: list[tuple[int, str]] = []
        for place, text in enumerate(texts):
            if self._left is not None and self._left.search(text):
                continue
            if self._normalizer is not None and not text.isascii():
                text = self._normalizer.normalize_str(text)
                if self._left is not None and self._left.search(text):
                    continue
            taken.append((place, text))
        for (place, _), ids in zip(taken, self._whole([text for _, text in taken]), strict=False):
            found[place] = ids
        return found

    def _whole(self, texts: list[str]) -> list[np.ndarray]:
        """Return the ids, or nothing if tiktoken gave up on a text or passed over what the expression leaves out."""
        import numpy as np

        before = self._pairs.rescued
        found = self._pairs.encode_batch(texts)
        if not found or self._pairs.rescued != before:
            return []
        size = sum(len(text) if text.isascii() else len(text.encode()) for text in texts)
        return found if int(self._sizes[np.concatenate(found)].sum()) == size else []


def byte_level(tokenizer: Tokenizer, path: Path, end: int) -> ByteLevel | None:
    """Return what gives the ids of a tokenizer faster, None if it is of another kind or not sure to.

    Args:
        tokenizer: the tokenizer, set to encode control tokens in a text as ordinary text.
        path: the file that it was read from.
        end: id of the token that ends documents.
    """
    import orjson

    described = orjson.loads(path.read_bytes())
    pattern = _pattern(described.get("pre_tokenizer"))
    model, normalizer = described["model"], described.get("normalizer")
    if (
        pattern is None
        or model.get("type", "BPE") != "BPE"  # files of old do not tell it
        or "merges" not in model
        or any(model.get(name) for name in ("dropout", "continuing_subword_prefix", "end_of_word_suffix"))
        or (normalizer is not None and normalizer.get("type") not in _UNICODE_FORMS)
    ):
        return None
    added = tokenizer.get_added_tokens_decoder()
    control = {token.content for token in added.values()} | {name for name, id in model["vocab"].items() if id == end}
    ranks = _ranks(model["vocab"], control)
    pairs = _pairs(model)
    if ranks is None or not _rises(pairs, model["vocab"]) or not _same_merges(tokenizer, model, pairs, control):
        return None
    words = [token.content for token in added.values() if not token.special]
    try:
        encoder = BytePairs(ranks, pattern, end)
        made = ByteLevel(encoder, ranks, tokenizer.normalizer, [*words, *_disputed(pattern)])
    except ValueError:  # no expression for this engine
        return None
    return made if _agree(made, tokenizer) else None


def _pattern(described: dict[str, Any] | None) -> str | None:
    """Return the expression by which text falls into words, None where there is more to it."""
    if described is None:
        return None
    if described["type"] == "Sequence" and len(described["pretokenizers"]) == 2:
        split, last = described["pretokenizers"]
        if (
            split["type"] != "Split"
            or split["behavior"] != "Isolated"
            or split["invert"]
            or last.get("use_regex", True)
        ):
            return None
        pattern = split["pattern"].get("Regex")
    else:
        pattern, last = PATTERNS["gpt2"], described
        if not last.get("use_regex", True):
            return None
    if last["type"] != "ByteLevel" or last["add_prefix_space"] or pattern is None:
        return None
    return pattern if _PLAIN.fullmatch(pattern) and "--" not in pattern else None


def _ranks(vocabulary: dict[str, int], control: Iterable[str]) -> dict[bytes, int] | None:
    """Return the strings of bytes and their ids, None if some are no strings of bytes or a byte is missing."""
    letters = byte_characters()
    if not set("".join(name for name in vocabulary if name not in control)) <= set(letters):
        return None
    table = str.maketrans({letter: chr(byte) for byte, letter in enumerate(letters)})
    ranks = {name.translate(table).encode("latin-1"): id for name, id in vocabulary.items() if name not in control}
    return ranks if all(bytes([byte]) in ranks for byte in range(256)) else None


def _pairs(model: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the pairs that the library joins, the first first; older files have them as words with a blank between."""
    split = (pair.split(" ") if isinstance(pair, str) else pair for pair in model["merges"])
    return [(pair[0], pair[1]) for pair in split]


def _rises(pairs: list[tuple[str, str]], vocabulary: dict[str, int]) -> bool:
    """Return whether the ids of what pairs give rise along the list, and no pair is listed twice."""
    ids = [vocabulary.get(left + right, -1) for left, right in pairs]
    return len(set(pairs)) == len(pairs) and all(one <= other for one, other in pairwise(ids))


def _same_merges(tokenizer: Tokenizer, model: dict[str, Any], pairs: list[tuple[str, str]], control: set[str]) -> bool:
    """Return whether the pairs alone give every string of the vocabulary, or leave it in three parts or more."""
    from tokenizers import Tokenizer, models

    alone = Tokenizer(models.BPE(vocab=model["vocab"], merges=pairs, ignore_merges=False))
    names = list(model["vocab"])
    whole_words = bool(model.get("ignore_merges"))
    for name, encoded in zip(names, alone.encode_batch_fast(names, add_special_tokens=False), strict=True):
        parts = len(encoded.ids)
        if name in control:
            # Text must not give a control token, neither joined from pairs nor as a word of its own.
            if parts == 1 or (whole_words and _one_word(tokenizer, name)):
                return False
        elif parts == 2 or (parts > 2 and not whole_words):
            return False
    return True


def _one_word(tokenizer: Tokenizer, name: str) -> bool:
    split: Any = tokenizer.pre_tokenizer
    return len(split.pre_tokenize_str(name)) == 1


def _disputed(pattern: str) -> list[str]:
    """Return the characters that the two engines put into different classes of those the expression names."""
    found: set[str] = set()
    for match in _PROPERTY.finditer(pattern):
        found |= _differs(rf"\p{match[1]}" if match[1] else r"\s")
    return sorted(found)


@cache
def _every_character() -> str:
    return "".join(map(chr, chain.from_iterable(_CHARACTERS)))


@cache
def _differs(name: str) -> frozenset[str]:
    import tiktoken
    from tokenizers import Regex, pre_tokenizers

    text = _every_character()
    split: Any = pre_tokenizers.Split(Regex(name + "+"), "removed")
    outside = set("".join(piece for piece, _ in split.pre_tokenize_str(text)))
    ranks = {bytes([byte]): byte for byte in range(256)}
    inside = tiktoken.Encoding("one class", pat_str=name, mergeable_ranks=ranks, special_tokens={})
    return frozenset((set(text) - outside) ^ set(inside.decode(inside.encode_ordinary(text))))


def _agree(made: ByteLevel, tokenizer: Tokenizer) -> bool:
    """Return whether both give the same ids for the texts on which tokenizers differ; most have to be encoded."""
    encoded = tokenizer.encode_batch_fast(list(AWKWARD), add_special_tokens=False)
    found = [made.encode([text])[0] for text in AWKWARD]
    same = [ids.tolist() == other.ids for ids, other in zip(found, encoded, strict=True) if ids is not None]
    return all(same) and 2 * len(same) > len(AWKWARD)
