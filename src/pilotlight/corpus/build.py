"""From a recipe to a finished corpus: read, hold out, process, count."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import final

from pilotlight.corpus.corpus import FILES, Corpus
from pilotlight.corpus.document import Document, document_id
from pilotlight.corpus.facts import CorpusFacts
from pilotlight.corpus.inventory import Shelf, take
from pilotlight.corpus.process import Processing
from pilotlight.corpus.recipe import Recipe
from pilotlight.corpus.sameness import text_key
from pilotlight.corpus.source import Raw, Unreadable
from pilotlight.corpus.split import Stub, choose_held_out
from pilotlight.corpus.store import Rows, to_row
from pilotlight.corpus.tally import Tally
from pilotlight.errors import ConfigError, DataError, RecordError
from pilotlight.events import Note, Progress, Watcher, silent
from pilotlight.manifest import building, finished
from pilotlight.spec import fingerprint, plain
from pilotlight.units import show_share

FORMAT = 1
"""Raised when the same recipe and input would give other files than before."""

_NOTHING_HELD_OUT = (
    "nothing could be held out of {share} asked for: the text is one piece, or one piece is more than half of it, and a "
    "model trained on this corpus cannot be scored on it. Give the text as several documents: files, or lines of JSON."
)
_VISIBLE = re.compile(r"[^\s\x00-\x1f\x7f-\x9f\ufeff]")


def build(recipe: Recipe, out: Path, *, watch: Watcher = silent) -> Corpus:
    """Return the corpus of ``recipe`` in the folder ``out``; one that is already there is used as it is.

    The same recipe over the same files gives the same bytes, wherever the files and ``out`` are. Held-out text is
    kept as it was read, before any step, so it is the same for every recipe over the same sources.

    Raises:
        ConfigError: ``out`` lies in a folder that is read.
        DataError: a source cannot be read, or no text is left to train on.
        RecordError: ``out`` holds a corpus of another recipe or other input, or the counts do not add up.
        ResourceError: the disk is full.
    """
    _refuse_inside(recipe, out)
    shelves = take(recipe, watch)
    inputs = {shelf.source.title: shelf.digest for shelf in shelves}
    mark = fingerprint(FORMAT, recipe.identity(), inputs)
    if finished(out, mark, plain(recipe)) is not None:
        watch(Note(f"{out} is already built from this recipe and this text."))
        return Corpus.open(out)
    with building(out, kind="corpus", fingerprint=mark, settings=plain(recipe), inputs=inputs) as draft:
        tally = Tally()
        spool = draft.folder / "raw.spool.zst"
        reading = _Reading(shelves, tally, watch)
        with Rows(spool, level=1) as raw, Rows(draft.folder / FILES["quarantined"]) as aside:
            reading.run(raw, aside)
        held_out = choose_held_out(reading.stubs, recipe.held_out, recipe.held_out_bytes)
        Processing(recipe.steps, held_out, draft.folder, tally, watch).run(spool)
        facts = tally.facts(shelves)
        facts.check()
        _refuse_empty(recipe, facts, reading.first_unreadable)
        if recipe.held_out > 0 and not held_out.ids:
            watch(Note(_NOTHING_HELD_OUT.format(share=show_share(recipe.held_out)), "warning"))
        draft.facts.update(plain(facts))
    return Corpus.open(out)


def _refuse_inside(recipe: Recipe, out: Path) -> None:
    for source in recipe.sources:
        folder = source.whole_folder()
        if folder is not None and out.resolve().is_relative_to(folder.resolve()):
            raise ConfigError(
                f"{out} lies inside {folder}, which the source {source.title!r} reads: what is written there would be "
                "read as text the next time. Choose a folder outside it with --out, or a narrower folder of text."
            )


@final
@dataclass
class _Reading:
    """Reads every file once: documents go into a spool, what cannot be read into quarantine."""

    shelves: list[Shelf]
    tally: Tally
    watch: Watcher
    stubs: list[Stub] = field(default_factory=list[Stub])
    first_unreadable: str = ""
    _ids: set[str] = field(default_factory=set[str])

    def run(self, raw: Rows, aside: Rows) -> None:
        whole = sum(len(shelf.files) for shelf in self.shelves)
        done = 0
        for shelf in self.shelves:
            title = shelf.source.title
            for file in shelf.files:
                for record in shelf.source.read(file):
                    self._take(title, file.relative, self._checked(record), raw, aside)
                done += 1
                self.watch(Progress("reading text", done, whole, "files", title))
            self._warn(title)

    @staticmethod
    def _checked(record: Raw | Unreadable) -> Raw | Unreadable:
        """Return the record, or why its text is none."""
        if isinstance(record, Raw):
            if not _VISIBLE.search(record.text):
                return Unreadable(
                    record.record, "no text", "it is empty, or holds white space and control characters only"
                )
            try:
                record.text.encode()
            except UnicodeEncodeError as error:
                return Unreadable(record.record, "broken Unicode", f"half a surrogate pair at character {error.start}")
        return record

    def _take(self, source: str, relative: str, record: Raw | Unreadable, raw: Rows, aside: Rows) -> None:
        id = document_id(source, relative, record.record)
        origin = f"{relative}#{record.record}"
        if id in self._ids:
            raise RecordError(f"{source}: the record {origin} was read twice; a source has to number its records.")
        self._ids.add(id)
        if isinstance(record, Unreadable):
            self.tally.quarantined[source, record.reason] += 1
            self.first_unreadable = self.first_unreadable or f"{source}: {origin}: {record.reason} ({record.detail})"
            aside.write(
                {"id": id, "source": source, "origin": origin, "reason": record.reason, "detail": record.detail}
            )
            return
        document = Document(record.text, id, source, origin, {"content": record.content, **record.facts})
        self.stubs.append(Stub(id, document.bytes, text_key(document.text), record.group or id))
        self.tally.add(source, document.bytes, "read")
        raw.write(to_row(document))

    def _warn(self, source: str) -> None:
        reasons = [
            f"{count} {reason}" for (name, reason), count in sorted(self.tally.quarantined.items()) if name == source
        ]
        if reasons:
            self.watch(Note(f"{source}: records that cannot be read were set aside: {', '.join(reasons)}.", "warning"))


def _causes(facts: CorpusFacts) -> Iterator[str]:
    for step, reasons in facts.dropped.items():
        for reason, amount in reasons.items():
            yield f"{amount.documents} dropped by {step} ({reason})"
    for reason, count in facts.quarantined.items():
        yield f"{count} quarantined ({reason})"
    if facts.held_out.documents:
        yield f"{facts.held_out.documents} held out"


def _refuse_empty(recipe: Recipe, facts: CorpusFacts, first_unreadable: str) -> None:
    """Return if there is text to train on.

    Raises:
        DataError: there is none; says what became of every record.
    """
    if facts.train.documents:
        return
    names = ", ".join(source.title for source in recipe.by_title())
    first = f" The first that could not be read: {first_unreadable}." if first_unreadable else ""
    causes = ", ".join(_causes(facts)) or "the files are empty"
    raise DataError(
        f"no text is left to train on. Of {facts.records} records from {names}: {causes}.{first} "
        "Add text, or loosen the steps of the recipe."
    )
