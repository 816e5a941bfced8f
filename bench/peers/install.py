"""Install the libraries that `make bench-data` compares with, each group in an environment of its own.

    python bench/peers/install.py FOLDER [GROUP ...]

FOLDER/GROUP becomes a virtual environment: about 900 MB for the default groups, and 1.2 GB more for text_dedup, which
is only installed when it is named. Nothing is installed into the environment that Pilotlight runs in.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
import venv
from pathlib import Path

GROUPS = {
    # datatrove's default tokenizer of English words is spaCy's blank one: no model is needed.
    "datatrove": ("datatrove[io,processing]==0.10.1", "spacy==3.8.14", "psutil>=7"),
    "single": ("presidio-analyzer==2.2.366", "datasketch==2.0.0"),
    "text_dedup": ("text-dedup==0.4.0",),
}
USUAL = ("datatrove", "single")


def install(folder: Path, group: str) -> str:
    """Return what became of a group, in words."""
    place = folder / group
    started = time.perf_counter()
    if not (place / "bin" / "python").exists():
        venv.create(place, with_pip=True)
    command = [str(place / "bin" / "python"), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    done = subprocess.run([*command, *GROUPS[group]], capture_output=True, text=True)
    if done.returncode:
        return f"failed: {done.stderr.strip().splitlines()[-1]}"
    return f"installed into {place} in {time.perf_counter() - started:.0f} s"


def main() -> None:
    """Install what the command line asks for; a group that fails is left out of the comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("groups", nargs="*", choices=[[], *GROUPS], default=[], help="these alone")
    given = parser.parse_args()
    failed = False
    for group in given.groups or USUAL:
        told = install(given.folder, group)
        failed |= told.startswith("failed")
        print(f"{group}: {told}", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
