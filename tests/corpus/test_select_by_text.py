"""Choosing by importance, perplexity and clusters: what stays is what should."""

from __future__ import annotations

import gzip
import json
import random
from dataclasses import replace

import pytest
from pydantic import ValidationError
from selection_examples import COOKING, LAW, SEA, SUBJECTS, decide, document, kept, prose

from pilotlight.corpus.diversity import fill_evenly
from pilotlight.corpus.pile import Pile, make_split
from pilotlight.corpus.ranking import MOST_TOLD, summary
from pilotlight.corpus.select.balance import Balance
from pilotlight.corpus.select.diverse import Diverse
from pilotlight.corpus.select.dsir import Dsir
from pilotlight.corpus.select.perplexity import Perplexity
from pilotlight.corpus.select.scores import Scores
from pilotlight.corpus.topics import topics
from pilotlight.errors import ConfigError, DataError
from pilotlight.work.flow import Flow
from pilotlight.work.pool import Pool


def corpus(cooking=60, law=200, sea=200, words=40):
    sizes = {"cooking": (COOKING, cooking), "law": (LAW, law), "sea": (SEA, sea)}
    return [
        document(prose(vocabulary, words, 1000 * place + number), 1000 * place + number, source=name)
        for place, (name, (vocabulary, count)) in enumerate(sizes.items()) for number in range(count)
    ]  # fmt: skip


def subjects(ids, documents):
    found = {"cooking": 0, "law": 0, "sea": 0}
    for one in documents:
        found[one.source] += one.id in ids
    return found


def target_file(folder, words=COOKING):
    path = folder / "target.jsonl.gz"
    with gzip.open(path, "wt", encoding="utf-8") as file:
        for number in range(50):
            file.write(json.dumps({"text": prose(words, 60, 9000 + number)}) + "\n")
    return path


def test_importance_finds_the_text_that_is_like_a_target_file(tmp_path):
    documents = corpus()
    decisions, facts = decide(Dsir(target=target_file(tmp_path), share=0.13), [documents], tmp_path / "a", summary)
    found = subjects(kept(decisions, documents), documents)
    assert found["cooking"] >= 55
    assert found["law"] + found["sea"] <= 10
    assert facts["bytes_kept"] / facts["bytes"] == pytest.approx(0.13, abs=0.01)
    assert max(decisions[one.id].values["importance"] for one in documents if one.source == "law") < 0


def test_importance_finds_the_text_that_is_like_a_source(tmp_path):
    documents = [
        *corpus(cooking=0),
        *(document(prose(LAW, 40, 7000 + n), 7000 + n, source="cooking") for n in range(20)),
    ]
    decisions, _ = decide(Dsir(target_source="cooking", share=0.5, of="documents"), [documents], tmp_path)
    found = subjects(kept(decisions, documents), documents)
    assert found["law"] + found["cooking"] >= 200
    assert found["sea"] <= 10


def test_importance_does_not_prefer_long_texts(tmp_path):
    documents = [document(prose(COOKING + LAW, 500 if n % 2 else 50, n), n) for n in range(400)]
    decisions, _ = decide(Dsir(target=target_file(tmp_path, COOKING + LAW), share=0.5, of="documents"), [documents],
                          tmp_path / "a")  # fmt: skip
    long = sum(len(one.text) > 1000 for one in documents if not decisions[one.id].drop)
    assert 60 <= long <= 140


def test_a_changed_target_file_changes_the_result(tmp_path):
    documents = corpus()
    before, _ = decide(Dsir(target=target_file(tmp_path), share=0.2), [documents], tmp_path / "a", summary)
    after, _ = decide(Dsir(target=target_file(tmp_path, LAW), share=0.2), [documents], tmp_path / "a", summary)
    assert subjects(kept(before, documents), documents)["cooking"] > 50
    assert subjects(kept(after, documents), documents)["cooking"] < 10


def test_a_target_without_words_is_refused(tmp_path):
    (tmp_path / "blank.jsonl").write_text('{"text": "- - -"}\n')
    with pytest.raises(DataError, match="holds no words"):
        decide(Dsir(target=tmp_path / "blank.jsonl"), [corpus(5, 5, 5)], tmp_path)
    (tmp_path / "bad.jsonl").write_text('{"txt": 1}\n')
    with pytest.raises(DataError, match="line 1 holds no text"):
        decide(Dsir(target=tmp_path / "bad.jsonl"), [corpus(5, 5, 5)], tmp_path)
    with pytest.raises(ValidationError, match="either target"):
        Dsir()


@pytest.mark.parametrize(("keep", "expected"), [("lowest", "cooking"), ("highest", "sea")])
def test_perplexity_keeps_what_the_target_makes_expected_or_the_opposite(tmp_path, keep, expected):
    documents = corpus(100, 0, 100)
    step = Perplexity(target=target_file(tmp_path), keep=keep, share=0.4, within=(), of="documents")
    decisions, _ = decide(step, [documents], tmp_path / "a")
    found = subjects(kept(decisions, documents), documents)
    assert sum(found.values()) == 80
    assert found[expected] >= 78


def test_a_model_of_the_corpus_itself_finds_shuffled_letters_hard_and_never_judges_a_text_by_itself(tmp_path):
    documents = corpus(50, 50, 50)
    odd = document("qzx wvk jjq pfg xzq kkw vbn qwz " * 30, 99_999, source="sea")
    twin = document(odd.text, 99_998, source="sea")
    decisions, _ = decide(Perplexity(share=0.9, within=()), [[*documents, odd, twin]], tmp_path)
    values = {id: one.values["perplexity"] for id, one in decisions.items()}
    assert values[odd.id] == values[twin.id] == max(values.values())
    assert decisions[odd.id].drop.startswith("too hard: ")


def test_documents_compete_within_their_language(tmp_path):
    ours = [document(prose(LAW, 40, n), n) for n in range(100)]
    others = [document(prose(["ñu", "çé", "àò", "ïü"], 8, n), 500 + n, language="ca") for n in range(20)]
    decisions, facts = decide(Perplexity(share=0.5, of="documents"), [[*ours, *others]], tmp_path, summary)
    ids = kept(decisions, [*ours, *others])
    assert sum(one.id in ids for one in ours) == 50
    assert sum(one.id in ids for one in others) == 10
    assert set(facts["groups"]) == {"en", "ca"}


def test_clusters_even_out_what_there_is_too_much_of(tmp_path):
    documents = corpus(30, 300, 30)
    decisions, facts = decide(Diverse(share=0.25, clusters=3, of="documents"), [documents], tmp_path, summary)
    assert subjects(kept(decisions, documents), documents) == {"cooking": 30, "law": 30, "sea": 30}
    assert len(facts["clusters"]) == 3
    by_subject = {one.source: decisions[one.id].values["cluster"] for one in documents}
    assert all(decisions[one.id].values["cluster"] == by_subject[one.source] for one in documents)


def test_farthest_first_finds_a_rare_kind_of_text(tmp_path):
    documents = corpus(3, 300, 300)
    step = Diverse(share=0.9, clusters=3, centres="farthest", of="documents")
    decisions, _ = decide(step, [documents], tmp_path)
    rare = {decisions[one.id].values["cluster"] for one in documents if one.source == "cooking"}
    others = {decisions[one.id].values["cluster"] for one in documents if one.source != "cooking"}
    assert len(rare) == 1
    assert not rare & others


@pytest.mark.parametrize(("keep", "compare"), [("far", min), ("near", max)])
def test_prototypes_are_dropped_or_kept_in_each_cluster(tmp_path, keep, compare):
    documents = corpus(60, 60, 60)
    decisions, _ = decide(Diverse(share=0.5, clusters=3, keep=keep, of="documents"), [documents], tmp_path)
    for cluster in range(3):
        own = [one for one in decisions.values() if one.values["cluster"] == cluster]
        stay = [one.values["distance"] for one in own if not one.drop]
        gone = [one.values["distance"] for one in own if one.drop]
        assert abs(len(stay) - len(gone)) <= 1
        assert compare(*stay) >= max(gone) if keep == "far" else compare(*stay) <= min(gone)


def test_clusters_are_filled_evenly():
    assert fill_evenly([10.0, 2.0, 10.0], 12).tolist() == [5, 2, 5]
    assert fill_evenly([1.0, 1.0], 5).tolist() == [1, 1]


def test_topics_have_readable_labels_and_the_sources_they_come_from(tmp_path):
    documents = corpus(50, 100, 70)
    with Pool(0) as inline:
        flow = Flow(tmp_path, inline)
        found = topics(Pile(flow, "diverse", (make_split(tmp_path / "given", documents, flow),)), 3)
    assert [topic.documents for topic in sorted(found, key=lambda one: one.documents)] == [50, 70, 100]
    vocabulary = {"cooking": COOKING, "law": LAW, "sea": SEA}
    for topic in found:
        [source] = topic.sources
        assert set(topic.words) <= set(vocabulary[source])
        assert topic.label.count(", ") == 4


def told_by(step, documents, folder):
    with Pool(0) as inline:
        flow = Flow(folder, inline)
        pile = Pile(flow, "chosen", (make_split(folder / "given", documents, flow),))
        return step.report(pile, step.decide(pile))


@pytest.mark.parametrize("step", [Dsir(target_source="cok"), Perplexity(target_source="cok")])
def test_a_source_that_is_not_there_is_named_with_those_that_are(tmp_path, step):
    with pytest.raises(DataError, match=r"'cok'.*cooking, law, sea\. Did you mean 'cooking'"):
        decide(step.model_copy(update={"target_source": "cok"}), [corpus(5, 5, 5)], tmp_path)


def without_language(documents):
    return [replace(one, facts={"content": "prose"}) for one in documents]


def test_steps_by_language_ask_for_the_step_that_finds_it_out(tmp_path):
    documents = without_language(corpus(9, 9, 9))
    table = tmp_path / "scores.jsonl"
    table.write_text("".join(json.dumps({"id": one.id, "score": 1}) + "\n" for one in documents))
    steps = [
        Perplexity(),
        Balance(shares={"language": {"ca": 0.5}}),
        Scores(table=table, share=0.5, within=("language",)),
    ]
    for step in steps:
        with pytest.raises(ConfigError, match="Put the step language before it"):
            decide(step, [documents], tmp_path / step.kind)
    found, _ = decide(Perplexity(within=()), [documents], tmp_path / "in one")
    assert found


@pytest.mark.parametrize(
    "step", [Dsir(target_source="law"), Perplexity(), Diverse(clusters=4), Balance(shares={"source": {"law": 0.5}})]
)
def test_what_a_step_tells_is_what_there_was_and_what_stays(tmp_path, step):
    told = told_by(step, corpus(20, 30, 40), tmp_path)
    assert told["documents"] == 90
    assert told["bytes_kept"] < told["bytes"]
    assert told["sources"]["law"]["documents"] == 30


def test_long_tables_are_told_by_their_largest_lines(tmp_path):
    documents = [replace(one, source=f"s{place:03d}") for place, one in enumerate(corpus(40, 40, 40))]
    sources = told_by(Diverse(clusters=2), documents, tmp_path)["sources"]
    assert len(sources) == MOST_TOLD + 1
    assert sum(line["documents"] for line in sources.values()) == 120


SENTENCES = (
    "It was not for them that he had come from his own house with its {} and the {}, but it had been for her {}.",
    "From there to the {}, which was where they would all be with some {}, he and his brother went by the {}.",
    "The {} of this and the {} of that are both as they were; there is no {} between them.",
)


def test_topics_are_told_apart_by_content_and_not_by_words_that_hold_sentences_together(tmp_path):
    """Each subject prefers another of the sentences, in which the function words differ."""
    draw = random.Random(6)
    documents = []
    for place, (subject, words) in enumerate(sorted(SUBJECTS.items())):
        for number in range(60):
            lines = [
                SENTENCES[(place + number) % 3 if draw.random() < 0.8 else draw.randrange(3)].format(
                    *draw.sample(words, 3)
                )
                for _ in range(6)
            ]
            documents.append(document(" ".join(lines), 1000 * place + number, source=subject))
    with Pool(0) as inline:
        flow = Flow(tmp_path, inline)
        found = topics(Pile(flow, "study", (make_split(tmp_path / "given", documents, flow),)), 3)
    for topic in found:
        assert max(topic.sources.values()) > 0.9 * topic.bytes
        assert not {"was", "from", "its", "which", "there", "them"} & set(topic.words)


def test_labels_keep_the_vowels_of_indic_scripts_and_leave_out_their_function_words(tmp_path):
    subjects = {"river": "नदी का पानी और किनारे की मिट्टी", "market": "बाज़ार का दुकानदार और कपड़े की क़ीमत"}
    documents = [
        document(f"{text}. " * 4, 100 * place + number, source=name, language="hi")
        for place, (name, text) in enumerate(subjects.items()) for number in range(20)
    ]  # fmt: skip
    with Pool(0) as inline:
        flow = Flow(tmp_path, inline)
        found = topics(Pile(flow, "study", (make_split(tmp_path / "given", documents, flow),)), 2)
    words = {word for topic in found for word in topic.words}
    assert {"किनारे", "मिट्टी", "दुकानदार"} <= words
    assert not {"का", "की", "और"} & words
