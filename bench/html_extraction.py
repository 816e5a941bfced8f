"""Share of the wanted and of the unwanted passages of web pages that each way of extraction gives back.

The folder holds ``pages.jsonl.gz``: for each page its ``file``, the passages it ``must_contain`` and those it
``must_not_contain``; white space does not count. Half of the pages (every second one) was never looked at while the
extraction was written: the two halves are printed apart. Throughput is in MB of HTML per CPU-second.

    python bench/html_extraction.py FOLDER
"""

from __future__ import annotations

import gzip
import json
import sys
import time
from pathlib import Path
from typing import Any

from near_duplicates import wilson
from pilotlight.corpus.extraction import decoded, extract


def bare(page: str) -> str:
    """Return the main content as resiliparse gives it with its own settings."""
    from resiliparse.extract.html2text import extract_plain_text

    return extract_plain_text(page, preserve_formatting=True, main_content=True)


def flat(text: str) -> str:
    """Return text with single spaces."""
    return " ".join(text.split())


def measured(pages: list[tuple[dict[str, Any], bytes]], way: str) -> str:
    """Return how much of what is wanted and unwanted one way gives, and its throughput."""
    texts: list[str] = []
    start = time.process_time()
    for _, data in pages:
        page = decoded(data)[0] or ""
        texts.append(bare(page) if way == "resiliparse" else extract(page, way)[0])
    seconds = time.process_time() - start
    wanted = [
        flat(part) in flat(text) for (row, _), text in zip(pages, texts, strict=True) for part in row["must_contain"]
    ]
    other = [
        flat(part) in flat(text)
        for (row, _), text in zip(pages, texts, strict=True)
        for part in row["must_not_contain"]
    ]
    precision = sum(wanted) / max(1, sum(wanted) + sum(other))
    speed = sum(len(data) for _, data in pages) / 1e6 / seconds
    return (
        f"wanted {wilson(sum(wanted), len(wanted))}; unwanted {wilson(sum(other), len(other))}; "
        f"precision {precision:.3f}; {speed:.1f} MB/s"
    )


def main() -> None:
    """Print a table."""
    folder = Path(sys.argv[1])
    with gzip.open(folder / "pages.jsonl.gz") as lines:
        rows = [json.loads(line) for line in lines]
    pages = [(row, gzip.decompress((folder / row["file"]).read_bytes())) for row in rows]
    print(
        "way, half of the pages: share of the wanted and of the unwanted phrases that are there, 95 % interval (Wilson)"
    )
    for way in ("resiliparse", "main", "whole", "trafilatura"):
        for half, name in ((0, "seen"), (1, "held out")):
            try:
                print(f"{way}, {name}: {measured(pages[half::2], way)}")
            except ModuleNotFoundError as error:
                print(f"{way}, {name}: {error}")


if __name__ == "__main__":
    main()
