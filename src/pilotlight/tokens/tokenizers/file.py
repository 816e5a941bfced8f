"""An existing tokenizer: a Hugging Face ``tokenizer.json``, a ``.tiktoken`` table, or a SentencePiece ``.model``."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self

from pydantic import Field

from pilotlight.errors import DataError
from pilotlight.manifest import write_atomic
from pilotlight.tokens.text import Text
from pilotlight.tokens.tokenizer import Encoder, Tokenizer

CONFIG = "tokenizer_config.json"
COPIES = {".json": "tokenizer.json", ".tiktoken": "ranks.tiktoken", ".model": "sentencepiece.model"}
"""Under which name a file of each ending is kept."""


class File(Tokenizer):
    """An existing tokenizer file; what decides the ids is its content, not where it lies."""

    path: Path
    """A ``tokenizer.json``, a ``.tiktoken`` or a SentencePiece ``.model`` file, or the folder that holds one."""
    end: str | None = None
    """Token that ends a document; found by itself where the file or ``tokenizer_config.json`` beside it tells."""
    pattern: str = "cl100k"
    """How a ``.tiktoken`` file's text falls into words: gpt2, r50k, p50k, cl100k, o200k, or a regular expression."""
    special: dict[str, int] = Field(default_factory=dict)
    """Control tokens of a ``.tiktoken`` file and their ids, such as ``<|endoftext|>: 100257``; the file has none."""

    def learn(self, documents: Iterable[Text], folder: Path) -> dict[str, Any]:
        """Return facts about the encoder, whose file is now copied into ``folder``; the documents are not read.

        Raises:
            DataError: the file is missing, is no tokenizer, or has no end token.
        """
        path = self._existing()
        kept = COPIES.get(path.suffix, COPIES[".json"])
        settings, facts = getattr(self, _READERS[kept])(path)
        shutil.copyfile(path, folder / kept)
        beside = path.with_name(CONFIG)
        if kept == COPIES[".json"] and beside.is_file():
            shutil.copyfile(beside, folder / CONFIG)
        write_atomic(folder / "file.json", json.dumps(settings, indent=1) + "\n")
        self.open(folder)
        return facts

    def _read_table(self, path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
        from pilotlight.tokens.tiktoken_file import find_end, read_ranks

        name, id, found_in = find_end(read_ranks(path), self.special, self.end, path)
        settings = {"pattern": self._pattern(), "end": id, "special": {**self.special, name: id}}
        return settings, {"end_token": name, "end_token_from": found_in}

    def _read_pieces(self, path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
        from pilotlight.tokens.hugging_face import COMMON_ENDS
        from pilotlight.tokens.sentence_piece import find_end

        configured = _read_config(path.with_name(CONFIG)).get("eos_token")
        name, id, found_in = find_end(path, self.end, configured, COMMON_ENDS)
        return {"end": id}, {"end_token": name, "end_token_from": found_in}

    def _read_json(self, path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
        from pilotlight.tokens.hugging_face import find_end, read

        name, found_in = find_end(read(path), self.end, _read_config(path.with_name(CONFIG)), path)
        facts = {"end_token": name, "end_token_from": found_in}
        return facts, facts

    @staticmethod
    def open(folder: Path) -> Encoder:
        """Return the encoder of the file that was copied into ``folder``.

        Raises:
            DataError: the pattern of a ``.tiktoken`` file is no regular expression.
        """
        settings = json.loads((folder / "file.json").read_text(encoding="utf-8"))
        if (folder / COPIES[".json"]).is_file():
            from pilotlight.tokens.hugging_face import JsonEncoder

            return JsonEncoder(folder / COPIES[".json"], settings["end_token"])
        if (folder / COPIES[".model"]).is_file():
            from pilotlight.tokens.sentence_piece import SentencePieces

            return SentencePieces((folder / COPIES[".model"]).read_bytes(), settings["end"], escaped=False)
        from pilotlight.tokens.byte_pairs import BytePairs
        from pilotlight.tokens.tiktoken_file import PATTERNS, read_ranks

        try:
            ranks = read_ranks(folder / COPIES[".tiktoken"])
            return BytePairs(ranks, settings["pattern"], settings["end"], settings["special"])
        except ValueError as error:
            raise DataError(
                f"pattern {settings['pattern']!r} is no regular expression ({error}). Expected one of "
                f"{', '.join(PATTERNS)}, or a regular expression that matches every character."
            ) from error

    def at(self, folder: Path) -> Self:
        """Return the settings with a relative ``path`` read from ``folder``, where the plan file lies."""
        return self.model_copy(update={"path": folder / self.path.expanduser()})

    def identity(self) -> dict[str, Any]:
        """Return what decides the ids: the content of the file, end token, pattern and control tokens, not the path.

        Raises:
            DataError: the file is missing.
        """
        path = self._existing()
        content = hashlib.sha256(path.read_bytes())
        found: dict[str, Any] = {"kind": "file", "end": self.end, "pattern": ""}
        if path.suffix == ".tiktoken":
            found |= {"pattern": self._pattern(), "special": self.special}
        else:
            content.update(str(_read_config(path.with_name(CONFIG)).get("eos_token", "")).encode())
        return {**found, "sha256": content.hexdigest()}

    def _pattern(self) -> str:
        from pilotlight.tokens.tiktoken_file import PATTERNS

        return PATTERNS.get(self.pattern, self.pattern)

    def _existing(self) -> Path:
        path = _inside(self.path) if self.path.is_dir() else self.path
        if not path.is_file():
            raise DataError(
                f"There is no tokenizer file {path}. Expected a tokenizer.json, a .tiktoken or a SentencePiece .model "
                "file: correct tokenizer.path, or learn a tokenizer from your text with tokenizer: bpe."
            )
        return path


_READERS = {COPIES[".json"]: "_read_json", COPIES[".tiktoken"]: "_read_table", COPIES[".model"]: "_read_pieces"}


def _inside(folder: Path) -> Path:
    # A folder with several forms of one tokenizer: the form that carries its control tokens comes first.
    usual = folder / "tokenizer.json"
    others = [*sorted(folder.glob("*.model")), *sorted(folder.glob("*.tiktoken"))]
    return others[0] if len(others) == 1 and not usual.is_file() else usual


def _read_config(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except ValueError as error:
        raise DataError(f"{path} is not JSON ({error}). Repair it, or remove it from beside the tokenizer.") from error
    return found if isinstance(found, dict) else {}
