"""From a recipe to a finished corpus: look, read, hold out, process, count; in units of work over splits."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

from pilotlight.corpus.corpus import Corpus
from pilotlight.corpus.duplicate import Duplicates
from pilotlight.corpus.edit import Edit
from pilotlight.corpus.facts import CorpusFacts, unheard
from pilotlight.corpus.filter import Filter
from pilotlight.corpus.inventory import Shelf, splits, take
from pilotlight.corpus.pile import Pile, facts
from pilotlight.corpus.recipe import Recipe
from pilotlight.corpus.selection import Select
from pilotlight.corpus.side_files import digests
from pilotlight.corpus.tally import corpus_facts
from pilotlight.errors import ConfigError, DataError, PilotlightError, RecordError, ResourceError
from pilotlight.events import Note, Watcher, silent
from pilotlight.manifest import NAME, finished, refuse_foreign
from pilotlight.spec import fingerprint, plain
from pilotlight.units import show_share
from pilotlight.work.cores import available_cores
from pilotlight.work.flow import Executor, Flow, Task
from pilotlight.work.lease import hold
from pilotlight.work.pool import Pool

FORMAT = 4
"""Raised when the same recipe and input would give other files than before."""

_WORTH_A_POOL = 1 << 24  # bytes of input: less is done sooner in this process than workers start
_NOTHING_HELD_OUT = (
    "nothing could be held out of {share} asked for: the text is one piece, or one piece is more than half of it, and a "
    "model trained on this corpus cannot be scored on it. Give the text as several documents: files, or lines of JSON."
)
_Step = Edit | Filter | Duplicates | Select


def build(
    recipe: Recipe,
    out: Path,
    *,
    watch: Watcher = silent,
    workers: int | None = None,
    executor: Executor | None = None,
) -> Corpus:
    """Return the corpus of ``recipe`` in the folder ``out``; one that is already there is used as it is.

    The same recipe over the same files gives the same bytes, wherever the files and ``out`` are and however many
    workers there are. A build that was killed goes on where it was. Held-out text is kept as it was read, before any
    step, so it is the same for every recipe over the same sources.

    Args:
        recipe: where the text comes from and what is done to it.
        out: the folder, empty or absent; its work lies in a hidden folder beside it until the corpus is finished.
        watch: sees progress and notes.
        workers: processes; None: as many as there are cores, or none where the text is small.
        executor: who does the units of work instead of processes on this machine; their results are left for
            ``clear_work`` then.

    Raises:
        ConfigError: ``out`` lies in a folder that is read.
        DataError: a source cannot be read, a step would remove too much, or no text is left to train on.
        RecordError: ``out`` holds a corpus of another recipe or other input, or the counts do not add up.
        ResourceError: the disk is full.
    """
    out = Path(os.path.abspath(out))  # noqa: PTH100 (links stay as the user wrote them)
    _refuse_inside(recipe, out)
    refuse_foreign(out)
    if executor is not None:
        _build(recipe, out, executor, watch)
        return Corpus.open(out)  # others that share the work may still look at it
    small = _is_small(recipe)
    with hold(work_folder(out)) as lease:
        count = workers if workers is not None else 0 if small else len(available_cores())
        try:
            with Pool(count, keep=lease.keep) as pool:
                _build(recipe, out, pool, watch)
        except PilotlightError as error:
            # What a full disk or a limit stopped goes on from here; small work is not worth the room.
            if small and not isinstance(error, ResourceError):
                clear_work(out)
            raise
        clear_work(out)
    return Corpus.open(out)


def _build(recipe: Recipe, out: Path, executor: Executor, watch: Watcher) -> None:
    beside = digests(named(recipe.steps))
    flow = Flow(work_folder(out), executor, fingerprint(FORMAT, beside), watch)
    shelves = take(recipe, flow, watch)
    inputs = {shelf.source.title: shelf.digest for shelf in shelves} | beside
    mark = fingerprint(FORMAT, recipe.identity(), inputs)
    try:
        found = finished(out, mark, plain(recipe), inputs)
    except RecordError:
        shutil.rmtree(work_folder(out), ignore_errors=True)  # only the input was looked at
        raise
    if found is not None:
        watch(Note(f"{out} is already built from this recipe and this text."))
    else:
        _Build(recipe, flow, shelves, watch).run(out, mark, inputs)


def clear_work(out: Path) -> None:
    """Remove the work of the build of ``out``; the finished corpus does not need it."""
    shutil.rmtree(work_folder(Path(os.path.abspath(out))), ignore_errors=True)  # noqa: PTH100


def work_folder(out: Path) -> Path:
    """Return where the units of the build of ``out`` lie until it is finished: a hidden folder beside it."""
    return out.with_name(f".{out.name}.work")


def _is_small(recipe: Recipe) -> bool:
    size = 0
    for source in recipe.sources:
        for file in source.files():
            size += file.size()
            if size > _WORTH_A_POOL:
                return False
    return True


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
class _Build:
    """Runs the stages of one build and puts their files together."""

    recipe: Recipe
    flow: Flow
    shelves: list[Shelf]
    watch: Watcher
    segments: list[list[Path]] = field(default_factory=list[list[Path]])
    """Units of each segment, one per split."""
    reports: dict[str, Any] = field(default_factory=dict[str, Any])
    """What the steps that compare documents tell, by the name of the step."""

    def run(self, out: Path, mark: str, inputs: dict[str, str]) -> None:
        """Make ``out``."""
        read = self._read()
        held_out = self._hold_out(read)
        self._process(read, held_out)
        held_out_table, *tables = self._tables(read, held_out)
        units = [held_out, held_out_table]
        for split in zip(read, tables, *self.segments, strict=True):
            units += split
        settings = {
            "out": str(out.absolute()), "fingerprint": mark, "recipe": plain(self.recipe), "inputs": inputs,
            "segments": len(self.segments), "facts": plain(self._count(read, held_out)),
        }  # fmt: skip
        task = Task("pilotlight.corpus.assemble:assemble", tuple(units), settings)
        if not (out / NAME).is_file():
            self.flow.forget("finishing", task)  # it was finished once, and has been removed since
        self.flow.run("finishing", [task])

    def _read(self) -> list[Path]:
        call, recipe = "pilotlight.corpus.ingest:read", self.recipe
        sources = {source.title: plain(source) for source in recipe.sources}
        tasks = [
            Task(call, (), {
                "sources": {name: sources[name] for name in sorted({part["source"] for part in parts})},
                "parts": parts, "share": recipe.held_out, "most_bytes": recipe.held_out_bytes,
                "start": recipe.held_out_start,
            }) for parts in splits(self.shelves)
        ]  # fmt: skip
        units = self.flow.run("reading", tasks)
        found: dict[str, dict[str, int]] = {}
        for unit in units:
            for name, reasons in facts(unit)["damaged"].items():
                for reason, count in reasons.items():
                    found.setdefault(name, {})[reason] = found.get(name, {}).get(reason, 0) + count
        self._refuse_lost(units, found)
        for name, reasons in sorted(found.items()):
            told = ", ".join(f"{count} {reason}" for reason, count in sorted(reasons.items()))
            self.watch(Note(f"{name}: records that cannot be read were set aside: {told}.", "warning"))
        return units

    def _refuse_lost(self, units: Sequence[Path], set_aside: Mapping[str, Mapping[str, int]]) -> None:
        """Return if every source gave a document, unless it holds none at all.

        Raises:
            DataError: nothing of a source can be read: the recipe misunderstands it.
        """
        told = [facts(unit) for unit in units]
        first = _first_unreadable(told)
        for name, reasons in sorted(set_aside.items()):
            if not any(item["documents"].get(name) for item in told) and len(self.shelves) > 1:
                raise DataError(
                    f"none of the {sum(reasons.values())} records of source {name!r} can be read. The first: {first[name]}. "
                    "Correct the settings of the source, or leave it out."
                )

    def _hold_out(self, read: Sequence[Path]) -> Path:
        """Return the unit with the held-out documents, as they were read."""
        told = [facts(unit) for unit in read]
        settings = {
            "share": self.recipe.held_out, "most_bytes": self.recipe.held_out_bytes,
            "start": self.recipe.held_out_start,
            "documents": sum(sum(item["documents"].values()) for item in told),
            "bytes": sum(sum(item["bytes"].values()) for item in told),
        }  # fmt: skip
        held_out = self.flow.run("holding out", [Task("pilotlight.corpus.held_out:hold_out", tuple(read), settings)])[0]
        if self.recipe.held_out > 0 and not facts(held_out)["held_out"]:
            share = show_share(self.recipe.held_out)
            self.watch(Note(_NOTHING_HELD_OUT.format(share=share), "warning"))
        elif self.recipe.held_out > 0:
            self._tell_unheard(told, facts(held_out)["held_out"])
        return held_out

    def _tell_unheard(self, told: Sequence[Mapping[str, Any]], held: Mapping[str, Any]) -> None:
        """Say which large sources the held-out text has nothing of."""
        sizes: dict[str, int] = {}
        for item in told:
            for name, size in item["bytes"].items():
                sizes[name] = sizes.get(name, 0) + size
        names = [f"{name} ({show_share(share, 0)} of the text)" for name, share in unheard(sizes, held).items()]
        if names:
            self.watch(Note(
                f"nothing is held out of {', '.join(names)}: losses on the held-out text do not tell of it. Raise held_out, "
                f"now {show_share(self.recipe.held_out)} of the documents.",
            ))  # fmt: skip

    def _process(self, read: Sequence[Path], held_out: Path) -> None:
        before, held = list(read), held_out
        any_held = bool(facts(held_out)["held_out"])
        parts = _segments(named(self.recipe.steps))
        if len(parts) > 1 and not parts[0][1] and not any_held:
            del parts[0]  # nothing to do before the first comparison: the documents go there as they were read
        for number, (barrier, steps) in enumerate(parts):
            decisions: list[Path] = []
            name = _label([name for name, _ in steps], barrier[0] if barrier else "")
            if barrier:
                pile = Pile(self.flow, barrier[0], tuple(before), held if any_held else None)
                decisions = barrier[1].decide(pile)
                if told := barrier[1].report(pile, decisions):
                    self.reports[barrier[0]] = told
            run = [[name, "edit" if isinstance(step, Edit) else "filter", plain(step)] for name, step in steps]
            held = self._pass_held_out(held, run, last=number == len(parts) - 1)
            settings = {
                "steps": run, "barrier": barrier[0] if barrier else "",
                "selects": bool(barrier) and isinstance(barrier[1], Select),
                "first": number == 0, "last": number == len(parts) - 1, "level": 3 if number == len(parts) - 1 else 1,
            }  # fmt: skip
            tasks = [
                Task("pilotlight.corpus.segment:process", tuple(unit for unit in units if unit), settings)
                for units in zip(before, [held] * len(before), decisions or [None] * len(before), strict=True)
            ]
            before = self.flow.run(name, tasks)
            self.segments.append(before)
            self._tell_failures(before)

    def _pass_held_out(self, held: Path, run: list[Any], *, last: bool) -> Path:
        """Return the unit with the held-out documents after a run of steps."""
        task = Task("pilotlight.corpus.held_out:pass_held_out", (held,), {"steps": run})
        unit = self.flow.run("held-out text", [task])[0]
        found = facts(unit)
        if last and found["unfit"] > found["documents"] / 2:
            self.watch(Note(
                f"{found['unfit']} of the {found['documents']} held-out documents are such as the filters drop: the loss on "
                "them says little about the text that is trained on. Sort the text into sources before, or filter less.",
                "warning",
            ))  # fmt: skip
        return unit

    def _tell_failures(self, units: Sequence[Path]) -> None:
        first = next((found for unit in units if (found := facts(unit)["first_failure"])), "")
        if first:
            self.watch(Note(f"some documents could not be judged and were dropped; the first: {first}.", "warning"))

    def _tables(self, read: Sequence[Path], held_out: Path) -> list[Path]:
        columns: dict[str, str] = {}
        for units in self.segments:
            for unit in units:
                columns |= facts(unit)["columns"]
        settings = {"columns": dict(sorted(columns.items())), "held_out": False}
        call = "pilotlight.corpus.records_table:tabulate"
        tasks = [Task(call, (held_out,), {**settings, "held_out": True})]
        tasks += [Task(call, units, settings) for units in zip(read, *self.segments, strict=True)]
        return self.flow.run("tables", tasks)

    def _count(self, read: Sequence[Path], held_out: Path) -> CorpusFacts:
        """Return the counts of everything.

        Raises:
            DataError: no text is left to train on.
            RecordError: the counts do not add up.
        """
        told = [facts(unit) for unit in read]
        names = [name for name, step in named(self.recipe.steps) if isinstance(step, Edit)]
        segments = [facts(unit) for units in self.segments for unit in units]
        last = [facts(unit) for unit in self.segments[-1]]
        whole = corpus_facts(self.shelves, told, facts(held_out)["held_out"], segments, last)
        whole = whole.model_copy(update={
            "edited": dict.fromkeys(sorted(names), 0) | whole.edited, "steps": self.reports,
        })  # fmt: skip
        whole.check()
        _refuse_empty(self.recipe, whole, next(iter(_first_unreadable(told).values()), ""))
        return whole


def _label(steps: Sequence[str], barrier: str) -> str:
    """Return a short name for a run of steps after the step ``barrier``."""
    if not steps:
        return f"after {barrier}" if barrier else "writing"
    return steps[0] if len(steps) == 1 else f"{steps[0]} to {steps[-1]}"


def named(steps: Sequence[_Step]) -> list[tuple[str, _Step]]:
    """Return the steps with names: their kind, numbered from the second of a kind on."""
    names: list[tuple[str, _Step]] = []
    for step in steps:
        count = sum(other.kind == step.kind for _, other in names)
        names.append((step.kind if not count else f"{step.kind}_{count + 1}", step))
    return names


def _segments(
    steps: Sequence[tuple[str, _Step]],
) -> list[tuple[tuple[str, Duplicates | Select] | None, list[tuple[str, Edit | Filter]]]]:
    """Return runs of edits and filters, each after the step that compares documents before it (none: the first)."""
    found: list[tuple[tuple[str, Duplicates | Select] | None, list[tuple[str, Edit | Filter]]]] = [(None, [])]
    for name, step in steps:
        if isinstance(step, Duplicates | Select):
            found.append(((name, step), []))
        else:
            found[-1][1].append((name, step))
    return found


def _causes(facts: CorpusFacts) -> Iterator[str]:
    for step, reasons in facts.dropped.items():
        for reason, amount in reasons.items():
            yield f"{amount.documents} dropped by {step} ({reason})"
    for reason, count in facts.quarantined.items():
        yield f"{count} quarantined ({reason})"
    if facts.held_out.documents:
        yield f"{facts.held_out.documents} held out"


def _first_unreadable(told: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return by source the first record that could not be read, and why."""
    found: dict[str, str] = {}
    for item in told:
        found = {**item["first_unreadable"], **found}
    return found


def _refuse_empty(recipe: Recipe, facts: CorpusFacts, first_unreadable: str) -> None:
    if facts.train.documents:
        return
    names = ", ".join(source.title for source in recipe.by_title())
    first = f" The first that could not be read: {first_unreadable}." if first_unreadable else ""
    causes = ", ".join(_causes(facts)) or "the files are empty"
    raise DataError(
        f"no text is left to train on. Of {facts.records} records from {names}: {causes}.{first} "
        "Add text, or loosen the steps of the recipe."
    )
