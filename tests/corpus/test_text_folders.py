from __future__ import annotations

import gzip
import json
import os
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError
from text_examples import write_jsonl

from pilotlight.corpus.build import build
from pilotlight.corpus.reading import open_bytes
from pilotlight.corpus.recipe import Recipe
from pilotlight.corpus.remote import Barred
from pilotlight.corpus.source import Input, Raw, Source
from pilotlight.errors import DataError


def _texts(source):
    return [record.text for file in source.files() for record in source.read(file) if isinstance(record, Raw)]


def test_a_folder_gives_every_text_below_it_sorted_by_path(tmp_path):
    (tmp_path / "z.md").write_text("last", encoding="utf-8")
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".hidden" / "a.txt").write_text("hidden", encoding="utf-8")
    (tmp_path / "scan.pdf").write_bytes(b"%PDF")
    write_jsonl(tmp_path / "deep" / "er" / "b.jsonl", ["two", "three"])
    (tmp_path / "A.TXT.GZ").write_bytes(gzip.compress(b"one"))
    source = Source.choose({"kind": "folder", "path": str(tmp_path)})
    assert _texts(source) == ["one", "two", "three", "last"]
    assert source.title == tmp_path.name
    assert source.passed_over() == {".pdf": 1}


def test_a_folder_without_text_says_what_it_holds_and_what_was_expected(tmp_path):
    source = Source.choose({"kind": "folder", "path": tmp_path})
    with pytest.raises(DataError, match=r"no text file \(it holds no file at all\)"):
        source.files()
    (tmp_path / "a.pdf").write_bytes(b"%PDF")
    with pytest.raises(DataError, match=r"it holds 1 \.pdf.*Expected \*\.txt, \*\.md or \*\.jsonl"):
        source.files()


def test_a_file_is_read_as_a_folder_of_one_and_a_folder_as_its_files_of_the_kind(tmp_path):
    (tmp_path / "a.txt").write_text("one", encoding="utf-8")
    (tmp_path / "b.md.gz").write_bytes(gzip.compress(b"two"))
    write_jsonl(tmp_path / "c.jsonl", ["three"])
    assert _texts(Source.choose({"kind": "folder", "path": tmp_path / "a.txt"})) == ["one"]
    assert _texts(Source.choose({"kind": "text", "path": tmp_path})) == ["one", "two"]
    with pytest.raises(DataError, match=r"folder without such a file.*Parquet.*write kind: folder"):
        Source.choose({"kind": "parquet", "path": tmp_path}).files()


def test_files_of_every_known_ending_are_read_and_a_name_tells_which_reader(tmp_path):
    (tmp_path / "a.json").write_text('[{"text": "one"}, {"text": "two"}, 3]', encoding="utf-8")
    (tmp_path / "b.json").write_text('{"text": "three"}', encoding="utf-8")
    (tmp_path / "c.json").write_text('{"text": "four"}\n{"text": "five"}\n', encoding="utf-8")
    (tmp_path / "d.tsv.gz").write_bytes(gzip.compress(b"text\tn\nsix\t1\n"))
    (tmp_path / "e.htm").write_text("<p>seven</p>", encoding="utf-8")
    (tmp_path / "f.parquet.gz").write_bytes(b"")
    source = Source.choose({"kind": "folder", "path": tmp_path})
    assert _texts(source) == ["one", "two", "three", "four", "five", "six", "seven"]
    assert source.passed_over() == {".parquet": 1}


def test_a_field_inside_a_field_is_named_with_dots_and_others_are_kept_as_facts(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"page": {"body": "one", "url": "http://a"}, "stars": 5}\n{"page": 3}\n', encoding="utf-8")
    settings = {"kind": "jsonl", "path": path, "text_field": "page.body", "keep": ["page.url", "stars"]}
    source = Source.choose(settings)
    first, second = source.read(source.files()[0])
    assert first.text == "one"
    assert first.facts == {"page.url": "http://a", "stars": 5}
    assert second.reason == "no field 'page.body'"


def test_a_pattern_names_files_from_where_its_wildcards_begin(tmp_path):
    for name in ("b/two.txt", "a/one.txt", "a/other.md"):
        (tmp_path / "texts" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "texts" / name).write_text(name, encoding="utf-8")
    source = Source.choose({"kind": "text", "path": tmp_path / "texts" / "**" / "*.txt"})
    assert [file.relative for file in source.files()] == ["a/one.txt", "b/two.txt"]
    assert source.title == "texts"
    with pytest.raises(DataError, match="matches no file"):
        Source.choose({"kind": "text", "path": tmp_path / "*.rtf"}).files()


def test_a_misspelt_file_name_suggests_the_one_that_is_there(tmp_path):
    write_jsonl(tmp_path / "laws.jsonl", ["one"])
    with pytest.raises(DataError, match=r"Did you mean 'laws\.jsonl'"):
        Source.choose({"kind": "jsonl", "path": tmp_path / "lows.jsonl"}).files()
    assert Source.choose({"kind": "jsonl", "path": tmp_path / "laws.jsonl"}).title == "laws"


@pytest.mark.parametrize("encoding", ["klingon", "hex", "cp500"])
def test_an_encoding_that_cannot_be_read_is_refused(encoding):
    with pytest.raises(ValidationError, match="no encoding that can be read"):
        Source.choose({"kind": "text", "path": "a.txt", "encoding": encoding})


def test_the_python_library_is_read_without_importing_tests_or_installed_packages():
    before = set(sys.modules)
    library, docs = Source.choose("python_library"), Source.choose("python_docs")
    names = [file.relative for file in library.files()]
    assert "json/decoder.py" in names
    assert not [name for name in names if "site-packages" in name or "/test" in name or name.startswith("test/")]
    (topics,) = [file for file in docs.files() if file.relative == "pydoc_data/topics.py"]
    found = {record.record: record.text for record in docs.read(topics)}
    assert len(found) > 60
    assert "assert" in found["assert"]
    assert not {name for name in set(sys.modules) - before if name.startswith(("pydoc", "antigravity", "this"))}


def test_docstrings_come_with_the_names_they_belong_to_and_side_with_their_module():
    docs, library = Source.choose("python_docs"), Source.choose("python_library")
    (file,) = [file for file in docs.files() if file.relative == "json/__init__.py"]
    (record,) = docs.read(file)
    assert record.text.startswith("json\n\nJSON")
    assert "json.dumps(obj, skipkeys" in record.text
    assert record.content == "prose"
    (code,) = library.read(file)
    assert code.content == "code"
    assert code.group == record.group


def test_a_file_whose_name_is_no_utf8_is_read_through_a_whole_build(tmp_path):
    folder = tmp_path / "texts"
    folder.mkdir()
    text = "The tide comes in twice a day, and the harbour master writes down when. "
    for name in (b"latin\xe9name.txt", b"plain.txt"):
        place = folder / os.fsdecode(name)
        try:
            with place.open("wb") as file:
                file.write((text * 40 + name.hex()).encode())
        except OSError:
            pytest.skip("this file system takes names in UTF-8 only")
    source = Source.choose({"kind": "folder", "path": folder})
    odd = source.files()[0]
    assert Input.from_json(json.loads(json.dumps(odd.to_json(), ensure_ascii=False).encode())) == odd
    corpus = build(Recipe(sources=(source,), steps=(), held_out=0), tmp_path / "out", workers=0)
    assert corpus.facts.train.documents == 2
    kept = "".join(path.read_text(encoding="utf-8") for path in (tmp_path / "out").glob("**/*.json"))
    assert "Traceback" not in kept


def _tree(folder, files, links):
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    for name, target in links.items():
        (folder / name).symlink_to(target)


@pytest.mark.parametrize("kind", ["folder", "text", "code"])
def test_a_link_to_a_file_that_is_read_anyway_is_passed_over_and_counted(tmp_path, kind):
    files = {"in/a.txt": "one", ".cache/blob": "two", "in/blob": "three"}
    links = {"b.txt": "in/a.txt", "c.txt": "b.txt", "d.txt": ".cache/blob", "e.txt": "in/blob", "gone.txt": "nowhere",
             "again": "in"}  # fmt: skip
    _tree(tmp_path, files, links)
    source = Source.choose({"kind": kind, "path": tmp_path})
    assert [file.relative for file in source.files()] == ["d.txt", "e.txt", "in/a.txt"]
    assert source.passed_over()["links"] == 4  # two to a file that is read, a broken one, a folder


def test_a_pattern_reads_a_file_once_also_where_links_lead_to_it(tmp_path):
    _tree(tmp_path, {"in/a.txt": "one", "b.md": "two"}, {"c.txt": "in/a.txt", "d.txt": "b.md", "in/loop": ".."})
    source = Source.choose({"kind": "text", "path": tmp_path / "**" / "*.txt"})
    assert [file.relative for file in source.files()] == ["d.txt", "in/a.txt"]
    assert source.passed_over()["links"] > 0


@pytest.fixture
def barred(monkeypatch):
    """Forbids to open files called ``secret.*`` and to list folders called ``closed``, also for an administrator."""
    open_file, list_folder = Path.open, os.scandir

    def refuses(path, mode="r", *given, **more):
        if path.name.startswith("secret.") and "r" in mode:
            raise PermissionError(13, "Permission denied", str(path))
        return open_file(path, mode, *given, **more)

    def closed(path="."):
        if Path(str(path)).name == "closed":
            raise PermissionError(13, "Permission denied", str(path))
        return list_folder(path)

    monkeypatch.setattr(Path, "open", refuses)
    monkeypatch.setattr(os, "scandir", closed)


@pytest.mark.parametrize("name", ["secret.txt", "secret.jsonl", "secret.zip", "secret.parquet", "secret.warc", "secret.html",
                                  "secret.csv", "secret.json", "secret.txt.gz", "secret.warc.gz"])  # fmt: skip
def test_a_file_that_may_not_be_read_is_set_aside_and_the_others_are_read(tmp_path, barred, name):
    _tree(tmp_path, {"a.txt": "one", name: "two"}, {})
    source = Source.choose({"kind": "folder", "path": tmp_path})
    assert _texts(source) == ["one"]
    (file,) = [file for file in source.files() if file.relative == name]
    (record,) = source.read(file)
    assert (record.record, record.reason) == ("file", "may not be read")
    assert record.detail == "Permission denied; check the rights of the file or folder"
    with pytest.raises(Barred, match="check path and rights"):
        open_bytes(file.path)
    assert "secret" not in str(source.passed_over())


@pytest.mark.parametrize("kind", ["folder", "text", "code"])
def test_a_folder_that_may_not_be_listed_is_set_aside_and_none_at_all_is_an_error(tmp_path, barred, kind):
    _tree(tmp_path, {"a.txt": "one", "in/closed/b.txt": "two", "secret.txt": "three"}, {})
    source = Source.choose({"kind": kind, "path": tmp_path})
    assert [file.relative for file in source.files()] == ["a.txt", "in/closed/", "secret.txt"]
    assert _texts(source) == ["one"]
    shut = source.files()[1]
    assert [record.reason for record in source.read(shut)] == ["may not be read"]
    assert shut.size() == 0
    assert shut.identity()
    assert Input.from_json(shut.to_json()) == shut
    with pytest.raises(DataError, match=r"closed cannot be listed \(Permission denied\)\. Check its rights"):
        Source.choose({"kind": kind, "path": tmp_path / "in" / "closed"}).files()


def test_a_build_sets_aside_a_file_that_may_not_be_read_and_goes_on(tmp_path, barred):
    from pilotlight.corpus.build import build
    from pilotlight.corpus.recipe import Recipe

    folder = tmp_path / "texts"
    folder.mkdir()
    (folder / "open.txt").write_text("This may be read by anyone who comes by.", encoding="utf-8")
    (folder / "secret.txt").write_text("This may not.", encoding="utf-8")
    recipe = Recipe.model_validate({"sources": [{"kind": "folder", "path": folder}], "steps": [], "held_out": 0})
    facts = build(recipe, tmp_path / "out").facts
    assert facts.train.documents == 1
    assert facts.quarantined == {"may not be read": 1}
