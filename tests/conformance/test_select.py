"""What every way to choose documents has to do, over the folder of selections."""

from __future__ import annotations

import json
import random

import pytest

from pilotlight.corpus.document import Document
from pilotlight.corpus.pile import Pile, make_split, read_decisions
from pilotlight.corpus.ranking import summary
from pilotlight.corpus.selection import Select
from pilotlight.errors import PilotlightError
from pilotlight.spec import discover
from pilotlight.work.flow import Flow
from pilotlight.work.pool import Pool

KINDS = discover(Select.folder)
WORDS = [
    "river",
    "bank",
    "money",
    "loan",
    "water",
    "fish",
    "boat",
    "credit",
    "stone",
    "bridge",
    "interest",
    "rate",
    "flood",
    "dam",
]


def documents(count=60):
    draw = random.Random(5)
    return [
        Document(
            " ".join(draw.choice(WORDS) for _ in range(draw.choice([1, 5, 30, 90]))), f"{number:032x}",
            "left" if number % 3 else "right", f"a#{number}", {"content": "prose", "language": "en"},
        )
        for number in range(count)
    ]  # fmt: skip


def part(kind, folder):
    """A step of each kind with settings that drop something; a new kind with required settings is added here."""
    table = folder / "scores.jsonl"
    table.write_text("".join(json.dumps({"id": one.id, "score": len(one.text)}) + "\n" for one in documents()))
    given = {
        "dsir": {"target_source": "left", "share": 0.5},
        "sample": {"share": 0.3},
        "scores": {"table": table, "share": 0.5},
        "balance": {"shares": {"source": {"left": 0.5, "right": 0.5}}},
    }
    return KINDS[kind].model_validate(given.get(kind, {}))


def decisions(step, splits, folder):
    with Pool(0) as inline:
        flow = Flow(folder, inline)
        units = step.decide(Pile(flow, "chosen", tuple(make_split(folder / "given", one, flow) for one in splits)))
        return [read_decisions(unit) for unit in units], summary(units[0])


@pytest.mark.parametrize("kind", KINDS)
def test_decisions_do_not_depend_on_the_order_of_documents_or_on_splits(kind, tmp_path):
    given = documents()
    step = part(kind, tmp_path)
    [found], facts = decisions(step, [given], tmp_path / "one")
    shuffled = sorted(given, key=lambda one: hash_free(one.id))
    several, others = decisions(step, [shuffled[:7], shuffled[7:40], [], shuffled[40:]], tmp_path / "four")
    assert {id: one for part in several for id, one in part.items()} == found
    assert others == facts


def hash_free(id):
    return id[::-1]


@pytest.mark.parametrize("kind", KINDS)
def test_something_stays_something_goes_and_the_summary_counts_both(kind, tmp_path):
    given = documents()
    [found], facts = decisions(part(kind, tmp_path), [given], tmp_path / "one")
    gone = {id for id, one in found.items() if one.drop}
    assert 0 < len(gone) < len(given)
    assert facts["documents"] == len(given)
    assert facts["documents_kept"] == len(given) - len(gone)
    assert facts["bytes"] == sum(one.bytes for one in given)
    assert facts["bytes_kept"] == sum(one.bytes for one in given if one.id not in gone)
    assert set(facts["sources"]) == {"left", "right"}


@pytest.mark.parametrize("kind", KINDS)
def test_values_are_those_of_the_columns_and_can_be_written(kind, tmp_path):
    step = part(kind, tmp_path)
    [found], _ = decisions(step, [documents()], tmp_path / "one")
    for one in found.values():
        assert set(one.values or {}) <= set(step.columns)
        json.dumps(one.values, allow_nan=False)
    assert not step.columns or any(one.values for one in found.values())


@pytest.mark.parametrize("kind", KINDS)
def test_no_documents_is_said_or_decided_on(kind, tmp_path):
    try:
        [found], _ = decisions(part(kind, tmp_path), [[]], tmp_path / "one")
    except PilotlightError:
        return
    assert found == {}


@pytest.mark.parametrize("kind", KINDS)
def test_documents_without_words_are_survived(kind, tmp_path):
    given = [*documents(), Document("?!", "f" * 32, "left", "a#x", {"content": "prose"})]
    step = part(kind, tmp_path)
    if kind == "scores":
        step = step.model_copy(update={"missing": "keep"})
    [found], facts = decisions(step, [given], tmp_path / "one")
    assert facts["documents"] == len(given)
    assert set(found) <= {one.id for one in given}
