"""What every source has to do, over the folder of sources."""

from __future__ import annotations

import gzip
import json
import zipfile
from pathlib import Path

import pyarrow
import pyarrow.parquet as parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pilotlight.corpus.source import Cut, Input, Raw, Source
from pilotlight.errors import DataError
from pilotlight.spec import discover

KINDS = discover(Source.folder)
WITH_PATH = [kind for kind in KINDS if "path" in KINDS[kind].model_fields]
PATTERNS = {
    "jsonl": "*.jsonl", "text": "**/*.txt", "html": "*.html", "csv": "*.csv", "parquet": "*.parquet", "warc": "*.warc",
    "zip": "*.zip",
}  # fmt: skip
PAGE = "<html><head><title>Tides</title></head><body><article><p>The tide comes in twice a day, and goes.</p></article>"


def warc_record(body: str, place: str, kind: str = "response", status: int = 200) -> bytes:
    """One record of a web archive that holds a page."""
    head = f"HTTP/1.1 {status} OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" if kind == "response" else ""
    data = (head + body).encode()
    fields = [f"WARC-Type: {kind}", f"WARC-Target-URI: {place}", "WARC-Record-ID: <urn:uuid:0-0>",
              "Content-Type: application/http; msgtype=response", f"Content-Length: {len(data)}"]  # fmt: skip
    return ("WARC/1.0\r\n" + "\r\n".join(fields) + "\r\n\r\n").encode() + data + b"\r\n\r\n"


def write_texts(folder: Path) -> None:
    """Write a file of every format that a source reads."""
    (folder / "below").mkdir(parents=True)
    (folder / "b.jsonl").write_text('{"text": "one"}\n\n{"text": "two"}\n', encoding="utf-8")
    (folder / "below" / "a.txt").write_text("three and four\n", encoding="utf-8")
    (folder / "below" / "tide.py").write_text("def tide():\n    return 2\n", encoding="utf-8")
    (folder / "page.html").write_text(PAGE, encoding="utf-8")
    (folder / "c.csv").write_text('id,text\n1,"five, six"\n2,"seven\neight"\n', encoding="utf-8")
    table = pyarrow.table({"id": list(range(40)), "text": [f"row {number}" for number in range(40)]})
    parquet.write_table(table, folder / "d.parquet", row_group_size=7)
    (folder / "e.warc").write_bytes(b"".join(warc_record(PAGE, f"http://example.org/{number}") for number in range(5)))
    with zipfile.ZipFile(folder / "f.zip", "w") as archive:
        archive.writestr("in/a.txt", "nine")
        archive.writestr("in/b.jsonl", json.dumps({"text": "ten"}) + "\n" + json.dumps({"text": "eleven"}))
        archive.writestr("in/c.txt.gz", gzip.compress(b"twelve"))
        archive.writestr("in/d.png", b"\x89PNG")


@pytest.fixture
def source(kind, tmp_path):
    """A source of the kind over a small folder of text."""
    write_texts(tmp_path / "texts")
    return choose(kind, tmp_path / "texts")


def choose(kind, folder):
    pattern = PATTERNS.get(kind)
    path = folder / pattern if pattern else folder
    return Source.choose({"kind": kind, **({"path": path} if kind in WITH_PATH else {})})


def _read(source: Source, file: Input, cut: Cut | None = None) -> list[tuple[str, str, str]]:
    return [
        (file.relative, record.record, record.text if isinstance(record, Raw) else record.reason)
        for record in source.read(file, cut)
    ]


def _records(source: Source) -> list[tuple[str, str, str]]:
    return [record for file in source.files()[:8] for record in _read(source, file)]


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


@pytest.mark.parametrize("kind", WITH_PATH)
def test_a_source_without_its_path_names_the_path_and_the_way_out(kind, tmp_path):
    with pytest.raises(DataError, match=r"absent.*does not exist.*Expected.*correct the path"):
        Source.choose({"kind": kind, "path": Path(tmp_path / "absent")}).files()


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(target=st.integers(1, 3000))
def test_all_cuts_in_order_read_what_the_whole_file_reads(kind, tmp_path, target):
    folder = tmp_path / "texts"
    if not folder.exists():
        write_texts(folder)
    source = choose(kind, folder)
    for file in source.files()[:8]:
        cuts = [Cut.from_json(cut.to_json()) for cut in source.cuts(file, target)]
        assert cuts
        assert [record for cut in cuts for record in _read(source, file, cut)] == _read(source, file)


@pytest.mark.parametrize("kind", WITH_PATH)
def test_a_source_reads_an_address_like_a_folder_and_its_copy_like_the_file(kind, tmp_path):
    import fsspec

    folder = tmp_path / "texts"
    write_texts(folder)
    memory = fsspec.filesystem("memory")
    root = f"/{tmp_path.name}/texts"
    for path in sorted(folder.rglob("*.*")):
        memory.pipe_file(f"{root}/{path.relative_to(folder).as_posix()}", path.read_bytes())
    here = choose(kind, folder)
    there = Source.choose(
        {**here.model_dump(mode="json"), "path": f"memory:/{root}/{PATTERNS.get(kind, '')}".rstrip("/")}
    )
    assert Source.choose(there.model_dump(mode="json")) == there
    assert _records(there) == _records(here)
    for file in there.files():
        assert file.remote
        assert file.size() > 0
        near = Input.from_json(file.to_json()).stage(tmp_path / "near")
        assert not near.remote
        assert near.relative == file.relative
        assert near == file.stage(tmp_path / "near")
        assert _read(there, near) == _read(there, file)
    assert there.title == here.title


@pytest.mark.parametrize("kind", WITH_PATH)
def test_a_damaged_file_of_every_kind_is_set_aside_and_the_reading_goes_on(kind, tmp_path):
    folder = tmp_path / "texts"
    write_texts(folder)
    broken = []
    for path in sorted(folder.rglob("*.*")):
        data = path.read_bytes()
        for name, damaged in {
            "cut": data[: len(data) // 2],
            "nul": bytes(500),
            "none": b"",
            "noise": b"\xff\xfe\xfd\0" * 99,
        }.items():
            other = path.with_name(f"{name}-{path.name}")
            other.write_bytes(damaged)
            broken.append(other.name)
    source = choose(kind, folder)
    found = [record for file in source.files() for record in source.read(file)]
    assert any(isinstance(record, Raw) for record in found)
    assert any(not isinstance(record, Raw) for record in found)
    for file in source.files():
        list(_read(source, file, cut) for cut in source.cuts(file, 10))
