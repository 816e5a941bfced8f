"""Run as a script: kills a training at many moments by SIGKILL and prints what became of it, as JSON.

One process loads torch and forks a child per attempt, so that fifty kills take seconds.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "train"))

from training_examples import ONE, Uphill, digest, plan_of, sums_of

from pilotlight.record.run import Run
from pilotlight.tokens.tokens import Tokens
from pilotlight.train.loop import train


def attempt(tokens: Tokens, out: Path, plan, die=None) -> int:
    """Fork a child that trains; return its process id."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        child = os.fork()
    if child:
        return child
    try:
        if die:
            die()
        train(plan, ONE, tokens, out, checkpoint_seconds=0.0)
    except BaseException as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        os._exit(1)
    os._exit(0)


def at_random_moments(tokens: Tokens, out: Path, plan, kills: int, seconds: float) -> int:
    """Kill the training, which takes ``seconds``, at random moments until it has finished; return the number of kills.

    No attempt lives longer than a tenth of the whole, so there are ten kills at least, however quick the machine.
    """
    draw, done = random.Random(0), 0
    while True:
        child = attempt(tokens, out, plan)
        if done < kills:
            time.sleep(draw.uniform(0.01, 0.1) * seconds)
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        if os.WIFEXITED(status):
            if os.WEXITSTATUS(status):
                raise SystemExit("a restart failed")
            return done
        done += 1


def on_call(number: int):
    """Return a function that makes this process die by SIGKILL on the given call that touches the disk."""

    def install() -> None:
        calls = {"left": number}

        def counted(real):
            def call(*arguments, **named):
                calls["left"] -= 1
                if calls["left"] == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                return real(*arguments, **named)

            return call

        for name in ("fsync", "rename", "replace", "pwrite", "ftruncate", "rmdir", "unlink", "mkdir"):
            setattr(os, name, counted(getattr(os, name)))
        Path.write_bytes = counted(Path.write_bytes)
        Path.write_text = counted(Path.write_text)

    return install


def at_every_write(tokens: Tokens, folder: Path, plan) -> tuple[int, list[str]]:
    """Kill at the 1st, 2nd, ... disk operation of a fresh training, finish each; return how many, and other digests."""
    whole = folder / "whole"
    os.waitpid(attempt(tokens, whole, plan), 0)
    expected, wrong, number = digest(whole), [], 0
    while True:
        number += 1
        out = folder / f"dies-{number}"
        _, status = os.waitpid(attempt(tokens, out, plan, on_call(number)), 0)
        if os.WIFEXITED(status):
            return number - 1, wrong
        _, status = os.waitpid(attempt(tokens, out, plan), 0)
        if status or digest(out) != expected:
            wrong.append(f"operation {number}: status {status}")


def rewinding(tokens: Tokens):
    """Return a plan whose weights are spoilt by a few batches, so that it is rewound, twice if they come again."""
    guard = {"first": 16, "window": 16, "back": 8, "beyond": 4, "anchor_every": 10}
    sums = sums_of(plan_of(), tokens, *range(30, 36), *range(44, 52))
    return plan_of(steps=60, optim={"kind": "adamw", "lr": 0.03}, guard=guard, objective=Uphill(sums=sums))


def main() -> None:
    tokens, folder, how = Tokens.open(Path(sys.argv[1])), Path(sys.argv[2]), sys.argv[3]
    train(plan_of(steps=1), ONE, tokens, folder / "warm")  # what loads late is loaded before the first fork
    if how in ("moments", "rewinds"):
        plan = plan_of(steps=40) if how == "moments" else rewinding(tokens)
        begun = time.monotonic()
        os.waitpid(attempt(tokens, folder / "whole", plan), 0)
        kills = at_random_moments(tokens, folder / "killed", plan, int(sys.argv[4]), time.monotonic() - begun)
        same = digest(folder / "killed") == digest(folder / "whole")
        rewinds = len(Run.open(folder / "whole").lines("rewind"))
        print(json.dumps({"kills": kills, "same": same, "rewinds": rewinds}))
    else:
        operations, wrong = at_every_write(tokens, folder, plan_of(steps=2, evaluate_every=2))
        print(json.dumps({"operations": operations, "wrong": wrong}))


if __name__ == "__main__":
    main()
