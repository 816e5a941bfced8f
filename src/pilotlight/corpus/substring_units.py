"""Units of work that find passages of several documents, wherever these stand, and decide what is cut from which."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import numpy as np

from pilotlight.corpus.document import Document
from pilotlight.corpus.edit import in_scope
from pilotlight.corpus.hashed_words import batches
from pilotlight.corpus.partitions import partition_of, read_partition, write_partitions
from pilotlight.corpus.pile import Decision, read_split, write_decisions
from pilotlight.corpus.store import Rows, rows
from pilotlight.corpus.substring_anchors import anchors, thinned, window_hashes
from pilotlight.corpus.substring_bounds import snapped
from pilotlight.errors import RecordError

if TYPE_CHECKING:
    from jaxtyping import UInt64

ANCHOR = np.dtype([("key", "<u8"), ("split", "<u4"), ("row", "<u4"), ("place", "<u4")])
LINK = np.dtype([(name, "<u4") for name in ("split", "row", "place", "its_split", "its_row", "its_place")])
TEXT = np.dtype([("id", "S32"), ("source", "<u2"), ("width", "u1"), ("start", "<u8"), ("length", "<u8")])
_NAMED = np.dtype([("split", "<u4"), ("row", "<u4")])
_WIDTHS = {1: ("latin-1", "u1"), 2: ("utf-16-le", "<u2"), 4: ("utf-32-le", "<u4")}


@final
@dataclass(frozen=True, slots=True)
class Texts:
    """The texts of a split, of which any part can be read without the rest."""

    table: np.ndarray[Any, Any]
    data: np.ndarray[Any, Any]

    def codes(self, row: int) -> np.ndarray[Any, Any]:
        """Return the characters of one text as numbers."""
        entry = self.table[row]
        width, start, length = int(entry["width"]), int(entry["start"]), int(entry["length"])
        return self.data[start : start + length * width].view(_WIDTHS[width][1])

    def text(self, row: int) -> str:
        """Return one text."""
        width = int(self.table[row]["width"])
        return self.codes(row).tobytes().decode(_WIDTHS[width][0], "surrogatepass" if width > 1 else "strict")

    def id(self, row: int) -> str:
        """Return the id of one document."""
        return self.table[row]["id"].decode()


def open_texts(unit: Path) -> Texts:
    """Return the texts that ``find`` wrote; they stay on disk."""
    table = np.load(unit / "texts.npy", mmap_mode="r", allow_pickle=False)
    path = unit / "texts.bin"
    data = np.memmap(path, np.uint8, "r") if path.stat().st_size else np.zeros(0, np.uint8)
    return Texts(table, data)


def _packed(codes: np.ndarray[Any, Any]) -> tuple[int, bytes]:
    greatest = int(codes.max()) if len(codes) else 0
    width = 1 if greatest < 1 << 8 else 2 if greatest < 1 << 16 else 4
    return width, codes.astype(_WIDTHS[width][1]).tobytes()


@final
class _Shelf:
    """Writes the texts of a split so that ``Texts`` finds them."""

    def __init__(self, out: Path) -> None:
        self._out, self._at = out, 0
        self._file = (out / "texts.bin").open("wb")
        self._table: list[tuple[bytes, int, int, int, int]] = []
        self.sources: dict[str, int] = {}
        self.sizes: dict[str, list[int]] = {}

    def add(self, document: Document, codes: np.ndarray[Any, Any], stored: bool) -> None:
        id = document.id.encode()
        if len(id) > 32:
            raise RecordError(f"{document.id!r} is no id of a document. Expected at most 32 characters.")
        source = self.sources.setdefault(document.source, len(self.sources))
        size = self.sizes.setdefault(document.source, [0, 0])
        size[0], size[1] = size[0] + 1, size[1] + len(codes)
        width, data = _packed(codes) if stored else (1, b"")
        self._table.append((id, source, width, self._at, len(codes) if stored else 0))
        padding = -len(data) % 4
        self._file.write(data + b"\0" * padding)
        self._at += len(data) + padding

    def close(self) -> None:
        self._file.close()
        np.save(self._out / "texts.npy", np.array(self._table, TEXT), allow_pickle=False)


def find(out: Path, inputs: Sequence[Path], settings: dict[str, Any], watch: Any) -> dict[str, Any]:
    """Write the anchors of a split by key, and its texts; ``settings["split"]`` is the number of the split."""
    del watch
    least, window = settings["least"], settings["window"]
    shelf, found, row = _Shelf(out), [np.zeros(0, ANCHOR)], 0
    for batch in batches(read_split(inputs[0]), 1 << 19):
        parts: list[Any] = []
        begins: list[int] = []
        numbers: list[int] = []
        at = 0
        for number, document in enumerate(batch, row):
            codes = np.frombuffer(document.text.encode("utf-32-le", "surrogatepass"), "<u4")
            content = str(document.facts.get("content", "prose"))
            looked_at = len(codes) >= least + window - 1 and in_scope(settings["applies_to"], content)
            shelf.add(document, codes, looked_at)
            if looked_at:
                parts.append(codes)
                begins.append(at)
                numbers.append(number)
                at += len(codes)
        row += len(batch)
        if parts:
            places, keys, owner = _anchors_of(np.concatenate(parts), np.array(begins), least, window)
            entry = np.empty(len(places), ANCHOR)
            entry["key"], entry["split"], entry["row"] = keys, settings["split"], np.array(numbers)[owner]
            entry["place"] = places - np.array(begins)[owner]
            found.append(entry)
    shelf.close()
    every = np.concatenate(found)
    write_partitions(out, "anchors", every, partition_of(every["key"], settings["partitions"]), settings["partitions"])
    return {"documents": row, "anchors": len(every), "sources": list(shelf.sources), "sizes": shelf.sizes}


def _anchors_of(
    codes: np.ndarray[Any, Any], begins: np.ndarray[Any, Any], least: int, window: int
) -> tuple[Any, UInt64[np.ndarray, " anchors"], Any]:
    """Return the places, keys and documents of the anchors in documents that stand one after another."""
    hashes = window_hashes(codes, least)
    outside = np.zeros(len(hashes), bool)
    for begin in begins[1:].tolist():
        outside[max(0, begin - least + 1) : begin] = True
    places = anchors(hashes, outside, window)
    keys = hashes[places]
    kept = thinned(places, keys, window)
    places = places[kept]
    return places, keys[kept], np.searchsorted(begins, places, side="right") - 1


def link(out: Path, inputs: Sequence[Path], settings: dict[str, Any], watch: Any) -> dict[str, Any]:
    """Write for every anchor of one partition where the same passage stands in the document that keeps it.

    That is the held-out one, or else the one with the smallest id. ``settings["splits"]`` is the number of splits;
    where there is one more input, it is of the held-out documents.
    """
    del watch
    splits = settings["splits"]
    every = read_partition(inputs, "anchors", settings["partition"])
    every = every[np.argsort(every["key"], kind="stable")]
    same = np.zeros(len(every) + 1, bool)
    same[1:-1] = every["key"][1:] == every["key"][:-1]
    every = every[same[1:] | same[:-1]]
    ids = np.zeros(len(every), "S32")
    for number, unit in enumerate(inputs):
        own = every["split"] == number
        if own.any():
            ids[own] = np.load(unit / "texts.npy", mmap_mode="r")["id"][every["row"][own]]
    _, rank = np.unique(ids, return_inverse=True)
    order = np.lexsort((every["place"], rank, every["split"] < splits, every["key"]))
    every, rank = every[order], rank[order]
    fresh = np.ones(len(every), bool)
    fresh[1:] = every["key"][1:] != every["key"][:-1]
    keeper = np.flatnonzero(fresh)[np.cumsum(fresh) - 1] if len(every) else np.zeros(0, np.int64)
    other = (every["split"] != every["split"][keeper]) | (every["row"] != every["row"][keeper])
    wanted = ~fresh & (every["split"] < splits) & (other | settings["within_documents"])
    found = np.zeros(int(wanted.sum()), LINK)
    for name in ("split", "row", "place"):
        found[name], found[f"its_{name}"] = every[name][wanted], every[name][keeper][wanted]
    write_partitions(out, "links", found, found["split"].astype(np.int64), splits)
    return {"links": len(found)}


@final
@dataclass(frozen=True, slots=True)
class _Span:
    """A passage of a document, and of the one that keeps it."""

    row: int
    start: int
    end: int
    its_split: int
    its_row: int
    its_id: str


def _chains(links: np.ndarray[Any, Any], least: int) -> Iterator[tuple[np.void, int]]:
    """Return the first link of each chain, and how far the last is from it.

    The links of a chain are of the same two documents, equally far apart, and their windows leave no gap. Chains into
    the same split follow one another, so that no more than one other split has to be open.
    """
    if not len(links):
        return
    shift = links["place"].astype(np.int64) - links["its_place"].astype(np.int64)
    order = np.lexsort((links["place"], shift, links["its_row"], links["row"], links["its_split"]))
    links, shift = links[order], shift[order]
    fresh = np.ones(len(links), bool)
    fresh[1:] = (shift[1:] != shift[:-1]) | (links["place"][1:] - links["place"][:-1] > least)
    for name in ("row", "its_split", "its_row"):
        fresh[1:] |= links[name][1:] != links[name][:-1]
    starts = np.flatnonzero(fresh)
    lasts = np.append(starts[1:], len(links)) - 1
    for start, last in zip(starts.tolist(), lasts.tolist(), strict=True):
        yield links[start], int(links["place"][last]) - int(links["place"][start])


def _same_ahead(left: np.ndarray[Any, Any], right: np.ndarray[Any, Any]) -> int:
    """Return how many characters are the same from the beginning of both."""
    count = min(len(left), len(right))
    different = left[:count] != right[:count]
    return int(different.argmax()) if different.any() else count


def _verified(chain: tuple[np.void, int], own: Texts, others: Texts, reach: int, least: int) -> _Span | None:
    """Return the passage of a chain, compared character by character and grown by up to ``reach`` on both sides."""
    found, beyond = chain
    row, place = int(found["row"]), int(found["place"])
    split, its_row, its_place = (int(found[name]) for name in ("its_split", "its_row", "its_place"))
    mine, other = own.codes(row), others.codes(its_row)
    ahead = _same_ahead(
        mine[place : place + beyond + least + reach], other[its_place : its_place + beyond + least + reach]
    )
    if ahead < least:
        return None
    back = min(reach, place, its_place)
    behind = _same_ahead(mine[place - back : place][::-1], other[its_place - back : its_place][::-1])
    return _Span(row, place - behind, place + ahead, split, its_row, others.id(its_row))


def _disjoint(spans: Sequence[_Span]) -> list[tuple[int, int, str, int, int]]:
    """Return passages of one document that do not overlap and cover what ``spans`` cover, with their keepers."""
    found: list[tuple[int, int, str, int, int]] = []
    done = 0
    for span in sorted(spans, key=lambda span: (span.start, -span.end, span.its_id)):
        begin = max(span.start, done)
        if span.end <= begin:
            continue
        found.append((begin, span.end, span.its_id, span.its_split, span.its_row))
        done = span.end
    return found


def _cuts(
    passages: list[tuple[int, int, str, int, int]], text: str, bounds: str
) -> list[tuple[int, int, str, int, int]]:
    """Return the passages within the bounds to which each run of them is drawn in."""
    found: list[tuple[int, int, str, int, int]] = []
    at = 0
    while at < len(passages):
        stop = at + 1
        while stop < len(passages) and passages[stop][0] == passages[stop - 1][1]:
            stop += 1
        low, high = snapped(text, passages[at][0], passages[stop - 1][1], bounds)
        for start, end, id, split, row in passages[at:stop]:
            if max(start, low) < min(end, high):
                found.append((max(start, low), min(end, high), id, split, row))
        at = stop
    return found


def span(out: Path, inputs: Sequence[Path], settings: dict[str, Any], watch: Any) -> dict[str, Any]:
    """Write what should be cut from the documents of one split, and which documents that needs.

    ``inputs`` are the units of ``find`` (``settings["texts"]`` of them) and those of ``link``.
    """
    del watch
    own: int = settings["split"]
    least, count = settings["least"], settings["texts"]
    links = read_partition(inputs[count:], "links", own)
    texts = others = open_texts(inputs[own])
    opened = own
    spans: dict[int, list[_Span]] = {}
    for chain in _chains(links, least):
        split = int(chain[0]["its_split"])
        if split != opened:
            others, opened = open_texts(inputs[split]), split
        found = _verified(chain, texts, others, least + settings["window"], least)
        if found:
            spans.setdefault(found.row, []).append(found)
    needed: set[tuple[int, int]] = set()
    with Rows(out / "spans.jsonl.zst", level=1) as file:
        for row in sorted(spans):
            text = texts.text(row)
            cuts = _cuts(_disjoint(spans[row]), text, settings["bounds"])
            if not cuts:
                continue
            needed |= {(its_split, its_row) for *_, its_split, its_row in cuts if (its_split, its_row) != (own, row)}
            left = sum(not character.isspace() for character in _without(text, cuts))
            entry = {"row": row, "id": texts.id(row), "source": int(texts.table[row]["source"])}
            file.write({**entry, "length": len(text), "left": left, "cuts": [cut[:3] for cut in cuts]})
    named = np.array(sorted(needed), _NAMED)
    write_partitions(out, "needed", named, named["split"].astype(np.int64), count)
    return {"documents": len(spans)}


def _without(text: str, cuts: Sequence[tuple[int, int, str, int, int]]) -> str:
    kept: list[str] = []
    at = 0
    for start, end, *_ in cuts:
        kept.append(text[at:start])
        at = end
    return "".join((*kept, text[at:]))


def decide(out: Path, inputs: Sequence[Path], settings: dict[str, Any], watch: Any) -> dict[str, Any]:
    """Write the decisions on one split: ``inputs`` are its unit of ``span``, then those of all splits."""
    del watch
    needed = set(read_partition(inputs[1:], "needed", settings["split"])["row"].tolist())
    removed: dict[int, list[int]] = {}
    decisions: list[Decision] = []
    for row in rows(inputs[0] / "spans.jsonl.zst"):
        shared: dict[str, int] = {}
        for start, end, id in row["cuts"]:
            shared[id] = shared.get(id, 0) + end - start
        cut = sum(shared.values())
        twin = min(shared, key=lambda id: (-shared[id], id))
        share = round(cut / row["length"], 6)
        values = {"shared_share": share, "shared_characters": cut}
        goes = row["left"] < settings["least_left"] and row["row"] not in needed and twin != row["id"]
        counts = removed.setdefault(row["source"], [0, 0])
        counts[0], counts[1] = counts[0] + goes, counts[1] + (row["length"] if goes else cut)
        if goes:
            reason = f"stands in other documents: {share:.0%} of the text"
            decisions.append(Decision(row["id"], reason, twin, share, values=values))
        else:
            cuts = tuple((start, end, id) for start, end, id in row["cuts"])
            decisions.append(Decision(row["id"], cuts=cuts, values=values))
    write_decisions(out, decisions)
    names = settings["sources"]
    return {
        "decisions": len(decisions),
        "removed": {names[source]: counts for source, counts in sorted(removed.items())},
    }
