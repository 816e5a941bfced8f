from __future__ import annotations

import gzip
import json

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from text_examples import sentence

from pilotlight.corpus.formats import Reading, pieces, read_text
from pilotlight.corpus.json_lines import read_jsonl
from pilotlight.corpus.source import Input, Raw, Unreadable
from pilotlight.errors import DataError


def _text(path, encoding="utf-8", longest=64_000.0):
    return list(read_text(Input(path, path.name), encoding, longest, "prose"))


def _jsonl(path, field="text", longest=64_000.0):
    return list(read_jsonl(Input(path, path.name), Reading(longest=longest, text_field=field)))


def _reasons(records):
    return [(record.record, record.reason) for record in records if isinstance(record, Unreadable)]


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=400), st.integers(8, 60), st.integers(1, 50))
def test_pieces_joined_are_the_text_and_none_is_too_long_or_cuts_a_character(text, limit, chunk):
    data = text.encode()
    parts = [data[at : at + chunk] for at in range(0, len(data), chunk)]
    found = list(pieces(iter(parts), limit))
    assert b"".join(found) == data
    assert all(0 < len(piece) <= limit for piece in found)
    assert "".join(piece.decode() for piece in found) == text


def test_one_large_text_file_becomes_records_cut_between_paragraphs(tmp_path):
    path = tmp_path / "all.txt"
    path.write_text("\n\n".join(sentence(number, 60) for number in range(1500)), encoding="utf-8")
    records = _text(path)
    assert len(records) > 5
    assert [record.record for record in records] == [str(number + 1) for number in range(len(records))]
    assert all(record.text.endswith("\n\n") for record in records[:-1])
    assert "".join(record.text for record in records) == path.read_text(encoding="utf-8")
    assert len(_text(path, longest=0)) == 1


def test_a_text_in_another_encoding_is_set_aside_and_read_when_the_encoding_is_given(tmp_path):
    path = tmp_path / "quijote.txt"
    path.write_bytes(
        "En un lugar de la Mancha, de cuyo nombre no quiero acordarme… ñ".replace("…", "").encode("latin-1")
    )
    (record,) = _text(path)
    assert record.reason == "not UTF-8"
    assert "set the encoding" in record.detail
    assert _text(path, "latin-1")[0].text.endswith("ñ")
    path.write_text("texto", encoding="utf-16")
    assert "UTF-16" in _text(path)[0].detail


def test_a_byte_order_mark_is_no_text(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"\xef\xbb\xbfone")
    assert _text(path) == [Raw("one", "1", "prose")]
    path.write_bytes(b'\xef\xbb\xbf{"text": "one"}\n')
    assert _jsonl(path) == [Raw("one", "1", "prose")]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"text": "broken', "broken JSON"),
        (b"[" * 100_000, "broken JSON"),
        (b'{"text": "\xff"}', "not UTF-8"),
        (b'["text"]', "no JSON object"),
        (b'{"body": "words"}', "no field 'text'"),
        (b'{"text": 3}', "field 'text' holds no text"),
        (b'{"text": null}', "field 'text' holds no text"),
    ],
)
def test_a_broken_line_is_set_aside_with_its_number_and_reason_and_the_others_are_read(tmp_path, line, reason):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"text": "one"}\n\n' + line + b'\n{"text": "two"}')
    records = _jsonl(path)
    assert [record.text for record in records if isinstance(record, Raw)] == ["one", "two"]
    assert _reasons(records) == [("3", reason)]


def test_a_field_that_is_missing_or_holds_no_text_names_those_that_there_are(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"id": 7, "page": {"body": "one", "stars": 3}}) + "\n", encoding="utf-8")
    assert _jsonl(path)[0].detail == "the fields are: id, page.body, page.stars; set text_field of the source"
    assert _jsonl(path, "id")[0].detail == "it holds 7; fields with text are: page.body; set text_field of the source"


def test_lines_end_at_line_feeds_only(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "one\u2028two\x85three"}\r\n', encoding="utf-8")
    assert [record.text for record in _jsonl(path)] == ["one\u2028two\x85three"]


def test_a_long_json_text_is_cut_and_its_pieces_name_their_line(tmp_path):
    path = tmp_path / "a.jsonl"
    text = "\n\n".join(sentence(number) for number in range(40))
    path.write_text(json.dumps({"text": "short"}) + "\n" + json.dumps({"text": text}) + "\n", encoding="utf-8")
    records = _jsonl(path, longest=2000)
    assert [record.record for record in records[:3]] == ["1", "2.1", "2.2"]
    assert "".join(record.text for record in records[1:]) == text


def _packed(data: bytes, ending: str) -> bytes:
    return gzip.compress(data) if ending == ".gz" else zstandard.compress(data)


@pytest.mark.parametrize("name", ["a.jsonl.gz", "a.jsonl.zst", "A.JSONL.GZ", "A.jsonl.Zst"])
def test_compressed_files_are_read_also_when_they_have_several_members(tmp_path, name):
    path, ending = tmp_path / name, name[name.rindex(".") :].lower()
    path.write_bytes(_packed(b'{"text": "one"}\n', ending) + _packed(b'{"text": "two"}\n', ending))
    assert [record.text for record in _jsonl(path)] == ["one", "two"]


@pytest.mark.parametrize("ending", [".gz", ".zst"])
@pytest.mark.parametrize("damage", ["cut", "overwritten"])
def test_the_records_before_a_break_in_a_compressed_file_are_kept(tmp_path, ending, damage):
    import random

    noise = random.Random(7)
    rows = [json.dumps({"text": f"{number} {noise.random()}"}) for number in range(40_000)]
    data = _packed("\n".join(rows).encode(), ending)
    middle = len(data) * 3 // 4
    path = tmp_path / f"a.jsonl{ending}"
    path.write_bytes(data[:middle] + (b"\xff" * 1000 + data[middle + 1000 :] if damage == "overwritten" else b""))
    records = _jsonl(path)
    read = [record.text for record in records if isinstance(record, Raw)]
    assert len(read) > 5000
    assert read[:1000] == [json.loads(row)["text"] for row in rows[:1000]]
    assert "damaged file" in {reason for _, reason in _reasons(records)}


@pytest.mark.parametrize("damage", ["cut", "checksum"])
@pytest.mark.parametrize("ending", [".gz", ".zst"])
def test_the_text_before_a_break_in_a_compressed_file_is_kept_in_whole_lines(tmp_path, ending, damage):
    import random

    noise = random.Random(3)
    text = "".join(f"{number} {noise.random()} {noise.random()}\n" for number in range(20_000))
    data = _packed(text.encode(), ending) if ending == ".gz" else _checked(text.encode())
    path = tmp_path / f"a.txt{ending}"
    path.write_bytes(data[: len(data) * 2 // 3] if damage == "cut" else _flipped(data, ending))
    *kept, last = _text(path)
    found = "".join(record.text for record in kept)
    assert text.startswith(found)
    assert found.endswith("\n")
    assert len(found) > len(text) * 0.5 if damage == "cut" else found == text
    assert last.reason == "damaged file"
    assert last.record == str(len(kept) + 1)


@pytest.mark.parametrize("ending", [".gz", ".zst"])
def test_a_wrong_checksum_of_a_small_file_loses_no_line(tmp_path, ending):
    path = tmp_path / f"a.txt{ending}"
    text = b"one\ntwo\nthree\n"
    path.write_bytes(_flipped(_packed(text, ending) if ending == ".gz" else _checked(text), ending))
    kept, last = _text(path)
    assert kept.text == text.decode()
    assert last.reason == "damaged file"
    path = path.rename(tmp_path / f"a.jsonl{ending}")
    rows = b'{"text": "one"}\n{"text": "two"}\n'
    path.write_bytes(_flipped(_packed(rows, ending) if ending == ".gz" else _checked(rows), ending))
    assert [getattr(record, "text", "") for record in _jsonl(path)] == ["one", "two", ""]


def test_a_text_of_one_line_that_breaks_off_ends_with_a_whole_word_or_character(tmp_path):
    path = tmp_path / "a.txt.gz"
    path.write_bytes(gzip.compress("Ebbe und Flut über alles".encode(), mtime=0)[:-12])
    kept, _ = _text(path)
    assert "Ebbe und Flut über alles".startswith(kept.text)
    assert kept.text.endswith(" ")
    path.write_bytes(gzip.compress(("水" * 40).encode(), 0, mtime=0)[:-10])
    kept, _ = _text(path)
    assert set(kept.text) == {"水"}


def _checked(data: bytes) -> bytes:
    return zstandard.ZstdCompressor(write_checksum=True).compress(data)


def _flipped(data: bytes, ending: str) -> bytes:
    """The data with another checksum at its end."""
    at = len(data) - (8 if ending == ".gz" else 4)
    return data[:at] + bytes([data[at] ^ 255]) + data[at + 1 :]


def test_a_file_that_is_no_gzip_is_set_aside_whole(tmp_path):
    path = tmp_path / "a.txt.gz"
    path.write_bytes(b"plain words, not packed")
    assert _reasons(_text(path)) == [("1", "damaged file")]


def test_a_missing_file_is_an_error_that_names_it(tmp_path):
    with pytest.raises(DataError, match=r"gone\.txt cannot be read"):
        _text(tmp_path / "gone.txt")
