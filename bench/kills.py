"""Kills `pilot run` by SIGKILL at random moments, starts it again, and compares what comes out, byte for byte.

    python bench/kills.py --kills 20 pilots/quickstart.yaml

The plan is first run without a disturbance. Then it is run in folders of its own, killed at random moments (half the
time with all its workers, as when the power fails), started again and again, and at last let go to its end. A campaign
that ends before all kills are spent is checked, and another one begun. Every campaign has to end with the same
`decision.json`, `full.yaml` and `run.json` of every trial as the undisturbed one. All share one measured calibration.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

EARLIEST = 0.2  # seconds after the start; before that not even Python is up
LATEST = 0.5  # of what the whole takes: a restart has less to do, and most attempts are to be killed before their end


def command(plan: Path, out: Path, workers: int) -> list[str]:
    """Return the command line of one attempt."""
    words = ["run", str(plan), "--out", str(out), "--workers", str(workers), "--quiet"]
    return [sys.executable, "-m", "pilotlight.cli.main", *words]


def whole(plan: Path, out: Path, workers: int) -> float:
    """Run the plan without a disturbance and return the seconds it took."""
    begun = time.monotonic()
    done = subprocess.run(command(plan, out, workers), capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"the undisturbed run failed with {done.returncode}: {done.stderr}")
    return time.monotonic() - begun


def attempt(plan: Path, out: Path, workers: int, seconds: float, everybody: bool) -> bool:
    """Start the plan and kill it after ``seconds``; return whether it was killed, not done before."""
    with subprocess.Popen(command(plan, out, workers), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        try:
            _, said = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            victims = [psutil.Process(process.pid)]
            if everybody:
                victims += victims[0].children(recursive=True)
            for victim in victims:
                try:
                    victim.send_signal(signal.SIGKILL)
                except psutil.NoSuchProcess:
                    continue
            process.wait()
            return True
    if process.returncode:
        raise SystemExit(f"a restart failed with {process.returncode}: {said.decode()}")
    return False


def outcome(out: Path) -> dict[str, str]:
    """Return the hash of every file that has to be the same."""
    names = ["decision.json", "full.yaml", *(str(path.relative_to(out)) for path in out.glob("runs/**/run.json"))]
    return {name: hashlib.sha256((out / name).read_bytes()).hexdigest() for name in sorted(names)}


def remains(out: Path) -> list[str]:
    """Return what killed attempts left lying about."""
    return [str(path.relative_to(out)) for path in out.rglob("*.partial")]


def main() -> None:
    """Print one line with what became of it; exit with 1 if anything differed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("plan", type=Path)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="where to work; by default a temporary folder")
    settings = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = settings.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        os.environ.setdefault("XDG_CACHE_HOME", str(folder / "cache"))
        takes = whole(settings.plan, folder / "whole", settings.workers)
        expected = outcome(folder / "whole")
        draw, kills, campaigns, wrong = random.Random(settings.seed), 0, 0, []
        while kills < settings.kills:
            campaigns += 1
            out = folder / f"killed-{campaigns}"
            while kills < settings.kills:
                if not attempt(
                    settings.plan, out, settings.workers, draw.uniform(EARLIEST, LATEST * takes), draw.random() < 0.5
                ):
                    break
                kills += 1
            whole(settings.plan, out, settings.workers)
            found = outcome(out)
            wrong += [
                f"{out.name}/{name}" for name in expected.keys() | found.keys() if expected.get(name) != found.get(name)
            ]
            wrong += [f"{out.name}/{name} is left over" for name in remains(out)]
    same = "all the same, byte for byte" if not wrong else f"DIFFERENT: {', '.join(sorted(wrong))}"
    print(
        f"{kills} SIGKILLs in {campaigns} campaigns of {settings.plan} ({takes:.0f} s undisturbed, {settings.workers} "
        f"workers): decision {expected['decision.json'][:16]}, {len(expected)} files {same}"
    )
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
