"""Speed, memory and kept shares of the filters and edits, over a folder of JSONL files.

    python bench/filters.py FOLDER [--each] [--files PATTERN]

Every document goes through all rules of Gopher, C4 and FineWeb (every value measured, every reason asked for); text is
counted in 10^6 bytes of UTF-8 for each second of CPU, reading not included. ``--each`` times every filter and edit
alone instead, each with a view of its own.
"""

from __future__ import annotations

import argparse
import gzip
import json
import resource
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from pilotlight.corpus.edit import Edit
from pilotlight.corpus.filter import Filter
from pilotlight.corpus.view import View
from pilotlight.spec import discover

QUALITY = ("gopher", "gopher_repetition", "c4", "fineweb")


def documents(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the text and the language of each record of a file."""
    with gzip.open(path, "rt", encoding="utf-8", newline="\n") as file:
        for line in file:
            row = json.loads(line)
            yield row["text"], row.get("lang") or "und"


def peak() -> float:
    """Return the most memory that the process held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def quality(paths: list[Path]) -> None:
    """Print speed, memory and dropped shares of the rules of quality."""
    parts = {kind: discover(Filter.folder)[kind]() for kind in QUALITY}
    all_size = all_spent = 0.0
    for path in paths:
        size = count = kept = 0
        spent = 0.0
        broken: Counter[str] = Counter()
        dropped: Counter[str] = Counter()
        for text, language in documents(path):
            start = time.process_time()
            view = View(text, facts={"language": language})
            reasons = {kind: part.reason_to_drop(part.measure(view)) for kind, part in parts.items()}
            spent += time.process_time() - start
            size += len(text.encode("utf-8", "replace"))
            count += 1
            kept += not any(reasons.values())
            for kind, reason in reasons.items():
                if reason:
                    dropped[kind] += 1
                    broken[f"{kind} / {reason.partition(':')[0]}"] += 1
        all_size, all_spent = all_size + size, all_spent + spent
        shares = "  ".join(f"{kind} {100 * dropped[kind] / count:.1f} %" for kind in QUALITY)
        print(
            f"{path.name}: {size / spent / 1e6:.1f} MB/s, {count} documents, all rules keep {100 * kept / count:.1f} %"
        )
        print(f"    dropped: {shares}")
        for rule, number in sorted(broken.items()):
            print(f"      {rule}: {100 * number / count:.1f} %")
    print(
        f"together: {all_size / all_spent / 1e6:.1f} MB per CPU-second over {all_size / 1e6:.0f} MB; peak {peak():.0f} MB"
    )


def each(paths: list[Path]) -> None:
    """Print the speed of every filter and edit on its own."""
    parts = {**discover(Filter.folder), **discover(Edit.folder)}
    ready = {kind: parts[kind]() for kind in parts if kind != "classifier"}  # it needs a model
    spent: Counter[str] = Counter()
    size = 0
    for path in paths:
        for text, language in documents(path):
            size += len(text.encode("utf-8", "replace"))
            for kind, part in ready.items():
                view = View(text, facts={"language": language})
                start = time.process_time()
                if isinstance(part, Filter):
                    part.reason_to_drop(part.measure(view))
                else:
                    part.edit_view(view)
                spent[kind] += time.process_time() - start
    for kind in ready:
        print(f"{kind}: {size / spent[kind] / 1e6:.1f} MB per CPU-second")
    print(f"{size / 1e6:.0f} MB of text; peak {peak():.0f} MB")


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="folder of .jsonl.gz files with the fields text and lang")
    parser.add_argument("--files", default="*.jsonl.gz", help="pattern of the names of the files to read")
    parser.add_argument("--each", action="store_true", help="time every filter and edit alone")
    arguments = parser.parse_args()
    paths = sorted(arguments.folder.glob(arguments.files))
    (each if arguments.each else quality)(paths)


if __name__ == "__main__":
    main()
