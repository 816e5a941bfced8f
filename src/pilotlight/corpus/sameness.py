"""When two texts count as the same text."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import xxhash

_ASCII = bytes(range(128))
_PLAIN = bytes(
    32 if chr(code).isspace() and code < 128 else code + 32 if 65 <= code <= 90 else code for code in range(256)
)
"""ASCII in lower case with one kind of space; bytes of other characters as they are."""
_SPACES = (
    "\x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
)
_RUN = re.compile(rb"  +")
_LONG = 2000
_MOST_REPLACED = 24


def text_key(text: str) -> int:
    """Return a 128-bit number (xxh3) that is equal for texts that read the same.

    Runs of white space count as one space, letter case and the way an accent is encoded do not count. The key is
    used for exact duplicates and to keep held-out text out of training, so it does not depend on any setting.
    """
    return xxhash.xxh3_128_intdigest(_quickly(text) if text.isascii() else _fewer_letters(text))


def plain_text(text: str) -> bytes:
    """Return the text of which ``text_key`` is the hash, as UTF-8: what the fast ways have to agree with."""
    return " ".join(unicodedata.normalize("NFC", text.casefold()).split()).encode("utf-8", "surrogatepass")


def _quickly(text: str) -> bytes:
    return _spaced(text.encode("ascii").translate(_PLAIN))


def _spaced(data: bytes) -> bytes:
    """Return the data with single spaces, and none at its ends."""
    if b"  " not in data:
        return data.strip(b" ")
    if len(data) < _LONG:
        return _RUN.sub(b" ", data).strip(b" ")
    import numpy as np

    letters = np.frombuffer(data, dtype=np.uint8)
    space = letters == 32
    stays = np.ones(len(letters), dtype=bool)
    np.logical_not(space[1:] & space[:-1], out=stays[1:])
    return letters[stays].tobytes().strip(b" ")


def _fewer_letters(text: str) -> bytes:
    """Return the plain text, looking only at the different letters beyond ASCII where they are few and simple."""
    data = text.encode("utf-8", "surrogatepass")
    beyond = data.translate(None, _ASCII)
    if 4 * len(beyond) > len(data):
        return plain_text(text)
    replaced: list[tuple[bytes, bytes]] = []
    for letter in sorted(set(beyond.decode("utf-8", "surrogatepass"))):
        folded = _folded(letter)
        if folded is None:
            return plain_text(text)
        if folded != letter:
            replaced.append((letter.encode(), folded.encode()))
    if len(replaced) > _MOST_REPLACED:
        return plain_text(text)
    return _spaced(_without_case(data.translate(_PLAIN), replaced))


def _without_case(data: bytes, replaced: list[tuple[bytes, bytes]]) -> bytes:
    """Return the data with letters replaced; where only their second byte changes, all of them at once."""
    tables: dict[int, bytearray] = {}
    for letter, folded in replaced:
        if len(data) >= _LONG and len(letter) == len(folded) == 2 and letter[0] == folded[0]:
            tables.setdefault(letter[0], bytearray(range(256)))[letter[1]] = folded[1]
        else:
            data = data.replace(letter, folded)
    if not tables:
        return data
    import numpy as np

    codes = np.frombuffer(bytearray(data), dtype=np.uint8)
    for first, table in tables.items():
        second = np.flatnonzero(codes == first) + 1
        codes[second] = np.frombuffer(table, dtype=np.uint8)[codes[second]]
    return codes.tobytes()


@lru_cache(maxsize=20_000)
def _folded(letter: str) -> str | None:
    """Return a letter without its case, a space for any kind of space; None where its neighbours matter."""
    if letter in _SPACES:
        return " "
    folded = letter.casefold()
    for part in letter + folded:
        joins = unicodedata.category(part)[0] in "MC" or 0x1100 <= ord(part) < 0x1200 or 0xA960 <= ord(part) < 0xD800
        if joins or not unicodedata.is_normalized("NFC", part):
            return None
    return folded
