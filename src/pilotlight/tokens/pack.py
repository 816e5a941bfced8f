"""Packing: a corpus and a tokenizer become token ids on disk, each document followed by one end token."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np

from pilotlight.errors import DataError
from pilotlight.events import Note, Progress, Watcher, silent
from pilotlight.manifest import Draft, building, finished
from pilotlight.spec import fingerprint
from pilotlight.tokens.held_out import LONGEST, STORED_BYTES, write_passages
from pilotlight.tokens.text import Sample, Text, valid
from pilotlight.tokens.tokenizer import Encoder, Tokenizer, learn_encoder, open_encoder
from pilotlight.tokens.tokens import KIND, SPLITS, TOKENIZER, SplitName, Tokens

FORMAT = 1
BATCH_CHARACTERS = 1 << 21


class Source(Protocol):
    """What packing needs of a corpus."""

    @property
    def fingerprint(self) -> str:
        """Sixteen hex digits of what the corpus was made from."""
        ...

    def documents(self, split: SplitName) -> Iterable[Text]:
        """Return the documents of a split, in the same order each time."""
        ...


@dataclass
class _Count:
    documents: int = 0
    tokens: int = 0
    bytes: int = 0

    def add(self, tokens: int, size: int) -> None:
        self.documents += 1
        self.tokens += tokens
        self.bytes += size

    def facts(self) -> dict[str, Any]:
        return {
            "documents": self.documents, "tokens": self.tokens, "bytes": self.bytes,
            "bytes_per_token": self.bytes / self.tokens if self.tokens else None,
        }  # fmt: skip


@dataclass
class _Counts:
    whole: _Count = field(default_factory=_Count)
    sources: dict[str, _Count] = field(default_factory=dict[str, _Count])
    changed: int = 0

    def facts(self) -> dict[str, Any]:
        sources = {name: self.sources[name].facts() for name in sorted(self.sources)}
        return {**self.whole.facts(), "sources": sources, "changed": self.changed}


def pack(corpus: Source, settings: Tokenizer, out: Path, *, watch: Watcher = silent) -> Tokens:
    """Return the token ids of ``corpus`` in folder ``out``; what is there already and fits is used as it is.

    The tokenizer learns from the training split alone. One end token follows each document: predicting it counts
    in losses and in tokens, and adds no bytes. Documents stream through in batches, so memory does not grow with
    the corpus. The same corpus and settings give the same bytes.

    Raises:
        DataError: the training split is empty, or the tokenizer file cannot be used.
        RecordError: ``out`` was made from other text or with another tokenizer.
        ResourceError: the disk is full.
    """
    described = {"tokenizer": settings.identity(), "format": FORMAT}
    mark = fingerprint(KIND, described, corpus.fingerprint)
    if finished(out, mark, described) is not None:
        watch(Note(f"{out} is already packed from this text with this tokenizer."))
    else:
        with building(
            out, kind=KIND, fingerprint=mark, settings=described, inputs={"corpus": corpus.fingerprint}
        ) as draft:
            _fill(corpus, settings, draft, watch)
    return Tokens.open(out)


def _fill(corpus: Source, settings: Tokenizer, draft: Draft, watch: Watcher) -> None:
    watch(Progress("tokenizer", 0, 1))
    learnt = learn_encoder(settings, corpus.documents("train"), draft.folder / TOKENIZER)
    encoder = open_encoder(draft.folder / TOKENIZER)
    watch(Progress("tokenizer", 1, 1))
    dtype = "<u2" if encoder.vocabulary <= 1 << 16 else "<u4"
    counts = {name: _write_split(corpus, name, encoder, dtype, draft.folder, watch) for name in SPLITS}
    if counts["train"].whole.documents == 0:
        raise DataError(
            "The training split has no documents, so there is nothing to train on. Check the sources and filters of "
            "the corpus."
        )
    _tell_changes(counts, watch)
    draft.facts |= {
        "vocabulary": encoder.vocabulary, "end": encoder.end, "dtype": dtype, "tokenizer": learnt,
        "splits": {name: count.facts() for name, count in counts.items()},
    }  # fmt: skip


def _batches(documents: Iterable[Text]) -> Iterator[list[Text]]:
    batch: list[Text] = []
    size = 0
    for document in documents:
        batch.append(document)
        size += len(document.text) + 100
        if size >= BATCH_CHARACTERS:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _write_split(
    corpus: Source, name: SplitName, encoder: Encoder, dtype: str, folder: Path, watch: Watcher
) -> _Counts:
    counts = _Counts()
    sample = Sample(STORED_BYTES, LONGEST)
    whole = getattr(getattr(getattr(corpus, "facts", None), name, None), "bytes", None)
    with ExitStack() as stack:
        ids, bounds, sizes, names = (
            stack.enter_context((folder / f"{name}{what}.bin").open("wb"))
            for what in ("", ".bounds", ".bytes", ".documents")
        )
        bounds.write(np.zeros(1, dtype="<i8").tobytes())
        for batch in _batches(corpus.documents(name)):
            for document in batch:
                sample.add(document)
            _write_batch(batch, encoder, dtype, (ids, bounds, sizes, names), counts)
            watch(Progress(f"tokens of {name}", counts.whole.bytes, whole, "bytes"))
    write_passages(sample.passages(), folder, name)
    return counts


def _write_batch(
    batch: list[Text],
    encoder: Encoder,
    dtype: str,
    files: tuple[BinaryIO, BinaryIO, BinaryIO, BinaryIO],
    counts: _Counts,
) -> None:
    texts = [valid(document.text) for document in batch]
    encoded = encoder.encode_batch(texts)
    # One document per batch is enough to notice a tokenizer that lowers case or drops accents.
    counts.changed += encoder.decode(encoded[0]) != texts[0]
    end = np.array([encoder.end], dtype=dtype)
    start = counts.whole.tokens
    for document, text, ids in zip(batch, texts, encoded, strict=True):
        size = len(text.encode())
        files[0].write(ids.astype(dtype).tobytes())
        files[0].write(end.tobytes())
        files[3].write(_raw_id(document.id))
        counts.whole.add(len(ids) + 1, size)
        counts.sources.setdefault(document.source, _Count()).add(len(ids) + 1, size)
        files[2].write(size.to_bytes(8, "little"))
    lengths = np.array([len(ids) + 1 for ids in encoded], dtype=np.int64)
    files[1].write((start + np.cumsum(lengths)).astype("<i8").tobytes())


def _raw_id(id: str) -> bytes:
    try:
        raw = bytes.fromhex(id)
    except ValueError:
        raw = b""
    if len(raw) != 16:
        raise DataError(f"Document id {id!r} is not 32 hex digits. Expected the ids that a corpus gives its documents.")
    return raw


def _tell_changes(counts: dict[str, _Counts], watch: Watcher) -> None:
    changed = sum(count.changed for count in counts.values())
    if changed:
        watch(
            Note(
                f"The tokenizer does not keep text as it is: {changed} of the documents looked at come back changed. "
                "Bits per byte will look better than they are beside a tokenizer that keeps every byte; expected a "
                "byte-level one for such comparisons (kind: bpe or bytes).",
                "warning",
            )
        )
