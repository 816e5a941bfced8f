"""Processes that train together decide alike."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from training_examples import plan_of, sums_of

from pilotlight.train.ranks import worst


def test_alone_a_process_decides_for_itself():
    assert worst(1.0, -2.0) == (1.0, -2.0)


@pytest.mark.slow
@pytest.mark.skipif(not torch.distributed.is_available(), reason="torch was built without distributed")
def test_a_fault_that_one_rank_sees_is_skipped_by_both(tokens, tmp_path):
    sums = sums_of(plan_of(), tokens, 10)
    script = Path(__file__).with_name("two_ranks.py")
    words = [str(tmp_path), str(tokens.folder), json.dumps(sums)]
    ranks = [
        subprocess.Popen([sys.executable, str(script), str(rank), *words], stdout=subprocess.PIPE, text=True)
        for rank in range(2)
    ]
    told = [json.loads(rank.communicate(timeout=120)[0].splitlines()[-1]) for rank in ranks]
    assert [rank.returncode for rank in ranks] == [0, 0]
    assert told[0]["skips"]
    assert [line["step"] for line in told[0]["skips"]] == [line["step"] for line in told[1]["skips"]]
    assert told[0]["losses"] == told[1]["losses"]
