"""Exit codes, and what is printed with them."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from pilotlight.errors import ConfigError, DataError, EvidenceError, RecordError, ResourceError, RunError
from tiny_pilot import environment, pilot


@pytest.fixture
def failing(command, monkeypatch):
    """Return a function that runs a command whose library function raises."""

    def run(error: BaseException, *words: str):
        from pilotlight.pilot import checkup

        def fail(_):
            raise error

        monkeypatch.setattr(checkup, "examine", fail)
        return command("doctor", *words)

    return run


@pytest.mark.parametrize("kind", [ConfigError, DataError, RecordError, EvidenceError, ResourceError])
def test_what_can_be_mended_exits_with_1_and_one_sentence(kind, failing):
    said = failing(kind("the value 3 is wrong. Use 4."))
    assert (said.code, said.err, said.out) == (1, "error: the value 3 is wrong. Use 4.\n", "")


def test_a_failed_run_exits_with_3(failing):
    assert failing(RunError("it diverged.")).code == 3


def test_an_interruption_exits_with_130_and_says_that_nothing_is_lost(failing):
    said = failing(KeyboardInterrupt())
    assert said.code == 130
    assert "nothing finished is lost" in said.err


@pytest.mark.parametrize(
    "error",
    [
        OSError(28, "No space left on device", "x.bin"),
        OSError(13, "Permission denied", "x.bin"),
        OSError(28, "No space left"),
    ],
)
def test_errors_of_the_disk_are_sentences_too(error, failing):
    failing(error).refuses("space" if error.errno == 28 else "x.bin cannot be used")


def test_a_fault_of_ours_is_not_dressed_up(failing):
    with pytest.raises(ZeroDivisionError):
        failing(ZeroDivisionError())


def test_debug_shows_where_it_happened(failing):
    with pytest.raises(ConfigError):
        failing(ConfigError("wrong"), "--debug")


def test_names_cannot_steer_the_terminal(failing):
    said = failing(DataError("texts/\x1b[2J.txt cannot be read"))
    assert "\x1b" not in said.err


def test_nobody_listening_gives_no_traceback(tmp_path):
    command = f"{sys.executable} -m pilotlight.cli.main schema | head -c 10"
    done = subprocess.run(["bash", "-c", f"set -o pipefail; {command}"], capture_output=True, text=True, check=False,
                          env=environment(), cwd=tmp_path)  # fmt: skip
    assert done.returncode in (0, 1)
    assert done.stderr == ""


@pytest.mark.skipif(os.name != "posix", reason="modules are started the same way elsewhere")
def test_the_schema_and_the_version_of_python_need_no_plan():
    done = pilot("schema", "plan")
    assert done.returncode == 0
    assert '"steps"' in done.stdout
