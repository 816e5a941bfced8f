"""Builds over real text: the running Python's own, and corpora that a developer has beside the repository."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from pilotlight.corpus.build import build
from pilotlight.corpus.recipe import Recipe

SHARED = Path(os.environ.get("PILOTLIGHT_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data")) / "corpora"


def _first_lines(name: str, count: int, out: Path) -> Path:
    with gzip.open(SHARED / name, "rb") as file:
        out.write_bytes(b"".join(line for _, line in zip(range(count), file, strict=False)))
    return out


@pytest.mark.skipif(
    not SHARED.is_dir(), reason=f"no corpora at {SHARED}; set PILOTLIGHT_SHARED_DATA to have them tested"
)
@pytest.mark.parametrize("name", ["ca_law_andorra", "en_docs_peps"])
def test_real_prose_is_kept_almost_whole_and_read_back(name, tmp_path):
    path = _first_lines(f"{name}.jsonl.gz", 60, tmp_path / f"{name}.jsonl")
    corpus = build(Recipe.model_validate({"sources": [{"kind": "jsonl", "path": path}]}), tmp_path / "out")
    facts = corpus.facts
    assert not facts.quarantined
    assert facts.train.bytes + facts.held_out.bytes > 0.98 * facts.sources[name].read.bytes
    assert sum(1 for _ in corpus.documents("train")) == facts.train.documents
    assert facts.held_out.documents >= 5


@pytest.mark.slow
def test_the_python_library_is_kept_almost_whole_and_its_modules_side_with_their_docstrings(tmp_path):
    corpus = build(Recipe(), tmp_path / "out")
    facts = corpus.facts
    read = sum(source.read.bytes for source in facts.sources.values())
    assert facts.train.bytes > 5e6
    copies = sum(amount.bytes for amount in facts.dropped["near"].values())  # tables of codecs, for the most part
    assert facts.train.bytes + facts.held_out.bytes + copies > 0.99 * read
    assert copies < 0.08 * read
    assert facts.held_out.documents >= 20
    assert 50_000 <= facts.held_out.bytes <= 1e6
    held = {document.origin for document in corpus.documents("held_out") if "topics.py" not in document.origin}
    assert not held & {document.origin for document in corpus.documents("train")}
