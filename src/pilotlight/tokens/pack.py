"""Packing: a corpus and a tokenizer become token ids on disk, each document followed by one end token."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol

from pilotlight.corpus.build import clear_work, work_folder
from pilotlight.errors import RecordError
from pilotlight.events import Note, Watcher, silent
from pilotlight.manifest import NAME, building, finished, read_manifest
from pilotlight.spec import fingerprint, plain
from pilotlight.tokens.held_out import STORED_BYTES
from pilotlight.tokens.pack_units import Part, join, refuse_empty, write_part
from pilotlight.tokens.text import Text
from pilotlight.tokens.tokenizer import Tokenizer, learn_encoder, open_encoder
from pilotlight.tokens.tokens import KIND, SPLITS, TOKENIZER, SplitName, Tokens
from pilotlight.work.cores import available_cores
from pilotlight.work.flow import Executor, Flow, Task
from pilotlight.work.lease import hold
from pilotlight.work.pool import Pool

FORMAT = 2
_VERSION = f"{KIND} {FORMAT}"
_WORTH_A_POOL = 1 << 23  # bytes of packed text: less is done sooner in this process than workers start
_MODULE = "pilotlight.tokens.pack_units:"


class Source(Protocol):
    """What packing needs of a corpus. One with ``files(split)``, as a finished corpus has, is packed in parts."""

    @property
    def fingerprint(self) -> str:
        """Sixteen hex digits of what the corpus was made from."""
        ...

    def documents(self, split: SplitName) -> Iterable[Text]:
        """Return the documents of a split, in the same order each time."""
        ...


def pack(
    corpus: Source,
    settings: Tokenizer,
    out: Path,
    *,
    watch: Watcher = silent,
    workers: int | None = None,
    executor: Executor | None = None,
) -> Tokens:
    """Return the token ids of ``corpus`` in folder ``out``; what is there already and fits is used as it is.

    The tokenizer learns from the training split alone. One end token follows each document: predicting it counts
    in losses and in tokens, and adds no bytes. Documents stream through in batches, so memory does not grow with
    the corpus. The same corpus and settings give the same bytes with any number of workers; each file of the corpus is
    a unit of work, so packing that was killed goes on where it was.

    Args:
        corpus: where the text comes from.
        settings: how it becomes ids.
        out: the folder; units lie in a hidden folder beside it until it is finished.
        watch: sees progress and notes.
        workers: processes; None: as many as there are cores, or none where the text is small.
        executor: who does the units of work instead; the results are left for ``corpus.build.clear_work`` then.

    Raises:
        DataError: the training split is empty, or the tokenizer file cannot be used.
        RecordError: ``out`` was made from other text or with another tokenizer.
        ResourceError: the disk is full.
    """
    described = {"tokenizer": settings.identity(), "format": FORMAT}
    mark = fingerprint(KIND, described, corpus.fingerprint)
    if finished(out, mark, described) is not None:
        watch(Note(f"{out} is already packed from this text with this tokenizer."))
        if executor is None:
            _clear_left_over(out)
        return Tokens.open(out)
    made = {"fingerprint": mark, "settings": described, "inputs": {"corpus": corpus.fingerprint}}
    files = _files(corpus)
    if files is None:
        _pack_here(corpus, settings, out, made, watch)
    elif executor is not None:
        _pack_files(files, settings, out, made, Flow(work_folder(out), executor, _VERSION, watch))
    else:
        _pack_in_pool(files, settings, out, made, (workers, watch))
    found = Tokens.open(out)
    _tell(found, watch)
    return found


def _pack_in_pool(
    files: dict[SplitName, list[Path]],
    settings: Tokenizer,
    out: Path,
    made: dict[str, Any],
    how: tuple[int | None, Watcher],
) -> None:
    workers, watch = how
    with hold(work_folder(out)) as lease, Pool(_workers(files, workers), keep=lease.keep) as pool:
        _pack_files(files, settings, out, made, Flow(work_folder(out), pool, _VERSION, watch))
        clear_work(out)


def _clear_left_over(out: Path) -> None:
    """Remove the work of a process that was killed between its last unit and its end."""
    if work_folder(out).is_dir():
        with contextlib.suppress(RecordError), hold(work_folder(out), wait=0.0):
            clear_work(out)


def _files(corpus: Source) -> dict[SplitName, list[Path]] | None:
    files: Any = getattr(corpus, "files", None)
    return None if files is None else {name: [Path(path).absolute() for path in files(name)] for name in SPLITS}


def _workers(files: dict[SplitName, list[Path]], given: int | None) -> int:
    if given is not None:
        return given
    size = sum(path.stat().st_size for paths in files.values() for path in paths)
    return len(available_cores()) if size > _WORTH_A_POOL else 0


def _pack_files(
    files: dict[SplitName, list[Path]], settings: Tokenizer, out: Path, made: dict[str, Any], flow: Flow
) -> None:
    corpus = made["inputs"]
    train = [str(path) for path in files["train"]]
    learning = {"tokenizer": plain(settings), "identity": settings.identity(), "files": train, "corpus": corpus}
    [learnt] = flow.run("tokenizer", [Task(f"{_MODULE}learn", (), learning)])
    parts: list[Path] = []
    for name, paths in files.items():
        sizes = [path.stat().st_size for path in paths]
        tasks = [
            Task(f"{_MODULE}encode", (learnt,), {
                "split": name, "file": str(path), "corpus": corpus, "sample_bytes": _share(size, sum(sizes)),
            }) for path, size in zip(paths, sizes, strict=True)
        ]  # fmt: skip
        parts += flow.run(f"tokens of {name}", tasks)
    refuse_empty(read_manifest(path).facts for path in parts)
    joining = {"out": str(out.absolute()), **made, "format": FORMAT}
    task = Task(f"{_MODULE}assemble", (learnt, *parts), joining)
    if not (out / NAME).is_file():
        flow.forget("finishing", task)  # it was finished once, and has been removed since
    flow.run("finishing", [task])


def _share(size: int, whole: int) -> int:
    """Return the bytes of passages to keep of one file: about twice what it will give, checked when all are joined."""
    return min(STORED_BYTES, 2 * STORED_BYTES * size // max(whole, 1) + (1 << 18))


def _pack_here(corpus: Source, settings: Tokenizer, out: Path, made: dict[str, Any], watch: Watcher) -> None:
    with building(out, kind=KIND, **made) as draft:
        learnt = learn_encoder(settings, corpus.documents("train"), draft.folder / TOKENIZER)
        encoder = open_encoder(draft.folder / TOKENIZER)
        parts: list[Part] = []
        for name in SPLITS:
            folder = draft.folder / f"part.{name}"
            folder.mkdir()
            whole = getattr(getattr(getattr(corpus, "facts", None), name, None), "bytes", None)
            facts = write_part(corpus.documents(name), encoder, folder, name, watch=watch, whole=whole)
            parts.append(Part(folder, facts))
        refuse_empty(part.facts for part in parts)
        draft.facts |= join(parts, encoder, draft.folder) | {"tokenizer": learnt}
        for part in parts:
            shutil.rmtree(part.folder)


def _tell(found: Tokens, watch: Watcher) -> None:
    changed = sum(split["changed"] for split in found.manifest.facts["splits"].values())
    if changed:
        watch(
            Note(
                f"The tokenizer does not keep text as it is: {changed} of the documents looked at come back changed. "
                "Bits per byte will look better than they are beside a tokenizer that keeps every byte; expected a "
                "byte-level one for such comparisons (kind: bpe or bytes).",
                "warning",
            )
        )
