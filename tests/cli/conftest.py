"""The command `pilot`, called in this process: quick, and an exception that is no error of ours fails the test."""

from __future__ import annotations

import contextlib
import io
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest


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


@pytest.fixture
def plan(tmp_path, tiny_text):
    """Return a function that writes the tiny pilot with changes to `plan.yaml`."""
    from tiny_pilot import write_plan

    def write(text: Path | None = None, name: str = "plan.yaml", **changes) -> Path:
        return write_plan(tmp_path / name, text or tiny_text, **changes)

    return write
