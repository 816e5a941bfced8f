"""Decontamination measured: items put into clean documents in several ways, alarms on the rest, and speed.

    python bench/decontamination.py BENCHMARKS CORPUS [CORPUS ...]

BENCHMARKS is a folder of benchmark files, each CORPUS a file of JSON lines with a field ``text``. Figures are shares
with Wilson's interval of 95 %. An alarm on a document into which nothing was put may well be right, so the share of
alarms is an upper bound.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
import textwrap
import time
from pathlib import Path

from pilotlight.corpus.benchmark_items import Item, read_items, readable
from pilotlight.corpus.contamination import wilson
from pilotlight.corpus.document import Document, document_id
from pilotlight.corpus.duplicates.decontaminate import Decontaminate
from pilotlight.corpus.pile import Pile, facts, make_split, read_decisions
from pilotlight.corpus.reading import lines, walk
from pilotlight.work.flow import Flow
from pilotlight.work.pool import Pool

PER_WAY = 400
LENGTHS = (("below 8 words", 0, 8), ("8 to 25", 8, 26), ("26 and more", 26, 10**9))


def asked(item: Item) -> str:
    """Return the item as it would be written in a text: what is asked, and the answer where it is short."""
    text = " ".join(item.main[:1] if "_" in item.main[0] else item.main)
    return text if len(text.split()) >= 8 or not item.answers else f"{text} {item.answers[0]}"


def filled(item: Item) -> str:
    """Return the item with a choice in its blank, where it has one."""
    return item.main[-1] if "_" in item.main[0] and len(item.main) > 1 else asked(item)


def hyphenated(text: str, draw: random.Random) -> str:
    """Return the text in lines of 60 characters, some of which end inside a word."""
    rows = textwrap.wrap(text, 60, break_long_words=False, break_on_hyphens=False)
    found: list[str] = []
    for row in rows:
        head, _, word = row.rpartition(" ")
        cut = len(word) >= 6 and word.isalpha() and draw.random() < 0.5
        found.append(f"{head} {word[:3]}-\n{word[3:]}" if cut else row)
    return "\n".join(found)


def edited(text: str, draw: random.Random, share: float) -> str:
    """Return the text with this share of its words (at least one) replaced."""
    words = text.split()
    for place in draw.sample(range(len(words)), max(1, round(share * len(words)))):
        words[place] = "something"
    return " ".join(words)


WAYS = {
    "as it is": lambda item, draw: asked(item),
    "a choice in its blank": lambda item, draw: filled(item),
    "lines of 60 characters": lambda item, draw: textwrap.fill(asked(item), 60),
    "lines that break words": lambda item, draw: hyphenated(asked(item), draw),
    "capitals, no punctuation": lambda item, draw: "".join(c if c.isalnum() else " " for c in asked(item).upper()),
    "one word replaced": lambda item, draw: edited(asked(item), draw, 0.0),
    "3 % of words replaced": lambda item, draw: edited(asked(item), draw, 0.03),
    "10 % of words replaced": lambda item, draw: edited(asked(item), draw, 0.1),
    "first 60 %": lambda item, draw: " ".join(asked(item).split()[: round(0.6 * len(asked(item).split()))]),
}


def shown(found: int, count: int) -> str:
    """Return a share with its interval."""
    low, high = wilson(found, count)
    return f"{found / count:.3f} [{low:.3f}, {high:.3f}] of {count}" if count else "none"


def corpora(paths: list[Path]) -> list[Document]:
    """Return the documents of files of JSON lines."""
    return [
        Document(
            json.loads(line)["text"], document_id(path.name, path.name, str(number)), path.name, f"{path.name}#{number}"
        )
        for path in paths
        for number, line in enumerate(lines(path))
    ]


def items_of(folder: Path, draw: random.Random) -> list[Item]:
    """Return items of every benchmark, the same number of each file where it has as many, in mixed order."""
    files: list[list[Item]] = []
    for file in walk(folder):
        if readable(file.relative) and "wiki" not in file.relative:
            every = [item for item in read_items(file.path, file.relative) if len(asked(item).split()) >= 6]
            files.append(draw.sample(every, min(len(every), 120)))
    mixed = [item for items in files for item in items]
    draw.shuffle(mixed)
    return mixed


def decide(documents: list[Document], step: Decontaminate, folder: Path) -> tuple[dict[str, str], float]:
    """Return what is dropped, with its item, and the seconds of work without reading the benchmarks."""
    with Pool(0) as inline:
        flow = Flow(folder, inline)
        splits = tuple(
            make_split(folder / "given", documents[at : at + 2000], flow) for at in range(0, len(documents), 2000)
        )
        pile = Pile(flow, "decontaminate", splits)
        index = step._index(pile)
        begin = time.process_time()
        units = step.decide(pile)
        seconds = time.process_time() - begin
        print(f"index: {facts(index)['items']} items, {facts(index)['n-grams']} n-grams")
        found = {id: one.twin for unit in units for id, one in read_decisions(unit).items() if one.drop}
    return found, seconds


def put_in(item: Item, way: str, host: Document, draw: random.Random) -> Document:
    """Return the beginning of a document with an item between two of its words."""
    words = host.text[:3000].split(" ")
    place = draw.randrange(1, max(2, len(words)))
    text = " ".join([*words[:place], WAYS[way](item, draw), *words[place:]])
    return Document(text, document_id("put in", way, item.name), "put in", way)


def main(benchmarks: Path, paths: list[Path]) -> None:
    """Print the figures."""
    draw = random.Random(20)
    step = Decontaminate(benchmarks=(benchmarks,))
    with tempfile.TemporaryDirectory() as name:
        documents = corpora(paths)
        size = sum(document.bytes for document in documents)
        alarms, seconds = decide(documents, step, Path(name))
        print(f"speed: {size / 1e6 / seconds:.1f} MB per CPU-second, read to decided ({size / 1e6:.0f} MB)")
        print(f"alarms on documents as they are: {shown(len(alarms), len(documents))}")
        clean = [document for document in documents if document.id not in alarms]
        items = items_of(benchmarks, draw)
        put: list[Document] = []
        of: dict[str, tuple[str, Item]] = {}
        for nth, way in enumerate(WAYS):
            for item in (
                items[nth * PER_WAY : (nth + 1) * PER_WAY] if len(items) >= PER_WAY * len(WAYS) else items[:PER_WAY]
            ):
                document = put_in(item, way, draw.choice(clean), draw)
                put.append(document)
                of[document.id] = (way, item)
        found, _ = decide(put, step, Path(name))
        print("recall by way and words of the item")
        for way in WAYS:
            print(f"  {way}: {shown(*tally(of, found, way, 0, 10**9))}")
            for label, low, high in LENGTHS:
                print(f"    {label}: {shown(*tally(of, found, way, low, high))}")
        right = sum(id in of for id in found)
        print(
            f"precision, as many clean documents as put in: {precision(right, len(put), len(alarms), len(documents))}"
        )


def tally(of: dict[str, tuple[str, Item]], found: dict[str, str], way: str, low: int, high: int) -> tuple[int, int]:
    """Return how many documents of a way and a length of item were found, and how many there are."""
    ids = [id for id, (own, item) in of.items() if own == way and low <= len(asked(item).split()) < high]
    return sum(id in found for id in ids), len(ids)


def precision(right: int, put: int, alarms: int, documents: int) -> str:
    """Return the precision where half of the documents hold an item, with the interval of the share of alarms."""
    low, high = wilson(alarms, documents)
    recall = right / put
    return (
        f"{recall / (recall + alarms / documents):.4f} [{recall / (recall + high):.4f}, {recall / (recall + low):.4f}]"
    )


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), [Path(given) for given in sys.argv[2:]])
