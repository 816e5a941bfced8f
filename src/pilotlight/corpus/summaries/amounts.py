"""How much went in, what is left after each step, and how shares moved: by source, language, content and length."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import final

from pilotlight.corpus.facts import Amount
from pilotlight.corpus.summaries.rates import rate
from pilotlight.corpus.summary import HELD_OUT, Summary, quoted
from pilotlight.stats.estimate import Estimate

LENGTHS = (256, 1024, 4096, 16384, 65536)
"""Bounds of the classes of length, in UTF-8 bytes as read."""


@final
@dataclass(frozen=True, slots=True)
class Stage:
    """What one step takes away, in the bytes that were read, and what is left after it."""

    name: str
    family: str
    gone: Amount
    left: Amount
    reasons: dict[str, Amount]


@final
@dataclass(frozen=True, slots=True)
class Moved:
    """One value of an axis: text read and trained on."""

    value: str
    before: Amount
    after: Amount


def readable(summary: Summary) -> Amount:
    """Return everything that could be read."""
    return added(item.read for item in summary.facts.sources.values())


def added(amounts: Iterable[Amount]) -> Amount:
    """Return the sum of amounts."""
    known = list(amounts)
    return Amount(documents=sum(item.documents for item in known), bytes=sum(item.bytes for item in known))


def stages(summary: Summary) -> list[Stage]:
    """Return what holding out and each step take away, in order; steps that took nothing are there too."""
    facts = summary.facts
    left = readable(summary)
    found: list[Stage] = []
    for name, family, reasons in [
        ("held out", "held out", {"chosen by the hash of its id": facts.held_out}),
        *((step, summary.family(step), facts.dropped.get(step, {})) for step in summary.order()),
    ]:
        if family == "edit" and not reasons:
            continue
        gone = added(reasons.values())
        left = Amount(documents=left.documents - gone.documents, bytes=left.bytes - gone.bytes)
        shown = "repeats held-out text" if name == HELD_OUT else name
        found.append(Stage(shown, family, gone, left, reasons))
    return found


def edited_away(summary: Summary) -> int:
    """Return by how many bytes edits and cuts made the text that is trained on smaller; negative: larger."""
    [(read, kept)] = summary.ask(
        "SELECT coalesce(sum(read), 0), coalesce(sum(bytes), 0) FROM records WHERE fate = 'train'"
    )
    return int(read) - int(kept)


def axes(summary: Summary) -> dict[str, str]:
    """Return what text can be told apart by: the name of each axis, and its value as SQL."""
    found = {"source": "source"}
    language = summary.column_of("language", "language")
    if language:
        found["language"] = (
            f"coalesce({quoted(language)}, CASE content WHEN 'code' THEN 'code' ELSE 'not measured' END)"
        )
    found["content"] = "content"
    bounds = zip(LENGTHS, _length_names(), strict=False)
    cases = " ".join(f"WHEN read < {bound} THEN '{name}'" for bound, name in bounds)
    found["length"] = f"CASE {cases} ELSE '{_length_names()[-1]}' END"
    return found


def _length_names() -> list[str]:
    shown = [f"{bound} B" if bound < 1024 else f"{bound // 1024} KiB" for bound in LENGTHS]
    return [
        f"below {shown[0]}", *(f"{low} to {high}" for low, high in pairwise(shown)),
        f"{shown[-1]} and more",
    ]  # fmt: skip


def moved(summary: Summary, axis: str) -> list[Moved]:
    """Return for every value of an axis what went through the steps and what is trained on, the largest first.

    ``before`` are all readable documents that were not held out, ``after`` those trained on, after editing.
    """
    value = axes(summary)[axis]
    rows = summary.ask(
        f"SELECT {value} AS value, count(*), sum(read), count(*) FILTER (fate = 'train'), "
        "coalesce(sum(bytes) FILTER (fate = 'train'), 0) FROM records WHERE fate IN ('train', 'dropped') GROUP BY value"
    )
    found = [
        Moved(str(row[0]), Amount(documents=row[1], bytes=int(row[2])), Amount(documents=row[3], bytes=int(row[4])))
        for row in rows
    ]
    if axis == "length":
        names = _length_names()
        return sorted(found, key=lambda item: names.index(item.value))
    return sorted(found, key=lambda item: (-item.before.bytes, item.value))


@final
@dataclass(frozen=True, slots=True)
class Passed:
    """How many documents of one value of an axis reached a step, and how many of them it dropped."""

    value: str
    step: str
    reached: int
    dropped: int

    @property
    def rate(self) -> Estimate | None:
        """Share of those that reached the step which it dropped."""
        return rate(self.dropped, self.reached)


def passed(summary: Summary, axis: str) -> dict[str, list[Passed]]:
    """Return by value of an axis what reached each step that drops anything and what it dropped, in order of the steps."""
    value = axes(summary)[axis]
    rows = summary.ask(
        f"SELECT {value} AS value, coalesce(step, ''), count(*) FROM records WHERE fate IN ('train', 'dropped') GROUP BY ALL"
    )
    counts: dict[str, dict[str, int]] = {}
    for name, step, count in rows:
        counts.setdefault(str(name), {})[step] = count
    steps = [step for step in summary.order() if any(step in found for found in counts.values())]
    found: dict[str, list[Passed]] = {}
    for name in sorted(counts, key=lambda name: (-sum(counts[name].values()), name)):
        left = sum(counts[name].values())
        for step in steps:
            gone = counts[name].get(step, 0)
            found.setdefault(name, []).append(Passed(name, step, left, gone))
            left -= gone
    return found
