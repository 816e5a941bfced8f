"""Near duplicates: who stays, who goes, and what only looks alike."""

from __future__ import annotations

import random
import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from piles import decide, document, gone, told
from pilotlight.corpus.duplicates.exact import Exact
from pilotlight.corpus.duplicates.near import Near
from pilotlight.corpus.pile import Pile, make_split, read_decisions
from pilotlight.errors import DataError
from pilotlight.work.flow import Flow
from pilotlight.work.pool import Pool

WORDS = [f"{first}{middle}{last}" for first in "bdfgklmnprst" for middle in "aeiou" for last in ("n", "l", "rt", "sk")]


def text(draw, count=200):
    return " ".join(draw.choices(WORDS, k=count))


def edited(draw, given, share):
    return " ".join(f"x{draw.randrange(9999)}" if draw.random() < share else word for word in given.split())


def jaccard(one, other, length=5):
    sets = []
    for part in (one, other):
        words = re.findall(r"\w+", part.lower())
        sets.append(set(zip(*(words[place:] for place in range(length)), strict=False)) or {tuple(words)})
    return len(sets[0] & sets[1]) / len(sets[0] | sets[1])


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10**6), share=st.sampled_from([0.0, 0.01, 0.03, 0.06]))
def test_the_similarity_is_the_share_of_sequences_of_five_words_that_both_have(seed, share):
    draw = random.Random(seed)
    one = text(draw, draw.choice([30, 200]))
    other = edited(draw, one, share)
    true = jaccard(one, other)
    found = gone(Near(recall=0.999999), [document("a", one)], [document("b", other)])
    assert len(found) == (true >= 0.7)
    assert all(similarity == pytest.approx(true, abs=1e-6) for _, similarity in found.values())


def test_of_pairs_as_alike_as_asked_for_as_many_are_found_as_asked_for():
    draw = random.Random(3)
    documents, pairs = [], []
    while len(pairs) < 400:
        one = text(draw, 150)
        other = edited(draw, one, 0.037)
        if 0.7 <= jaccard(one, other) < 0.72:
            pairs.append((document(f"{len(pairs)}a", one), document(f"{len(pairs)}b", other)))
            documents += pairs[-1]
    for recall in (0.8, 0.95):
        found = gone(Near(recall=recall, most_removed=1), documents)
        share = sum(one.id in found or other.id in found for one, other in pairs) / len(pairs)
        assert recall - 0.05 < share < recall + 0.12


def test_similarity_is_not_passed_on_from_one_to_the_next():
    draw = random.Random(1)
    words = draw.sample(WORDS, 130)
    first, second, third = (" ".join(words[start : start + 102 - start // 7]) for start in (0, 14, 28))
    assert min(jaccard(first, second), jaccard(second, third)) >= 0.7 > jaccard(first, third)
    chain = [document(name, part) for name, part in zip("abc", (first, second, third), strict=True)]
    chain.sort(key=lambda item: -len(item.text))
    found = gone(Near(recall=0.9999), chain)
    assert set(found) == {chain[1].id}
    assert found[chain[1].id][0] == chain[0].id


def test_a_long_chain_of_drafts_is_settled_the_same_way_in_one_split_and_in_many():
    words = random.Random(4).choices(WORDS, k=500)
    drafts = [document(f"{start}", " ".join(words[start : start + 300 - start // 9])) for start in range(0, 180, 15)]
    expected = decide(Near(recall=0.9999), drafts)
    assert 4 < len(expected) < len(drafts) - 2
    for parts in ([[item] for item in drafts], [drafts[::2], drafts[1::2]], [drafts[6:], drafts[5::-1]]):
        assert decide(Near(recall=0.9999), *parts) == expected


def test_the_longest_stays_and_of_equally_long_ones_that_with_the_smallest_id():
    draw = random.Random(2)
    long = text(draw)
    documents = [document("cut", " ".join(long.split()[:180])), document("long", long)]
    copies = [document(f"copy {number}", text(random.Random(9))) for number in range(5)]
    found = gone(Near(), [*documents, *copies])
    stays = min(item.id for item in copies)
    assert found.pop(documents[0].id)[0] == documents[1].id
    assert found == {item.id: (stays, 1.0) for item in copies if item.id != stays}


def test_a_preferred_source_stays_before_a_longer_text_and_held_out_text_before_any():
    draw = random.Random(4)
    long = text(draw)
    short = " ".join(long.split()[:170])
    web, book = document("a", long, source="web"), document("b", short, source="books")
    assert set(gone(Near(), [web, book])) == {book.id}
    assert set(gone(Near(prefer=("books",)), [web, book])) == {web.id}
    held = document("c", " ".join(long.split()[:160]), source="other")
    found = decide(Near(prefer=("books",)), [web], [book], fixed=[held])
    assert {id: decision.twin for id, decision in found.items()} == {web.id: held.id, book.id: held.id}
    assert all(decision.drop.startswith("near duplicate of held-out text: ") for decision in found.values())


def test_held_out_documents_alike_are_left_alone():
    copies = [document(name, text(random.Random(8))) for name in "ab"]
    other = document("c", text(random.Random(7)))
    assert decide(Near(), [other], fixed=copies) == {}


def articles(draw):
    """Articles of a law in one frame."""
    for number in range(60):
        yield (
            f"Article {number}. In accordance with the provisions of this law, the {draw.choice(WORDS)} of "
            f"{draw.choice(WORDS)} shall {text(draw, 12)}. The competent body may, ex officio or at the request of a party, "
            f"{text(draw, 12)}. Whoever does not comply shall be fined between {number + 3} and {number * 7 + 40} coins."
        )


def entries(draw):
    """Entries of a dictionary."""
    for number in range(80):
        word = f"{draw.choice(WORDS)}{number}"
        yield f"{word} (noun, plural {word}s). 1. {text(draw, 6)}. 2. {text(draw, 5)}. See also: {draw.choice(WORDS)}."


def code(draw):
    """Files of code under one licence."""
    licence = " ".join(random.Random(0).choices(WORDS, k=90))
    for number in range(50):
        name = f"{draw.choice(WORDS)}_{number}"
        lines = [f"    {draw.choice(WORDS)} = {draw.choice(WORDS)}({number}, {draw.randrange(99)})" for _ in range(15)]
        yield "\n".join([f"# {licence}", "import math", "", f"def {name}(values):", *lines, "    return values"])


def forms(draw):
    """Certificates that differ in what was filled in only."""
    for _ in range(60):
        yield (
            f"I certify that {text(draw, 3)}, born in {draw.choice(WORDS)} on {draw.randrange(1, 31)} May "
            f"{draw.randrange(1940, 1999)}, has paid {draw.randrange(10, 999)} coins for {text(draw, 3)} to the treasury of "
            f"{draw.choice(WORDS)}, and issue this certificate in {draw.choice(WORDS)} for {text(draw, 2)}."
        )


@pytest.mark.parametrize("family", [articles, entries, code, forms])
def test_texts_from_one_mould_stay(family):
    draw = random.Random(6)
    documents = [document(f"{number}", given) for number, given in enumerate(family(draw))]
    assert gone(Near(), documents) == {}
    again = document("again", documents[7].text + " End.")
    assert set(gone(Near(), documents, [again])) == {documents[7].id}


def test_a_crowd_of_copies_is_compared_in_time_and_leaves_one():
    draw = random.Random(5)
    same = text(draw, 60)
    documents = [document(f"{number}", same if number % 2 else f"{same} {number}") for number in range(1500)]
    part = Near(most_removed=1)
    assert len(gone(part, documents[:700], documents[700:])) == len(documents) - 1
    compared = []
    decide(part, documents, compared=compared)
    assert sum(compared) < 30 * len(documents)


def test_more_than_the_limit_of_a_source_stops_with_the_documents_to_look_at():
    draw = random.Random(5)
    same = text(draw)
    good = [document(f"good {number}", text(draw), source="good") for number in range(60)]
    bad = [document(f"bad {number}", f"{same} {number}", source="bad") for number in range(60)]
    with pytest.raises(DataError) as error:
        gone(Near(), good, bad)
    message = str(error.value)
    assert "59 of the 60 documents of source 'bad'" in message
    assert "at most 50 % may go" in message
    assert any(item.id in message for item in bad)
    assert "set most_removed higher" in message
    assert len(gone(Near(most_removed="100%"), good, bad)) == 59
    assert len(gone(Near(), good, bad[:40])) == 39, "a source of fewer than 50 documents is not held to the limit"


def test_accents_case_marks_and_punctuation_do_not_count():
    pairs = [
        ("Él comió pan en la cafetería de la esquina con su hermano",
         "él comio\u0301 pan: en LA cafeteri\u0301a de la esquina, con su hermano!"),
        ("सभी मनुष्यों को गौरव और अधिकारों के मामले में जन्मजात स्वतन्त्रता", "सभी मनुष्यों को गौरव और अधिकारों के मामले में जन्मजात, स्वतन्त्रता।"),
    ]  # fmt: skip
    for one, other in pairs:
        assert [similarity for _, similarity in gone(Near(), [document("a", one), document("b", other)]).values()] == [
            1.0
        ]
    different = [document("a", "कर कि की कु कू"), document("b", "कर का के को कौ")]
    assert gone(Near(), different) == {}, "vowel signs are part of a word"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            "人人生而自由，在尊严和权利上一律平等。他们赋有理性和良心，并应以兄弟关系的精神相对待。",
            "、并应以兄弟关系的精神相对待",
        ),
        (
            "すべての人間は、生まれながらにして自由であり、かつ、尊厳と権利とについて平等である。",
            "人間は、理性と良心とを授けられている。",
        ),
        ("มนุษย์ทั้งปวงเกิดมามีอิสระและเสมอภาคกันในเกียรติศักดิ์และสิทธิ", "ต่างมีเหตุผลและมโนธรรม"),
    ],
)
def test_scripts_without_spaces_are_compared_by_characters(one, other):
    given = [document("a", one), document("b", one[:-2]), document("c", other)]
    assert set(gone(Near(), given)) == {given[1].id}


def test_texts_without_words_are_alike_only_if_they_are_the_same():
    given = [document("a", "!!! ???"), document("b", "!!!  ???"), document("c", "... ---"), document("d", "")]
    assert len(gone(Near(), given)) == 1


def test_long_texts_are_compared_as_a_whole():
    draw = random.Random(11)
    long = text(draw, 120_000)
    assert len(long) > 400_000
    given = [
        document("a", long),
        document("b", "word " + long),
        document("c", long[: len(long) // 2]),
        document("d", "x"),
    ]
    ((id, (twin, similarity)),) = gone(Near(), given).items()
    assert (id, twin) == (given[0].id, given[1].id)
    assert similarity > 0.9999


def test_what_is_contained_goes_when_asked_for():
    draw = random.Random(12)
    long = text(draw, 300)
    given = [document("a", long), document("b", " ".join(long.split()[:180]))]
    assert gone(Near(), given) == {}
    found = decide(Near(containment=0.95, recall=0.9999), given)
    assert found[given[1].id].drop == "near duplicate: 100 % of it stands in a document that stays"
    assert found[given[1].id].similarity == pytest.approx(jaccard(*(item.text for item in given)), abs=1e-5)


def test_what_is_told_holds_the_curve_and_what_goes_by_source():
    draw = random.Random(13)
    same = text(draw)
    given = [
        document("a", same, source="one"),
        document("b", same, source="two"),
        document("c", text(draw), source="two"),
    ]
    found = told(Near(prefer=("one",)), given)
    assert found["sources"]["two"]["documents_gone"] == 1
    assert found["sources"]["two"]["bytes_gone"] == len(same)
    assert found["sources"]["one"]["bytes_gone"] == 0
    assert "11 bands of 4 hashes" in found["explained"]
    assert found["curve"]["0.70"] == pytest.approx(0.951, abs=1e-3)


def test_two_workers_decide_the_same_bytes(tmp_path):
    draw = random.Random(14)
    given = [
        document(f"{number}", edited(random.Random(number), text(random.Random(number % 9)), 0.02))
        for number in range(40)
    ]
    draw.shuffle(given)
    results = []
    for workers in (0, 2):
        with Pool(workers) as pool:
            flow = Flow(tmp_path / f"{workers}", pool)
            splits = tuple(make_split(tmp_path / f"given{workers}", given[start::3], flow) for start in range(3))
            units = Near().decide(Pile(flow, "near", splits))
            results.append([(unit / "decisions.jsonl.zst").read_bytes() for unit in units])
            assert any(read_decisions(unit) for unit in units)
    assert results[0] == results[1]


@pytest.mark.parametrize(
    "wrong", [{"recall": 1.0}, {"recall": 0}, {"similarity": 0.1}, {"words": 0}, {"limit_from": 0}]
)
def test_settings_that_cannot_be_are_refused(wrong):
    with pytest.raises(ValidationError):
        Near(**wrong)


def program(name, code, content="code"):
    return replace(document(name, code), facts={"content": content})


def test_in_code_an_operator_makes_a_difference_and_spacing_none():
    short = "def next_one(x):\n    return x {} 1\n"
    plus, minus = short.format("+"), short.format("-")
    assert gone(Near(), [program("a", plus), program("b", minus)]) == {}
    assert len(gone(Near(), [program("a", plus, "prose"), program("b", minus, "prose")])) == 1
    tight = plus.replace(" + ", "+")
    [(_, similarity)] = gone(Near(), [program("a", plus), program("b", tight)]).values()
    assert similarity == 1.0


def test_code_with_one_name_in_thirty_changed_is_as_alike_as_prose_is():
    draw = random.Random(8)
    lines = [
        f"    {draw.choice(WORDS)}.{draw.choice(WORDS)}({draw.choice(WORDS)}) + {draw.choice(WORDS)}" for _ in range(90)
    ]
    edits = [re.sub(r"\w+", lambda match: "other" if draw.random() < 0.02 else match[0], line) for line in lines]
    pair = [program("a", "\n".join(lines)), program("b", "\n".join(edits))]
    [(_, similarity)] = gone(Near(similarity=0.6), pair).values()
    words = jaccard(pair[0].text, pair[1].text)
    assert similarity == pytest.approx(words, abs=0.06)


@pytest.mark.parametrize("part", [Near(prefer=("wikki",)), Exact(prefer=("wikki",))])
def test_a_preferred_source_that_is_not_there_is_refused_with_those_that_are(part):
    texts = [document("a", "one text", "wiki"), document("b", "another text", "web")]
    with pytest.raises(DataError, match=r"'wikki'.*web, wiki\. Did you mean 'wiki'"):
        decide(part, texts)
    assert decide(part, []) == {}
