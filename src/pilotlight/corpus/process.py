"""What happens to documents after reading: some are held out, the others go through the steps of the recipe."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import final

from pilotlight.corpus.corpus import FILES
from pilotlight.corpus.document import Document
from pilotlight.corpus.duplicate import Duplicates, Twin
from pilotlight.corpus.edit import Edit, in_scope
from pilotlight.corpus.filter import Filter
from pilotlight.corpus.sameness import text_key
from pilotlight.corpus.split import HeldOut
from pilotlight.corpus.store import Rows, documents, excerpt, to_row
from pilotlight.corpus.tally import Tally
from pilotlight.events import Progress, Watcher

HOLDING_OUT = "held_out"
_EVERY = 500  # documents between two messages of progress

_Step = Edit | Filter | Duplicates


@final
class Processing:
    """Takes documents from a spool, through the steps, into the files of the corpus.

    Edits and filters see one document at a time; a step that compares documents needs all that are left, so the
    documents are spooled before it. In memory are hashes and ids, never the text of more than one document.
    """

    def __init__(self, steps: Sequence[_Step], held_out: HeldOut, folder: Path, tally: Tally, watch: Watcher) -> None:
        self._steps = _named(steps)
        self._held_out = held_out
        self._folder = folder
        self._tally = tally
        self._watch = watch
        self._sizes: dict[str, int] = {}
        self._left = 0  # documents in the last spool
        self._held_keys: dict[int, str] = {}
        self._dropped: Rows

    def run(self, spool: Path) -> None:
        """Write the splits and the dropped documents; ``spool`` and what follows from it is removed."""
        with Rows(self._folder / FILES["dropped"]) as self._dropped:
            spool = self._spooled(self._hold_out(spool), spool, "0")
            ready: list[tuple[str, Edit | Filter]] = []
            for number, (name, step) in enumerate(self._steps, 1):
                if not isinstance(step, Duplicates):
                    ready.append((name, step))
                    continue
                if ready:
                    spool = self._spooled(self._passed(spool, ready), spool, f"{number}.steps")
                twins = step.twins((document.id, document.text) for document in documents(spool))
                spool = self._spooled(self._unique(spool, name, twins), spool, str(number))
                ready = []
            with Rows(self._folder / FILES["train"]) as train:
                for document in self._passed(spool, ready):
                    self._keep(train, document)
        spool.unlink()

    def _spooled(self, stream: Iterator[Document], old: Path, name: str) -> Path:
        path = self._folder / f"{name}.spool.zst"
        left = 0
        with Rows(path, level=1) as spool:
            for document in stream:
                spool.write(to_row(document))
                left += 1
        self._left = left
        old.unlink()
        return path

    def _drop(self, document: Document, step: str, reason: str, twin: Twin | None = None) -> None:
        size = self._sizes.get(document.id, document.bytes)
        self._tally.add(document.source, size, "dropped", step, reason.partition(":")[0])
        self._dropped.write({
            "id": document.id, "source": document.source, "origin": document.origin, "step": step, "reason": reason,
            "twin": twin.id if twin else None, "similarity": twin.similarity if twin else None, "bytes": size,
            "excerpt": excerpt(document.text),
        })  # fmt: skip

    def _hold_out(self, spool: Path) -> Iterator[Document]:
        """Write the held-out documents as they were read, and yield the others."""
        with Rows(self._folder / FILES["held_out"]) as held_out:
            for document in documents(spool):
                twin = self._held_out.twins.get(document.id)
                if document.id in self._held_out.ids:
                    self._tally.add(document.source, document.bytes, "held_out")
                    held_out.write(to_row(document))
                    for text in (document.text, self._edited(document)):
                        self._held_keys.setdefault(text_key(text), document.id)
                elif twin is not None:
                    self._drop(document, HOLDING_OUT, "held_out_duplicate", Twin(twin, 1.0))
                else:
                    yield document

    def _edited(self, document: Document) -> str:
        """Return the text as the edits of the recipe would leave it: training text must not repeat that either."""
        text = document.text
        for _, step in self._steps:
            if isinstance(step, Edit) and in_scope(step.applies_to, document.facts["content"]):
                text = step.edit(text)
        return text

    def _passed(self, spool: Path, steps: Sequence[tuple[str, Edit | Filter]]) -> Iterator[Document]:
        """Yield the documents that no filter drops, edited."""
        label = ", ".join(name for name, _ in steps) or "writing"
        whole = self._left
        for done, document in enumerate(documents(spool), 1):
            if (passed := self._after(document, steps)) is not None:
                yield passed
            if done % _EVERY == 0 or done == whole:
                self._watch(Progress(label, done, whole, "documents"))

    def _after(self, document: Document, steps: Sequence[tuple[str, Edit | Filter]]) -> Document | None:
        text = document.text
        for name, step in steps:
            if not in_scope(step.applies_to, document.facts["content"]):
                continue
            if isinstance(step, Edit):
                before, text = text, step.edit(text)
                self._tally.edited[name] += text != before
            elif (reason := step.reason_to_drop(text)) is not None:
                self._drop(_with_text(document, text), name, reason)
                return None
        if text != document.text:
            self._sizes.setdefault(document.id, document.bytes)
            return _with_text(document, text)
        return document

    def _unique(self, spool: Path, name: str, twins: dict[str, Twin]) -> Iterator[Document]:
        """Yield the documents that have no twin which stays in their place."""
        for document in documents(spool):
            if (twin := twins.get(document.id)) is not None:
                self._drop(document, name, "duplicate", twin)
            else:
                yield document

    def _keep(self, train: Rows, document: Document) -> None:
        twin = self._held_keys.get(text_key(document.text))
        if twin is not None:
            self._drop(document, HOLDING_OUT, "held_out_duplicate", Twin(twin, 1.0))
            return
        self._tally.add(document.source, document.bytes, "train")
        train.write(to_row(document))


def _with_text(document: Document, text: str) -> Document:
    return Document(text, document.id, document.source, document.origin, document.facts)


def _named(steps: Sequence[_Step]) -> list[tuple[str, _Step]]:
    """Return the steps with names: their kind, numbered from the second of a kind on."""
    names: list[tuple[str, _Step]] = []
    for step in steps:
        count = sum(other.kind == step.kind for _, other in names)
        names.append((step.kind if not count else f"{step.kind}_{count + 1}", step))
    return names
