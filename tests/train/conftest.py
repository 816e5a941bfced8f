from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def tokens(tmp_path_factory):
    from training_examples import tokens_in

    return tokens_in(tmp_path_factory.mktemp("packed") / "tokens")
