from __future__ import annotations

import gzip
import json
import zlib

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pilotlight.corpus import formats, reading
from pilotlight.corpus.formats import Reading, read_text, text_cuts, text_records
from pilotlight.corpus.json_lines import jsonl_records
from pilotlight.corpus.reading import chunks, line_cuts, split_lines
from pilotlight.corpus.source import WHOLE, Input, Raw, Unreadable


@pytest.fixture
def small_blocks(monkeypatch):
    """Blocks of 300 bytes instead of 64 MB."""
    monkeypatch.setattr(formats, "BLOCK", 300)
    monkeypatch.setattr(formats, "_WINDOW", 40)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    parts=st.lists(
        st.sampled_from(["a tide ", "Ebbe und Flut über ", "\n", "\n\n", "水" * 30, "x" * 90]), max_size=120
    ),
    target=st.integers(1, 2000),
    longest=st.integers(8, 500),
)
def test_a_large_text_has_the_same_records_however_it_is_cut(tmp_path, small_blocks, parts, target, longest):
    path = tmp_path / "large.txt"
    path.write_text("".join(parts), encoding="utf-8")
    file = Input(path, path.name)
    whole = list(read_text(file, "utf-8", longest, "prose"))
    cuts = text_cuts(file, target)
    assert [record for cut in cuts for record in read_text(file, "utf-8", longest, "prose", cut)] == whole
    if parts:
        assert "".join(record.text for record in whole if isinstance(record, Raw)) == path.read_text(encoding="utf-8")
    assert len({record.record for record in whole}) == len(whole)


def test_the_pieces_of_the_first_block_are_called_as_those_of_a_small_file(tmp_path, small_blocks):
    path = tmp_path / "large.txt"
    path.write_text("A line of text that goes on for a while.\n\n" * 40, encoding="utf-8")
    names = [record.record for record in read_text(Input(path, path.name), "utf-8", 100, "prose")]
    assert names[:3] == ["1", "2", "3"]
    assert any(int(name) > formats.BLOCK_NUMBERS for name in names)
    packed = tmp_path / "large.txt.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert [record.record for record in read_text(Input(packed, packed.name), "utf-8", 100, "prose")] == names


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.lists(st.sampled_from([b"\n", b"a", b"bc\n", b"d" * 50]), max_size=60), target=st.integers(1, 200))
def test_ranges_of_lines_start_after_a_line_end_and_know_its_number(tmp_path, data, target):
    path = tmp_path / "a.jsonl"
    whole = b"".join(data)
    path.write_bytes(whole)
    cuts = line_cuts(path, target)
    assert b"".join(b"".join(chunks(path, cut)) for cut in cuts) == whole
    for cut in cuts:
        assert cut.first == whole[: cut.start].count(b"\n") + 1
        assert cut.start == 0 or whole[cut.start - 1 : cut.start] == b"\n"
    numbered = [number for cut in cuts for number, _ in enumerate(split_lines(chunks(path, cut)), cut.first)]
    assert numbered == list(range(1, len(numbered) + 1))


def test_a_line_longer_than_memory_should_hold_is_set_aside_and_the_next_is_read(monkeypatch):
    monkeypatch.setattr(reading, "LONGEST_RECORD", 1000)
    parts = [b'{"text": "one"}\n{"text": "', *[b"x" * 700] * 5, b'"}\n{"text": "two"}\n{"text": "', b"y" * 2000]
    found = list(split_lines(iter(parts), 1000))
    assert [line if isinstance(line, bytes) else line.size for line in found] == [
        b'{"text": "one"}', 3512, b'{"text": "two"}', 2010,
    ]  # fmt: skip


def test_what_unpacks_without_end_is_set_aside(monkeypatch, tmp_path):
    monkeypatch.setattr(reading, "_BOMB", 1 << 20)
    monkeypatch.setattr(reading, "MOST_EXPANSION", 200)
    packer = zlib.compressobj(9, wbits=31)
    bomb = packer.compress(bytes(30_000_000)) + packer.flush()
    for name, data in {"a.txt.gz": bomb, "a.txt.zst": zstandard.compress(bytes(30_000_000))}.items():
        path = tmp_path / name
        path.write_bytes(data)
        parts = chunks(path)
        with pytest.raises(reading.BrokenFile, match="unpacks to more than"):
            max(len(part) for part in parts)


def test_numbers_of_lines_survive_in_a_cut_that_starts_late():
    how = Reading(longest=0)
    rows = b"".join(json.dumps({"text": f"{number}"}).encode() + b"\n" for number in range(7, 9))
    assert [record.record for record in jsonl_records(iter([rows]), how, 7)] == ["7", "8"]
    assert list(jsonl_records(iter([b""]), how, 7)) == []


def test_a_text_that_is_never_cut_is_not_taken_into_memory_beyond_the_limit(monkeypatch):
    monkeypatch.setattr(formats, "LONGEST_RECORD", 1000)
    (record,) = text_records(iter([b"x" * 600] * 3), Reading(longest=0))
    assert isinstance(record, Unreadable)
    assert WHOLE.first == 1
