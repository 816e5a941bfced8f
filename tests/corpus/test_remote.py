from __future__ import annotations

from pathlib import Path

import fsspec
import pytest
from pydantic import ValidationError

from pilotlight.corpus import remote
from pilotlight.corpus.reading import open_bytes
from pilotlight.corpus.recipe import Recipe
from pilotlight.corpus.source import Input, Source
from pilotlight.errors import ConfigError, DataError
from pilotlight.plan_file import anchored


@pytest.fixture
def bucket(tmp_path):
    """An address of files in memory, called like the folder of the test."""
    memory = fsspec.filesystem("memory")
    for name, data in {
        "a/one.txt": b"one",
        "a/two.md": b"two",
        "b/three.txt": b"three",
        ".x/four.txt": b"four",
    }.items():
        memory.pipe_file(f"/{tmp_path.name}/{name}", data)
    return f"memory://{tmp_path.name}"


def _texts(**settings):
    source = Source.choose(settings)
    return [record.text for file in source.files() for record in source.read(file)]


def test_an_address_is_a_folder_a_pattern_or_a_file(bucket):
    assert _texts(kind="folder", path=bucket) == ["one", "two", "three"]
    assert _texts(kind="text", path=f"{bucket}/**/*.txt") == ["four", "one", "three"]
    assert _texts(kind="text", path=f"{bucket}/a/one.txt") == ["one"]
    assert Source.choose({"kind": "text", "path": f"{bucket}/a/*.txt"}).title == "a"


def test_an_address_is_neither_anchored_nor_changed_and_a_path_still_is(tmp_path):
    recipe = Recipe.model_validate(
        {"sources": [{"kind": "folder", "path": "s3://bucket/a//b?x=1"}, {"kind": "text", "path": "a.txt"}]}
    )
    moved = anchored(recipe, tmp_path)
    assert moved.sources[0].path == "s3://bucket/a//b?x=1"
    assert moved.sources[1].path == tmp_path / "a.txt"
    assert Recipe.model_validate(moved.model_dump(mode="json")) == moved
    assert Source.choose({"kind": "text", "path": "file:///tmp/a%20b.txt"}).path == Path("/tmp/a b.txt")
    with pytest.raises(ValidationError, match="give the address itself"):
        Source.choose({"kind": "text", "path": Path("s3://bucket/a")})


def test_what_is_missing_elsewhere_is_said_with_the_way_out(bucket):
    for path in (f"{bucket}/absent.txt", f"{bucket}/*.rtf"):
        with pytest.raises(DataError, match=r"(does not exist|matches no file)\. Expected a text file; correct"):
            Source.choose({"kind": "text", "path": path}).files()
    with pytest.raises(DataError, match="does not exist"):
        open_bytes(f"{bucket}/absent.txt")
    with pytest.raises(ConfigError, match="no file system is called 'tide'"):
        Source.choose({"kind": "text", "path": "tide://a/b.txt"}).files()


def test_a_package_that_is_missing_names_the_extra(monkeypatch):
    def refuses(address):
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr("fsspec.core.url_to_fs", refuses)
    with pytest.raises(ConfigError, match=r"pip install 'pilotlight\[remote\]'"):
        Source.choose({"kind": "text", "path": "s3://bucket/a.txt"}).files()


def test_identity_changes_with_the_file_and_needs_no_reading(bucket, tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("one", encoding="utf-8")
    here = Input(path, "a.txt")
    before = here.identity()
    assert before[0] == here.size() == 3
    path.write_text("three", encoding="utf-8")
    assert here.identity() != before
    there = Input(f"{bucket}/a/one.txt", "one.txt")
    before = there.identity()
    assert before == there.identity()
    fsspec.filesystem("memory").pipe_file(f"/{tmp_path.name}/a/one.txt", b"another")
    assert there.identity() != before
    with pytest.raises(DataError, match="cannot be read"):
        Input(tmp_path / "gone.txt", "gone.txt").identity()


def test_a_copy_is_made_once_tried_again_and_refused_when_it_stays_short(bucket, tmp_path, monkeypatch):
    file = Input(f"{bucket}/a/one.txt", "a/one.txt")
    monkeypatch.setattr(remote.time, "sleep", lambda seconds: None)
    opened = []

    def breaks(address, times=2):
        opened.append(address)
        if len(opened) <= times:
            raise OSError("reset by peer")
        return fsspec.open(address).open()

    monkeypatch.setattr(remote, "open_address", breaks)
    near = file.stage(tmp_path / "near")
    assert near.path.read_bytes() == b"one"
    assert near.path.name.endswith("one.txt")
    assert file.stage(tmp_path / "near") == near
    assert len(opened) == 3
    monkeypatch.setattr(remote, "open_address", lambda address: fsspec.open(f"{bucket}/.x/four.txt").open())
    with pytest.raises(DataError, match="broke off after 4 of 3 bytes"):
        file.stage(tmp_path / "other")
    assert list((tmp_path / "other").iterdir()) == []
    assert Input(tmp_path / "a", "a").stage(tmp_path) == Input(tmp_path / "a", "a")


def test_names_of_addresses_leave_out_what_is_no_name():
    assert remote.base_name("https://example.org/a/b%20c.jsonl.gz?token=1/2") == "b c.jsonl.gz"
    assert remote.base_name("s3://bucket/a/b.txt") == "b.txt"
    assert not remote.has_wildcards("https://example.org/a.jsonl?x=1")


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("http://127.0.0.1:8765/", "127.0.0.1"), ("http://127.0.0.1:8765/*.jsonl", "127.0.0.1"),
        ("http://127.0.0.1:8765/texts.v2.jsonl.gz?x=1", "texts"), ("https://me:word@example.org", "example.org"),
        ("https://example.org/laws/*.txt", "laws"), ("s3://my.bucket", "my.bucket"), ("s3://bucket/texts/", "texts"),
        ("s3://bucket/*.parquet", "bucket"),
    ],
)  # fmt: skip
def test_a_source_is_called_like_the_last_part_of_its_address_or_else_its_host(address, name):
    assert Source.choose({"kind": "text", "path": address}).title == name


def test_a_damaged_file_elsewhere_is_set_aside_and_a_broken_line_is_an_error(bucket, tmp_path, monkeypatch):
    import gzip

    memory = fsspec.filesystem("memory")
    memory.pipe_file(f"/{tmp_path.name}/cut.jsonl.gz", gzip.compress(b'{"text": "one"}\n' * 9)[:-12])
    memory.pipe_file(f"/{tmp_path.name}/cut.zip", b"PK\x03\x04 no zip file")
    memory.pipe_file(f"/{tmp_path.name}/cut.parquet", b"PAR1 no table")
    source = Source.choose({"kind": "folder", "path": bucket})
    found = {file.relative: list(source.read(file)) for file in source.files()}
    for name in ("cut.jsonl.gz", "cut.zip", "cut.parquet"):
        assert found[name][-1].reason == "damaged file"

    def breaks(*given):
        raise ConnectionError("reset by peer")

    monkeypatch.setattr("fsspec.implementations.memory.MemoryFile.read", breaks)
    for name in ("a/one.txt", "cut.jsonl.gz", "cut.zip", "cut.parquet"):
        with pytest.raises(DataError, match=r"cannot be read \(ConnectionError: reset by peer\)"):
            list(source.read(Input(f"{bucket}/{name}", name)))
