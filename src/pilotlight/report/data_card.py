"""The data card of a corpus: Markdown as dataset pages expect it, with every number taken from the records."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from pilotlight.corpus.summaries.alike import held_out_copies
from pilotlight.corpus.summaries.amounts import added, axes, moved, readable
from pilotlight.corpus.summaries.licences import NONE_GIVEN, licences
from pilotlight.corpus.summaries.people import flagged, groups, threshold
from pilotlight.corpus.summaries.private_data import private_data
from pilotlight.corpus.summaries.rates import rate
from pilotlight.corpus.summary import HELD_OUT
from pilotlight.report.corpus_sections.composition import few
from pilotlight.report.corpus_sections.provenance import recipe_yaml
from pilotlight.report.corpus_study import CorpusStudy
from pilotlight.report.corpus_wording import share
from pilotlight.report.text import fixed, number, short
from pilotlight.units import show_bytes

_SIZES = (
    (1e3, "n<1K"), (1e4, "1K<n<10K"), (1e5, "10K<n<100K"), (1e6, "100K<n<1M"), (1e7, "1M<n<10M"), (1e8, "10M<n<100M"),
    (1e9, "100M<n<1B"), (1e10, "1B<n<10B"),
)  # fmt: skip
_FILL = "**[to be filled in by you: {}]**"
_LEAST_LANGUAGE = 0.001  # share of the bytes from which a language is named in the header
_MOST_GROUPS = 12


def data_card(folder: Path) -> str:
    """Return the data card of the corpus in ``folder`` as Markdown, ending in a newline.

    Raises:
        RecordError: the folder is unfinished, holds no corpus, or was damaged.
    """
    study = CorpusStudy.open(folder)
    parts = [
        _header(study), _about(study), _composition(study), _collection(study), _preprocessing(study), _removed(study),
        _private(study), _people(study), _splits(study), _rest(study),
    ]  # fmt: skip
    return "\n\n".join(part.strip("\n") for part in parts if part) + "\n"


def _safe(value: object) -> str:
    """Return text on one line that Markdown and HTML leave as it is."""
    line = short(str(value), 200).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return "".join("\\" + mark if mark in "\\`*_[]|#" else mark for mark in line)


def _table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
    return "\n".join([*lines, *(f"| {' | '.join(_safe(cell) for cell in row)} |" for row in rows)])


def _header(study: CorpusStudy) -> str:
    import yaml

    facts = study.summary.facts
    rows = moved(study.summary, "language") if "language" in axes(study.summary) else []
    whole = max(1, added(row.after for row in rows).bytes)
    codes = [
        row.value for row in rows
        if 2 <= len(row.value) <= 3 and row.value.isalpha() and row.value != "und" and row.after.bytes > _LEAST_LANGUAGE * whole
    ]  # fmt: skip
    names, _ = licences(study.summary)
    licence = sorted({name for found in names.values() for name in found})
    head: dict[str, Any] = {
        "language": codes or ["und"],
        "license": licence[0].lower() if len(licence) == 1 and licence != [NONE_GIVEN] else "other",
        "task_categories": ["text-generation"],
        "size_categories": [next((name for bound, name in _SIZES if facts.train.documents < bound), "n>1T")],
        "pretty_name": "TO BE FILLED IN",
        "tags": ["pretraining", "pilotlight"],
    }
    return f"---\n{yaml.safe_dump(head, sort_keys=False, allow_unicode=True).strip()}\n---"


def _about(study: CorpusStudy) -> str:
    facts, whole = study.summary.facts, readable(study.summary)
    return "\n\n".join([
        f"# {_FILL.format('a name for this dataset')}",
        f"{_FILL.format('one paragraph: what the text is, and what it is for')}",
        f"{fixed(facts.train.documents, 0)} documents, {show_bytes(facts.train.bytes)} of UTF-8 text to train on, out of "
        f"{fixed(whole.documents, 0)} documents ({show_bytes(whole.bytes)}) read from {len(facts.sources)} sources. "
        f"Fingerprint `{study.summary.corpus.fingerprint}`: the same recipe over the same input gives the same bytes. "
        "Every number on this card was counted by `pilot corpus card`; what it cannot know is marked "
        "**[to be filled in by you]**.",
    ])  # fmt: skip


def _composition(study: CorpusStudy) -> str:
    parts = ["## Composition"]
    for axis in axes(study.summary):
        rows = few(moved(study.summary, axis))
        if axis == "content" and len(rows) < 2:
            continue
        before, after = (
            max(1, added(item).bytes) for item in ((row.before for row in rows), (row.after for row in rows))
        )
        parts.append(f"### By {axis}")
        parts.append(_table(
            (axis, "documents", "bytes", "share of bytes", "before the steps"),
            [
                (row.value, fixed(row.after.documents, 0), show_bytes(row.after.bytes), share(row.after.bytes / after),
                 share(row.before.bytes / before))
                for row in rows if row.before.documents
            ],
        ))  # fmt: skip
    return "\n\n".join(parts)


def _collection(study: CorpusStudy) -> str:
    rows = [
        (name, facts.kind, fixed(facts.files, 0), f"{fixed(facts.read.documents, 0)} ({show_bytes(facts.read.bytes)})",
         fixed(sum(facts.quarantined.values()), 0), study.summary.corpus.manifest.inputs.get(name, "")[:16])
        for name, facts in study.summary.facts.sources.items()
    ]  # fmt: skip
    table = _table(("source", "kind", "files", "read", "unreadable", "hash of the content"), rows)
    names, complete = licences(study.summary)
    known = _table(
        ("source", "licence", "documents"),
        [(source, name, fixed(amount.documents, 0)) for source, found in names.items() for name, amount in found.items()],
    ) if names else _FILL.format("the licence of each source; its documents carry none")  # fmt: skip
    part = "" if complete else "\n\nCounted in eight of the files."
    who = _FILL.format("who made the text, how and when it was collected, and whether its authors agreed")
    return f"## Collection\n\n{who}\n\n{table}\n\n### Licences\n\n{known}{part}"


def _preprocessing(study: CorpusStudy) -> str:
    facts = study.summary.facts
    rows: list[tuple[str, str, str, str]] = []
    for name in study.summary.steps:
        gone = added(facts.dropped.get(name, {}).values())
        count = f"{fixed(gone.documents, 0)} ({show_bytes(gone.bytes)})" if gone.documents else "–"
        edited = fixed(facts.edited[name], 0) if facts.edited.get(name) else "–"
        rows.append((name, study.summary.family(name), count, edited))
    table = _table(("step", "what it is", "documents dropped", "documents changed"), rows)
    recipe = recipe_yaml(study, folders=False).strip()
    fence = "```" if "```" not in recipe else "~~~~"
    return (
        f"## Preprocessing\n\nThe steps, in order:\n\n{table}\n\n<details><summary>The whole recipe</summary>\n\n"
        f"{fence}yaml\n{recipe}\n{fence}\n\n</details>"
    )


def _removed(study: CorpusStudy) -> str:
    rows = [
        (stage.name, reason.replace("_", " "), fixed(amount.documents, 0), show_bytes(amount.bytes),
         share(amount.bytes / study.whole))
        for stage in study.stages if stage.name != "held out"
        for reason, amount in sorted(stage.reasons.items(), key=lambda item: (-item[1].documents, item[0]))
    ]  # fmt: skip
    aside = [
        (name, reason, fixed(count, 0)) for name, facts in study.summary.facts.sources.items()
        for reason, count in facts.quarantined.items()
    ]  # fmt: skip
    parts = ["## What was removed, and why"]
    parts.append(
        _table(("step", "reason", "documents", "bytes", "of all bytes"), rows) if rows else "Nothing was removed."
    )
    if aside:
        parts += ["Records that could not be read:", _table(("source", "reason", "records"), aside)]
    parts += _contaminated(study)
    if study.warnings:
        parts += ["To keep in mind:", "\n".join(f"- {_safe(text)}" for text in study.warnings)]
    return "\n\n".join(parts)


def _contaminated(study: CorpusStudy) -> list[str]:
    rows: list[tuple[str, str, str, str]] = []
    for step in study.summary.of_kind("decontaminate"):
        for name, item in study.summary.facts.steps.get(step, {}).get("files", {}).items():
            found = rate(item["found"], item["looked_for"])
            shown = "–" if found is None else f"{share(found.value)} ({share(found.low)} to {share(found.high)})"
            rows.append((name, fixed(item["looked_for"], 0), fixed(item["found"], 0), shown))
    table = _table(("benchmark", "items looked for", "found and removed", "share (95 % interval)"), rows)
    return ["### Benchmarks", table] if rows else []


def _private(study: CorpusStudy) -> str:
    parts = ["## Personal and sensitive information"]
    for step in study.summary.of_kind("pii"):
        found, _ = private_data(study.summary, step)
        done = {"redact": "replaced", "annotate": "left in the text", "ignore": "left in the text"}
        rows = [
            (
                item.kind.replace("_", " "),
                item.meaning,
                fixed(item.found, 0),
                fixed(item.documents, 0),
                done[item.action],
            )
            for item in found
        ]
        parts.append(
            _table(("kind", "what it is", "found", "documents", "what was done"), rows) if rows else "None was found."
        )
    if len(parts) == 1:
        parts.append("No step looked for private data. Assume that there is some.")
    parts.append(
        "Rules of form do not know names, nicknames or stories that identify somebody: assume that some are left."
    )
    return "\n\n".join(parts)


def _people(study: CorpusStudy) -> str:
    summary, parts = study.summary, ["## Biases and limits"]
    for step in summary.of_kind("toxicity"):
        least = threshold(summary, step)
        if least is not None:
            shown = [
                (row.value, fixed(row.measured, 0), f"{share(found.value)} ({share(found.low)} to {share(found.high)})")
                for row in flagged(summary, step, "source", least) if (found := row.rate) is not None
            ]  # fmt: skip
            parts += [
                f"Documents that score {least:g} or more for toxicity:",
                _table(("source", "measured", "flagged (95 % interval)"), shown),
            ]
    for step in summary.of_kind("identity"):
        rows = groups(summary, step, fate="train").rows
        most = sorted(rows, key=lambda row: (-row.mentions, row.group))[:_MOST_GROUPS]
        told = [
            (row.axis, row.group, fixed(row.mentions, 0), number(row.per_million, 3),
             f"{row.tone:+.2f} ({row.tone_interval[0]:+.2f} to {row.tone_interval[1]:+.2f})")
            for row in most
        ]  # fmt: skip
        if told:
            parts += ["Groups that are named most, and the tone of the words around them (from −1 to 1):",
                      _table(("axis", "group", "mentions", "per million words", "tone (95 % interval)"), told)]  # fmt: skip
    parts.append(_FILL.format("whose voices are missing, what the text must not be used for"))
    return "\n\n".join(parts)


def _splits(study: CorpusStudy) -> str:
    facts = study.summary.facts
    rows = [
        (name, fixed(amount.documents, 0), show_bytes(amount.bytes), files)
        for name, amount, files in (
            ("train", facts.train, "train/*.jsonl.zst"),
            ("held\u00a0out", facts.held_out, "held_out.jsonl.zst"),
        )
    ]
    gone = held_out_copies(study.summary)
    near = sum(count for step, count in gone.items() if step != HELD_OUT)
    return (
        f"## Splits\n\n{_table(('split', 'documents', 'bytes', 'files'), rows)}\n\nHeld-out documents were chosen by the "
        "hash of their ids before any step, and are kept as they were read. "
        f"{fixed(gone.get(HELD_OUT, 0), 0)} documents that read the same and {fixed(near, 0)} that are nearly the same "
        "were removed from training. Each row holds `id`, `source`, `origin`, `facts`, `text`."
    )


def _rest(study: CorpusStudy) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in study.summary.corpus.manifest.versions.items())
    return "\n\n".join([
        f"## How to build it again\n\n`pilot corpus build recipe.yaml --out DIR` with the recipe above ({_safe(versions)}).",
        f"## Citation and contact\n\n{_FILL.format('how to cite it, whom to ask, where to ask for removal of text')}",
    ])  # fmt: skip
