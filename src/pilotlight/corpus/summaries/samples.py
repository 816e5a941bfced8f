"""Documents to look at by eye: chosen by the hash of their ids, with private data replaced whatever the recipe does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, final

import orjson
import xxhash

from pilotlight.corpus.corpus import HELD_OUT_FILE, Corpus, shard
from pilotlight.corpus.edits.pii import Pii
from pilotlight.corpus.lexicons.profanity import find_profanity
from pilotlight.corpus.private.kinds import KINDS
from pilotlight.corpus.store import EXCERPT, raw_rows
from pilotlight.corpus.summary import Summary, quoted
from pilotlight.corpus.view import View
from pilotlight.errors import ConfigError, nearest

SHOWN = 600
"""Characters of a text that are shown."""
_LOOKED_AT = 4000  # characters in which private data is looked for: it may begin before what is shown ends
_TORN = 40  # characters
_RUDE = 0.25  # score of the list of insults from which a text is not shown without a warning
_MOST_TABLES = 16  # splits that samples are taken from: no more files have to be read
_ID = slice(7, 39)  # of a row, which begins {"id":"


@final
@dataclass(frozen=True, slots=True)
class Sample:
    """One document to look at."""

    id: str
    source: str
    origin: str
    fate: str
    step: str = ""
    reason: str = ""
    twin: str = ""
    similarity: float | None = None
    file: str = ""
    """Name of the table that it stands in."""
    language: str = ""
    values: dict[str, float | str] = field(default_factory=dict[str, "float | str"])
    """What the step measured, by column."""
    text: str = ""
    """Its beginning, private data replaced."""
    twin_source: str = ""
    twin_text: str = ""
    offensive: bool = False
    """A filter for toxicity dropped it, or there are insults in its beginning."""


def look(corpus: Corpus, *, fate: str, step: str = "", count: int = 5, seed: int = 0) -> list[Sample]:
    """Return documents of a corpus to look at, with their texts: see ``choose``.

    Raises:
        ConfigError: there is no such step or fate.
    """
    summary = Summary(corpus)
    if fate not in ("train", "dropped"):
        raise ConfigError(f"fate is {fate!r}; expected train or dropped.")
    known = summary.order()
    if step and step not in known:
        raise ConfigError(f"the recipe has no step {step!r}; it has {', '.join(known)}.{nearest(step, known)}")
    return with_texts(summary, choose(summary, fate=fate, step=step, count=count, seed=seed))


def choose(
    summary: Summary,
    *,
    fate: str,
    step: str = "",
    count: int = 4,
    seed: int = 0,
    per_reason: bool = False,
    near: tuple[str, float] | None = None,
) -> list[Sample]:
    """Return documents of a fate, chosen by the hash of their ids and ``seed``; their texts are still empty.

    Args:
        summary: of the corpus.
        fate: ``train`` or ``dropped``.
        step: where dropped: by this step; where trained on: with what this step measured.
        count: how many.
        seed: another gives other documents.
        per_reason: so many of each reason of the step.
        near: instead of the hash: those whose value in this column is nearest to this one.
    """
    known = [column for name in _measuring(summary, step) if (column := f"{step}.{name}") in summary.columns]
    wanted = ["fate = $fate", *(["step = $step"] if step and fate == "dropped" else [])]
    if known and fate == "train":
        wanted.append(f"{quoted(known[0])} IS NOT NULL")
    language = summary.column_of("language", "language")
    names = ["id", "source", "origin", "fate", "step", "reason", "twin", "similarity", "filename", *known]
    columns = ", ".join([*map(quoted, names), quoted(language) if language else "NULL"])
    salt = f"{seed} {step if fate == 'train' else ''}"
    by = "split_part(reason, ':', 1)" if per_reason else "fate"
    first = f"abs({quoted(near[0])} - {float(near[1])!r}), md5(id || $salt)" if near else "md5(id || $salt)"
    query = (
        f"SELECT {columns} FROM records WHERE {' AND '.join(wanted)} AND ($every OR list_contains($files, filename)) "
        f"QUALIFY row_number() OVER (PARTITION BY {by} ORDER BY {first}, id) <= $count "
        f"ORDER BY {by}, {first}, id"
    )
    given: dict[str, Any] = {"fate": fate, "salt": salt, "count": count}
    given |= {"step": step} if step and fate == "dropped" else {}
    files = some_files(summary, seed)
    rows = summary.ask(query, **given, files=files, every=not files)
    if files and not rows:
        rows = summary.ask(query, **given, files=files, every=True)
    return [_sample(row, known) for row in rows]


def by_reason(summary: Summary, step: str, reasons: Mapping[str, str]) -> list[Sample]:
    """Return the documents with these ids, each with the reason that is given for it; their texts are still empty."""
    language = summary.column_of("language", "language")
    columns = f"id, source, origin, fate, filename, {quoted(language) if language else 'NULL'}"
    rows = summary.ask(f"SELECT {columns} FROM records WHERE list_contains($ids, id)", ids=sorted(reasons))
    found = {
        row[0]: Sample(row[0], row[1], row[2], row[3], step, reasons[row[0]], file=row[4], language=row[5] or "")
        for row in rows
    }
    return [found[id] for id in reasons]


def _measuring(summary: Summary, step: str) -> Iterable[str]:
    return getattr(summary.steps.get(step), "columns", {}) if step else ()


def some_files(summary: Summary, seed: int) -> list[str]:
    """Return the tables that samples are taken from, so that few files of text have to be read; empty for all."""
    files = [str(path) for path in summary.corpus.tables()]
    if len(files) <= _MOST_TABLES:
        return []
    return sorted(files, key=lambda file: xxhash.xxh3_64_intdigest(f"{seed} {Path(file).name}".encode()))[:_MOST_TABLES]


def _sample(row: Sequence[Any], known: Sequence[str]) -> Sample:
    id, source, origin, fate, step, reason, twin, similarity, file, *values, language = row
    return Sample(
        id, source, origin, fate, step or "", reason or "", twin or "", similarity, file, language or "",
        {name: value for name, value in zip(known, values, strict=True) if value is not None},
    )  # fmt: skip


def with_texts(summary: Summary, chosen: Sequence[Sample]) -> list[Sample]:
    """Return the samples with the beginnings of their texts and those of their twins; each file is read once.

    Private data is replaced here by placeholders, also where the recipe has no step for it.
    """
    twins = _places(summary, {sample.twin for sample in chosen if sample.twin})
    wanted: dict[Path, set[str]] = {}
    places = {sample.id: (sample.fate, sample.file) for sample in chosen}
    for id, (fate, file, *_) in {**places, **twins}.items():
        if fate != "quarantined":
            wanted.setdefault(_text_file(summary, fate, file), set()).add(id)
    texts: dict[str, str] = {}
    for path in sorted(wanted):
        texts |= _texts(path, wanted[path])
    hide = _redaction(summary)
    found: list[Sample] = []
    for sample in chosen:
        text = _begin(texts.get(sample.id, ""), sample.language, hide)
        other = _begin(texts.get(sample.twin, ""), sample.language, hide) if sample.twin in twins else ""
        rude = getattr(summary.steps.get(sample.step), "kind", "") == "toxicity" or any(
            find_profanity(part, sample.language).score >= _RUDE for part in (text, other)
        )
        source = twins[sample.twin][2] if sample.twin in twins else ""
        found.append(replace(sample, text=text, twin_source=source, twin_text=other, offensive=rude))
    return found


def _places(summary: Summary, ids: set[str]) -> dict[str, tuple[str, str, str]]:
    if not ids:
        return {}
    query = "SELECT id, fate, filename, source FROM records WHERE list_contains($ids, id)"
    return {row[0]: (row[1], row[2], row[3]) for row in summary.ask(query, ids=sorted(ids))}


def _text_file(summary: Summary, fate: str, table: str) -> Path:
    """Return the file with the text of a record; it has the number of its table, less the one of held-out text."""
    if fate == "held_out":
        return summary.corpus.folder / HELD_OUT_FILE
    return summary.corpus.folder / shard(fate, int(Path(table).stem) - 1)


def _texts(path: Path, ids: set[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in raw_rows(path):
        id = line[_ID].decode("ascii", "replace")
        if id in ids:
            found[id] = orjson.loads(line)["text"][:_LOOKED_AT]
            if len(found) == len(ids):
                break
    return found


def _redaction(summary: Summary) -> Pii:
    own = [step for step in summary.steps.values() if isinstance(step, Pii)]
    hidden = [kind for kind, word in KINDS.items() if word.action != "ignore"]
    hidden += [kind for step in own for kind, action in step.kinds.items() if action != "ignore" and kind not in hidden]
    regions = tuple(dict.fromkeys(region for step in own for region in step.regions))
    names = next((step.names for step in own if step.names is not None and step.names.is_file()), None)
    return Pii.model_validate({"kinds": dict.fromkeys(hidden, "redact"), "regions": regions, "names": names})


def _begin(text: str, language: str, hide: Pii) -> str:
    if not text:
        return ""
    if text.endswith("…") and len(text) <= EXCERPT:  # a copy is kept as an excerpt: its end may cut private data in two
        text = f"{text[:-_TORN]}…"
    facts = {"language": language} if language else {}
    whole = hide.edit_view(View(text, "", facts))[0].strip()
    return whole if len(whole) <= SHOWN and len(text) < _LOOKED_AT else whole[: SHOWN - 1].rstrip() + "…"
