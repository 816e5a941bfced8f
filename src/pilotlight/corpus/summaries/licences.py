"""Under which licences the text stands, as far as its documents carry that."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import orjson
import xxhash

from pilotlight.corpus.facts import Amount
from pilotlight.corpus.store import raw_rows
from pilotlight.corpus.summary import Summary

NAMES = ("licence", "license")
"""Facts of a document that hold its licence."""
NONE_GIVEN = "none given"
_MOST_FILES = 8
_TEXT = b',"text":"'


def licences(summary: Summary) -> tuple[dict[str, dict[str, Amount]], bool]:
    """Return documents and bytes trained on by source and licence, and whether all files were looked at.

    Empty where no document carries a licence. Of many files eight are looked at, chosen by the hash of their names.
    """
    files = summary.corpus.files("train")
    some = sorted(files, key=lambda path: xxhash.xxh3_64_intdigest(path.name.encode()))[:_MOST_FILES]
    documents: Counter[tuple[str, str]] = Counter()
    sizes: Counter[tuple[str, str]] = Counter()
    known = 0
    for path in some:
        known += _count(path, documents, sizes)
    if not known:
        return {}, True
    found: dict[str, dict[str, Amount]] = {}
    for (source, licence), count in sorted(documents.items()):
        found.setdefault(source, {})[licence] = Amount(documents=count, bytes=sizes[source, licence])
    return found, len(some) == len(files)


def _count(path: Path, documents: Counter[tuple[str, str]], sizes: Counter[tuple[str, str]]) -> int:
    """Count the documents of one file and return how many carry a licence; texts are not parsed."""
    known = 0
    for line in raw_rows(path):
        head, text, rest = line.partition(_TEXT)
        if not text:
            continue
        row = orjson.loads(head + b"}")
        licence = next((str(row["facts"][name]) for name in NAMES if row["facts"].get(name)), "")
        known += bool(licence)
        key = (row["source"], licence or NONE_GIVEN)
        documents[key] += 1
        sizes[key] += len(rest)
    return known
