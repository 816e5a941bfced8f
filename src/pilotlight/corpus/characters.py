"""What a character is to the rules of quality: letter, digit, white space, end of a sentence, script without spaces.

One table over code points, made once in a process, so that a whole text is classified by one look-up in numpy.
"""

from __future__ import annotations

import unicodedata
from functools import cache

import numpy as np
import numpy.typing as npt

Classes = npt.NDArray[np.uint16]

WORD = 1  # part of a word: letters, digits, marks, underscore, joiners
LETTER = 2  # letters and the marks on them
UNSPACED = 4  # a letter of a script that writes without spaces
SPACE = 8
DIGIT = 16
INNER = 32  # joins two parts of a word: l'ordre, don't, col·legi
POINT = 64  # joins two digits: 3.14, 1,000
TERMINAL = 128  # ends a sentence if white space or a closing mark follows
WIDE = 256  # ends a sentence whatever follows
CLOSER = 512  # closing quotes and brackets
SYLLABLE = (
    1024  # a letter of a script in which letters are syllables, or vowels are marks: words look shorter or longer
)

TERMINALS = ".!?…‼⁇⁈⁉؟۔؞।॥፡።፧။។៕᙮᠃᠉׃։܀܁܂߹๚๛།༎꓿꘎꛳꛷꡶꡷꧈꧉᭞᭟᪨᪩᪪᪫꯫᱾᱿᰻᰼\U00011141\U00011142\U00011143"
WIDES = "。！？．｡"
CLOSERS = "\"'”’»›)]}」』】〉》）］｝“„*_"

GROUPS: tuple[tuple[str, float, tuple[tuple[int, int], ...]], ...] = (
    ("han", 1.6, ((0x3005, 0x3007), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF))),
    ("kana", 2.4, ((0x3041, 0x309F), (0x30A1, 0x30FF), (0x31F0, 0x31FF), (0xFF66, 0xFF9F))),
    ("thai", 5.3, ((0x0E01, 0x0E4E),)),
    ("lao", 5.6, ((0x0E81, 0x0ECE), (0x0EDC, 0x0EDF))),
    ("khmer", 5.8, ((0x1780, 0x17D3), (0x17DC, 0x17DD))),
    ("burmese", 8.0, ((0x1000, 0x103F), (0x1050, 0x108F), (0xA9E0, 0xA9EF), (0xAA60, 0xAA7F))),
)
"""Scripts without spaces: name, characters for one word, ranges of code points.

A word is as many characters as stand for one word of the English text in parallel translations: measured on the
Universal Declaration of Human Rights, and for Chinese and Thai on 48 translated encyclopedia articles.
"""

_SYLLABLES = (
    (0x0900, 0x109F), (0x1100, 0x1C7F), (0x3100, 0x31BF), (0xA000, 0xA63F), (0xA800, 0xAB2F), (0xAB70, 0xD7FF),
    (0x11000, 0x1FFFF),
)  # fmt: skip

ENGLISH = 6.2  # characters for one word of the same English text, its space included

_LAST = 0x20000  # code points from here on are ideographs


@cache
def table() -> Classes:
    """Return the classes of every code point up to 0x20000; what lies above counts as that one."""
    found = np.zeros(_LAST + 1, np.uint16)
    category, space = unicodedata.category, str.isspace
    for code in range(_LAST):
        letter = chr(code)
        kind = category(letter)
        first = kind[0]
        if first in "LM" or kind == "Nl":
            found[code] = WORD | LETTER
        elif first == "N":
            found[code] = WORD | DIGIT
        elif space(letter):
            found[code] = SPACE
    found[_LAST] = WORD | LETTER
    for _, _, ranges in GROUPS:
        for low, high in ranges:
            part = found[low : min(high, _LAST) + 1]
            part[(part & LETTER) > 0] |= UNSPACED
    for low, high in _SYLLABLES:
        part = found[low : high + 1]
        part[(part & LETTER) > 0] |= SYLLABLE
    for letters, bit in (("_\u200c\u200d\u00ad", WORD), ("'’·‧", INNER), (".,", POINT), (TERMINALS, TERMINAL),
                         (WIDES, TERMINAL | WIDE), (CLOSERS, CLOSER)):  # fmt: skip
        for letter in letters:
            found[ord(letter)] |= bit
    found.setflags(write=False)
    return found


def codes(text: str) -> npt.NDArray[np.uint8] | npt.NDArray[np.uint32]:
    """Return the code points of a text, as bytes if all of them are ASCII."""
    if text.isascii():
        return np.frombuffer(text.encode("ascii"), np.uint8)
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


def classify(points: npt.NDArray[np.uint8] | npt.NDArray[np.uint32]) -> Classes:
    """Return the classes of each code point."""
    return table().take(points, mode="clip")


def characters_of_scripts(points: npt.NDArray[np.uint32]) -> npt.NDArray[np.int64]:
    """Return how many of these letters of scripts without spaces belong to each of ``GROUPS``."""
    found = np.zeros(len(GROUPS), np.int64)
    for index, (_, _, ranges) in enumerate(GROUPS):
        for low, high in ranges:
            found[index] += np.count_nonzero((points >= low) & (points <= high))
    return found
