"""The items of benchmark files, whatever their layout: questions, choices and answers found by the names of fields."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import tarfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any, cast, final

from pilotlight.corpus.reading import BrokenFile, chunks, plain_name
from pilotlight.errors import DataError

ENDINGS = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".txt", ".parquet", ".tar", ".tgz", ".zip")


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_QUESTION = _set(
    "question questions query prompt stem sentence sentences sent goal problem instruction instructions input "
    "inputs ctx context passage premise hypothesis article story turns utterance dialogue"
)
_CHOICE = _set(
    "choices choice options option endings ending sol distractor distractors incorrect wrong false stereotype "
    "anti unrelated targets ans alternatives"
)
_ANSWER = _set(
    "answer answers solution target output response completion reference gold best correct answerkey label key"
)
_PASSED_OVER = _set(
    "id ids uid source sources url urls link category subcategory type types metadata meta split subject task "
    "dataset language lang level index idx polarity condition info version annotations annotators anon writer "
    "date license licence activity ind kwargs explanation"
)
_NEUTRAL = frozenset(("text", "value", "content", "tokens", "span", "a", "b", "c", "d", "e"))
_UNNAMED_WORDS = 8
"""Words that a text under an unknown name needs to count as part of the item."""
_BLANK = re.compile(r"(?<!\w)_+(?!\w)")
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")
_MOST_BLANKS = 8


@final
@dataclass(frozen=True, slots=True)
class Item:
    """One item of a benchmark."""

    file: str
    """Name of the file; inside an archive ``archive/member``."""
    number: int
    """Which item of the file, from 1."""
    main: tuple[str, ...]
    """What is asked or to be continued: question, context, passage, with every choice in place of a blank."""
    answers: tuple[str, ...] = ()
    """Right answers, in full where they are known."""
    choices: tuple[str, ...] = ()
    """All that can be chosen."""

    @property
    def name(self) -> str:
        """The file and the number: ``file#number``."""
        return f"{self.file}#{self.number}"


def _words(name: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(name)]


@lru_cache(maxsize=4096)  # every row of a file has the same fields
def _role_of_name(name: str) -> str:
    """Return what the name of one field says: passed over, choice, answer, main, or nothing."""
    words = _words(name)
    for role, names in (("passed over", _PASSED_OVER), ("choice", _CHOICE), ("answer", _ANSWER), ("main", _QUESTION)):
        if any(word in names or (role == "passed over" and word.startswith("meta")) for word in words):
            return role
    return ""


def _role(path: Sequence[str], value: str) -> str:
    """Return the role of a text by the names around it, innermost first; under unknown names long text is main."""
    if any(_role_of_name(name) == "passed over" for name in path):
        return "passed over"
    for name in reversed(path):
        found = "" if name.lower() in _NEUTRAL or name.isdigit() else _role_of_name(name)
        if found:
            return found
    if path and path[-1].lower() == "text":
        return "main"
    return "main" if len(value.split()) >= _UNNAMED_WORDS and "://" not in value else "passed over"


def _leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, Mapping):
        entries = cast("Mapping[str, Any]", value)
        if entries and all(isinstance(item, int) for item in entries.values()) and any(" " in key for key in entries):
            for text, right in entries.items():  # {choice: 1 where it is right, else 0}
                yield (*path, "answer" if right == 1 else "choice"), text
            return
        for key, item in entries.items():
            yield from _leaves(item, (*path, str(key)))
    elif isinstance(value, list | tuple):
        for number, item in enumerate(cast("Sequence[Any]", value)):
            yield from _leaves(item, (*path, str(number)))
    elif value is not None:
        yield path, value


def _chosen(answer: Any, choices: Sequence[str], names: Sequence[str]) -> str | None:
    """Return the choice that a letter or a number means, None where it means none."""
    if isinstance(answer, bool):
        return None
    text = str(answer).strip()
    if len(text) == 1 and text.upper() in "ABCDEFGH":
        place = "ABCDEFGH".index(text.upper())
    elif text.isdigit() and len(text) <= 2:
        counts_from_one = isinstance(answer, str) and bool(names) and names[0].endswith("1")
        place = int(text) - (1 if counts_from_one else 0)
    else:
        return None
    return choices[place] if 0 <= place < len(choices) else None


def _filled(text: str, choices: Sequence[str]) -> list[str]:
    """Return the text, and where it has one blank, the text with each choice in its place."""
    if len(_BLANK.findall(text)) != 1 or not choices:
        return [text]
    return [text, *(_BLANK.sub(lambda _, word=word: word, text) for word in choices[:_MOST_BLANKS])]


def _names_a_choice(path: Sequence[str]) -> bool:
    """Return whether a field is the letter of one choice, or says of each whether it is right."""
    return "labels" in path or (path[-1] == "label" and any(_role_of_name(name) == "choice" for name in path))


def item_of(row: Any, file: str, number: int, fields: Sequence[str] = ()) -> Item:
    """Return the item that a row holds; with ``fields`` only what stands under these names, all of it main."""
    if isinstance(row, str):
        return Item(file, number, (row,))
    main: list[str] = []
    answers: list[Any] = []
    choices: list[str] = []
    names: list[str] = []
    for path, value in _leaves(row):
        if fields:
            if isinstance(value, str) and any(name in fields for name in (*path, ".".join(path))):
                main.append(value)
            continue
        role = _role(path, value if isinstance(value, str) else "")
        if role == "answer" and not _names_a_choice(path):
            answers.append(value)
        elif not isinstance(value, str) or not value.strip():
            continue
        elif role == "choice":
            choices.append(value)
            names.append(path[-1])
        elif role == "main":
            main.append(value)
    found = [_chosen(answer, choices, names) or answer for answer in answers]
    right = tuple(dict.fromkeys(text for text in found if isinstance(text, str) and text.strip()))
    asked = [variant for text in main for variant in _filled(text, choices)]
    return Item(file, number, tuple(dict.fromkeys(asked)), right, tuple(dict.fromkeys(choices)))


def _is_item(value: Mapping[str, Any]) -> bool:
    words = [_words(key) for key in value]
    return any(found and (set(found) <= _QUESTION or found == ["text"]) for found in words)


def _rows(value: Any) -> Iterator[Any]:
    """Return the items of a JSON document: the objects that have a question, or else the texts."""
    if isinstance(value, Mapping):
        entries = cast("Mapping[str, Any]", value)
        if _is_item(entries):
            yield entries
            return
        nested: list[Any] = [item for item in entries.values() if isinstance(item, dict | list)]
        if not nested:
            yield entries
        for item in nested:
            yield from _rows(item)
    elif isinstance(value, list):
        for item in cast("list[Any]", value):
            yield from _rows(item)
    elif isinstance(value, str):
        yield value


def _json_lines(data: str, name: str) -> Iterator[Any]:
    for number, line in enumerate(data.split("\n"), 1):
        if line.strip():
            try:
                yield json.loads(line)
            except ValueError as error:
                raise DataError(
                    f"{name}, line {number}: {str(error)[:100]}. Expected one JSON object on each line; mend the file."
                ) from error


def _whole_json(data: str, name: str) -> Iterator[Any]:
    try:
        whole = json.loads(data)
    except ValueError as error:
        try:  # many files called .json hold a JSON object on each line
            yield from list(_json_lines(data, name))
        except DataError:
            raise DataError(f"{name}: {str(error)[:100]}. Expected a JSON document; mend the file.") from error
        return
    yield from _rows(whole)


def _table(data: str, delimiter: str) -> Iterator[Any]:
    """Return the rows of a table; without a row of names the first column is the question and the last may be a letter."""
    read = [row for row in csv.reader(io.StringIO(data), delimiter=delimiter) if any(cell.strip() for cell in row)]
    if not read:
        return
    head = read[0]
    named = any(_role_of_name(cell) in ("main", "answer") and len(cell.split()) <= 3 for cell in head)
    if named and not (len(head) > 2 and head[-1].strip() in "ABCDEFGH"):
        for row in read[1:]:
            yield dict(zip(head, row, strict=False))
        return
    for row in read:
        keyed = len(row) > 2 and len(row[-1].strip()) == 1 and row[-1].strip().upper() in "ABCDEFGH"
        rest = row[1:-1] if keyed else row[1:]
        yield {"question": row[0], "choices": rest, "answer": row[-1] if keyed else None}


def _from_bytes(data: bytes, name: str, shown: str) -> Iterator[Any]:
    ending = Path(name).suffix.lower()
    if ending == ".parquet":
        parquet: Any = import_module("pyarrow.parquet")
        yield from parquet.read_table(io.BytesIO(data)).to_pylist()
        return
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{shown} is not UTF-8 (byte {error.start}). Expected UTF-8; convert the file.") from error
    if ending in (".jsonl", ".ndjson"):
        yield from _json_lines(text, shown)
    elif ending == ".json":
        yield from _whole_json(text, shown)
    elif ending in (".csv", ".tsv"):
        yield from _table(text, "," if ending == ".csv" else "\t")
    else:
        yield from (line for line in text.split("\n") if line.strip())


def _members(data: bytes, name: str) -> Iterator[tuple[str, bytes]]:
    """Return the files of an archive that can be read, by name."""
    if name.lower().endswith(".zip"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for member in sorted(archive.namelist()):
                if readable(member):
                    yield member, archive.read(member)
        return
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        for found in sorted(archive.getmembers(), key=lambda member: member.name):
            handle = archive.extractfile(found) if found.isfile() and readable(found.name) else None
            if handle:
                yield found.name, handle.read()


def readable(name: str) -> bool:
    """Return whether a file of this name can be read as a benchmark; hidden files cannot."""
    last = Path(name).name
    return not last.startswith(".") and (plain_name(last).lower().endswith(ENDINGS) or ".txt." in last)


def read_items(path: Path, name: str, fields: Sequence[str] = ()) -> Iterator[Item]:
    """Return the items of a benchmark file, called ``name``; packed files and archives are unpacked.

    Raises:
        DataError: the file cannot be read as what its name says.
    """
    try:
        data = b"".join(chunks(path))
        plain = plain_name(path.name)
        if plain.lower().endswith((".tar", ".zip", ".tgz")):
            packed = gzip.decompress(data) if plain.lower().endswith(".tgz") else data
            for member, inner in _members(packed, plain):
                rows = _from_bytes(inner, member, f"{name}/{member}")
                yield from (item_of(row, f"{name}/{member}", at, fields) for at, row in enumerate(rows, 1))
            return
        rows = _from_bytes(data, plain, str(path))
        yield from (item_of(row, name, number, fields) for number, row in enumerate(rows, 1))
    except (BrokenFile, tarfile.TarError, zipfile.BadZipFile) as error:
        raise DataError(f"{path} is damaged ({error}). Expected a whole file; fetch it again.") from error
