"""Measures sampling and selection on real text: speed of every step, and whether it chooses what it should.

    python bench/selection.py FOLDER [--megabytes 20] [--target NAME]

FOLDER holds one .jsonl or .jsonl.gz file per source, with the field ``text`` and optionally ``language`` or ``lang``.
Speed is bytes of text per CPU-second of the whole step, reading its splits and writing its decisions included.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

from pilotlight.corpus.difficulty import difficulty
from pilotlight.corpus.document import Document, document_id
from pilotlight.corpus.pile import Pile, make_split, read_decisions, read_split
from pilotlight.corpus.ranking import summary
from pilotlight.corpus.reading import lines
from pilotlight.corpus.select.balance import Balance
from pilotlight.corpus.select.diverse import Diverse
from pilotlight.corpus.select.dsir import Dsir
from pilotlight.corpus.select.perplexity import Perplexity
from pilotlight.corpus.select.sample import Sample
from pilotlight.corpus.select.scores import Scores
from pilotlight.corpus.selection import Select
from pilotlight.corpus.topics import topics
from pilotlight.work.flow import Flow
from pilotlight.work.pool import Pool

SEEDS = 10


def read(path: Path, most: float) -> list[Document]:
    """Return the documents of a source, up to ``most`` bytes."""
    name = path.name.partition(".")[0]
    found: list[Document] = []
    size = 0
    for number, line in enumerate(lines(path), 1):
        row = json.loads(line)
        language = row.get("language") or row.get("lang") or name[:2]
        origin = f"{path.name}#{number}"
        found.append(Document(row["text"], document_id(name, path.name, str(number)), name, origin,
                              {"content": "prose", "language": language}))  # fmt: skip
        size += found[-1].bytes
        if size > most:
            break
    return found


class Bench:
    """Runs steps over the splits of a corpus and prints what they did."""

    def __init__(self, flow: Flow, splits: tuple[Path, ...], megabytes: float) -> None:
        self.flow, self.splits, self.megabytes = flow, splits, megabytes

    def run(self, name: str, step: Select) -> tuple[list[Path], dict]:
        """Return the units of a step and its summary; prints its speed."""
        begin = time.process_time()
        units = step.decide(Pile(self.flow, name, self.splits))
        taken = time.process_time() - begin
        facts = summary(units[0])
        kept = facts["bytes_kept"] / facts["bytes"]
        print(f"\n## {name}: {self.megabytes / taken:.1f} MB per CPU-second; {100 * kept:.2f} % of the bytes stay")
        return units, facts

    def by_source(self, facts: dict) -> None:
        """Print how much of each source stays."""
        for name, row in facts["sources"].items():
            share = row["bytes_kept"] / max(1, row["bytes"])
            lift = share / (facts["bytes_kept"] / facts["bytes"])
            print(
                f"  {name:32} {row['documents']:6} documents, {100 * share:6.2f} % of its bytes stay, lift {lift:.2f}"
            )

    def values(self, units: list[Path], column: str) -> None:
        """Print quantiles of what was measured in each source."""
        for split, unit in zip(self.splits, units, strict=True):
            found = sorted(one.values[column] for one in read_decisions(unit).values() if one.values)
            if found:
                points = [found[int(len(found) * part)] for part in (0.1, 0.5, 0.9)]
                print(f"  {next(read_split(split)).source:32} {column} at 10, 50, 90 %: {points}")


def samples(bench: Bench) -> None:
    """Print certificates, and how many seeds pass them."""
    for share in (0.01, 0.05, 0.1):
        for together in ("near", "none"):
            _, facts = bench.run(f"sample {share:.0%} {together}", Sample(share=share, keep_together=together))
            for item in facts["criteria"]:
                print("  ", {key: value for key, value in item.items() if key not in ("how", "expected", "unit")})
    passed: dict[str, int] = {}
    begin = time.process_time()
    for seed in range(SEEDS):
        units = Sample(share=0.05, seed=seed).decide(Pile(bench.flow, f"seed {seed}", bench.splits))
        for item in summary(units[0])["criteria"]:
            passed[item["name"]] = passed.get(item["name"], 0) + (item["representative"] is True)
    print(f"\n5 % samples that pass, of {SEEDS} seeds: {passed} ({time.process_time() - begin:.0f} CPU-seconds)")


def main() -> None:
    """Run everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--megabytes", type=float, default=20.0, help="text read of each source, at most")
    parser.add_argument(
        "--target", default="en_textbooks_openstax", help="source that importance and perplexity aim at"
    )
    given = parser.parse_args()
    files = sorted(path for path in given.folder.glob("*.jsonl*") if path.is_file())
    with tempfile.TemporaryDirectory() as folder, Pool(0) as inline:
        flow = Flow(Path(folder), inline)
        parts = [read(path, given.megabytes * 1e6) for path in files]
        size = sum(one.bytes for part in parts for one in part) / 1e6
        bench = Bench(flow, tuple(make_split(Path(folder) / "given", part, flow) for part in parts), size)
        print(f"{size:.1f} MB in {sum(map(len, parts))} documents of {len(parts)} sources")
        samples(bench)
        units, facts = bench.run("dsir", Dsir(target_source=given.target, share=0.1))
        bench.by_source(facts)
        bench.values(units, "importance")
        units, facts = bench.run("perplexity", Perplexity(share=0.5))
        bench.by_source(facts)
        bench.values(units, "perplexity")
        _, facts = bench.run("diverse", Diverse(share=0.3))
        bench.by_source(facts)
        for topic in topics(Pile(flow, "diverse", bench.splits)):
            print(
                f"  {topic.label}: {topic.documents} documents, {topic.bytes / 1e6:.2f} MB, {list(topic.sources)[:2]}"
            )
        bench.run("balance", Balance(shares={"language": {"en": 0.4, "es": 0.3}}, most_repeats=2))
        begin = time.process_time()
        table = difficulty(Pile(flow, "difficulty", bench.splits))
        print(f"\n## difficulty: {size / (time.process_time() - begin):.1f} MB per CPU-second")
        bench.run("scores", Scores(table=table, share=0.3, keep="middle", missing="drop"))


if __name__ == "__main__":
    main()
