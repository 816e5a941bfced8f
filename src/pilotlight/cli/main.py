"""The command ``pilot``: parses, calls one library function, turns errors into a sentence and an exit code."""

from __future__ import annotations

import contextlib
import errno
import os
import sys

import typer

from pilotlight.cli.talk import clean
from pilotlight.errors import PilotlightError

app = typer.Typer(
    name="pilot",
    help="Small pilot trainings that decide whether, and how, to launch an expensive language-model pre-training.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
_INTERRUPTED = 130
_STOPPED = "stopped; nothing finished is lost. Run the same command to go on.\n"


def register() -> None:
    """Add every command to ``app``, once; their modules are light, their work is imported when they run."""
    if app.registered_commands:
        return
    from pilotlight.cli import corpus_study
    from pilotlight.cli.ablate import ablate
    from pilotlight.cli.backtest import backtest
    from pilotlight.cli.corpus import corpus
    from pilotlight.cli.cost import cost
    from pilotlight.cli.doctor import doctor
    from pilotlight.cli.lottery import lottery
    from pilotlight.cli.margin import margin
    from pilotlight.cli.model import model
    from pilotlight.cli.new import new
    from pilotlight.cli.next import next_
    from pilotlight.cli.predict import predict
    from pilotlight.cli.report import report
    from pilotlight.cli.run import decide, run, status
    from pilotlight.cli.sample import sample
    from pilotlight.cli.schema import schema
    from pilotlight.cli.score import score
    from pilotlight.cli.search import search
    from pilotlight.cli.tokens import tokens
    from pilotlight.cli.train import train
    from pilotlight.cli.trajectory import trajectory

    commands = (
        new, ablate, run, status, decide, next_, report, predict, trajectory, backtest, cost, train,
        search, margin, lottery, score, sample, schema, doctor,
    )  # fmt: skip
    for command in commands:
        app.command(command.__name__.rstrip("_"))(command)
    for command in (corpus_study.topics, corpus_study.difficulty, corpus_study.mixture, corpus_study.learn):
        corpus.command()(command)
    app.add_typer(corpus, name="corpus")
    app.add_typer(tokens, name="tokens")
    app.add_typer(model, name="model")


def _disk_error(error: OSError) -> str | None:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return (
            f"{error.filename or 'the disk'}: no space left. Free some space, or choose another --out, and run again."
        )
    if error.errno in (errno.ENAMETOOLONG, errno.ELOOP) and error.filename:
        return f"{str(error.filename)[:80]}... cannot be a path ({error.strerror}). Choose a shorter name."
    if error.errno in (errno.EACCES, errno.EROFS, errno.EPERM, errno.ENOTDIR, errno.EISDIR) and error.filename:
        return f"{error.filename} cannot be used ({error.strerror}). Choose a file or folder you may read and write."
    return None


def main() -> None:
    """Run the command line and exit: 0 done, 1 user error, 2 usage, 3 the run failed, 130 interrupted."""
    debug = "--debug" in sys.argv
    if debug:
        sys.argv.remove("--debug")
    register()
    try:
        app(prog_name="pilot")
    except PilotlightError as error:
        if debug:
            raise
        sys.stderr.write(clean(f"error: {error}\n"))
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.stderr.write(_STOPPED)
        sys.exit(_INTERRUPTED)
    except SystemExit as end:
        if end.code == _INTERRUPTED:  # typer turns Ctrl-C into an exit of its own, without a word
            sys.stderr.write(_STOPPED)
        raise
    except BrokenPipeError:
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except OSError as error:
        sentence = _disk_error(error)
        if debug or sentence is None:
            raise
        sys.stderr.write(clean(f"error: {sentence}\n"))
        sys.exit(1)


if __name__ == "__main__":
    main()
