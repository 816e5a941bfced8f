"""Words that hold sentences together and say nothing of what a text is about, by language."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np

from pilotlight.corpus.hashed_words import HashedWords, hash_words
from pilotlight.corpus.stop_words import STOP_WORDS, UNSPACED_STOP_WORDS

if TYPE_CHECKING:
    from jaxtyping import Bool, UInt16, UInt64

_MORE = {
    "en": "a an i me he she him it its itself himself herself themselves myself yourself we us you yours mine ours theirs "
    "had does did doing done having am between both under while during since until whose whom why yet upon within "
    "without against among however though although rather either neither nor ever never always often still already "
    "again shall might should ought cannot let per via thus hence else here off own few several",
    "es": "yo me te nosotros ustedes usted ellas aquel aquella aunque mientras pues porque sino tan había han he fue era "
    "eran es fueron hay tiene tienen puede pueden debe",
    "fr": "je tu il nous vous elles leurs son sa notre votre était étaient sera ont avait avaient cet celui celle ceux "
    "quand car ni ici là non oui",
    "ca": "jo tu ell ella nosaltres vosaltres ells elles havia havien era eren va van qui on mentre encara només",
}
_SHIFT = np.uint64(48)


@cache
def _lists() -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    text = (files("pilotlight.corpus.languages") / "function_words.txt").read_text(encoding="utf-8")
    lines = [line.split("|") for line in text.splitlines() if not line.startswith("#")]
    lists = [(code, words.split()) for code, words in lines]
    lists += [
        *STOP_WORDS.items(),
        *UNSPACED_STOP_WORDS.items(),
        *((code, more.split()) for code, more in _MORE.items()),
    ]
    for code, words in lists:
        found.setdefault(code, set()).update(words)
    return {code: frozenset(words) for code, words in sorted(found.items())}


def function_words(language: str) -> frozenset[str]:
    """Return the function words of a language (its code), in lower case; none where no list is known."""
    return _lists().get(language, frozenset())


@cache
def _hashes() -> tuple[UInt64[np.ndarray, " words"], Bool[np.ndarray, " heads"]]:
    """Return the sorted hashes of the function words of all languages, and whether one begins with given 16 bits."""
    words = hash_words(sorted({word for words in _lists().values() for word in words}))
    single = np.flatnonzero(np.diff(words.ends) == 1)
    hashes = np.unique(words.hashes[words.ends[:-1][single]])
    begins = np.zeros(1 << 16, bool)
    begins[(hashes >> _SHIFT).astype(np.int64)] = True
    return hashes, begins


def are_function_words(words: HashedWords) -> Bool[np.ndarray, " words"]:
    """Return which words are function words of a language: of any one, as documents need not tell theirs."""
    hashes, begins = _hashes()
    heads: UInt16[np.ndarray, " words"] = (words.hashes >> _SHIFT).astype(np.uint16)
    found = begins[heads]
    maybe = np.flatnonzero(found)
    near = np.minimum(np.searchsorted(hashes, words.hashes[maybe]), len(hashes) - 1)
    found[maybe] = hashes[near] == words.hashes[maybe]
    return found
