from __future__ import annotations

import pytest
from text_examples import sentence

from pilotlight.corpus.encodings import guess, is_utf8
from pilotlight.corpus.formats import read_text
from pilotlight.corpus.source import Input, Raw, Unreadable

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
    assert [record.reason for record in _auto(path) if isinstance(record, Unreadable)] == ["damaged file"]
