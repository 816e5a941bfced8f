"""One worker process as its pool sees it."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import sysconfig
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, final

from pilotlight.work.cores import thread_variables
from pilotlight.work.message import END_OF_OUTPUT
from pilotlight.work.unit import Unit

_TAIL_BYTES = 4096
_PATIENCE = 5.0
_LATE_WORDS = 0.5


@final
class WorkerProcess:
    """A started worker; puts ``(itself, message)`` into ``inbox``, and ``(itself, None)`` once it is dead."""

    def __init__(
        self,
        inbox: queue.SimpleQueue[tuple[WorkerProcess, dict[str, Any] | None]],
        *,
        cores: Sequence[int],
        threads: int,
        keep: Sequence[int],
        logs: Path | None,
    ) -> None:
        posix: dict[str, Any] = {"process_group": 0, "pass_fds": tuple(keep)} if os.name == "posix" else {}
        self.cores = cores
        self.heard = time.monotonic()
        self._inbox = inbox
        self._tail = b""
        self._units_taken = self._units_told = 0
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "pilotlight.work.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            env={**os.environ, **thread_variables(threads), **_module_path()},
            **posix,
        )
        self._readers = [
            threading.Thread(target=self._read_answers, daemon=True),
            threading.Thread(target=self._read_output, daemon=True),
        ]
        for reader in self._readers:
            reader.start()
        self._send(
            {
                "parent": os.getpid(),
                # Linux ties that wish to the thread that started the worker, and other threads may end early.
                "die_with_parent": threading.current_thread() is threading.main_thread(),
                "path": [entry or str(Path.cwd()) for entry in sys.path],
                "cores": list(cores),
                "logs": str(logs) if logs is not None else "",
            }
        )

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    def take(self, unit: Unit) -> None:
        """Return at once; the worker begins the unit, or its death is told to the inbox."""
        self._units_taken += 1
        self.heard = time.monotonic()
        self._send({"key": unit.key, "call": unit.call, "arguments": unit.arguments})

    def tail(self) -> str:
        """Return the last lines, up to 4 kB, that the worker's latest unit printed."""
        end = time.monotonic() + _LATE_WORDS
        while self._units_told < self._units_taken and not self.is_dead() and time.monotonic() < end:
            time.sleep(0.001)
        pieces = self._tail.split(END_OF_OUTPUT)
        words = pieces[-2] if self._units_told == self._units_taken and len(pieces) > 1 else pieces[-1]
        return words.decode(errors="replace").strip()

    def cause(self) -> str:
        """Return how the worker died, in a few words."""
        status = self._process.returncode
        if status is None or status >= 0:
            return f"it exited with status {status}"
        if -status == getattr(signal, "SIGKILL", 9):
            return "it was killed by SIGKILL (often the system, when memory runs out)"
        try:
            return f"it was killed by {signal.Signals(-status).name}"
        except ValueError:
            return f"it was killed by signal {-status}"

    def dismiss(self) -> None:
        """Close the worker's input, upon which it ends at once."""
        with contextlib.suppress(OSError):
            self._input.close()

    def terminate(self) -> None:
        """Ask the worker to end; its unit may tidy up."""
        if self._process.poll() is None:
            self._process.terminate()

    def kill(self) -> None:
        """End the worker and everything in its process group."""
        if self._process.returncode is not None:
            return  # its number may belong to somebody else by now
        if hasattr(os, "killpg"):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.kill()

    def wait(self, seconds: float) -> bool:
        """Return whether the worker ended within ``seconds``."""
        try:
            self._process.wait(max(seconds, 0.0))
        except subprocess.TimeoutExpired:
            return False
        return True

    def is_dead(self) -> bool:
        """Return whether the process has ended, as far as can be told without collecting its status.

        Its number stays its own until the status is collected, so that ``kill`` can still reach its children.
        """
        if self._process.returncode is not None or not hasattr(os, "waitid"):
            return self._process.returncode is not None
        try:
            return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        except ChildProcessError:
            return True

    def bury(self) -> None:
        """Return when the worker, its children and its pipes are gone; kills what is left of them."""
        self.kill()
        self._process.wait()
        self.dismiss()
        for reader in self._readers:
            reader.join(_PATIENCE)

    @property
    def _input(self) -> Any:
        assert self._process.stdin is not None
        return self._process.stdin

    def _send(self, message: dict[str, Any]) -> None:
        line = memoryview(json.dumps(message).encode() + b"\n")
        with contextlib.suppress(BrokenPipeError):  # its death reaches the inbox by itself
            while line:
                line = line[self._input.write(line) :]

    def _read_answers(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as stream, open(stream.fileno(), "rb", closefd=False) as lines:
            for line in lines:
                self.heard = time.monotonic()
                with contextlib.suppress(ValueError):  # the last line of a killed worker may be half a line
                    self._inbox.put((self, json.loads(line)))
        self._inbox.put((self, None))

    def _read_output(self) -> None:
        assert self._process.stderr is not None
        with self._process.stderr as stream:
            while data := stream.read(65536):
                self._tail = (self._tail + data)[-_TAIL_BYTES:]
                self._units_told += data.count(END_OF_OUTPUT)


def _module_path() -> dict[str, str]:
    """Return the variable by which a worker finds this package, where an installed package would not be found."""
    root = str(Path(__file__).resolve().parents[2])
    if root in (sysconfig.get_path("purelib"), sysconfig.get_path("platlib")):
        return {}
    return {"PYTHONPATH": os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH", "")]))}
