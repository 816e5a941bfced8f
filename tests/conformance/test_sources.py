"""What every source has to do, over the folder of sources."""

from __future__ import annotations

from pathlib import Path

import pytest

from pilotlight.corpus.source import Raw, Source
from pilotlight.errors import DataError
from pilotlight.spec import discover

KINDS = discover(Source.folder)


@pytest.fixture
def source(kind, tmp_path):
    """A source of the kind over a small folder of text."""
    (tmp_path / "texts" / "below").mkdir(parents=True)
    (tmp_path / "texts" / "b.jsonl").write_text('{"text": "one"}\n\n{"text": "two"}\n', encoding="utf-8")
    (tmp_path / "texts" / "below" / "a.txt").write_text("three and four\n", encoding="utf-8")
    pattern = {"jsonl": "texts/*.jsonl", "text": "texts/**/*.txt"}.get(kind, "texts")
    fields = KINDS[kind].model_fields
    return Source.choose({"kind": kind, **({"path": tmp_path / pattern} if "path" in fields else {})})


def _records(source: Source) -> list[tuple[str, str, str]]:
    found = []
    for file in source.files()[:8]:
        for record in source.read(file):
            found.append((file.relative, record.record, record.text if isinstance(record, Raw) else record.reason))
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_a_source_reads_the_same_records_in_the_same_order_twice(source):
    assert _records(source) == _records(source)
    assert _records(source)


@pytest.mark.parametrize("kind", KINDS)
def test_a_source_lists_its_files_sorted_once_each_and_inside_itself(source):
    names = [file.relative for file in source.files()]
    assert names == sorted(set(names))
    assert not [name for name in names if name.startswith(("/", "..")) or "\\" in name]


@pytest.mark.parametrize("kind", KINDS)
def test_a_source_numbers_the_records_of_a_file_uniquely(source):
    places = [(file, record) for file, record, _ in _records(source)]
    assert len(places) == len(set(places))


@pytest.mark.parametrize("kind", KINDS)
def test_a_source_has_a_name_that_can_be_set_and_survives_json(source):
    assert source.title
    assert source.model_copy(update={"name": "mine"}).title == "mine"
    assert Source.choose(source.model_dump(mode="json")) == source


@pytest.mark.parametrize("kind", [kind for kind in KINDS if "path" in KINDS[kind].model_fields])
def test_a_source_without_its_path_names_the_path_and_the_way_out(kind, tmp_path):
    with pytest.raises(DataError, match=r"absent.*does not exist.*Expected.*correct the path"):
        Source.choose({"kind": kind, "path": Path(tmp_path / "absent")}).files()
