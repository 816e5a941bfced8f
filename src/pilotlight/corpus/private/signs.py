"""What private data begins with or cannot be without: signs that tell which detectors have anything to look at."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

# In the classes of characters, separators inside numbers are a blank, a point or a dash.
_SEPARATORS: Final = " \u00a0()/"
_WIDE: Final = (("\u2009", " "), ("\u202f", " "), ("\u2010", "-"), ("\u2011", "-"), ("\u2013", "-"))
_CAPITALS: Final = "KSIJG"  # with which marks of issuers begin, such as the second letter of AKIA


def _class(letter: str) -> str:
    if letter.isascii() and letter.isalnum():
        return "0" if letter.isdigit() else "K" if letter in _CAPITALS else "a"
    return " " if letter in _SEPARATORS else letter if letter in ".-_" else ","


_CLASSES: Final = "".join(_class(chr(code)) for code in range(256)).encode("ascii")


def classes_of(text: str) -> bytes:
    """Return the class of each character: 0 digits, a and K letters of ASCII, blank . - separators, _ and the rest."""
    try:
        data = text.encode("latin-1")
    except UnicodeEncodeError:
        for wide, plain in _WIDE:
            if wide in text:
                text = text.replace(wide, plain)
        data = text.encode("latin-1", "replace")
    return data.translate(_CLASSES)


# What may follow a sign of assignment: with or without quotes, a digit among the first letters.
START: Final = (
    r"(?!//)(?=>?+[ \t]{0,3}+(?:[brfu]?[\"'`])?+(?=[^\s\"'`,;(){}\[\]<>0-9]{0,32}+[0-9])"
    r"(?:[^\s\"'`,;(){}\[\]<>]{8}()|[^\"'`\s]{8}()))"
)
"""What follows a sign of assignment if it can be a secret, as a look-ahead."""

DIGIT: Final = 1
"""A digit."""
AT: Final = 2
"""The sign of mail addresses."""
BRACKET: Final = 4
"""The same as a word in brackets."""
COLON: Final = 8
"""A colon as in a hardware address, before a user and a password, or before a value."""
DASH: Final = 16
"""A dash as in a hardware address, in a key, or before a private key."""
UNDERSCORE: Final = 32
"""An underscore as in a key."""
CAPITAL: Final = 64
"""A long word with one of the capitals that keys of some issuers begin with."""
EQUALS: Final = 128
"""A sign of equality, and a digit somewhere."""

# Each begins with one sign, for which a text is searched fast, and what must follow or stand before it.
_COLON: Final = re.compile(
    r":(?:(?<!::)[0-9A-Fa-f]{0,4}:(?!:)|//[^\s/:@<>\"'`\\]{1,128}:[^\s/@<>\"'`\\]{1,256}@|AA[0-9A-Za-z_-]{33}"
    rf"|(?<!::){START})"
)
_DASH: Final = re.compile(
    r"-(?:[0-9A-Fa-f]{2}-[0-9A-Fa-f]{2}-[0-9A-Fa-f]{2}-|----BEGIN"
    r"|(?=[0-9A-Za-z][0-9A-Za-z_-]{9})(?:(?<=xox[abeoprs]-)|(?<=glpat-)|(?<=sk-)|(?<=pypi-)|(?<=key-)|(?<=xapp-)))"
)
_UNDERSCORE: Final = re.compile(r"_[0-9A-Za-z_+/=]{16}")
_CAPITAL: Final = re.compile(rb"K(?=[0aK_.-]{12})")
_ROUND: Final = re.compile(r"\)(?:(?<=at\))|(?<=AT\))|(?<=arroba\)))")
_SQUARE: Final = re.compile(r"\](?:(?<=at\])|(?<=AT\])|(?<=arroba\]))")


def capitals(classes: bytes) -> Iterator[int]:
    """Yield the places of capitals that keys of some issuers begin with, at the beginning of a long word."""
    return (match.start() for match in _CAPITAL.finditer(classes))


def found_in(text: str, classes: bytes) -> int:
    """Return which of the signs stand in a text, as a set of bits."""
    found = 0
    if b"0" in classes:
        found = DIGIT | EQUALS if "=" in text else DIGIT
    if "@" in text:
        found |= AT
    if _ROUND.search(text) or ("]" in text and _SQUARE.search(text)):
        found |= BRACKET
    if _COLON.search(text):
        found |= COLON
    if _DASH.search(text):
        found |= DASH
    if "_" in text and _UNDERSCORE.search(text):
        found |= UNDERSCORE
    if _CAPITAL.search(classes):
        found |= CAPITAL
    return found
