from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """Folder of `pilot train` shape: tokens beside three runs that have learnt one sentence by heart, and another."""
    from eval_examples import train_all

    return train_all(tmp_path_factory.mktemp("scored"))


@pytest.fixture(scope="session")
def reference(tmp_path_factory):
    """A tiny Llama with random weights in a Hugging Face folder."""
    pytest.importorskip("transformers", reason="transformers (extra hf) is not installed")
    from eval_examples import write_reference

    return write_reference(tmp_path_factory.mktemp("reference") / "tiny-llama")
