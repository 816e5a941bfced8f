"""What a user can do wrong, drawn as a tree.

PilotlightError
├── ConfigError      a setting is missing, misspelt, mistyped or contradicts another
├── DataError        text, ids or items are not what they claim to be
├── RecordError      a record is unfinished, damaged, or was made by another plan
├── EvidenceError    the numbers cannot support the question
├── ResourceError    the machine ran out of disk, memory or time
└── RunError         a training or trial failed and cannot go on (exit code 3)

Every message says what is wrong with which value, what was expected and what to do.
The command line prints it as one sentence and exits with ``exit_code``.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import ClassVar


class PilotlightError(Exception):
    """Root of every error a user can cause or meet; prints without a traceback."""

    exit_code: ClassVar[int] = 1


class ConfigError(PilotlightError):
    """A setting is missing, misspelt, mistyped or contradicts another."""


class DataError(PilotlightError):
    """Text, ids or items are not what they claim to be."""


class RecordError(PilotlightError):
    """A record is unfinished, damaged, or was made by another plan."""


class EvidenceError(PilotlightError):
    """The numbers cannot support the question."""


class ResourceError(PilotlightError):
    """The machine ran out of disk, memory or time."""


class RunError(PilotlightError):
    """A training or trial failed and cannot go on."""

    exit_code: ClassVar[int] = 3


def nearest(word: str, choices: Iterable[str]) -> str:
    """Return `` Did you mean 'x'?`` for the choice closest to ``word``, or an empty string."""
    found = difflib.get_close_matches(word, list(choices), n=1, cutoff=0.6)
    return f" Did you mean {found[0]!r}?" if found else ""
