"""The process that does units of work: ``python -m pilotlight.work.worker``, started by a pool.

It reads one JSON object per line from its standard input and answers on its standard output; what a unit prints goes
to standard error instead. When its input ends, the pool is gone: the process ends at once, with all it started.
"""

from __future__ import annotations

import contextlib
import faulthandler
import json
import os
import queue
import signal
import sys
import threading
from io import FileIO, TextIOWrapper
from pathlib import Path
from typing import Any

from pilotlight.work.message import END_OF_OUTPUT, write_event
from pilotlight.work.perform import Terminated, perform

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Return never: do units until the pool ends this process."""
    commands, answers = _claim_streams()
    inbox: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(commands, inbox), daemon=True).start()
    status = 1
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is for the pool, which tells its workers
        signal.signal(signal.SIGTERM, _terminate)
        faulthandler.enable()
        settings = inbox.get()
        _settle(settings)
        _serve(inbox, answers, Path(settings["logs"]) if settings["logs"] else None)
    except Terminated:
        status = 128 + signal.SIGTERM
    except BrokenPipeError:
        pass  # the pool is gone
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.flush()
        os._exit(status)  # no library gets to hold up the end


def _claim_streams() -> tuple[FileIO, FileIO]:
    """Return private copies of standard input and output, out of reach of the units and of their children."""
    commands, answers = FileIO(os.dup(0), "r"), FileIO(os.dup(1), "w")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(line_buffering=True, errors="backslashreplace")
    return commands, answers


def _listen(commands: FileIO, inbox: queue.SimpleQueue[dict[str, Any]]) -> None:
    with contextlib.suppress(OSError), open(commands.fileno(), "rb", closefd=False) as lines:
        for line in lines:
            inbox.put(json.loads(line))
    _perish()


def _perish() -> None:
    """End this process and all it started, now, whatever its main thread is doing."""
    if hasattr(os, "killpg") and os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


def _terminate(number: int, frame: object) -> None:
    del frame
    raise Terminated(128 + number)


def _settle(settings: dict[str, Any]) -> None:
    """Take the place the pool assigned: cores, module path, and dying with the pool."""
    sys.path.extend(entry for entry in settings["path"] if entry not in sys.path)
    if settings["cores"]:
        with contextlib.suppress(OSError, AttributeError):
            os.sched_setaffinity(0, settings["cores"])
    if settings["die_with_parent"] and sys.platform == "linux":
        _die_soon_after_parent()
    if os.name == "posix" and os.getppid() != settings["parent"]:
        _perish()


def _die_soon_after_parent() -> None:
    """Have the system end this process one second after its parent, even if the interpreter is not to be had.

    The end of the commands is what ends a worker at once, with its children. But a unit may be in native code that
    never lets go of the interpreter, and then the listening thread cannot run. The parent's death therefore also sends
    SIGHUP, whose handler is the C function ``alarm`` itself, called with the signal's number: 1. A second later
    SIGALRM ends the process. An immediate SIGKILL would come before the listening thread and spare the children.
    """
    import ctypes

    library = ctypes.CDLL(None)
    library.signal.argtypes, library.signal.restype = [ctypes.c_int, ctypes.c_void_p], ctypes.c_void_p
    library.signal(int(signal.SIGHUP), ctypes.cast(library.alarm, ctypes.c_void_p))
    library.prctl(_PR_SET_PDEATHSIG, int(signal.SIGHUP))


def _serve(inbox: queue.SimpleQueue[dict[str, Any]], answers: FileIO, logs: Path | None) -> None:
    lock = threading.Lock()

    def send(message: dict[str, Any]) -> None:
        line = memoryview(json.dumps(message).encode() + b"\n")
        with lock:
            while line:
                line = line[answers.write(line) :]

    def watch(event: Any) -> None:
        send(write_event(event))

    send({"ready": os.getpid()})
    while True:
        unit = inbox.get()
        send({"began": unit["key"]})
        answer = perform(unit["key"], unit["call"], unit["arguments"], watch, logs)
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
            os.write(2, END_OF_OUTPUT)
        send(answer)


if __name__ == "__main__":
    main()
