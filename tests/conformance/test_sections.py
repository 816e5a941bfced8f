"""Every section of the page: silent where there is nothing to say, plain text where there is, one place each."""

import sys
from pathlib import Path

import pytest

from pilotlight.report.block import Block, Cell
from pilotlight.report.section import Section, Slot, sections
from pilotlight.report.study import Study
from pilotlight.spec import discover

sys.path.insert(0, str(Path(__file__).parents[1] / "report"))
from study_folder import Wish, write_study

NAMES = sorted(discover(Section.folder))
MARKED = "<b onclick=alert(1)>"


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    out = tmp_path_factory.mktemp("empty")
    (out / "pilot.json").write_text("{}")
    return Study.read(out)


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    variants = {f"a{MARKED}": (-0.02, MARKED), "b": (0.003, "why"), "without_gate": (0.02, MARKED)}
    wish = Wish(question=MARKED, variants=variants, source=MARKED, error=MARKED)
    return Study.read(write_study(tmp_path_factory.mktemp("full") / "out", wish))


def section(name: str) -> Section:
    return next(found for found in sections() if found.kind == name)


def strings(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple | frozenset):
        for item in value:
            yield from strings(item)
    elif hasattr(value, "__dataclass_fields__"):
        for name in value.__dataclass_fields__:
            yield from strings(getattr(value, name))


@pytest.mark.parametrize("name", NAMES)
def test_a_section_has_one_place_and_a_title(name):
    found = section(name)
    assert isinstance(found.slot, Slot)
    assert found.title
    places = [(other.slot, other.order) for other in sections()]
    assert places.count((found.slot, found.order)) == 1


@pytest.mark.parametrize("name", NAMES)
def test_a_section_of_an_empty_pilot_is_silent_or_shows_no_number_it_does_not_have(name, empty):
    block = section(name).write(empty)
    assert block is None or isinstance(block, Block)
    if section(name).slot is Slot.EVIDENCE and name != "goal":
        assert block is None


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"scorecard"}))
def test_a_section_of_a_decided_pilot_speaks(name, full):
    block = section(name).write(full)
    assert block is not None
    assert block.pieces


@pytest.mark.parametrize("name", NAMES)
def test_a_section_hands_on_text_as_it_is_and_writes_no_markup(name, full):
    block = section(name).write(full)
    for text in strings(block):
        assert "<" not in text.replace(MARKED, "").replace("< 0.001", "").replace("< 1", ""), text
        assert "&lt;" not in text
        assert type(text) is str


@pytest.mark.parametrize("name", NAMES)
def test_a_section_says_the_same_twice(name, full):
    assert section(name).write(full) == section(name).write(full)


def test_charts_have_names_of_their_own(full):
    blocks = [found.write(full) for found in sections()]
    names = [chart.name for block in blocks if block for chart in block.charts()]
    assert len(names) == len(set(names)) > 4


def test_a_cell_defaults_to_plain_text():
    assert Cell("1").tone == Cell("1").sign == ""
