"""The stratified sample: what it keeps, how samples lie in one another, and what its certificate says."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from selection_examples import SUBJECTS, decide, document, kept, mixed, prose

from pilotlight.corpus import sampling
from pilotlight.corpus.certificate import certificate
from pilotlight.corpus.select.sample import Sample
from pilotlight.errors import DataError


def sampled(step, documents, folder):
    decisions, found = decide(step, [documents], folder, certificate)
    return kept(decisions, documents), found


def repeated(texts=200, times=5):
    """Texts that come once, and texts that come ``times`` times, as many documents of each."""
    once = [document(prose(SUBJECTS["law"], 40, number), number) for number in range(texts)]
    often = [
        document(prose(SUBJECTS["sea"], 40, number // times), texts + number) for number in range(texts)
    ]  # fmt: skip
    return [*once, *often]


def criterion(found, name):
    [one] = [one for one in found["criteria"] if one["name"] == name]
    return one


@settings(max_examples=25, deadline=None)
@given(share=st.floats(0.05, 0.95), more=st.floats(1.0, 3.0), seed=st.integers(0, 3))
def test_a_smaller_sample_lies_inside_a_larger_one(tmp_path_factory, share, more, seed):
    folder = tmp_path_factory.mktemp("nested")
    documents = mixed(120)
    small, _ = sampled(Sample(share=share, seed=seed), documents, folder / "small")
    large, _ = sampled(Sample(share=min(1.0, share * more), seed=seed), documents, folder / "large")
    assert small <= large


@settings(max_examples=15, deadline=None)
@given(share=st.floats(0.05, 0.95), seed=st.integers(0, 100))
def test_bytes_are_kept_within_a_document_and_shares_of_sources_within_two(tmp_path_factory, share, seed):
    documents = mixed(200)
    largest = max(one.bytes for one in documents)
    _, found = sampled(Sample(share=share, seed=seed, keep_together="none"), documents, tmp_path_factory.mktemp("s"))
    assert abs(found["bytes_kept"] - share * found["bytes"]) <= largest
    for row in found["sources"].values():
        assert abs(row["bytes_kept"] - share * row["bytes"]) <= 2 * largest
    for row in found["strata"]:
        own = max(one.bytes for one in documents if one.source == row["source"])
        assert abs(row["bytes_kept"] - row["bytes_wanted"]) <= 2 * own


def test_all_is_kept_with_a_share_of_one(tmp_path):
    documents = mixed(40)
    ids, found = sampled(Sample(share=1.0), documents, tmp_path)
    assert len(ids) == 40
    assert found["representative"] is True


def test_another_seed_draws_other_documents(tmp_path):
    documents = mixed(200)
    one, _ = sampled(Sample(share=0.2, seed=1), documents, tmp_path / "one")
    two, _ = sampled(Sample(share=0.2, seed=2), documents, tmp_path / "two")
    assert one != two


def test_every_document_has_about_the_same_chance(tmp_path):
    documents = mixed(60)
    times = dict.fromkeys((one.id for one in documents), 0)
    for seed in range(60):
        for id in sampled(Sample(share=0.3, seed=seed), documents, tmp_path / str(seed))[0]:
            times[id] += 1
    assert 0.2 < sum(times.values()) / 60 / 60 < 0.4
    assert min(times.values()) >= 4
    assert max(times.values()) <= 36


@pytest.mark.parametrize("together", ["near", "exact"])
def test_repeated_texts_come_whole_or_not_at_all(tmp_path, together):
    documents = repeated()
    ids, found = sampled(Sample(share=0.2, keep_together=together), documents, tmp_path)
    by_text = {}
    for one in documents:
        by_text.setdefault(one.text, []).append(one.id in ids)
    split = [inside for inside in by_text.values() if len(set(inside)) > 1]
    assert split == []
    exact = criterion(found, "exact repetition")
    assert exact["representative"] is True
    assert exact["in_whole"] == pytest.approx(0.4)
    assert 0.3 < exact["in_sample"] < 0.5


def test_drawing_documents_one_by_one_loses_the_repetition_and_the_certificate_says_so(tmp_path):
    _, found = sampled(Sample(share=0.2, keep_together="none"), repeated(400), tmp_path)
    exact = criterion(found, "exact repetition")
    assert exact["in_sample"] < 0.25
    assert exact["representative"] is False
    assert found["representative"] is False


def test_texts_with_one_word_changed_mostly_stay_together(tmp_path):
    documents = []
    for number in range(150):
        words = prose(SUBJECTS["cooking"] + SUBJECTS["law"], 200, number).split()
        documents.append(document(" ".join(words), 2 * number))
        words[100] = "changed"
        documents.append(document(" ".join(words), 2 * number + 1))
    ids, _ = sampled(Sample(share=0.3, by=("source",)), documents, tmp_path)
    pairs = [
        (documents[place].id in ids, documents[place + 1].id in ids) for place in range(0, len(documents), 2)
    ]  # fmt: skip
    touched = [pair for pair in pairs if any(pair)]
    assert sum(all(pair) for pair in touched) > 0.75 * len(touched)


def test_groups_stay_together(tmp_path):
    documents = [
        document(prose(SUBJECTS["sea"], 20, number), number, group=f"book {number // 4}") for number in range(80)
    ]
    ids, _ = sampled(Sample(share=0.3, keep_together="group", by=("source",)), documents, tmp_path)
    for start in range(0, 80, 4):
        assert len({one.id in ids for one in documents[start : start + 4]}) == 1


def test_many_alike_documents_are_certified_as_representative(tmp_path):
    documents = [
        document(prose(SUBJECTS[subject], 30, number), number, source=subject)
        for number, subject in enumerate(sorted(SUBJECTS) * 500)
    ]
    _, found = sampled(Sample(share=0.1), documents, tmp_path)
    assert found["representative"] is True, [one for one in found["criteria"] if not one["representative"]]
    assert criterion(found, "words")["random_samples"]["median"] > 0


def test_a_pilot_with_a_tenth_of_the_tokens_gets_a_tenth_of_every_source(tmp_path):
    documents = mixed(400)
    _, found = sampled(Sample(tokens="10M", full_tokens="100M"), documents, tmp_path)
    assert found["share"] == pytest.approx(0.1)
    for row in found["sources"].values():
        assert row["bytes_kept"] / row["bytes"] == pytest.approx(0.1, abs=0.03)


def test_a_sample_that_cannot_stand_for_the_whole_stops_the_build_if_asked(tmp_path):
    documents = [
        document(prose(SUBJECTS["law"], 2000, 0), 0),
        *(document("a word", n, source="b") for n in range(1, 9)),
    ]
    with pytest.raises(DataError, match="not representative in bytes"):
        sampled(Sample(share=0.3, require=True), documents, tmp_path)


def test_a_corpus_too_large_to_sort_is_sampled_with_the_same_rules(tmp_path, monkeypatch):
    monkeypatch.setattr(sampling, "EXACT_UP_TO", 0)
    documents = mixed(400)
    small, _ = sampled(Sample(share=0.1, keep_together="none"), documents, tmp_path / "small")
    large, found = sampled(Sample(share=0.2, keep_together="none"), documents, tmp_path / "large")
    assert small <= large
    assert found["bytes_kept"] / found["bytes"] == pytest.approx(0.2, abs=0.03)
    for row in found["strata"]:
        assert abs(row["bytes_kept"] - row["bytes_wanted"]) <= max(one.bytes for one in documents)


@pytest.mark.parametrize("given", [{}, {"share": 0.1, "tokens": 5}, {"tokens": 5}, {"tokens": 5, "full_tokens": 2}])
def test_a_size_that_contradicts_itself_is_refused(given):
    with pytest.raises(ValidationError):
        Sample.model_validate(given)
