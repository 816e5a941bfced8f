"""A training that is killed: at random moments, and at every single operation on the disk."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = [pytest.mark.fault, pytest.mark.skipif(os.name != "posix", reason="signals of POSIX systems")]

HERE = Path(__file__).parent
EXAMPLES = HERE.parent / "train"


@pytest.fixture(scope="module")
def tokens(tmp_path_factory):
    sys.path.insert(0, str(EXAMPLES))
    try:
        from training_examples import tokens_in
    finally:
        sys.path.remove(str(EXAMPLES))
    return tokens_in(tmp_path_factory.mktemp("packed") / "tokens").folder


def _rehearse(*arguments: str) -> dict:
    command = [sys.executable, str(HERE / "training_kills.py"), *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=os.environ | {"OMP_NUM_THREADS": "1"}
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_run_killed_at_random_moments_ends_with_the_same_bytes(tokens, tmp_path):
    found = _rehearse(str(tokens), str(tmp_path), "moments", "25")
    assert found["kills"] >= 10
    assert found["same"]


def test_a_run_that_is_rewound_and_killed_at_random_moments_ends_with_the_same_bytes(tokens, tmp_path):
    found = _rehearse(str(tokens), str(tmp_path), "rewinds", "25")
    assert found["kills"] >= 10
    assert found["rewinds"] == 2
    assert found["same"]


@pytest.mark.slow
def test_dying_at_any_operation_on_the_disk_loses_nothing(tokens, tmp_path):
    found = _rehearse(str(tokens), str(tmp_path), "writes")
    assert found["operations"] >= 50
    assert found["wrong"] == []


TRAINING = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from training_examples import ONE, plan_of
from pilotlight.errors import RunError
from pilotlight.tokens.tokens import Tokens
from pilotlight.train.events import Stepped
from pilotlight.train.loop import train

def tell(event):
    if isinstance(event, Stepped):
        print(event.step, flush=True)

try:
    train(plan_of(steps=100_000), ONE, Tokens.open(Path(sys.argv[2])), Path(sys.argv[3]), watch=tell)
except RunError as error:
    print(error, file=sys.stderr)
    sys.exit(error.exit_code)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_asked_to_stop_a_run_saves_first_and_says_how_to_go_on(number, tokens, tmp_path):
    command = [sys.executable, "-c", TRAINING, str(EXAMPLES), str(tokens), str(tmp_path / "run")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            if int(line) == 5:
                break
        process.send_signal(number)
        begun = time.monotonic()
        rest, said = process.communicate(timeout=30)
    assert time.monotonic() - begun < 10
    assert process.returncode == 3
    assert "run again to go on" in said
    last = max(int(line) for line in rest.split() or ["5"])
    assert [path.name for path in (tmp_path / "run" / "checkpoints").iterdir()] == [f"step-{last:08d}"]
