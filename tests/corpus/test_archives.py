from __future__ import annotations

import gzip
import io
import zipfile

import pytest

from pilotlight.corpus import reading
from pilotlight.corpus.source import Raw, Source

PAGE = "<html><head><title>{}</title></head><body><p>The tide rises, and the tide falls, page {}.</p></body></html>"


def _read(kind, path, **settings):
    source = Source.choose({"kind": kind, "path": path, **settings})
    return [record for file in source.files() for record in source.read(file)]


def _record(data: bytes, kind="response", media="application/http; msgtype=response", place="http://example.org/a"):
    head = (
        f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: {place}\r\nWARC-Record-ID: <urn:uuid:0>\r\n"
        f"Content-Type: {media}\r\nContent-Length: {len(data)}\r\n\r\n"
    )
    return head.encode() + data + b"\r\n\r\n"


def _http(body: bytes, media="text/html; charset=utf-8", status="200 OK", more=""):
    return f"HTTP/1.1 {status}\r\nContent-Type: {media}\r\n{more}\r\n".encode() + body


CRAWL = [
    _record(b"software: none", "warcinfo", "application/warc-fields"),
    _record(b"GET / HTTP/1.1\r\n\r\n", "request"),
    _record(_http(PAGE.format("One", 1).encode())),
    _record(_http(gzip.compress(PAGE.format("Two", 2).encode()), more="Content-Encoding: gzip\r\n")),
    _record(_http(b"9\r\n<p>three \r\n9\r\nwords</p>\r\n0\r\n\r\n", more="Transfer-Encoding: chunked\r\n")),
    _record(_http("<p>quatre étés</p>".encode("latin-1"), "text/html; charset=iso-8859-1")),
    _record(_http(b"five", "text/plain")),
    _record(_http(b"\x89PNG", "image/png")),
    _record(_http(b"<p>gone</p>", status="404 Not Found")),
    _record(b"six", "conversion", "text/plain"),
]


@pytest.mark.parametrize("name", ["a.warc", "a.warc.gz"])
def test_pages_and_texts_of_a_web_archive_are_read_and_other_responses_counted(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(b"".join(gzip.compress(item) if name.endswith(".gz") else item for item in CRAWL))
    records = _read("warc", path)
    texts = [record.text.strip() for record in records if isinstance(record, Raw)]
    assert texts[0].startswith("The tide rises, and the tide falls, page 1")
    assert texts[1].startswith("The tide rises, and the tide falls, page 2")
    assert texts[2:] == ["three words", "quatre étés", "five", "six"]
    assert records[0].facts["url"] == "http://example.org/a"
    assert records[0].facts["title"] == "One"
    others = [record for record in records if not isinstance(record, Raw)]
    assert [record.reason for record in others] == ["no HTML or plain text", "no page, but a status"]
    assert all(record.ordinary for record in others)
    if name == "a.warc":
        assert records[0].record == str(len(CRAWL[0]) + len(CRAWL[1]))


@pytest.mark.parametrize("packed", [False, True])
def test_the_records_before_a_break_in_a_web_archive_are_kept(tmp_path, packed):
    path = tmp_path / ("a.warc.gz" if packed else "a.warc")
    items = [_record(_http(PAGE.format(number, number).encode())) for number in range(6)]
    data = b"".join(gzip.compress(item) if packed else item for item in items)
    path.write_bytes(data[:-120])
    records = _read("warc", path)
    assert [isinstance(record, Raw) for record in records] == [True] * 5 + [False]
    assert records[-1].reason == "damaged file"
    middle = len(data) // 2
    path.write_bytes(data[:middle] + b"\xff" * 200 + data[middle + 200 :])
    records = _read("warc", path)
    assert sum(isinstance(record, Raw) for record in records) >= 2
    assert "damaged file" in [record.reason for record in records if not isinstance(record, Raw)]


def _zip(path, members, **options):
    with zipfile.ZipFile(path, "w", **options) as archive:
        for name, data in members:
            archive.writestr(name, data)


def test_members_of_a_zip_file_are_read_by_their_endings_and_named_with_their_folders(tmp_path):
    import pyarrow
    import pyarrow.parquet as parquet

    table = io.BytesIO()
    parquet.write_table(pyarrow.table({"text": ["five", "six"]}), table)
    path = tmp_path / "texts.zip"
    _zip(path, [
        ("a/one.txt", "one"), ("b/rows.jsonl", '{"text": "two"}\n{"text": "three"}'), ("c/four.txt.gz", gzip.compress(b"four")),
        ("d/table.parquet", table.getvalue()), ("e/page.html", "<p>seven</p>"), ("picture.png", b"\x89PNG"),
        ("inner.zip", b"PK"), (".hidden/x.txt", "hidden"), ("__MACOSX/a.txt", "fork"),
    ])  # fmt: skip
    records = _read("zip", path)
    assert [record.text for record in records if isinstance(record, Raw)] == [
        "one", "two", "three", "four", "five", "six", "seven",
    ]  # fmt: skip
    assert [record.record for record in records][:3] == ["a/one.txt:1", "b/rows.jsonl:1", "b/rows.jsonl:2"]
    assert [record.reason for record in records if not isinstance(record, Raw)] == ["archive inside an archive"]
    source = Source.choose({"kind": "zip", "path": path})
    assert source.passed_over() == {".png": 1}
    assert Source.choose({"kind": "folder", "path": tmp_path}).passed_over() == {".png": 1}


def test_two_members_of_one_name_are_two_documents(tmp_path):
    path = tmp_path / "a.zip"
    with pytest.warns(UserWarning, match="Duplicate name"):
        _zip(path, [("a.txt", "one"), ("a.txt", "two")])
    assert [record.record for record in _read("zip", path)] == ["a.txt:1", "a.txt (2):1"]


def test_encrypted_and_damaged_members_are_set_aside_and_the_others_are_read(tmp_path):
    path = tmp_path / "a.zip"
    _zip(path, [("a.txt", "one " * 50), ("b.txt", "two " * 50), ("c.txt", "three")])
    data = bytearray(path.read_bytes())
    directory = data.rindex(b"PK\x01\x02", 0, data.rindex(b"PK\x01\x02", 0, data.rindex(b"PK\x01\x02")))
    data[directory + 8] |= 1  # the flag of encryption of the first member
    place = data.index(b"two two")
    data[place : place + 3] = b"TWO"
    path.write_bytes(data)
    records = _read("zip", path)
    reasons = {record.record: record.reason for record in records if not isinstance(record, Raw)}
    assert reasons["a.txt"] == "encrypted"
    assert "damaged file" in reasons.values()
    assert records[-1].text == "three"


def test_a_zip_file_that_is_cut_or_no_zip_file_is_set_aside(tmp_path):
    path = tmp_path / "a.zip"
    _zip(path, [("a.txt", "one")])
    path.write_bytes(path.read_bytes()[:-10])
    assert [record.reason for record in _read("zip", path)] == ["damaged file"]


def test_a_member_that_unpacks_without_end_is_set_aside(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "_BOMB", 1 << 20)
    monkeypatch.setattr(reading, "MOST_EXPANSION", 200)
    path = tmp_path / "a.zip"
    _zip(path, [("bomb.jsonl", bytes(30_000_000)), ("a.txt", "one")], compression=zipfile.ZIP_DEFLATED)
    first, second = _read("zip", path)
    assert "unpacks to more than" in first.detail
    assert second.text == "one"
