"""Machines: every auto is filled in, and what is not there is refused."""

from __future__ import annotations

import pytest
import torch
from pydantic import ValidationError

from pilotlight.errors import ConfigError
from pilotlight.train.hardware import threads
from pilotlight.train.machine import Machine


def test_resolving_leaves_no_auto_and_changes_nothing_a_second_time():
    machine = Machine().resolve()
    assert "auto" not in (machine.device, machine.threads, machine.compile, machine.together)
    assert machine.resolve() == machine


def test_what_was_set_stays():
    machine = Machine(device="cpu", threads=3, compile=True, rows_at_once=2, together=1)
    assert machine.resolve() == machine


def test_a_training_by_itself_is_one_whatever_was_set():
    assert Machine(device="cpu", together=8).resolve().together == 1


@pytest.mark.skipif(torch.cuda.is_available(), reason="a computer without an accelerator")
def test_an_accelerator_that_is_not_there_is_refused():
    with pytest.raises(ConfigError, match="shows 0 CUDA devices"):
        Machine(device="cuda:3").resolve()


@pytest.mark.parametrize(
    "wrong", [{"device": "gpu"}, {"threads": 0}, {"rows_at_once": 0}, {"keep": 0}, {"together": 0}]
)
def test_settings_that_mean_nothing_are_refused(wrong):
    with pytest.raises((ValidationError, ConfigError)):
        Machine(**wrong).resolve()


def test_the_number_of_threads_is_given_back():
    before = torch.get_num_threads()
    with threads(before + 1):
        assert torch.get_num_threads() == before + 1
    assert torch.get_num_threads() == before
