"""``.tiktoken`` tables of merges: a base64 string and its rank on each line, and nothing about how words are cut."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from pilotlight.errors import DataError

_CONTRACTION = "(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
_GPT2 = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
PATTERNS = {
    "gpt2": _GPT2,
    "r50k": _GPT2,
    "p50k": _GPT2,
    "cl100k": r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s+\z|\s*[\r\n]+"
    r"|\s+(?!\S)|\s+",
    "o200k": r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+" + _CONTRACTION +
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*" + _CONTRACTION +
    r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
}  # fmt: skip
"""How published tables cut text into words, by the name of the table. They match what tiktoken's own expressions match."""


def read_ranks(path: Path) -> Mapping[bytes, int]:
    """Return the byte strings of a ``.tiktoken`` file and their ids.

    Raises:
        DataError: a line is something else, a byte is missing, or two strings share an id.
    """
    try:
        return _parsed(path.read_bytes())
    except ValueError as error:
        raise DataError(f"{path}{error}") from error


@lru_cache(maxsize=1)
def _parsed(data: bytes) -> dict[bytes, int]:
    """Return what a table holds, of the last one again without reading it: settings, copy and encoder ask in turn."""
    ranks: dict[bytes, int] = {}
    for number, line in enumerate(data.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            string, rank = line.split()
            ranks[base64.b64decode(string, validate=True)] = int(rank)
        except (ValueError, binascii.Error) as error:
            raise ValueError(
                f":{number}: expected a base64 string and its rank, as .tiktoken files hold, but found "
                f"{line[:60]!r}. Give a .tiktoken or tokenizer.json file."
            ) from error
    missing = [byte for byte in range(256) if bytes([byte]) not in ranks]
    if missing or len(set(ranks.values())) != len(ranks):
        what = f"{len(missing)} of the 256 bytes are missing" if missing else "two strings share a rank"
        raise ValueError(f" is not a complete .tiktoken table: {what}. Download or write the file again.")
    return ranks


def find_end(
    ranks: Mapping[bytes, int], special: Mapping[str, int], wanted: str | None, path: Path
) -> tuple[str, int, str]:
    """Return the end token, its id, and where it was found: in the settings, or added after all others.

    Raises:
        DataError: a control token has the id of a string, or there are several and none is named as the end.
    """
    taken = set(ranks.values())
    for name, id in special.items():
        if id in taken:
            raise DataError(
                f"special: {name!r} has the id {id}, which {path} or another control token has already. Expected an id "
                f"above {max(ranks.values())}, or one that the file leaves out."
            )
        taken.add(id)
    usual = "<|endoftext|>"
    name = wanted or (usual if usual in special or not special else None)
    if name is None and len(special) == 1:
        name = next(iter(special))
    if name is None:
        raise DataError(f"special has no {usual!r}. Name the token that ends a document: tokenizer.end.")
    if name in special:
        return name, special[name], "settings"
    return name, max(taken) + 1, "added"
