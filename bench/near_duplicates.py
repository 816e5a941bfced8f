"""Speed of near deduplication, its recall on injected copies, and its agreement with labelled pairs and clusters.

python bench/near_duplicates.py CORPORA [LABELLED] [--mb 20] [--splits 4] [--similarity 0.7] [--recall 0.95]

CORPORA is a folder of .jsonl.gz files with a field ``text``; LABELLED a folder with ``<corpus>_exact_jaccard.jsonl.gz``
(row_a, row_b, jaccard of sets of 5 words) and files of texts with a field ``cluster``. All samples are seeded.
"""

from __future__ import annotations

import argparse
import gzip
import json
import math
import random
import re
import resource
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import numpy as np

from pilotlight.corpus.document import Document, document_id
from pilotlight.corpus.duplicate import Duplicates
from pilotlight.corpus.duplicates.exact import Exact
from pilotlight.corpus.duplicates.near import Near
from pilotlight.corpus.pile import Pile, make_split, read_decisions
from pilotlight.randomness import stream
from pilotlight.work.flow import Flow
from pilotlight.work.pool import Pool
from pilotlight.work.unit import Outcome, Unit

KINDS = {"exact": 0.02, "case and space": 0.01, "3 % of words": 0.03, "15 % of words": 0.01, "cut to 80 %": 0.02,
         "cut to 50 %": 0.01}  # fmt: skip
BINS = (0.5, 0.6, 0.65, 0.7, 0.75, 0.8, 0.9, 0.95, 1.01)


class Timed:
    """Does units in this process and adds up the CPU seconds of each stage."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.seconds: Counter[str] = Counter()

    def run(self, units: Sequence[Unit], *, watch: Any) -> Iterator[Outcome]:
        """Return the outcome of each unit."""
        for unit in units:
            began = time.process_time()
            yield from self.pool.run([unit], watch=watch)
            self.seconds[unit.key.partition("/")[0]] += time.process_time() - began


def read(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a packed JSONL file."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def pieces(text: str, size: int = 60_000) -> Iterator[str]:
    """Return a long text in pieces of about ``size`` characters."""
    for start in range(0, len(text), size):
        yield text[start : start + size]


def texts(folder: Path, most: float, draw: random.Random) -> list[tuple[str, str]]:
    """Return (source, text) from all files of a folder, about equally many bytes of each, ``most`` bytes in all."""
    files = sorted(folder.glob("*.jsonl.gz"))
    chosen: list[tuple[str, str]] = []
    for path in files:
        rows = [piece.strip() for row in read(path) for piece in pieces(row["text"])]
        draw.shuffle(rows)
        size = 0.0
        for text in rows:
            if len(text) > 100 and size < most / len(files):
                chosen.append((path.name.partition(".")[0], text))
                size += len(text.encode())
    return chosen


def changed(text: str, kind: str, draw: random.Random) -> str:
    """Return a near duplicate of a text: some words replaced, or its end cut off."""
    parts = re.findall(r"\S+|\s+", text)
    if kind.startswith("cut"):
        return "".join(parts[: int(len(parts) * int(kind.split()[2]) / 100)])
    if kind.endswith("of words"):
        share = int(kind.split()[0]) / 100
        return "".join(
            f"zq{draw.randrange(99999)}" if not part.isspace() and draw.random() < share else part for part in parts
        )
    return "  ".join(text.upper().split(" ")) if kind == "case and space" else text


def decide(part: Duplicates, documents: list[Document], splits: int, draw: random.Random) -> tuple[dict, Counter]:
    """Return twin and similarity of each document that goes, and the CPU seconds of each stage."""
    documents = draw.sample(documents, len(documents))
    with tempfile.TemporaryDirectory() as folder, Pool(0) as pool:
        timed = Timed(pool)
        flow = Flow(Path(folder), timed)
        given = [make_split(Path(folder) / "texts", documents[number::splits], flow) for number in range(splits)]
        timed.seconds.clear()
        units = part.decide(Pile(flow, "step", tuple(given)))
        gone = {id: (found.twin, found.similarity) for unit in units for id, found in read_decisions(unit).items()}
        return gone, timed.seconds


def document(name: str, source: str, text: str) -> Document:
    """Return a document with an id of its own."""
    return Document(text, document_id(source, name, "1"), source, f"{name}#1")


def shingles(text: str, length: int = 5) -> set[tuple[str, ...]]:
    """Return the sequences of words of a text, the slow and plain way."""
    words = re.findall(r"\w+", text.lower())
    return set(zip(*(words[place:] for place in range(length)), strict=False)) if len(words) >= length else {(*words,)}


def jaccard(left: str, right: str) -> float:
    """Return the true similarity of two texts."""
    one, other = shingles(left), shingles(right)
    return len(one & other) / len(one | other)


def wilson(hits: int, count: int) -> str:
    """Return a share with its 95 % interval (Wilson)."""
    if not count:
        return "none"
    share, z = hits / count, 1.96
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count)) / (1 + z * z / count)
    return f"{share:.3f} [{max(0.0, middle - half):.3f}, {min(1.0, middle + half):.3f}] of {count}"


def injected(folder: Path, part: Near, arguments: argparse.Namespace) -> None:
    """Print speed, recall by kind of copy and the true similarity of what goes."""
    draw = random.Random(7)
    base = [document(f"b{number}", source, text) for number, (source, text) in
            enumerate(texts(folder, arguments.mb * 1e6, draw))]  # fmt: skip
    long = [item for item in base if len(item.text.split()) > 150]
    copies = [
        (kind, item, document(f"{kind} {place}", item.source, changed(item.text, kind, draw)))
        for kind, share in KINDS.items() for place, item in enumerate(draw.sample(long, int(share * len(base))))
    ]  # fmt: skip
    every = {item.id: item for item in [*base, *(copy for _, _, copy in copies)]}
    size = sum(item.bytes for item in every.values())
    for step in (Exact(), part):
        gone, seconds = decide(step, list(every.values()), arguments.splits, random.Random(1))
        total = sum(seconds.values())
        print(f"\n{step.kind}: {len(every)} documents, {size / 1e6:.1f} MB, {size / 1e6 / total:.1f} MB per CPU-second")
        print("  " + ", ".join(f"{stage.partition('.')[2]} {spent:.2f} s" for stage, spent in seconds.items()))
    print(f"  peak memory of this process {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3:.0f} MB")
    for kind in KINDS:
        pairs = [(item.id, copy.id) for name, item, copy in copies if name == kind]
        print(f"  recall, {kind}: {wilson(sum(one in gone or other in gone for one, other in pairs), len(pairs))}")
    true = {id: jaccard(every[id].text, every[twin].text) for id, (twin, _) in gone.items()}
    right = sum(value >= part.similarity - 1e-4 for value in true.values())
    print(f"  precision, true similarity at least {part.similarity}: {wilson(right, len(true))}")
    errors = [abs(true[id] - found) for id, (_, found) in gone.items()]
    print(f"  error of a similarity: {np.quantile(errors, 0.9):.1e} or less in 90 %, {max(errors):.1e} at most (scripts "
          "without spaces are compared by characters)")  # fmt: skip
    known = {frozenset((item.id, copy.id)) for _, item, copy in copies}
    print(
        f"  went, but not for an injected copy: {sum(frozenset((id, t)) not in known for id, (t, _) in gone.items())}"
    )


def against_pairs(corpora: Path, path: Path, part: Near, splits: int) -> None:
    """Print recall by similarity and precision against pairs with their true similarity."""
    name = path.name.partition("_exact_jaccard")[0]
    texts = [row["text"] for row in read(next(iter(sorted(corpora.glob(f"{name}*.jsonl.gz")))))]
    documents = [document(str(number), name, text) for number, text in enumerate(texts)]
    pairs = {(documents[row["row_a"]].id, documents[row["row_b"]].id): row["jaccard"] for row in read(path)}
    gone, _ = decide(part, documents, splits, random.Random(1))
    print(f"\n{name}: {len(documents)} documents, {len(gone)} go")
    for low, high in pairwise(BINS):
        here = [pair for pair, value in pairs.items() if low <= value < high]
        hits = sum(one in gone or other in gone for one, other in here)
        print(f"  similarity {low} to {min(high, 1)}: one goes in {wilson(hits, len(here))}")
    found = [pairs.get((id, twin), pairs.get((twin, id), 0.0)) for id, (twin, _) in gone.items()]
    print(f"  precision, true similarity at least {part.similarity}: "
          f"{wilson(sum(value >= part.similarity - 1e-4 for value in found), len(found))}")  # fmt: skip


def against_clusters(path: Path, part: Near, splits: int) -> None:
    """Print pairwise precision, recall and F1 against labelled clusters, with intervals by resampling clusters."""
    rows = read(path)
    documents = [document(row["id"], "clusters", row["text"]) for row in rows]
    label = {item.id: row["cluster"] for item, row in zip(documents, rows, strict=True)}
    gone, _ = decide(part, documents, splits, random.Random(1))
    groups: dict[str, list[str]] = defaultdict(list)
    for item in documents:
        groups[gone.get(item.id, (item.id, 1.0))[0]].append(item.id)
    names = {name: place for place, name in enumerate(sorted(set(label.values())))}
    counts = np.zeros((len(names), 3))  # true pairs found, pairs found, true pairs
    for one, other in (pair for group in groups.values() for pair in combinations(group, 2)):
        same = label[one] == label[other]
        counts[names[label[one]]] += (same, 0.5, 0)
        counts[names[label[other]]] += (0, 0.5, 0)
    for name, size in Counter(label.values()).items():
        counts[names[name], 2] = size * (size - 1) / 2
    draws = stream(7, "bench near duplicates").integers(0, len(names), size=(2000, len(names)))

    def measures(sums: np.ndarray) -> np.ndarray:
        precision, recall = sums[..., 0] / sums[..., 1], sums[..., 0] / sums[..., 2]
        return np.stack([precision, recall, 2 * precision * recall / (precision + recall)])

    value, many = measures(counts.sum(axis=0)), measures(counts[draws].sum(axis=1))
    low, high = np.quantile(many, [0.025, 0.975], axis=1)
    print(f"\n{path.name}: {len(documents)} documents in {len(names)} clusters, {len(gone)} go")
    for place, name in enumerate(("precision", "recall", "F1")):
        print(f"  pairwise {name}: {value[place]:.4f} [{low[place]:.4f}, {high[place]:.4f}]")


def main(words: Iterable[str] | None = None) -> None:
    """Print everything."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpora", type=Path)
    parser.add_argument("labelled", type=Path, nargs="?")
    parser.add_argument("--mb", type=float, default=20.0)
    parser.add_argument("--splits", type=int, default=4)
    parser.add_argument("--similarity", type=float, default=Near().similarity)
    parser.add_argument("--recall", type=float, default=Near().recall)
    arguments = parser.parse_args(list(words) if words is not None else None)
    part = Near(similarity=arguments.similarity, recall=arguments.recall, most_removed=1.0)
    injected(arguments.corpora, part, arguments)
    for path in sorted(arguments.labelled.glob("*.jsonl.gz")) if arguments.labelled else ():
        if path.name.endswith("_exact_jaccard.jsonl.gz"):
            against_pairs(arguments.corpora, path, part, arguments.splits)
        else:
            against_clusters(path, part, arguments.splits)


if __name__ == "__main__":
    main()
