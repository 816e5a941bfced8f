"""Every section of the page of a corpus: silent where there is nothing to say, plain text where there is, one place each."""

import sys
from pathlib import Path

import pytest

from pilotlight.report.block import Block
from pilotlight.report.corpus_section import CorpusSection, corpus_sections
from pilotlight.report.corpus_study import CorpusStudy
from pilotlight.report.section import Slot
from pilotlight.spec import discover

sys.path.insert(0, str(Path(__file__).parents[1] / "report"))
from corpus_folder import write_corpus

NAMES = sorted(discover(CorpusSection.folder))


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    return CorpusStudy(write_corpus(tmp_path_factory.mktemp("bare_corpus"), steps=[], held_out=0))


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    folder = tmp_path_factory.mktemp("full_corpus")
    corpus = write_corpus(folder / "one")
    return CorpusStudy(corpus, write_corpus(folder / "two", steps=["exact"]))


def section(name: str) -> CorpusSection:
    return next(found for found in corpus_sections() if found.kind == name)


@pytest.mark.parametrize("name", NAMES)
def test_a_section_has_one_place_and_a_title(name):
    found = section(name)
    assert isinstance(found.slot, Slot)
    assert found.title
    places = [(other.slot, other.order) for other in corpus_sections()]
    assert places.count((found.slot, found.order)) == 1


@pytest.mark.parametrize("name", NAMES)
def test_a_section_of_a_corpus_without_steps_is_silent_or_a_block(name, bare):
    block = section(name).write(bare)
    assert block is None or isinstance(block, Block)


@pytest.mark.parametrize("name", NAMES)
def test_charts_have_names_of_their_own_values_and_words(name, full):
    block = section(name).write(full)
    charts = () if block is None else block.charts()
    names = [chart.name for chart in charts]
    assert len(names) == len(set(names))
    for chart in charts:
        assert chart.title
        assert chart.caption
        assert all(series.x or series.y for series in chart.series)
        assert all(len(series.x) == len(series.y) for series in chart.series)
    assert block == section(name).write(full), "asked twice, a section says the same"
