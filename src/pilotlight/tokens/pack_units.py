"""The units of work of packing: learn the tokenizer, encode one file of the corpus, put the parts together."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, final

import numpy as np

from pilotlight.corpus.segment import REPEATS
from pilotlight.corpus.store import rows
from pilotlight.errors import DataError
from pilotlight.events import Progress, Watcher, silent
from pilotlight.manifest import building, read_manifest
from pilotlight.tokens.held_out import LONGEST, STORED_BYTES, write_passages
from pilotlight.tokens.packing import waste_of
from pilotlight.tokens.text import Passage, Sample, Text, valid
from pilotlight.tokens.tokenizer import Encoder, Tokenizer, learn_encoder, open_encoder
from pilotlight.tokens.tokens import KIND, SPLITS, TOKENIZER, passages_file

BATCH_CHARACTERS = 1 << 20
ORDER = 1
"""Version of the permutation that training batches follow."""
_COLUMNS = ("sources", "languages")
_MOST_NAMES = 1 << 16


@final
@dataclass(slots=True)
class _Read:
    text: str
    id: str
    source: str
    language: str = ""
    repeats: int = 1


class Part(NamedTuple):
    """The ids of one file of a corpus: a folder and what it says."""

    folder: Path
    facts: dict[str, Any]


@final
@dataclass
class _Numbers:
    """Names in the order in which they came, and the number of one."""

    names: dict[str, int] = field(default_factory=dict[str, int])

    def of(self, names: Sequence[str]) -> np.ndarray:
        """Return the number of each name."""
        for name in dict.fromkeys(names):
            self.names.setdefault(name, len(self.names))
        return np.array([self.names[name] for name in names], dtype="<u2")


def learn(out: Path, inputs: Sequence[Path], settings: dict[str, Any], watch: Watcher) -> dict[str, Any]:
    """Learn the tokenizer from the training files (a unit of work); return what the tokenizer tells.

    Raises:
        DataError: the text or the file cannot give a tokenizer.
    """
    del inputs, watch
    tokenizer = Tokenizer.choose(settings["tokenizer"])
    documents = (item for file in settings["files"] for item in read(Path(file)))
    return learn_encoder(tokenizer, documents, out / TOKENIZER)


def read(file: Path) -> Iterator[Text]:
    """Return the documents of a file of a corpus, with no more than packing needs."""
    for row in rows(file):
        facts = row["facts"]
        yield _Read(row["text"], row["id"], row["source"], facts.get("language") or "", _repeats(facts))


@lru_cache(maxsize=1)
def _encoder(folder: Path) -> Encoder:
    return open_encoder(folder)


def encode(out: Path, inputs: Sequence[Path], settings: dict[str, Any], watch: Watcher) -> dict[str, Any]:
    """Write the ids of one file of the corpus (a unit of work)."""
    encoder = _encoder(inputs[0] / TOKENIZER)
    file, name = Path(settings["file"]), settings["split"]
    facts = write_part(read(file), encoder, out, name, sample_bytes=settings["sample_bytes"], watch=watch)
    return {**facts, "file": str(file)}


def _batches(documents: Iterable[Text], sample: Sample) -> Iterator[list[Text]]:
    batch: list[Text] = []
    size = 0
    for document in documents:
        sample.add(document)
        times = document.repeats if isinstance(document, _Read) else _repeats(getattr(document, "facts", {}))
        batch += [document] * times
        size += (len(document.text) + 100) * times
        if size >= BATCH_CHARACTERS:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def write_part(
    documents: Iterable[Text], encoder: Encoder, folder: Path, name: str,
    *, sample_bytes: int = STORED_BYTES, watch: Watcher = silent, whole: int | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Write the ids of ``documents`` into ``folder`` and return the counts.

    Raises:
        DataError: an id is none that a corpus gives, or there are too many sources.
    """
    sample, writer = Sample(sample_bytes, LONGEST), _Writer(encoder, folder)
    try:
        for batch in _batches(documents, sample):
            writer.add(batch)
            watch(Progress(f"tokens of {name}", writer.bytes, whole, "bytes"))
    finally:
        writer.close()
    passages = sample.passages()
    write_passages(passages, folder, name)
    full = sum(passage.bytes for passage in passages) >= sample_bytes < STORED_BYTES
    return {"split": name, "sample_was_full": full, **writer.facts()}


@final
class _Writer:
    """Appends batches of documents to the files of a part."""

    def __init__(self, encoder: Encoder, folder: Path) -> None:
        self._encoder = encoder
        self._dtype = dtype_of(encoder)
        self._end = np.array([encoder.end], dtype=self._dtype)
        self._files = {what: (folder / f"{what}.bin").open("wb") for what in ("ids", "lengths", "bytes", "documents")}
        self._files |= {what: (folder / f"{what}.bin").open("wb") for what in _COLUMNS}
        self._names = {what: _Numbers() for what in _COLUMNS}
        self._counts = np.zeros((0, 3), dtype=np.int64)
        self.documents = self.bytes = self.changed = 0

    def add(self, batch: Sequence[Text]) -> None:
        """Encode a batch and write it."""
        texts = [valid(document.text) for document in batch]
        encoded = self._encoder.encode_batch(texts)
        # One document per batch is enough to notice a tokenizer that lowers case or drops accents.
        self.changed += self._encoder.decode(encoded[0]) != texts[0]
        ids = [part for found in encoded for part in (found, self._end)]
        self._files["ids"].write(np.concatenate(ids, dtype=self._dtype, casting="unsafe").data)
        lengths = np.fromiter(map(len, encoded), np.int64, len(encoded)) + 1
        sizes = np.fromiter((len(text.encode()) for text in texts), np.int64, len(texts))
        self._files["lengths"].write(lengths.astype("<i8").data)
        self._files["bytes"].write(sizes.astype("<i8").data)
        self._files["documents"].write(_raw_ids(batch))
        sources = self._names["sources"].of([document.source for document in batch])
        self._files["sources"].write(sources.data)
        languages = self._names["languages"].of([_language(document) for document in batch])
        self._files["languages"].write(languages.data)
        self._count(sources, lengths, sizes)

    def _count(self, sources: np.ndarray, lengths: np.ndarray, sizes: np.ndarray) -> None:
        names = len(self._names["sources"].names)
        if names > _MOST_NAMES:
            raise DataError(
                f"the corpus has more than {_MOST_NAMES} sources; expected fewer. Read folders as one source."
            )
        grown = np.zeros((names, 3), dtype=np.int64)
        grown[: len(self._counts)] = self._counts
        for column, values in enumerate((np.ones_like(sizes), lengths, sizes)):
            np.add.at(grown[:, column], sources, values)
        self._counts = grown
        self.documents += len(sizes)
        self.bytes += int(sizes.sum())

    def facts(self) -> dict[str, Any]:
        """Return the counts (documents, tokens, bytes) by source, and the names behind the numbers."""
        names = {what: list(self._names[what].names) for what in _COLUMNS}
        return {**names, "counts": self._counts.tolist(), "documents": self.documents, "changed": self.changed}

    def close(self) -> None:
        """Close the files."""
        for file in self._files.values():
            file.close()


def dtype_of(encoder: Encoder) -> str:
    """Return the type of ids on disk: two bytes where the vocabulary fits, else four."""
    return "<u2" if encoder.vocabulary <= 1 << 16 else "<u4"


def _repeats(facts: Mapping[str, Any]) -> int:
    """Return how often a document stands in the text: a step that balances a corpus may ask for more than once."""
    return int(facts.get(REPEATS, 1))


def _language(document: Text) -> str:
    if isinstance(document, _Read):
        return document.language
    return str(getattr(document, "facts", {}).get("language") or "")


def _raw_ids(batch: Sequence[Text]) -> bytes:
    for document in batch:
        if len(document.id) != 32:
            raise _bad_id(document.id)
    try:
        raw = bytes.fromhex("".join(document.id for document in batch))
    except ValueError:
        raw = b""
    if len(raw) != 16 * len(batch):
        raise _bad_id(next((item.id for item in batch if not _is_hex(item.id)), batch[0].id))
    return raw


def _is_hex(id: str) -> bool:
    return all(digit in "0123456789abcdefABCDEF" for digit in id)


def _bad_id(id: str) -> DataError:
    return DataError(f"Document id {id!r} is not 32 hex digits. Expected the ids that a corpus gives its documents.")


def refuse_empty(facts: Iterable[dict[str, Any]]) -> None:
    """Return if any part has text to train on.

    Raises:
        DataError: none has.
    """
    if not any(part["documents"] for part in facts if part["split"] == "train"):
        raise DataError(
            "The training split has no documents, so there is nothing to train on. Check the sources and filters of "
            "the corpus."
        )


def assemble(out: Path, inputs: Sequence[Path], settings: dict[str, Any], watch: Watcher) -> dict[str, Any]:
    """Make the tokens ``settings["out"]`` from the tokenizer and all parts (a unit of work)."""
    del out, watch
    learnt, *parts = inputs
    made = {what: settings[what] for what in ("fingerprint", "settings", "inputs")}
    with building(Path(settings["out"]), kind=KIND, **made) as draft:
        shutil.copytree(learnt / TOKENIZER, draft.folder / TOKENIZER)
        found = [Part(path, read_manifest(path).facts) for path in parts]
        draft.facts |= join(found, _encoder(learnt / TOKENIZER), draft.folder)
        draft.facts |= {"tokenizer": read_manifest(learnt).facts}
    return {}


def join(parts: Sequence[Part], encoder: Encoder, out: Path) -> dict[str, Any]:
    """Write the files of all splits from their parts, and return the facts of the tokens but for the tokenizer's."""
    numbered = {what: sorted({name for part in parts for name in part.facts[what]}) for what in _COLUMNS}
    splits: dict[str, Any] = {}
    waste: dict[str, Any] = {}
    for name in SPLITS:
        own = [part for part in parts if part.facts["split"] == name]
        _join_files(own, out, name, numbered)
        write_passages(_passages(own), out, name)
        splits[name] = _counts(own)
        if name == "train":
            waste = waste_of(np.fromfile(out / f"{name}.bounds.bin", "<i8"))
    if not any(numbered["languages"]):
        del numbered["languages"]
        for name in SPLITS:
            (out / f"{name}.languages.bin").unlink()
    return {
        "vocabulary": encoder.vocabulary, "end": encoder.end, "dtype": dtype_of(encoder), "order": ORDER,
        "splits": splits, **numbered, "waste": waste,
    }  # fmt: skip


def _join_files(parts: Sequence[Part], out: Path, name: str, numbered: dict[str, list[str]]) -> None:
    for what, ending in (("ids", ""), ("bytes", ".bytes"), ("documents", ".documents")):
        with (out / f"{name}{ending}.bin").open("wb") as file:
            for part in parts:
                with (part.folder / f"{what}.bin").open("rb") as given:
                    shutil.copyfileobj(given, file, 1 << 20)
    with (out / f"{name}.bounds.bin").open("wb") as file:
        start = np.zeros(1, dtype="<i8")
        file.write(start.data)
        for part in parts:
            bounds = start + np.cumsum(np.fromfile(part.folder / "lengths.bin", "<i8"))
            file.write(bounds.astype("<i8").data)
            start = bounds[-1:] if len(bounds) else start
    for what, names in numbered.items():
        number = {given: at for at, given in enumerate(names)}
        with (out / f"{name}.{what}.bin").open("wb") as file:
            for part in parts:
                table = np.array([number[given] for given in part.facts[what]], dtype="<u2")
                file.write(table[np.fromfile(part.folder / f"{what}.bin", "<u2")].data)


def _passages(parts: Sequence[Part]) -> list[Passage]:
    """Return the passages of a split: those of the parts, put through one sample in their order.

    A part keeps about twice what it is expected to give. Where all it kept is in the end among the passages it may
    have had more to give; then its file is read again.
    """
    sample = Sample(STORED_BYTES, LONGEST)
    last: list[tuple[Part, str]] = []
    for part in parts:
        id = ""
        with (part.folder / passages_file(part.facts["split"])).open(encoding="utf-8", newline="\n") as lines:
            for line in lines:
                passage = Passage(**json.loads(line))
                sample.add(passage)
                id = passage.id
        if part.facts["sample_was_full"]:
            last.append((part, id))
    found = sample.passages()
    chosen = {passage.id for passage in found}
    short = {part.folder for part, id in last if id in chosen}
    if not short:
        return found
    sample = Sample(STORED_BYTES, LONGEST)
    for part in parts:
        for item in read(Path(part.facts["file"])):
            sample.add(item)
    return sample.passages()


def _counts(parts: Sequence[Part]) -> dict[str, Any]:
    whole = np.zeros(3, dtype=np.int64)
    sources: dict[str, np.ndarray] = {}
    for part in parts:
        for name, row in zip(part.facts["sources"], part.facts["counts"], strict=True):
            sources[name] = sources.get(name, np.zeros(3, dtype=np.int64)) + np.array(row)
            whole = whole + np.array(row)
    by_source = {name: _amount(sources[name]) for name in sorted(sources)}
    return {**_amount(whole), "sources": by_source, "changed": sum(part.facts["changed"] for part in parts)}


def _amount(row: np.ndarray) -> dict[str, Any]:
    documents, tokens, size = (int(value) for value in row)
    return {
        "documents": documents, "tokens": tokens, "bytes": size, "bytes_per_token": size / tokens if tokens else None,
    }  # fmt: skip
