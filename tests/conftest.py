"""What every test has: no trace in the home folder, one thread, and a tiny text to train on."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell starts what it puts into the background with interrupts ignored, and so would every program that tests start.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def store_of_their_own(tmp_path_factory):
    """Calibrations of tests go to a folder of the test session, never to the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def tiny_text(tmp_path_factory) -> Path:
    """Return a folder with 150 kB of made-up text."""
    from tiny_pilot import write_text

    return write_text(tmp_path_factory.mktemp("text") / "texts")


@dataclass(frozen=True)
class Said:
    """What a command did: exit code, standard output, standard error."""

    code: int
    out: str
    err: str

    def refuses(self, *words: str, code: int = 1) -> str:
        """Check that this is one clear refusal that holds all the words, and return it."""
        assert self.code == code, f"exit code {self.code}: {self.err or self.out}"
        assert "Traceback" not in self.err + self.out
        lines = self.err.strip().splitlines()
        first = next((number for number, line in enumerate(lines) if line.startswith("error: ")), None)
        assert first is not None, f"no line begins with 'error: ':\n{self.err}"
        sentence = "\n".join(lines[first:])
        assert sentence.count("error: ") == 1
        assert [word for word in words if word not in sentence] == [], sentence
        return sentence


@pytest.fixture
def command(monkeypatch):
    """Return a function that runs `pilot` with the given words."""
    from pilotlight.cli import main as entry

    def run(*words: str | Path) -> Said:
        monkeypatch.setattr(sys, "argv", ["pilot", *map(str, words)])
        out, err = io.StringIO(), io.StringIO()
        code: object = 0
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                entry.main()
            except SystemExit as end:
                code = end.code
        return Said(int(code or 0), out.getvalue(), err.getvalue())  # type: ignore[call-overload]

    return run
