"""Passages that stand in several documents: found wherever they stand, cut from all but one, told with their keeper."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilotlight.corpus.document import Document
from pilotlight.corpus.duplicates.substring import Substring
from pilotlight.corpus.pile import Pile, make_split, read_decisions
from pilotlight.corpus.substring_bounds import snapped
from pilotlight.errors import DataError
from pilotlight.work.flow import Flow
from pilotlight.work.pool import Pool

SHARED = (
    "All rights in this leaflet are reserved by the board of the harbour. It may be copied by hand, but it may not be "
    "sold, lent or hung up in a public house. Whoever finds a mistake in it is asked to write to the office. "
)
FIRST = "Gulls were counted on the western pier in June. There were more of them than in the year before by a third. "
SECOND = "The lighthouse keeper has asked for a new ladder, as the old one was carried away in the storm of last week. "


def decide(folder, texts, step=None, parts=1, fixed=()):
    """Decisions by id; ``texts`` by id, in ``parts`` splits."""
    with Pool(0) as inline:
        flow = Flow(folder, inline)

        def split(some):
            documents = [
                Document(text, id, "pier", f"pier#{id}", {"content": "code" if id.startswith("code") else "prose"})
                for id, text in some
            ]
            return make_split(folder / "given", documents, flow)

        items = list(texts.items())
        splits = tuple(split(items[part::parts]) for part in range(parts))
        pile = Pile(flow, "substring", splits, split(list(fixed.items())) if fixed else None)
        found = {}
        for unit in (step or Substring()).decide(pile):
            found |= read_decisions(unit)
        return found


def test_a_passage_of_two_documents_is_cut_from_the_later_one_and_names_the_one_that_keeps_it(tmp_path):
    found = decide(tmp_path, {"a": FIRST * 2 + SHARED, "b": SHARED + SECOND * 2})
    assert set(found) == {"b"}
    assert found["b"].cuts == ((0, len(SHARED), "a"),)
    assert not found["b"].drop
    assert found["b"].values["shared_characters"] == len(SHARED)


def test_the_decisions_do_not_depend_on_the_splits_or_on_the_order(tmp_path):
    texts = {"c": FIRST * 2 + SHARED, "a": SECOND + SHARED + SECOND, "d": SHARED, "b": SHARED + SHARED + FIRST}
    once = decide(tmp_path / "one", texts)
    assert set(once) == {"b", "c", "d"}
    for parts in (2, 3, 4):
        assert decide(tmp_path / str(parts), texts, parts=parts) == once
        assert decide(tmp_path / f"back{parts}", dict(reversed(texts.items())), parts=parts) == once


def test_a_held_out_document_keeps_its_text_and_gets_no_decision(tmp_path):
    found = decide(tmp_path, {"a": FIRST * 2 + SHARED}, fixed={"z": SHARED + SECOND})
    assert [id for *_, id in found["a"].cuts] == ["z"]
    assert set(found) == {"a"}


def test_a_document_that_is_left_with_next_to_nothing_goes_with_its_twin(tmp_path):
    found = decide(tmp_path, {"a": FIRST + SHARED, "b": "Notice. " + SHARED})
    assert found["b"].twin == "a"
    assert found["b"].drop.startswith("stands in other documents: 9")
    assert 0.9 < found["b"].similarity < 1
    assert not found["b"].cuts


def test_a_document_that_keeps_the_text_of_another_one_does_not_go(tmp_path):
    """b is left with the passage that c shares with it: were b dropped, that passage would be lost."""
    own = "Tickets for the small ferry are sold at the kiosk, on board, and in the tavern; bring coins for all three. "
    texts = {"a": SHARED * 2 + FIRST * 2, "b": SHARED * 2 + own, "c": own + SECOND * 6}
    step = Substring(length=60, least_left=400)
    found = decide(tmp_path, texts, step)
    assert not found["b"].drop
    assert found["c"].cuts[0][2] == "b"


def test_what_a_document_repeats_of_itself_stays_unless_asked_for(tmp_path):
    text = SHARED + FIRST + SHARED + SECOND
    assert decide(tmp_path / "off", {"a": text}) == {}
    found = decide(tmp_path / "on", {"a": text}, Substring(within_documents=True))
    begin = len(SHARED) + len(FIRST)
    assert found["a"].cuts == ((begin, begin + len(SHARED), "a"),)


def test_code_is_left_alone_unless_asked_for(tmp_path):
    texts = {"a": SHARED + FIRST, "code": SHARED + SECOND}
    assert decide(tmp_path / "prose", texts) == {}
    assert set(decide(tmp_path / "all", texts, Substring(applies_to="all"))) == {"code"}


@pytest.mark.parametrize("letter", ["x", "é", "ж", "語", "\U0001f600"])
def test_spans_are_counted_in_characters_of_any_script(letter, tmp_path):
    chosen = random.Random(3)
    passage = "".join(chosen.choice([letter, "q", "r", " ", letter * 2]) for _ in range(300)).strip()
    own = {id: "".join(chosen.choice("mnop ") for _ in range(300)) for id in "ab"}
    found = decide(tmp_path, {"a": own["a"] + passage, "b": own["b"] + passage}, Substring(bounds="none"))
    ((start, end, keeper),) = found["b"].cuts
    assert (own["b"] + passage)[start:end] == passage
    assert keeper == "a"


def test_a_long_run_of_one_character_is_found_too(tmp_path):
    texts = {"a": FIRST + "-" * 5000 + SECOND, "b": SECOND + "-" * 700 + FIRST}
    found = decide(tmp_path, texts, Substring(bounds="none", length=120, least_left=0))
    assert sum(end - start for start, end, _ in found["b"].cuts) >= 700 + len(FIRST) - 130


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_every_shared_passage_of_the_length_is_found_and_every_cut_stands_in_its_keeper(seed, tmp_path_factory):
    chosen = random.Random(seed)
    blocks = ["".join(chosen.choice("abcdefgh ") for _ in range(chosen.randint(5, 90))) for _ in range(6)]
    texts = {
        f"{number}": "".join(
            chosen.choice(blocks) if chosen.random() < 0.6 else "".join(chosen.choice("stuvwxyz ") for _ in range(25))
            for _ in range(chosen.randint(1, 9))
        )
        for number in range(6)
    }  # fmt: skip
    step = Substring(length=40, bounds="none", least_left=0)
    found = decide(tmp_path_factory.mktemp("pile"), texts, step, parts=chosen.randint(1, 3))
    least = 40 - max(8, 40 // 4) + 1
    for id, text in texts.items():
        cuts = found[id].cuts if id in found else ()
        assert list(cuts) == sorted(cuts)
        assert all(left[1] <= right[0] for left, right in pairwise(cuts))
        assert all(text[start:end] in texts[keeper] and keeper < id for start, end, keeper in cuts)
        gone = {place for start, end, _ in cuts for place in range(start, end)}
        for place in range(len(text) - 39):
            if any(text[place : place + 40] in texts[other] for other in texts if other < id):
                assert sum(at in gone for at in range(place, place + 40)) >= least


@pytest.mark.parametrize(
    ("text", "span", "bounds", "expected"),
    [
        ("One two. Three four five. Six", (6, 27), "sentence", "Three four five. "),
        ("One two. Three four five. Six", (1, 27), "word", "two. Three four five. "),
        ("One two. Three four five. Six", (1, 27), "none", "ne two. Three four five. S"),
        ("alpha beta gamma delta epsilon zeta", (2, 28), "sentence", "beta gamma delta "),
        ("a line that breaks\nin its middle. Next.", (0, 34), "sentence", "a line that breaks\nin its middle. "),
        ("- one item\n- another item\n- a third", (3, 35), "sentence", "- another item\n- a third"),
        ("unbrokenunbroken", (3, 9), "word", ""),
    ],
)
def test_cuts_are_drawn_in_to_bounds(text, span, bounds, expected):
    start, end = snapped(text, *span, bounds)
    assert text[start:end] == expected


def test_a_source_that_would_lose_nearly_all_stops_the_build(tmp_path):
    texts = {f"{number:02d}": SHARED for number in range(30)}
    with pytest.raises(DataError, match=r"97% of the characters of pier .* most_removed"):
        decide(tmp_path / "stop", texts)
    assert len(decide(tmp_path / "go", texts, Substring(most_removed=1.0))) == 29


def test_nothing_to_compare_gives_no_decisions(tmp_path):
    assert decide(tmp_path / "empty", {}) == {}
    assert decide(tmp_path / "short", {"a": "Short.", "b": "Short."}) == {}
