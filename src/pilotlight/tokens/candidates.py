"""Tokenizers as they are named on a command line: ``bpe:8192``, ``bytes``, a file, a folder, or a YAML list of settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import yaml
from pydantic import ValidationError

from pilotlight.errors import ConfigError
from pilotlight.spec import discover, plain
from pilotlight.tokens.tokenizer import NAME, Tokenizer
from pilotlight.tokens.tokenizers.file import File
from pilotlight.units import read_count

Candidate = Tokenizer | Path
"""Settings that have to learn, or the folder of an encoder that did."""


def candidates(words: Sequence[str]) -> dict[str, Candidate]:
    """Return the tokenizers that ``words`` name, each under a name of its own, in order.

    Raises:
        ConfigError: a word names no kind, no file and no folder, or settings are wrong.
    """
    found: dict[str, Candidate] = {}
    for word in words:
        for name, candidate in _read(word):
            add(found, name, candidate)
    return found


def add(found: dict[str, Candidate], name: str, candidate: Candidate) -> None:
    """Put ``candidate`` into ``found`` as ``name``, or ``name (2)`` where that is taken; the same one only once."""
    if candidate in found.values():
        return
    free = (name, *(f"{name} ({number})" for number in range(2, len(found) + 3)))
    found[next(other for other in free if other not in found)] = candidate


def named(settings: Tokenizer) -> str:
    """Return a short name of settings, such as ``bpe:8192``, or that of the file."""
    if isinstance(settings, File):
        return _file_name(settings.path)
    described = plain(settings)
    vocabulary = described.get("vocabulary")
    return f"{described['kind']}:{vocabulary}" if vocabulary else str(described["kind"])


def _file_name(path: Path) -> str:
    """Return the name of a tokenizer file, with its folder where all such files are called alike."""
    return "/".join(filter(None, (path.parent.name, path.name))) if path.name == "tokenizer.json" else path.name


def _read(word: str) -> Iterator[tuple[str, Candidate]]:
    kind, _, size = word.partition(":")
    path = Path(word).expanduser()
    if kind in discover(Tokenizer.folder) and not (size and path.exists()):
        settings = _chosen({"kind": kind, **({"vocabulary": _count(size, word)} if size else {})}, word)
        yield named(settings), settings
    elif path.suffix in (".yaml", ".yml"):
        yield from _listed(path)
    elif path.is_dir():
        inner = next((inner for inner in (path, path / "tokenizer") if (inner / NAME).is_file()), None)
        yield path.name or word, inner or File(path=path)
    elif path.is_file():
        yield _file_name(path), File(path=path)
    else:
        kinds = ", ".join(discover(Tokenizer.folder))
        raise ConfigError(
            f"{word!r} names no tokenizer. Expected a kind ({kinds}) with its vocabulary, such as bpe:8192, a file, a "
            "folder, or a YAML file with a list of tokenizers."
        )


def _count(text: str, word: str) -> int:
    try:
        return int(read_count(text))
    except ValueError as error:
        raise ConfigError(
            f"{word!r}: {error}; write the vocabulary after the kind, such as bpe:8192 or bpe:32k."
        ) from error


def _listed(path: Path) -> Iterator[tuple[str, Candidate]]:
    try:
        data: Any = yaml.safe_load(path.read_bytes())
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read as YAML ({error}). Expected a list of tokenizers.") from error
    if isinstance(data, Mapping):
        given = cast("Mapping[str, Any]", data)
        if "tokenizer" in given:
            data = [given["tokenizer"]]
        elif "kind" in given:
            data = [given]
        else:
            for name, item in given.items():
                yield str(name), _chosen(item, f"{path}: {name}").at(path.parent)
            return
    if not isinstance(data, list) or not data:
        raise ConfigError(
            f"{path} holds no tokenizers. Expected a list such as [bytes, {{kind: bpe, vocabulary: 8192}}], names with "
            "settings, or a plan with a field tokenizer."
        )
    for number, item in enumerate(cast("list[Any]", data), 1):
        if isinstance(item, str) and ":" in item:
            yield from _read(item)
        else:
            settings = _chosen(item, f"{path}: entry {number}").at(path.parent)
            yield named(settings), settings


def _chosen(value: Any, where: str) -> Tokenizer:
    try:
        return cast("Tokenizer", Tokenizer.choose(value))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise ConfigError(f"{where}: {field}: {first['msg']}" if field else f"{where}: {first['msg']}") from error
    except ValueError as error:
        raise ConfigError(f"{where}: {error}") from error
