"""Units of work that the tests of the pool run; workers import this file by name."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from pilotlight.errors import DataError
from pilotlight.events import Progress


@dataclass(frozen=True)
class OnlyHere:
    number: int


def add(arguments, watch):
    return {"sum": arguments["left"] + arguments["right"]}


def chatter(arguments, watch):
    print('{"finished": {"fake": 1}}')
    os.write(1, b"raw bytes without a line end")
    print("to standard error", file=sys.stderr)
    subprocess.run(["echo", "from a child"], check=True)
    sys.stdin.read()
    return {"said": True}


def progress(arguments, watch):
    for done in range(3):
        watch(Progress("count", done, 3, unit="steps"))
    watch(OnlyHere(7))
    watch({"loss": 2.5})
    return {}


def user_error(arguments, watch):
    print("the last words")
    raise DataError("the corpus is empty: expected at least one document. Add text.")


def bug(arguments, watch):
    raise ZeroDivisionError("nothing to divide by")


def leave(arguments, watch):
    sys.exit(3)


def bad_result(arguments, watch):
    return {"loss": float(arguments["loss"])} if "loss" in arguments else [1]


def die(arguments, watch):
    print("about to die", flush=True)
    os.kill(os.getpid(), getattr(signal, arguments.get("signal", "SIGKILL")))
    time.sleep(60)


def exit_hard(arguments, watch):
    os._exit(7)


def die_until(arguments, watch):
    """Dies until it was tried ``times`` times; each try leaves a mark on disk."""
    folder = Path(arguments["folder"])
    tried = len(list(folder.glob("try-*")))
    (folder / f"try-{tried}").touch()
    if tried < arguments["times"]:
        os.kill(os.getpid(), signal.SIGKILL)
    return {"tries": tried + 1}


def sleep(arguments, watch):
    if "mark" in arguments:
        Path(arguments["mark"]).write_text(str(os.getpid()))
    if "beats" in arguments:
        for _ in range(arguments["beats"]):
            time.sleep(arguments["seconds"])
            watch({"beat": 1})
    else:
        time.sleep(arguments["seconds"])
    return {"pid": os.getpid()}


def tidy(arguments, watch):
    """Writes whether it was given the time to tidy up."""
    mark = Path(arguments["mark"])
    mark.write_text("began")
    try:
        time.sleep(60)
    finally:
        mark.write_text("tidied")
    return {}


def stubborn(arguments, watch):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    return sleep(arguments, watch)


def hold_interpreter(arguments, watch):
    """Sleeps in native code without letting go of the interpreter."""
    import ctypes

    Path(arguments["mark"]).write_text(str(os.getpid()))
    ctypes.PyDLL(None).sleep(60)
    return {}


def with_child(arguments, watch):
    child = subprocess.Popen(["sleep", "60"])
    Path(arguments["mark"]).write_text(f"{os.getpid()} {child.pid}")
    time.sleep(60)
    return {}


def resume(arguments, watch):
    """Counts to ``steps``, one file per step, going on where an earlier attempt stopped."""
    folder = Path(arguments["folder"])
    folder.mkdir(parents=True, exist_ok=True)
    for step in range(len(list(folder.glob("step-*"))), arguments["steps"]):
        time.sleep(arguments["seconds"])
        (folder / f"step-{step}").touch()
        watch(Progress("steps", step + 1, arguments["steps"]))
    return {"steps": len(list(folder.glob("step-*")))}


def surroundings(arguments, watch):
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    return {
        "pid": os.getpid(),
        "threads": os.environ["OMP_NUM_THREADS"],
        "cores": cores,
        "torch": "torch" in sys.modules,
    }
