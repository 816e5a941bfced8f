"""Private data: precision and recall on labelled text, speed on ordinary text, beside presidio's pattern recognisers.

usage: python bench/pii.py [LABELLED] [--half test|dev|all] [--text FILE ...] [--presidio-python PATH]

LABELLED is a folder with presidio_generated_large.json.gz, presidio_synth_dataset_v2.json.gz (rows with full_text and
spans) and enterprise_pii_classification.jsonl.gz (passages with a label). Rows are halved by the SHA-256 of their text:
the rules were written looking at ``dev`` only. A span counts as found if one of its type overlaps it (or is it, exactly).
FILE is JSON lines (gzip) with a field ``text``; the running Python's own library is always measured.
--presidio-python is an interpreter with presidio-analyzer and spacy; no model of spaCy is needed.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import random
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pilotlight.corpus.edits.pii import Pii
from pilotlight.corpus.private.kinds import KINDS
from pilotlight.corpus.view import View

TYPES = {
    "email": "EMAIL_ADDRESS", "phone": "PHONE_NUMBER", "payment_card": "CREDIT_CARD", "ip_address": "IP_ADDRESS",
    "local_ip": "IP_ADDRESS", "iban": "IBAN_CODE", "ssn": "US_SSN", "driver_license": "US_DRIVER_LICENSE",
}  # fmt: skip
PARTS = sorted(set(TYPES.values()))
Span = tuple[int, int, str]

PEER = """
import json, sys, time
import spacy
from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
from presidio_analyzer.nlp_engine import NlpArtifacts, NlpEngine
from presidio_analyzer import predefined_recognizers as known

class Blank(NlpEngine):
    def __init__(self): self.nlp = spacy.blank("en")
    def load(self): pass
    def is_loaded(self): return True
    def process_text(self, text, language):
        doc = self.nlp.make_doc(text)
        return NlpArtifacts([], doc, [t.idx for t in doc], [t.lower_ for t in doc], self, language)
    def process_batch(self, texts, language, **_):
        for text in texts: yield text, self.process_text(text, language)
    def is_stopword(self, word, language): return self.nlp.vocab[word].is_stop
    def is_punct(self, word, language): return self.nlp.vocab[word].is_punct
    def get_supported_entities(self): return []
    def get_supported_languages(self): return ["en"]

registry = RecognizerRegistry(recognizers=[getattr(known, name + "Recognizer")() for name in (
    "Email", "Phone", "CreditCard", "Ip", "Iban", "UsSsn", "UsLicense")], supported_languages=["en"])
engine = AnalyzerEngine(registry=registry, nlp_engine=Blank(), supported_languages=["en"])
texts = json.load(open(sys.argv[1], encoding="utf-8"))
begin = time.process_time()
found = [[(r.start, r.end, r.entity_type, r.score) for r in engine.analyze(text, "en")] for text in texts]
json.dump({"seconds": time.process_time() - begin, "found": found}, open(sys.argv[2], "w"))
"""


def half(text: str) -> str:
    """Return which half a row is in."""
    return "dev" if hashlib.sha256(text.encode()).digest()[0] % 2 == 0 else "test"


def rows(path: Path, wanted: str) -> list[tuple[str, list[Span]]]:
    """Return texts with their labelled spans of the types that patterns can find."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        given = json.load(file)
    kept = [row for row in given if wanted in ("all", half(row["full_text"]))]
    return [(row["full_text"], [span for span in map(labelled_span, row["spans"]) if span[2] in PARTS]) for row in kept]


def labelled_span(given: dict[str, Any]) -> Span:
    """Return a labelled span as start, end and type."""
    return given["start_position"], given["end_position"], given["entity_type"]


def ours(texts: Iterable[str]) -> list[list[Span]]:
    """Return what Pilotlight finds under its default settings, local addresses as well."""
    part = Pii(kinds={"local_ip": "annotate"})
    found: list[list[tuple[int, int, str]]] = [
        json.loads(str(part.edit_view(View(text))[1]["spans"])) for text in texts
    ]
    return [[(start, end, TYPES.get(kind) or kind) for start, end, kind in spans] for spans in found]


def peer(texts: list[str], python: str) -> tuple[list[list[tuple[int, int, str, float]]], float]:
    """Return what presidio's pattern recognisers find with their scores, and the CPU seconds that took."""
    with tempfile.TemporaryDirectory() as folder:
        given, out = Path(folder) / "texts.json", Path(folder) / "found.json"
        given.write_text(json.dumps(texts), encoding="utf-8")
        subprocess.run([python, "-c", PEER, str(given), str(out)], check=True, capture_output=True)
        told = json.loads(out.read_text(encoding="utf-8"))
    return told["found"], told["seconds"]


def counts(labelled: list[Span], found: list[Span], exact: bool) -> dict[str, list[int]]:
    """Return by type: spans found right, found wrong, labelled and found, labelled and missed."""

    def same(one: Span, other: Span) -> bool:
        return one == other if exact else one[2] == other[2] and one[0] < other[1] and other[0] < one[1]

    table: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for span in found:
        if span[2] in PARTS:
            table[span[2]][0 if any(same(span, other) for other in labelled) else 1] += 1
    for span in labelled:
        table[span[2]][2 if any(same(span, other) for other in found) else 3] += 1
    return table


def scores(tables: list[dict[str, list[int]]], types: list[str]) -> tuple[float, float, float]:
    """Return precision, recall and F1 over rows and types together."""
    right, wrong, hit, missed = (
        sum(table[t][place] for table in tables for t in types if t in table) for place in range(4)
    )
    precision = right / (right + wrong) if right + wrong else 1.0
    recall = hit / (hit + missed) if hit + missed else 1.0
    return precision, recall, 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def interval(tables: list[dict[str, list[int]]], types: list[str], draws: int = 1000) -> tuple[float, float]:
    """Return the 95 % interval of F1 from rows drawn again with replacement."""
    rng = random.Random(1)
    kept = [table for table in tables if any(t in table for t in types)]
    values = sorted(scores(rng.choices(kept, k=len(kept)), types)[2] for _ in range(draws)) if kept else [0.0]
    return values[int(0.025 * len(values))], values[min(len(values) - 1, int(0.975 * len(values)))]


SHOWN = 0.4  # score of presidio of which every type is shown: its best on both sets


def report(name: str, given: list[tuple[str, list[Span]]], found: list[list[Span]], brief: bool = False) -> None:
    """Print a table: each type, and all together; ``brief``: only all together."""
    for exact in (False, True):
        tables = [counts(labelled, spans, exact) for (_, labelled), spans in zip(given, found, strict=True)]
        print(f"\n{name}, {'exact' if exact else 'overlapping'} spans")
        each = [] if brief else [(part, [part]) for part in PARTS]
        for label, types in [*each, ("micro-average", PARTS)]:
            number = sum(table[part][2] + table[part][3] for table in tables for part in types if part in table)
            if number:
                p, r, f = scores(tables, types)
                low, high = interval(tables, types)
                print(f"  {label:18} {number:5}  P {p:.3f}  R {r:.3f}  F1 {f:.3f} [{low:.3f}, {high:.3f}]")


def passages(path: Path, wanted: str) -> list[tuple[str, bool]]:
    """Return passages, and whether they are labelled as sensitive."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        given = [json.loads(line) for line in file]
    pairs = [(row["query"].partition("'''")[2].rpartition("'''")[0], row["gold"] == 1) for row in given]
    return [(text, label) for text, label in pairs if wanted in ("all", half(text))]


def quality(folder: Path, wanted: str, python: str | None) -> None:
    """Print precision and recall on each labelled set."""
    for name in ("presidio_generated_large", "presidio_synth_dataset_v2"):
        given = rows(folder / f"{name}.json.gz", wanted)
        texts = [text for text, _ in given]
        report(f"{name} ({len(given)} rows, {wanted}): Pilotlight", given, ours(texts))
        if python:
            found, _ = peer(texts, python)
            for least in (0.0, 0.3, 0.4, 0.5):
                taken = [[(s, e, t) for s, e, t, score in spans if score >= least] for spans in found]
                report(f"{name}: presidio patterns, score >= {least}", given, taken, brief=least != SHOWN)
    pairs = passages(folder / "enterprise_pii_classification.jsonl.gz", wanted)
    hits = [bool(spans) for spans in ours(text for text, _ in pairs)]
    right = sum(hit and label for hit, (_, label) in zip(hits, pairs, strict=True))
    print(f"\nenterprise passages ({len(pairs)}): something found in {sum(hits)}, {right} of them labelled sensitive "
          f"(of {sum(label for _, label in pairs)}: most hold plans and revenues, which no pattern is for)")  # fmt: skip


def library() -> Iterator[str]:
    """Yield modules of the running Python's own library."""
    for path in sorted(Path(sysconfig.get_paths()["stdlib"]).rglob("*.py"))[:900]:
        if "site-packages" not in path.parts:
            yield path.read_text(encoding="utf-8", errors="replace")


def taken(path: Path, limit: int = 5_000_000) -> Iterator[str]:
    """Yield the texts of a file of JSON lines, up to ``limit`` characters."""
    size = 0
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            text = json.loads(line)["text"]
            yield text
            size += len(text)
            if size > limit:
                return


def speed(sources: dict[str, list[str]], python: str | None) -> None:
    """Print megabytes a second of CPU, and how often each kind was found."""
    part = Pii()
    part.edit_view(View("+34 612 345 678"))
    for name, texts in sources.items():
        size = sum(len(text.encode("utf-8", "replace")) for text in texts) / 1e6
        begin = time.process_time()
        values = [part.edit_view(View(text))[1] for text in texts]
        seconds = time.process_time() - begin
        found = {kind: total for kind in KINDS if (total := sum(int(value[kind]) for value in values))}
        line = f"{name:28} {size:6.2f} MB  {size / seconds:6.1f} MB/s  {found}"
        if python:
            few = [text[:20_000] for text in texts[:30]]
            small = sum(len(text.encode("utf-8", "replace")) for text in few) / 1e6
            line += f"  presidio {small / peer(few, python)[1]:.2f} MB/s"
        print(line)


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("labelled", nargs="?", type=Path)
    parser.add_argument("--half", choices=("test", "dev", "all"), default="test")
    parser.add_argument("--text", nargs="*", type=Path, default=[])
    parser.add_argument("--presidio-python")
    given = parser.parse_args()
    print(f"Python {sys.version.split()[0]}; CPU seconds of one process")
    if given.labelled:
        quality(given.labelled, given.half, given.presidio_python)
    print()
    worst = {letter: [letter * 1_000_000] for letter in ("1", "@", "a", "a@", ":", "_-", "1.", "1 ", "=1")}
    sources = {path.name.partition(".")[0]: list(taken(path)) for path in given.text}
    speed({**sources, "python library": list(library())}, given.presidio_python)
    speed({f"1 M times {letter!r}": texts for letter, texts in worst.items()}, None)


if __name__ == "__main__":
    main()
