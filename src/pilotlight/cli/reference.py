"""Writes ``docs/cli.md``: what every command says about itself.

    python -m pilotlight.cli.reference > docs/cli.md

A test compares the file with what this writes, so that the two cannot drift apart.
"""

from __future__ import annotations

from collections.abc import Iterator

from typer import Typer
from typer.main import get_command
from typer.testing import CliRunner

from pilotlight.cli.main import app, register

WIDTH = 100

_HEAD = """\
# The command line

Written by `python -m pilotlight.cli.reference > docs/cli.md`; a test keeps it current.

Every command prints its result on standard output and everything else (progress, notes, warnings, errors) on standard
error; `--quiet` silences the progress and `--json` turns the result into JSON. Exit codes: 0 done, 1 something to mend
(one sentence says what), 2 wrong usage, 3 the run failed, 130 interrupted. `--debug`, anywhere, shows the traceback
behind a sentence. A command that was killed goes on when it is started again.
"""


def _names(typer: Typer) -> Iterator[tuple[str, ...]]:
    yield ()
    for name, command in sorted(getattr(get_command(typer), "commands", {}).items()):
        yield (name,)
        for inner in sorted(getattr(command, "commands", {})):
            yield (name, inner)


def _help(words: tuple[str, ...]) -> str:
    runner = CliRunner(env={"COLUMNS": str(WIDTH), "TERMINAL_WIDTH": str(WIDTH)})
    found = runner.invoke(app, [*words, "--help"], prog_name="pilot", terminal_width=WIDTH, max_content_width=WIDTH)
    return "\n".join(line.rstrip() for line in found.output.strip().splitlines())


def reference() -> str:
    """Return the whole page as Markdown."""
    register()
    parts = [_HEAD]
    for words in _names(app):
        title = " ".join(("pilot", *words))
        parts.append(f"## {title}\n\n```text\n{_help(words)}\n```\n")
    return "\n".join(parts)


if __name__ == "__main__":
    print(reference(), end="")
