from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from text_examples import sentence, write_jsonl

from pilotlight.corpus.build import build
from pilotlight.corpus.document import Document, document_id
from pilotlight.corpus.held_out import LEAST_BYTES, LEAST_DOCUMENTS, Candidates, Stub, choose_held_out
from pilotlight.corpus.held_out import STUBS as CANDIDATES
from pilotlight.corpus.recipe import Recipe
from pilotlight.corpus.sameness import text_key
from pilotlight.corpus.summaries.warnings import warnings
from pilotlight.corpus.summary import Summary


def _stubs(count: int, size: int = 1000, keys: int | None = None) -> list[Stub]:
    ids = [document_id("s", "f", str(number)) for number in range(count)]
    return [Stub(id, size, number % (keys or count), id) for number, id in enumerate(ids)]


STUBS = st.lists(st.tuples(st.integers(1, 90_000), st.integers(0, 40), st.integers(0, 60)), max_size=120).map(
    lambda rows: [
        Stub(document_id("s", "f", str(number)), size, key, f"group {group}" if group < 10 else str(number))
        for number, (size, key, group) in enumerate(rows)
    ]
)


@settings(max_examples=150, deadline=None)
@given(STUBS, st.sampled_from([0.01, 0.1, 0.3]), st.sampled_from([5e4, 1e6]), st.randoms())
def test_the_split_does_not_depend_on_order_and_no_text_is_on_both_sides(stubs, share, most, random):
    held = choose_held_out(stubs, share, most)
    shuffled = random.sample(stubs, len(stubs))
    assert choose_held_out(shuffled, share, most) == held
    inside = [stub for stub in stubs if stub.id in held]
    assert len({stub.key for stub in inside}) == len(inside)


@settings(max_examples=60, deadline=None)
@given(STUBS)
def test_a_group_is_on_one_side_only(stubs):
    held = choose_held_out(stubs, 0.2, 1e6)
    out = {stub.group for stub in stubs if stub.id in held}
    keys = {stub.key for stub in stubs if stub.id in held}
    assert not [stub for stub in stubs if stub.group in out and stub.key not in keys]


@given(st.integers(2, 400), st.integers(1, 100_000), st.sampled_from([1e4, 1e6]))
@settings(max_examples=80, deadline=None)
def test_held_out_bytes_stay_below_the_cap_unless_one_document_is_all_there_is(count, size, most):
    held = choose_held_out(_stubs(count, size), 0.05, most)
    assert 1 <= len(held) < count
    assert len(held) == 1 or len(held) * size <= most


@settings(max_examples=60, deadline=None)
@given(STUBS, st.sampled_from([0.01, 0.1]), st.integers(3, 10))
def test_parts_that_begin_elsewhere_are_other_documents_and_the_first_is_the_usual_one(stubs, share, parts):
    others = [document_id("s", "g", str(number)) for number in range(1200)]
    many = [*stubs, *(Stub(id, 900, 1000 + number, id) for number, id in enumerate(others))]
    held = [choose_held_out(many, share, 1e6, start=part / parts) for part in range(parts)]
    assert held[0] == choose_held_out(many, share, 1e6)
    assert all(held)
    assert sum(map(len, held)) == len(frozenset().union(*held))


def test_a_large_corpus_holds_out_its_share_and_membership_does_not_depend_on_other_documents():
    many = _stubs(20_000)
    held = choose_held_out(many, 0.05, 1e9)
    assert 850 < len(held) < 1150
    half = choose_held_out(many[:10_000], 0.05, 1e9)
    assert half == held & {stub.id for stub in many[:10_000]}


def test_a_small_corpus_still_holds_out_enough_to_measure():
    held = choose_held_out(_stubs(1000, 5000), 0.001, 1e6)
    assert len(held) == LEAST_DOCUMENTS
    assert len(held) * 5000 >= LEAST_BYTES


def test_a_very_small_corpus_holds_out_a_tenth_at_most():
    assert len(choose_held_out(_stubs(50, 1000), 0.01, 1e6)) == 5
    assert len(choose_held_out(_stubs(3, 1000), 0.01, 1e6)) == 1


def test_a_single_document_is_trained_on():
    assert not choose_held_out(_stubs(1), 0.01, 1e6)


def test_nothing_is_held_out_when_nothing_is_asked_for():
    assert not choose_held_out(_stubs(100), 0.0, 1e6)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 9000), st.integers(0, 400)), min_size=1, max_size=900),
    st.integers(1, 5),
    st.sampled_from([0.0, 0.7]),
)
def test_candidates_of_splits_give_the_choice_over_everything(tmp_path_factory, rows, splits, start):
    made = [
        Document(f"{number} " + "x" * size, document_id("s", "f", str(number)), "s", "o")
        for number, (size, _) in enumerate(rows)
    ]
    groups = [f"group {group}" if group < 5 else document.id for document, (_, group) in zip(made, rows, strict=True)]
    whole = [
        Stub(document.id, document.bytes, text_key(document.text), group)
        for document, group in zip(made, groups, strict=True)
    ]
    found = []
    for split in range(splits):
        candidates, folder = Candidates(0.02, 1e6, start), tmp_path_factory.mktemp("split")
        for document, group in list(zip(made, groups, strict=True))[split::splits]:
            candidates.add(document, document.bytes, group)
        candidates.write(folder)
        found += [Stub(*row) for row in json.loads((folder / CANDIDATES).read_text(encoding="utf-8"))]
    size = (len(whole), sum(stub.bytes for stub in whole))
    assert choose_held_out(found, 0.02, 1e6, size, start) == choose_held_out(whole, 0.02, 1e6, start=start)


@pytest.mark.parametrize("start", [0.0, 0.4])
def test_letting_go_of_candidates_that_cannot_be_wanted_changes_nothing(tmp_path, monkeypatch, start):
    from pilotlight.corpus import held_out
    from pilotlight.corpus.store import Rows

    units, whole = [], []
    for number in range(12):
        unit = tmp_path / str(number)
        unit.mkdir()
        stubs = [
            (
                document_id("s", str(number), str(row)),
                3000,
                number * 1000 + row,
                document_id("g", str(number), str(row)),
            )
            for row in range(300)
        ]
        (unit / CANDIDATES).write_text(json.dumps(stubs), encoding="utf-8")
        with Rows(unit / "candidates.documents.jsonl.zst") as file:
            for id, size, key, _ in stubs:
                text = f"{key} ".ljust(size, "x")
                file.write({"id": id, "source": "s", "origin": "o", "facts": {"content": "prose"}, "text": text})
        units.append(unit)
        whole += [Stub(*stub) for stub in stubs]
    settings = {"share": 0.3, "most_bytes": 1.2e5, "start": start, "documents": len(whole), "bytes": 3000 * len(whole)}
    monkeypatch.setattr(held_out, "_MOST_STUBS", 500)
    found = held_out.hold_out(tmp_path, units, settings, None)
    assert found == {"held_out": {"s": [40, 120_000]}}
    chosen = {document.id for document in held_out.documents(tmp_path / "documents.jsonl.zst")}
    assert chosen == choose_held_out(whole, 0.3, 1.2e5, start=start)


def test_large_sources_of_which_nothing_is_held_out_are_told(tmp_path):
    books = write_jsonl(
        tmp_path / "books.jsonl", [" ".join(sentence(n, 9) for n in range(at, at + 600)) for at in (0, 600)]
    )
    notes = write_jsonl(tmp_path / "notes.jsonl", [sentence(n) for n in range(5000, 5300)])
    sources = [{"kind": "jsonl", "path": path, "longest": "1M"} for path in (books, notes)]
    seen = []
    recipe = Recipe.model_validate({"sources": sources, "steps": [], "held_out": "2%"})
    built = build(recipe, tmp_path / "out", watch=lambda event: seen.append(getattr(event, "text", "")))
    [told] = [text for text in seen if text.startswith("nothing is held out of")]
    assert "of books (" in told
    assert "notes" not in told
    assert [text for text in warnings(Summary(built)) if text.startswith("Nothing is held out of books (")]
