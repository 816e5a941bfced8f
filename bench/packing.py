"""Speed of packing and of batches, and what two ways of packing waste, on text of your own.

python bench/packing.py FOLDER                   every *.jsonl.gz below FOLDER, 32 MB of text in 4 files
python bench/packing.py FOLDER --megabytes 64    more of it
python bench/packing.py FOLDER --vocabulary 32000

FOLDER holds files of lines such as {"text": "..."}. Speeds are megabytes of UTF-8 text per second of CPU time of all
threads; packing is what `pilot tokens pack` does after the tokenizer is learnt: read, encode, sample, write.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np

from pilotlight.corpus.document import Document
from pilotlight.corpus.store import Rows, to_row
from pilotlight.events import silent
from pilotlight.tokens.batches import Batches
from pilotlight.tokens.order import Length
from pilotlight.tokens.orders import Order
from pilotlight.tokens.pack_units import Part, join, learn, read, write_part
from pilotlight.tokens.packing import waste_of
from pilotlight.tokens.tokenizer import open_encoder
from pilotlight.tokens.tokens import TOKENIZER, Split

SHARDS = 4


def texts(folder: Path) -> Iterator[tuple[str, str]]:
    """Return the texts below ``folder`` and the names of their files, one of each file in turn."""
    paths = sorted(folder.rglob("*.jsonl.gz"))
    for round_of_lines in zip_longest(*(_lines(path) for path in paths)):
        yield from (found for found in round_of_lines if found is not None)


def _lines(path: Path) -> Iterator[tuple[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            text = json.loads(line).get("text")
            if isinstance(text, str) and text:
                yield text, path.stem


def shards(folder: Path, out: Path, megabytes: float) -> tuple[list[Path], int]:
    """Write the text as files of a corpus; return them and its bytes."""
    paths = [out / f"{number:05d}.jsonl.zst" for number in range(SHARDS)]
    size = 0
    writers = [Rows(path, 3) for path in paths]
    for number, (text, source) in enumerate(texts(folder)):
        id = hashlib.md5(f"{number}".encode()).hexdigest()
        writers[number % SHARDS].write(to_row(Document(text, id, source, "", {"content": "prose"})))
        size += len(text.encode())
        if size > megabytes * 1e6:
            break
    for writer in writers:
        writer.__exit__(None, None, None)
    return paths, size


def clock(what: str, size: float, unit: str, work: Callable[[], Any]) -> Any:
    """Do ``work`` and print how much of ``size`` a second of CPU time took."""
    begun = time.process_time()
    found = work()
    spent = time.process_time() - begun
    sys.stdout.write(f"{what:44} {size / spent:12.4g} {unit} per CPU-second\n")
    return found


def pack_parts(paths: list[Path], folder: Path, encoder: Any) -> list[Part]:
    """Return the parts of packing, one a file."""
    parts: list[Part] = []
    for number, path in enumerate(paths):
        part = folder / f"part{number}"
        part.mkdir()
        parts.append(Part(part, {**write_part(read(path), encoder, part, "train"), "file": str(path)}))
    return parts


def packing(folder: Path, megabytes: float, vocabulary: int) -> Split:
    """Print the speed of the parts of packing; return the packed text."""
    with tempfile.TemporaryDirectory() as name:
        out = Path(name)
        paths, size = shards(folder, out, megabytes)
        learnt = out / "learnt"
        learnt.mkdir()
        settings = {"tokenizer": {"kind": "bpe", "vocabulary": vocabulary, "sample_bytes": min(8e6, size)}}
        learn(learnt, [], {**settings, "files": [str(path) for path in paths]}, silent)
        encoder = open_encoder(learnt / TOKENIZER)
        mega = size / 1e6
        read_all = clock("reading the corpus", mega, "MB", lambda: [item for path in paths for item in read(path)])
        clock("encode_batch alone", mega, "MB", lambda: encoder.encode_batch([item.text for item in read_all]))
        parts = clock("packing: read, encode, sample, write", mega, "MB", lambda: pack_parts(paths, out, encoder))
        clock("joining the parts", mega, "MB", lambda: join(parts, encoder, out))
        ids = np.fromfile(out / "train.bin", "<u2" if vocabulary <= 1 << 16 else "<u4")
        bounds = np.fromfile(out / "train.bounds.bin", "<i8")
        names = sorted({item.source for item in read_all})
        sources = np.fromfile(out / "train.sources.bin", "<u2")
        sys.stdout.write(f"{len(bounds) - 1} documents, {mega:.1f} MB, {len(ids)} tokens\n")
        raw = np.fromfile(out / "train.documents.bin", "|u1").reshape(-1, 16)
        return Split("train", ids, bounds, np.fromfile(out / "train.bytes.bin", "<i8"), raw, sources, tuple(names))


def batches(split: Split, context: int, rows: int, steps: int) -> None:
    """Print how many tokens of batches a CPU-second gives, for each order and packing."""
    for packing in ("concat", "best_fit"):
        for kind in ("shuffled", "mixture", "curriculum", "adaptive"):
            begun = time.process_time()
            mix = Order.choose(kind).mix(split, Length(steps, rows, context))
            made = Batches(split, rows, context, 0, packing=packing, mix=mix)
            made.at(0)
            ready = time.process_time() - begun

            def go(made: Batches = made) -> None:
                for step in range(steps):
                    made.at(step)
                    made.counted(step)

            clock(f"{packing}, {kind}: ready in {ready:.2f} s", steps * rows * context / 1e6, "M tokens", go)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--megabytes", type=float, default=32.0)
    parser.add_argument("--vocabulary", type=int, default=8192)
    parser.add_argument("--context", type=int, default=1024)
    parser.add_argument("--steps", type=int, default=100)
    given = parser.parse_args()
    split = packing(given.folder, given.megabytes, given.vocabulary)
    for context, found in waste_of(split.bounds).items():
        sys.stdout.write(f"context {context}: {json.dumps(found)}\n")
    batches(split, given.context, 16, given.steps)


if __name__ == "__main__":
    main()
