"""How lines and sentences end, and how long a line is, in any script."""

from __future__ import annotations

from pilotlight.corpus.characters import CLOSERS, ENGLISH, TERMINALS, WIDES
from pilotlight.corpus.words import Words

_MARKS = frozenset(TERMINALS + WIDES)
_ENDS = _MARKS | {'"', "'", "”", "’", "»", "」", "』"}


def ends_sentence(line: str) -> bool:
    """Return whether a line ends with a mark of the end of a sentence, a closing quote, or both and a bracket."""
    return line[-1:] in _ENDS or line.rstrip(CLOSERS)[-1:] in _MARKS


def marks_sentences(words: Words) -> bool:
    """Return whether the text is in a script that marks the end of sentences: Thai and Lao do not."""
    without = int(words.scripts[2:4].sum())
    return 2 * without <= int(words.lengths.sum())


def same_length(words: Words, characters: int) -> float:
    """Return the characters of a text that say as much as so many characters of English."""
    return characters * words.pace / ENGLISH if words.unspaced else float(characters)
