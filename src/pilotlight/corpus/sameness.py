"""When two texts count as the same text."""

from __future__ import annotations

import unicodedata

import xxhash


def text_key(text: str) -> int:
    """Return a 128-bit number (xxh3) that is equal for texts that read the same.

    Runs of white space count as one space, letter case and the way an accent is encoded do not count. The key is
    used for exact duplicates and to keep held-out text out of training, so it does not depend on any setting.
    """
    plain = " ".join(unicodedata.normalize("NFC", text.casefold()).split())
    return xxhash.xxh3_128_intdigest(plain.encode())
