"""An existing tokenizer: a Hugging Face ``tokenizer.json`` or a ``.tiktoken`` table of merges."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self

from pilotlight.errors import DataError
from pilotlight.manifest import write_atomic
from pilotlight.tokens.text import Text
from pilotlight.tokens.tokenizer import Encoder, Tokenizer

PATTERNS = {
    "gpt2": r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
    "cl100k": r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
    r"|\s+(?!\S)|\s+",
}
"""How published ``.tiktoken`` tables cut text into words; the file itself does not say."""


class File(Tokenizer):
    """An existing tokenizer file; what decides the ids is its content, not where it lies."""

    path: Path
    """A ``tokenizer.json`` (or the folder that holds one), or a ``.tiktoken`` file."""
    end: str | None = None
    """Token that ends a document; found by itself where the file or ``tokenizer_config.json`` beside it tells."""
    pattern: str = "cl100k"
    """How a ``.tiktoken`` file's text falls into words: gpt2, cl100k, or a regular expression."""

    def learn(self, documents: Iterable[Text], folder: Path) -> dict[str, Any]:
        """Return facts about the encoder, whose file is now copied into ``folder``; the documents are not read.

        Raises:
            DataError: the file is missing, is no tokenizer, or has no end token.
        """
        path = self._existing()
        if path.suffix == ".tiktoken":
            _read_ranks(path)
            shutil.copyfile(path, folder / "ranks.tiktoken")
            settings = {"pattern": PATTERNS.get(self.pattern, self.pattern)}
            facts = {"end_token": self.end or "<|endoftext|>", "end_token_from": "added"}
        else:
            from pilotlight.tokens.hugging_face import find_end, read

            beside = path.with_name("tokenizer_config.json")
            name, found_in = find_end(read(path), self.end, _read_config(beside), path)
            shutil.copyfile(path, folder / "tokenizer.json")
            if beside.is_file():
                shutil.copyfile(beside, folder / "tokenizer_config.json")
            settings = facts = {"end_token": name, "end_token_from": found_in}
        write_atomic(folder / "file.json", json.dumps(settings, indent=1) + "\n")
        self.open(folder)
        return facts

    @staticmethod
    def open(folder: Path) -> Encoder:
        """Return the encoder of the file that was copied into ``folder``.

        Raises:
            DataError: the pattern of a ``.tiktoken`` file is no regular expression.
        """
        settings = json.loads((folder / "file.json").read_text(encoding="utf-8"))
        if (folder / "tokenizer.json").is_file():
            from pilotlight.tokens.hugging_face import JsonEncoder

            return JsonEncoder(folder / "tokenizer.json", settings["end_token"])
        from pilotlight.tokens.byte_pairs import BytePairs

        ranks = _read_ranks(folder / "ranks.tiktoken")
        try:
            return BytePairs(ranks, settings["pattern"], end=max(ranks.values()) + 1)
        except ValueError as error:
            raise DataError(
                f"pattern {settings['pattern']!r} is no regular expression ({error}). Expected one of "
                f"{', '.join(PATTERNS)}, or a regular expression that matches every character."
            ) from error

    def at(self, folder: Path) -> Self:
        """Return the settings with a relative ``path`` read from ``folder``, where the plan file lies."""
        return self.model_copy(update={"path": folder / self.path.expanduser()})

    def identity(self) -> dict[str, Any]:
        """Return what decides the ids: the content of the file, the end token and the pattern, not the path.

        Raises:
            DataError: the file is missing.
        """
        path = self._existing()
        content = hashlib.sha256(path.read_bytes())
        beside = path.with_name("tokenizer_config.json")
        if path.suffix != ".tiktoken":
            configured = str(_read_config(beside).get("eos_token", ""))
            content.update(configured.encode())
        pattern = self.pattern if path.suffix == ".tiktoken" else ""
        return {"kind": "file", "sha256": content.hexdigest(), "end": self.end, "pattern": pattern}

    def _existing(self) -> Path:
        path = self.path / "tokenizer.json" if self.path.is_dir() else self.path
        if not path.is_file():
            raise DataError(
                f"There is no tokenizer file {path}. Expected a tokenizer.json or a .tiktoken file: correct "
                "tokenizer.path, or learn a tokenizer from your text with tokenizer: bpe."
            )
        return path


def _read_config(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except ValueError as error:
        raise DataError(f"{path} is not JSON ({error}). Repair it, or remove it from beside the tokenizer.") from error
    return found if isinstance(found, dict) else {}


def _read_ranks(path: Path) -> dict[bytes, int]:
    ranks: dict[bytes, int] = {}
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        if not line.strip():
            continue
        try:
            string, rank = line.split()
            ranks[base64.b64decode(string, validate=True)] = int(rank)
        except (ValueError, binascii.Error) as error:
            raise DataError(
                f"{path}:{number}: expected a base64 string and its rank, as .tiktoken files hold, but found "
                f"{line[:60]!r}. Give a .tiktoken or tokenizer.json file."
            ) from error
    missing = [byte for byte in range(256) if bytes([byte]) not in ranks]
    if missing or len(set(ranks.values())) != len(ranks):
        what = f"{len(missing)} of the 256 bytes are missing" if missing else "two strings share a rank"
        raise DataError(f"{path} is not a complete .tiktoken table: {what}. Download or write the file again.")
    return ranks
