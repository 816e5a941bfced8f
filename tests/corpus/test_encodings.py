from __future__ import annotations

import json

import pytest
from text_examples import sentence

from pilotlight.corpus.encodings import guess, is_utf8
from pilotlight.corpus.formats import read_text
from pilotlight.corpus.source import Input, Raw, Source, Unreadable

SPANISH = (
    "En un lugar de la Mancha había un señor que leía día y noche, y así se le secó la razón. ¿Quién lo diría? " * 9
)
RUSSIAN = "Все счастливые семьи похожи друг на друга, каждая несчастливая семья несчастлива по-своему. " * 9


def _auto(path):
    return list(read_text(Input(path, path.name), "auto", 64_000.0, "prose"))


@pytest.mark.parametrize(
    ("text", "encoding", "found"),
    [
        (SPANISH, "latin-1", "cp1252"), (SPANISH, "cp1252", "cp1252"), (RUSSIAN, "cp1251", "cp1251"),
        (RUSSIAN, "koi8-r", "koi8-r"), (SPANISH, "utf-16", "utf-16"),
    ],
)  # fmt: skip
def test_an_old_text_is_read_in_its_encoding_which_is_a_fact(tmp_path, text, encoding, found):
    path = tmp_path / "old.txt"
    path.write_bytes(text.encode(encoding))
    (record,) = _auto(path)
    assert record == Raw(text, "1", facts={"encoding": found})


def test_utf8_is_no_fact_and_a_mark_is_no_text(tmp_path):
    path = tmp_path / "new.txt"
    path.write_text(SPANISH, encoding="utf-8-sig")
    assert _auto(path) == [Raw(SPANISH, "1")]


def test_too_few_letters_to_tell_the_encoding_are_asked_about(tmp_path):
    path = tmp_path / "short.txt"
    path.write_bytes("città".encode("latin-1"))
    (record,) = _auto(path)
    assert isinstance(record, Unreadable)
    assert "set the encoding" in record.detail


def test_damage_inside_utf8_is_no_other_encoding(tmp_path):
    path = tmp_path / "damaged.txt"
    path.write_bytes(SPANISH.encode().replace(b"\xc3\xb1", b"\xb1", 1))
    (record,) = _auto(path)
    assert isinstance(record, Unreadable)
    assert record.reason == "not UTF-8"


def test_a_sample_may_end_inside_a_character():
    data = ("é" * 50 + "水" * 50 + "🌍" * 50).encode()
    assert all(is_utf8(data[:end]) for end in range(len(data)))
    assert guess(data[:-1]) == "utf-8"


def test_a_file_that_is_no_text_or_empty_is_set_aside(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(bytes(4000))
    assert [record.reason for record in _auto(path)] == ["binary data"]
    path.write_bytes(b"")
    assert [record.reason for record in _auto(path)] == ["empty file"]
    path.write_bytes(sentence(1).encode("utf-16")[:-1])
    text, damaged = _auto(path)
    assert sentence(1).startswith(text.text)
    assert damaged.reason == "damaged file"


def _read(kind, path, **settings):
    source = Source.choose({"kind": kind, "path": path, **settings})
    (file,) = source.files()
    whole = list(source.read(file))
    assert [record for cut in source.cuts(file, 50) for record in source.read(file, cut)] == whole
    return whole


@pytest.mark.parametrize("order", ["utf-16-le", "utf-16-be", "utf-32-le"])
def test_wide_text_without_a_mark_is_read_when_the_encoding_is_set_as_the_reason_advises(tmp_path, order):
    path = tmp_path / "a.txt"
    path.write_bytes((SPANISH * 20).encode(order))
    advised = _auto(path)[0]
    assert "utf-16-le or utf-16-be" in advised.detail
    records = _read("text", path, encoding=order, longest=2000)
    assert "".join(record.text for record in records) == SPANISH * 20
    assert {record.facts["encoding"] for record in records} == {order}


@pytest.mark.parametrize(
    ("encoding", "given", "found"),
    [
        ("utf-16", "auto", "utf-16"), ("utf-16-le", "utf-16-le", "utf-16-le"), ("utf-16-be", "UTF_16_BE", "utf-16-be"),
        ("latin-1", "auto", "cp1252"), ("latin-1", "latin-1", "latin-1"), ("koi8-r", "koi8-r", "koi8-r"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["jsonl", "folder"])
def test_json_lines_are_read_in_their_encoding_which_is_a_fact_however_they_are_cut(
    tmp_path, kind, encoding, given, found
):
    texts = [f"{number} {RUSSIAN if encoding == 'koi8-r' else SPANISH}" for number in range(6)]
    path = tmp_path / "a.jsonl"
    lines = "\n".join(json.dumps({"text": text}, ensure_ascii=False) for text in texts)
    path.write_bytes(lines.encode(encoding))
    records = _read(kind, path, encoding=given)
    assert [(record.record, record.text) for record in records] == [
        (str(number), text) for number, text in enumerate(texts, 1)
    ]
    assert records[0].facts == {"encoding": found}
    path.rename(tmp_path / "a.json")
    (tmp_path / "a.json").write_bytes(f"[{lines.replace(chr(10), ',')}]".encode(encoding))
    assert [record.text for record in _read("folder", tmp_path / "a.json", encoding=given)] == texts


@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_wide_lines_without_a_mark_advise_the_encoding_that_reads_them(tmp_path, kind):
    path = tmp_path / f"a.{kind}"
    path.write_bytes('text\n"one"\n'.encode("utf-16-be") if kind == "csv" else '{"text": "one"}\n'.encode("utf-16-be"))
    assert "utf-16-le or utf-16-be" in _read(kind, path)[0].detail
    assert [record.text for record in _read(kind, path, encoding="utf-16-be")] == ["one"]


def test_a_line_that_does_not_fit_the_encoding_is_set_aside_alone(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"text": "caf\xe9"}\n{"text": "\x81"}\n{"text": "tea"}\n')
    records = _read("jsonl", path, encoding="cp1252")
    assert [record.reason for record in records if isinstance(record, Unreadable)] == ["not CP1252"]
    assert records[2].text == "tea"


@pytest.mark.parametrize("kind", ["text", "jsonl", "csv"])
def test_a_mark_that_contradicts_the_encoding_that_is_set_is_said_once(tmp_path, kind):
    path = tmp_path / f"a.{kind}"
    path.write_bytes('{"text": "one"}\n{"text": "two"}\n'.encode("utf-16"))
    (record,) = _read(kind, path, encoding="utf-8")
    assert record.reason == "not UTF-8"
    assert "UTF-16; leave encoding out" in record.detail
