"""What every test has: no trace in the home folder, one thread, and a tiny text to train on."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")


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
