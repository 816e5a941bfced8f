"""Texts of like meaning: by their words or by vectors that were given; one stays, the rest name it."""

from __future__ import annotations

import random

import numpy as np
import pytest

from pilotlight.corpus.document import Document
from pilotlight.corpus.duplicates.semantic import Semantic
from pilotlight.corpus.pile import Pile, make_split, read_decisions
from pilotlight.corpus.vectors import NORM, whole
from pilotlight.errors import DataError
from pilotlight.work.flow import Flow
from pilotlight.work.pool import Pool


def decide(folder, texts, step=None, parts=1, fixed=()):
    with Pool(0) as inline:
        flow = Flow(folder, inline)

        def split(some):
            documents = [Document(text, id, "town", f"town#{id}", {"content": "prose"}) for id, text in some]
            return make_split(folder / "given", documents, flow)

        items = list(texts.items())
        splits = tuple(split(items[part::parts]) for part in range(parts))
        pile = Pile(flow, "semantic", splits, split(list(fixed.items())) if fixed else None)
        found = {}
        for unit in (step or Semantic()).decide(pile):
            found |= read_decisions(unit)
        return found


def sentences(seed, count=40):
    """Text of words that no other seed uses."""
    chosen = random.Random(seed)
    words = ["".join(chosen.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(6)) for _ in range(count)]
    return " ".join(words)


def shuffled(text, seed):
    words = text.split()
    return " ".join([*words[20:], *words[:20]]) if seed else text


def test_the_same_words_in_another_order_go_and_name_the_smallest_id(tmp_path):
    texts = {f"{number}": sentences(number) for number in range(8)} | {"5b": shuffled(sentences(5), 1)}
    found = decide(tmp_path, texts)
    assert set(found) == {"5b"}
    assert found["5b"].twin == "5"
    assert 0.95 <= found["5b"].similarity <= 1
    assert found["5b"].drop.startswith("means nearly the same: ")


def test_the_decisions_do_not_depend_on_the_splits_or_on_the_order(tmp_path):
    texts = {f"{number:02d}": shuffled(sentences(number % 13), number // 13) for number in range(40)}
    step = Semantic(per_cell=10)
    once = decide(tmp_path / "one", texts, step)
    assert len(once) >= 25
    for parts in (2, 3):
        assert decide(tmp_path / str(parts), texts, step, parts) == once
        assert decide(tmp_path / f"back{parts}", dict(reversed(texts.items())), step, parts) == once


def test_a_held_out_document_stays_and_what_is_like_it_goes(tmp_path):
    found = decide(tmp_path, {"a": sentences(1), "b": sentences(2)}, fixed={"z": shuffled(sentences(1), 1)})
    assert {id: found[id].twin for id in found} == {"a": "z"}


def write_vectors(path, vectors):
    np.savez(path, ids=np.array(list(vectors)), vectors=np.array(list(vectors.values()), np.float32))
    return path


def angle(degrees):
    return [np.cos(np.radians(degrees)), np.sin(np.radians(degrees)), 0.0]


def test_given_vectors_decide_and_likeness_does_not_go_along_a_chain(tmp_path):
    """b is like a, and c like b; but c is not like a, so only b goes."""
    texts = {id: sentences(ord(id)) for id in "abcd"}
    path = write_vectors(tmp_path / "v.npz", {"a": angle(0), "b": angle(15), "c": angle(30), "d": [0.0, 0.0, 1.0]})
    found = decide(tmp_path, texts, Semantic(embeddings=path, similarity=0.95))
    assert {id: found[id].twin for id in found} == {"b": "a"}
    assert found["b"].similarity == pytest.approx(np.cos(np.radians(15)), abs=1e-3)


def test_given_vectors_are_read_from_parquet_and_a_changed_file_is_noticed(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "v.parquet"
    texts = {id: sentences(ord(id)) for id in "ab"}
    parquet.write_table(pyarrow.table({"id": ["a", "b"], "vector": [angle(0), angle(5)]}), path)
    assert set(decide(tmp_path, texts, Semantic(embeddings=path))) == {"b"}
    parquet.write_table(pyarrow.table({"id": ["a", "b"], "vector": [angle(0), angle(80)]}), path)
    assert decide(tmp_path, texts, Semantic(embeddings=path)) == {}


def test_a_document_without_a_vector_stops_the_step(tmp_path):
    path = write_vectors(tmp_path / "v.npz", {"a": angle(0)})
    with pytest.raises(DataError, match="no vector for 1 of 2 documents, such as b"):
        decide(tmp_path, {"a": sentences(1), "b": sentences(2)}, Semantic(embeddings=path))


def test_a_file_of_another_kind_is_refused(tmp_path):
    path = tmp_path / "v.txt"
    path.write_text("vectors")
    with pytest.raises(DataError, match=r"Expected a \.parquet or .npz file"):
        decide(tmp_path, {"a": sentences(1)}, Semantic(embeddings=path))


def test_short_texts_and_empty_piles_are_left_alone(tmp_path):
    assert decide(tmp_path / "short", {"a": "Only a few words.", "b": "Only a few words."}) == {}
    assert decide(tmp_path / "empty", {}) == {}


def test_a_source_that_would_lose_nearly_all_stops_the_build(tmp_path):
    with pytest.raises(DataError, match=r"29 of 30 documents of town .* most_removed"):
        decide(tmp_path, {f"{number:02d}": sentences(1) for number in range(30)})


def test_products_of_vectors_are_exact_in_32_bits():
    vectors = whole(np.random.default_rng(0).normal(size=(50, 512)))
    exact = vectors.astype(np.int64) @ vectors.astype(np.int64).T
    assert (vectors.astype(np.float32) @ vectors.astype(np.float32).T == exact).all()
    assert exact.max() < 1.02 * NORM**2 < 2**24
