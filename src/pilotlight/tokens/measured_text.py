"""The text that tokenizers are measured on: its documents, their sizes in bytes and words, and their groups."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from pilotlight.corpus.languages.codes import UNKNOWN
from pilotlight.corpus.languages.identify import identify
from pilotlight.errors import DataError
from pilotlight.tokens.text import Sample, Text

_LONGEST = 1 << 22
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff]"
)
"""Thai, Lao, Tibetan, Burmese, Khmer, kana and Han: scripts that write no space between words."""
_SHARE = 0.3
_SURE = 0.5
"""How sure a language has to be, from 0 to 1, where the text does not tell it."""


@dataclass(frozen=True)
class MeasuredText:
    """Documents and what is known about each, in one order."""

    texts: list[str]
    bytes: np.ndarray
    """UTF-8 bytes of each document."""
    units: np.ndarray
    """Words between white space; characters but white space where a document's script has no spaces."""
    unspaced: np.ndarray
    """Whether the units are characters."""
    groups: dict[str, np.ndarray]
    """Indices of the documents of each group: ``all``, then languages, sources and contents where there are several."""


def measured_text(documents: Iterable[Text], limit: int) -> MeasuredText:
    """Return at most about ``limit`` bytes of the documents, chosen by a hash of their ids.

    Raises:
        DataError: there is no text.
    """
    sample = Sample(limit, _LONGEST)
    marks: dict[str, dict[str, str]] = {}
    for document in documents:
        sample.add(document)
        facts = getattr(document, "facts", {})
        marks[document.id] = {
            "language": str(facts.get("language") or ""), "source": document.source,
            "content": str(facts.get("content") or ""),
        }  # fmt: skip
    passages = sample.passages()
    for passage in passages:  # held-out text is kept as it was read: no step has found out its language
        known = marks[passage.id]
        if not known["language"] and known["content"] != "code":
            language, sure = identify(passage.text)
            known["language"] = language if sure >= _SURE else UNKNOWN
    if not passages:
        raise DataError(
            "There is no held-out text to measure tokenizers on. Give more documents: the corpus holds a share of them out."
        )
    counted = [_units(passage.text) for passage in passages]
    groups = {"all": np.arange(len(passages))}
    for what in ("language", "source", "content"):
        values = [marks[passage.id][what] for passage in passages]
        if len(set(values)) > 1:
            groups |= {
                f"{what} {value or 'unknown'}": np.array([at for at, other in enumerate(values) if other == value])
                for value in sorted(set(values))
                if value or what != "language"  # code has none
            }
    return MeasuredText(
        texts=[passage.text for passage in passages],
        bytes=np.array([passage.bytes for passage in passages], dtype=np.int64),
        units=np.array([units for units, _ in counted], dtype=np.int64),
        unspaced=np.array([unspaced for _, unspaced in counted]),
        groups=groups,
    )


def _units(text: str) -> tuple[int, bool]:
    words = text.split()
    characters = sum(map(len, words))
    if len(_UNSPACED.findall(text)) > _SHARE * characters:
        return characters, True
    return len(words), False
