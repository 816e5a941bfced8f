"""Keeping documents by the order of a number each has: exact, in memory that does not grow with the corpus.

A unit per split writes one row per document: a key of 64 bits that sorts, its bytes, its group. One unit finds, group
by group, the key at which a wanted share of the bytes is reached, by going over the rows once for each of the eight
bytes of a key (a radix selection): it never holds more than one split's rows. A unit per split then decides.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import numpy as np

from pilotlight.corpus.document import Document
from pilotlight.corpus.hashed_words import chances
from pilotlight.corpus.pile import Decision, Pile, facts, write_decisions
from pilotlight.errors import ConfigError, DataError, nearest

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Integer, UInt64

ROWS = "ranked.npy"
IDS = "ids.txt"
ABOUT = "ranked.json"
CUTS = "cuts.json"
ROW = np.dtype([("key", "<u8"), ("bytes", "<i8"), ("group", "<i4"), ("source", "<i4"), ("value", "<f8")])
HIGHEST_KEY = (1 << 64) - 2
MOST_TOLD = 50
"""Lines of a table that a step tells with the corpus; what is beyond is added up in one."""
MISSING = -1
"""Group of documents without a value."""


def sort_keys(values: Float[np.ndarray, " rows"], ties: UInt64[np.ndarray, " rows"]) -> UInt64[np.ndarray, " rows"]:
    """Return keys that sort like ``values`` (rounded to float32), and by the high half of ``ties`` among equals."""
    bits = (np.asarray(values, np.float32) + np.float32(0.0)).view(np.uint32)
    ordered = np.where(bits >> 31, ~bits, bits | np.uint32(1 << 31)).astype(np.uint64)
    keys = (ordered << np.uint64(32)) | (ties >> np.uint64(32))
    return np.minimum(keys, np.uint64(HIGHEST_KEY))


@final
@dataclass(frozen=True, slots=True)
class Sized:
    """A document without its text: what is needed to rank it."""

    id: str
    source: str
    bytes: int
    facts: Mapping[str, Any]


@final
class RankedRows:
    """Collects what was measured on the documents of one split, and writes it into the folder of a unit."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._ids: list[str] = []
        self._sources: list[str] = []
        self._groups: list[str | None] = []
        self._sizes: list[int] = []
        self._values: list[float] = []
        self._with_language = 0

    def add(self, documents: Sequence[Document | Sized], values: Iterable[float], groups: Iterable[str]) -> None:
        """Take documents in order with their values (NaN: there is none) and the groups they compete in."""
        for document, value, group in zip(documents, values, groups, strict=True):
            self._ids.append(document.id)
            self._sources.append(document.source)
            self._sizes.append(document.bytes)
            self._values.append(float(value))
            self._groups.append(group if value == value else None)
            self._with_language += "language" in document.facts

    def write(self, out: Path, keys: UInt64[np.ndarray, " rows"] | None = None) -> dict[str, Any]:
        """Write the rows and return facts; without ``keys`` they sort by value, equal ones by a hash of the id."""
        values = np.array(self._values, np.float64)
        missing = np.isnan(values)
        if keys is None:
            keys = sort_keys(np.where(missing, 0.0, values), chances(self._seed, self._ids))
        groups = sorted({group for group in self._groups if group is not None})
        sources = sorted(set(self._sources))
        number = {group: place for place, group in enumerate(groups)}
        place = {source: place for place, source in enumerate(sources)}
        rows = np.zeros(len(self._ids), ROW)
        rows["key"] = np.minimum(keys, np.uint64(HIGHEST_KEY))
        rows["bytes"], rows["value"] = self._sizes, values
        rows["group"] = [MISSING if group is None else number[group] for group in self._groups]
        rows["source"] = [place[source] for source in self._sources]
        np.save(out / ROWS, rows, allow_pickle=False)
        (out / IDS).write_text("".join(f"{id}\n" for id in self._ids), encoding="utf-8")
        (out / ABOUT).write_text(json.dumps({"groups": groups, "sources": sources}), encoding="utf-8")
        return {
            "documents": len(rows), "bytes": int(rows["bytes"].sum()), "missing": int(missing.sum()),
            "with_language": self._with_language,
        }  # fmt: skip


@final
@dataclass(frozen=True, slots=True)
class RankedUnits:
    """The rows of all splits, read one split at a time."""

    units: tuple[Path, ...]
    groups: tuple[str, ...]
    sources: tuple[str, ...]

    @classmethod
    def open(cls, units: Sequence[Path]) -> RankedUnits:
        """Return the rows that these units wrote."""
        about = [json.loads((unit / ABOUT).read_text(encoding="utf-8")) for unit in units]
        names = [tuple(sorted({name for one in about for name in one[kind]})) for kind in ("groups", "sources")]
        return cls(tuple(units), *names)

    def __iter__(self) -> Any:
        """Return the rows of each split, with groups and sources numbered alike in all."""
        for unit in self.units:
            yield rows_of(unit, self.groups, self.sources)

    def totals(self, by: str) -> Float[np.ndarray, " groups"]:
        """Return the bytes or documents of each group."""
        found = np.zeros(len(self.groups))
        for rows in self:
            there = rows["group"] >= 0
            found += _sum(rows["group"][there], weights(rows, by)[there], len(found))
        return found

    def cut(self, targets: Float[np.ndarray, " groups"], offsets: Float[np.ndarray, " groups"], by: str) -> list[int]:
        """Return for each group the smallest key that does not belong to the first ``targets`` bytes or documents.

        What lies across the border belongs if the share ``offsets`` of it lies before the border: 0.5 rounds to the
        nearest. Documents with the same key are taken together.
        """
        count = len(self.groups)
        prefix, below, weight = np.zeros(count, np.uint64), np.zeros(count), np.zeros(count)
        beyond = np.zeros(count, bool)
        each = np.arange(count)
        for shift in range(56, -1, -8):
            sums = np.zeros(count * 256)
            for rows in self:
                group, key = rows["group"], rows["key"]
                there = group >= 0
                if shift < 56:
                    above = np.uint64(shift + 8)
                    there &= (key >> above) == (prefix[group] >> above)
                digit = (key[there] >> np.uint64(shift)) & np.uint64(255)
                place = group[there].astype(np.int64) * 256 + digit.astype(np.int64)
                sums += _sum(place, weights(rows, by)[there], len(sums))
            table = sums.reshape(count, 256)
            reached = below[:, None] + np.cumsum(table, axis=1)
            over: Any = reached > targets[:, None]
            if shift == 56:
                beyond = ~over.any(axis=1)
            digit = np.argmax(over, axis=1)
            weight = table[each, digit]
            below = reached[each, digit] - weight
            prefix = prefix | (digit.astype(np.uint64) << np.uint64(shift))
        inside = below + offsets * weight < targets
        return [HIGHEST_KEY + 1 if beyond[place] else int(prefix[place]) + int(inside[place]) for place in range(count)]


def rows_of(unit: Path, groups: Sequence[str], sources: Sequence[str]) -> np.ndarray[Any, Any]:
    """Return the rows of one split, with groups and sources as places in ``groups`` and ``sources``."""
    about = json.loads((unit / ABOUT).read_text(encoding="utf-8"))
    rows = np.load(unit / ROWS, allow_pickle=False)
    for kind, names in (("group", groups), ("source", sources)):
        number = {name: place for place, name in enumerate(names)}
        table = np.array([*(number[name] for name in about[f"{kind}s"]), MISSING], np.int32)
        rows[kind] = table[rows[kind]]
    return rows


def group_of(document: Document | Sized, by: Sequence[str]) -> str:
    """Return the group of a document: its source, language or content, as ``by`` names them; all in one if empty."""
    return " / ".join(attribute(document, name) for name in by)


def attribute(document: Document | Sized, name: str) -> str:
    """Return what ``name`` (source, language, content, length, or any fact) is for a document.

    The language of a document is ``und`` before a step has found it out; lengths are in classes that double.
    """
    if name == "source":
        return document.source
    if name == "length":
        return f"{1 << max(0, document.bytes.bit_length() - 1)}+ B"
    return str(document.facts.get(name, {"language": "und", "content": "prose"}.get(name, "")))


def weights(rows: np.ndarray[Any, Any], by: str) -> Float[np.ndarray, " rows"]:
    """Return how much each row counts: its bytes, or 1 where documents are counted."""
    return rows["bytes"].astype(np.float64) if by == "bytes" else np.ones(len(rows))


def _sum(
    place: Integer[np.ndarray, " rows"], weight: Float[np.ndarray, " rows"], size: int
) -> Float[np.ndarray, " size"]:
    return np.bincount(place, weights=weight, minlength=size)[:size] if size else np.zeros(0)


def kept_rows(rows: np.ndarray[Any, Any], cuts: dict[str, Any], keep_missing: bool) -> Bool[np.ndarray, " rows"]:
    """Return which rows are kept: between the keys that ``cuts`` names for their group."""
    if not cuts["low"]:
        return np.full(len(rows), keep_missing)
    low, high = np.array(cuts["low"], np.uint64), np.array(cuts["high"], np.uint64)
    group = np.maximum(rows["group"], 0)
    kept = (rows["key"] >= low[group]) & (rows["key"] < high[group])
    return np.where(rows["group"] == MISSING, keep_missing, kept)


def before_and_after(
    ranked: RankedUnits, keep: Callable[[np.ndarray[Any, Any]], Bool[np.ndarray, " rows"]]
) -> dict[str, Any]:
    """Return documents and bytes before and after, altogether and by group and source."""
    tables = {"group": np.zeros((4, len(ranked.groups))), "source": np.zeros((4, len(ranked.sources)))}
    missing = 0
    for rows in ranked:
        kept = keep(rows)
        missing += int((rows["group"] == MISSING).sum())
        for kind, table in tables.items():
            for start, which in ((0, rows[kind] >= 0), (2, kept & (rows[kind] >= 0))):
                part = rows[which]
                table[start] += _sum(part[kind], np.ones(len(part)), table.shape[1])
                table[start + 1] += _sum(part[kind], weights(part, "bytes"), table.shape[1])
    names = ("documents", "bytes", "documents_kept", "bytes_kept")
    found: dict[str, Any] = {
        f"{kind}s": {
            name: {column: int(table[line, place]) for line, column in enumerate(names)}
            for place, name in enumerate(ranked.groups if kind == "group" else ranked.sources)
        }
        for kind, table in tables.items()
    }
    found |= {column: int(tables["source"][line].sum()) for line, column in enumerate(names)}
    return found | {"without_value": missing}


def find_cuts(out: Path, inputs: Sequence[Path], settings: dict[str, Any], watch: Any) -> dict[str, Any]:
    """Find the keys between which documents are kept (a unit of work).

    Settings: ``range`` of shares from the smallest value, ``by`` bytes or documents; or ``between``, two values.
    """
    del watch
    ranked = RankedUnits.open(inputs)
    count = len(ranked.groups)
    if "between" in settings:
        ends = [None if value is None else np.array([value]) for value in settings["between"]]
        none = np.zeros(1, np.uint64)
        low = [0 if ends[0] is None else int(sort_keys(ends[0], none)[0])] * count
        high = [HIGHEST_KEY + 1 if ends[1] is None else int(sort_keys(ends[1], none)[0])] * count
    else:
        by, half = settings["by"], np.full(count, 0.5)
        totals = ranked.totals(by)
        low, high = (ranked.cut(totals * share, half, by) if share > 0 else [0] * count for share in settings["range"])
    cuts = {"groups": ranked.groups, "sources": ranked.sources, "low": low, "high": high}
    (out / CUTS).write_text(json.dumps(cuts), encoding="utf-8")
    keep_missing = bool(settings.get("keep_missing", False))
    return before_and_after(ranked, lambda rows: kept_rows(rows, cuts, keep_missing))


def choose_ranked(out: Path, inputs: Sequence[Path], settings: dict[str, Any], watch: Any) -> dict[str, Any]:
    """Write the decisions on one split: ``inputs`` are its rows and the cuts (a unit of work)."""
    del watch
    unit, cut = inputs
    cuts = json.loads((cut / CUTS).read_text(encoding="utf-8"))
    rows = rows_of(unit, cuts["groups"], cuts["sources"])
    kept = kept_rows(rows, cuts, bool(settings.get("keep_missing", False)))
    column, reason = settings["column"], settings["reason"]
    decisions: list[Decision] = []
    ids = (unit / IDS).read_text(encoding="utf-8").splitlines()
    for id, value, keep, group in zip(ids, rows["value"].tolist(), kept.tolist(), rows["group"].tolist(), strict=True):
        there = group != MISSING
        why = "" if keep else f"{reason}: {value:.4g}" if there else settings.get("missing", "no value")
        if there or why:
            decisions.append(Decision(id, drop=why, values={column: round(value, 6)} if column and there else None))
    write_decisions(out, decisions)
    return pointer(cut)


def pointer(unit: Path) -> dict[str, Any]:
    """Return facts that say which unit, beside the one that holds them, knows what became of all documents."""
    return {"summary": f"{unit.parent.name}/{unit.name}"}


def summary_unit(unit: Path) -> Path:
    """Return the unit with the facts on all documents, given any unit of decisions of the step (or that unit)."""
    name = facts(unit).get("summary")
    return unit if name is None else unit.parent.parent / name


def summary(unit: Path) -> dict[str, Any]:
    """Return what a step of selection did to all documents, given any of its units of decisions.

    There is always ``documents``, ``bytes``, ``documents_kept``, ``bytes_kept``, and the same by ``sources``.
    """
    return facts(summary_unit(unit))


def told(decided: Sequence[Path]) -> dict[str, Any]:
    """Return what a step of selection tells with the corpus: its ``summary``, of long tables the largest lines only.

    A table of one line (all documents compete with each other) says nothing more and is left out.
    """
    found = dict(summary(decided[0])) if decided else {}
    for name in ("groups", "clusters", "sources"):
        table: dict[str, dict[str, int]] = found.get(name, {})
        if name == "groups" and len(table) < 2:
            found.pop(name, None)
        elif len(table) > MOST_TOLD:
            order = sorted(table, key=lambda line: (-table[line]["bytes"], line))
            rest = [table[line] for line in order[MOST_TOLD:]]
            others = {column: sum(row[column] for row in rest) for column in rest[0]}
            found[name] = {line: table[line] for line in order[:MOST_TOLD]} | {f"{len(rest)} others": others}
    return found


def refuse_without_language(measured: Sequence[Path], setting: str, instead: str) -> None:
    """Return if a document has a language, or there is none at all; ``measured`` are units of ``RankedRows``.

    Raises:
        ConfigError: there are documents and no step has found out the language of any.
    """
    documents = sum(int(facts(unit)["documents"]) for unit in measured)
    if documents and not any(facts(unit)["with_language"] for unit in measured):
        raise ConfigError(
            f"{setting} needs the language of each document, and none of the {documents} here has one; expected a step "
            f"that finds it out. Put the step language before it, or {instead}."
        )


def refuse_unknown_sources(wanted: Sequence[str], known: Iterable[str], setting: str) -> None:
    """Return if every name in ``wanted`` is that of a source of which documents are there, or no documents are.

    Raises:
        DataError: one is not.
    """
    names = sorted(set(known))
    unknown = [name for name in wanted if name not in names] if names else []
    if unknown:
        raise DataError(
            f"{setting} names {unknown[0]!r}, and no document that reaches the step is of such a source; there are "
            f"{', '.join(names)}.{nearest(unknown[0], names)}"
        )


def decide_ranked(pile: Pile, measured: Sequence[Path], cut: dict[str, Any], words: dict[str, Any]) -> list[Path]:
    """Return the units of decisions, from units that wrote ``RankedRows``.

    ``cut`` holds the settings of ``find_cuts``, ``words`` those of ``choose_ranked``: column, reason, missing.
    """
    keep = {"keep_missing": bool(cut.get("keep_missing", False))}
    [cuts] = pile.run("cut", "pilotlight.corpus.ranking:find_cuts", [(measured, cut)])
    tasks = [((unit, cuts), {**words, **keep}) for unit in measured]
    return pile.run("choose", "pilotlight.corpus.ranking:choose_ranked", tasks)


def kept_range(keep: str, share: float) -> list[float]:
    """Return which shares, counted from the smallest value, are kept: the lowest, middle or highest ``share``."""
    start = {"lowest": 0.0, "middle": (1 - share) / 2, "highest": 1 - share}[keep]
    return [start, 1.0 if keep == "highest" else start + share]
