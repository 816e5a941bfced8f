"""The corpus of `make bench-data`: text cut to size by a seed, with copies of a known kind put into it, in 16 files.

Written into a folder: ``docs/00000.jsonl`` and following (id, source, text), ``truth.json`` (id of the copy, id of what
it is a copy of, kind), ``facts.json``, and a tokenizer learnt from the text as ``tokenizer.json`` and ``table.tiktoken``:
the same merges and ids in two forms. The same input gives the same bytes.
"""

from __future__ import annotations

import base64
import gzip
import json
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from near_duplicates import changed, pieces, shingles
from peers.measuring import FEW
from pilotlight.corpus.document import Document, document_id
from pilotlight.corpus.source import Raw, Source
from pilotlight.tokens.byte_pairs import load_ranks, save
from pilotlight.tokens.tokenizer import Tokenizer, learn_encoder

KINDS = {"exact": 0.02, "3 % of words": 0.02, "15 % of words": 0.01, "cut to 80 %": 0.01}
SHARDS = 16
SEED = 7
SHORTEST = 100  # characters
LONG_ENOUGH = 150  # words of a document that copies are made of
MOST_OF_A_FILE = 64_000_000
SIMILAR = 0.7
FEW_DOCUMENTS = 20  # of each of two files


def _rows(path: Path) -> Iterator[str]:
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8", errors="replace", newline="\n") as file:
        if ".jsonl" not in path.suffixes:
            yield file.read(MOST_OF_A_FILE)
            return
        size = 0
        for line in file:
            text = json.loads(line).get("text")
            if isinstance(text, str):
                size += len(text)
                yield text
            if size > MOST_OF_A_FILE:
                return


def _folder(folder: Path) -> dict[str, list[str]]:
    """Return the texts of each file of JSON lines or plain text below a folder."""
    endings = (".jsonl", ".jsonl.gz", ".txt", ".txt.gz")
    found = [path for path in sorted(folder.rglob("*")) if path.name.endswith(endings) and path.is_file()]
    if not found:
        raise SystemExit(f"{folder} holds no .jsonl, .jsonl.gz, .txt or .txt.gz file; give a folder that does.")
    return {path.relative_to(folder).as_posix(): list(_rows(path)) for path in found}


def _python() -> dict[str, list[str]]:
    """Return the code and the documentation of the running Python."""
    sources = {kind: Source.choose(kind) for kind in ("python_library", "python_docs")}
    return {
        kind: [raw.text for file in source.files() for raw in source.read(file) if isinstance(raw, Raw)]
        for kind, source in sources.items()
    }


def _chosen(texts: dict[str, list[str]], most: float, draw: random.Random) -> list[tuple[str, str]]:
    """Return (source, text) up to ``most`` bytes, about equally many of each source as long as it has some."""
    left: dict[str, list[str]] = {}
    for name, given in texts.items():
        parts = [text for whole in given for piece in pieces(whole) if len(text := _plain(piece)) > SHORTEST]
        draw.shuffle(parts)
        left[name] = parts
    sizes: Counter[str] = Counter(dict.fromkeys(left, 0))
    found: list[tuple[str, str]] = []
    while left and sizes.total() < most:
        name = min(left, key=lambda name: (sizes[name], name))
        if not left[name]:
            del left[name]
            continue
        found.append((name, left[name].pop()))
        sizes[name] += len(found[-1][1].encode())
    return found


def _plain(text: str) -> str:
    return text.strip().encode("utf-8", "replace").decode()


def make(out: Path, folder: Path | None, megabytes: float, vocabulary: int) -> dict[str, Any]:
    """Return facts about the corpus that is now in ``out``."""
    draw = random.Random(SEED)
    base = _chosen(_folder(folder) if folder else _python(), megabytes * 1e6, draw)
    rows = [{"id": f"b{number}", "source": source, "text": text} for number, (source, text) in enumerate(base)]
    long = [row for row in rows if len(row["text"].split()) > LONG_ENOUGH]
    truth, copies = [], []
    for kind, share in KINDS.items():
        for row in draw.sample(long, min(len(long), round(share * len(rows)))):
            copies.append({**row, "id": f"d{len(copies)}", "text": changed(row["text"], kind, draw)})
            truth.append({"id": copies[-1]["id"], "of": row["id"], "kind": kind})
    rows += copies
    draw.shuffle(rows)
    (out / "docs").mkdir(parents=True)
    for shard in range(SHARDS):
        lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows[shard::SHARDS]]
        (out / "docs" / f"{shard:05d}.jsonl").write_text("".join(lines), encoding="utf-8", newline="\n")
    (out / "truth.json").write_text(json.dumps(truth), encoding="utf-8")
    size = Counter[str]()
    for row in rows:
        size[row["source"]] += len(row["text"].encode())
    learnt = _learn_tokenizer(out, rows, vocabulary)
    _few(out, rows)
    facts = {
        "documents": len(rows), "copies": len(copies), "bytes": size.total(), "sources": dict(size.most_common()),
        "vocabulary": learnt, "of": "text of the running Python" if folder is None else f"{len(size)} files",
    }  # fmt: skip
    for place in (out, out / FEW):
        (place / "facts.json").write_text(json.dumps(facts), encoding="utf-8")
    return facts


def _few(out: Path, rows: list[dict[str, str]]) -> None:
    """Write a corpus of a few documents, over which every program is warmed up."""
    few = out / FEW
    (few / "docs").mkdir(parents=True)
    for shard in range(2):
        lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows[shard : 2 * FEW_DOCUMENTS : 2]]
        (few / "docs" / f"{shard:05d}.jsonl").write_text("".join(lines), encoding="utf-8", newline="\n")
    for path in [path for path in out.iterdir() if path.is_file()]:
        (few / path.name).symlink_to(path.resolve())


def _learn_tokenizer(out: Path, rows: list[dict[str, str]], vocabulary: int) -> int:
    documents = [
        Document(row["text"], document_id(row["source"], row["id"], "1"), row["source"], row["id"]) for row in rows
    ]
    settings = Tokenizer.choose({"kind": "bpe", "vocabulary": vocabulary})
    learn_encoder(settings, documents, out / "learnt")
    ranks = load_ranks(out / "learnt")
    save(ranks, out)
    table = [base64.b64encode(string) + f" {rank}\n".encode() for string, rank in ranks.items()]
    (out / "table.tiktoken").write_bytes(b"".join(table))
    return len(ranks) + 1


def recall(given: Path, left: set[str]) -> dict[str, tuple[int, int]]:
    """Return by kind of copy how many pairs lost one of the two, and how many there are."""
    counts = {kind: [0, 0] for kind in KINDS}
    for pair in json.loads((given / "truth.json").read_text(encoding="utf-8")):
        counts[pair["kind"]][0] += not (pair["id"] in left and pair["of"] in left)
        counts[pair["kind"]][1] += 1
    return {kind: (hits, count) for kind, (hits, count) in counts.items()}


def precision(rows: dict[str, str], left: set[str]) -> tuple[int, int]:
    """Return how many of the documents that went are like one that stayed, and how many went.

    Like: the sets of sequences of five words have a true similarity (Jaccard) of 0.7 or more.
    """
    gone = {id: {hash(part) for part in shingles(text)} for id, text in rows.items() if id not in left}
    owners: dict[int, list[str]] = {}
    for id, parts in gone.items():
        for part in parts:
            owners.setdefault(part, []).append(id)
    right: set[str] = set()
    for id in left & rows.keys():
        parts = {hash(part) for part in shingles(rows[id])}
        both = Counter(owner for part in parts for owner in owners.get(part, ()))
        right |= {one for one, count in both.items() if count >= SIMILAR * (len(parts) + len(gone[one]) - count)}
    return len(right), len(gone)
