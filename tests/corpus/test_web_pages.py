from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path

import pytest

from pilotlight.corpus.extraction import MOST_DEPTH, decoded, extract, guarded, page_records, too_deep
from pilotlight.corpus.formats import Reading
from pilotlight.corpus.source import Raw, Source, Unreadable
from pilotlight.errors import ConfigError

ARTICLE = """<html><head><title> The  tide </title><link rel="canonical" href="https://example.org/tide"></head><body>
<nav><a href="/">Home</a><a href="/shop">Shop</a></nav><main><article><h1>The tide</h1>
<p>The water rises twice a day, and it falls twice a day, as it did before anybody was there to see it.</p>
<ul><li><a href="/a">Almanac</a></li><li>Fishermen read the <a href="/b">tables</a> in the morning, and decide by
them on which side of the harbour they land.</li></ul>
<pre>for hour in day:\n    print(level(hour))</pre>
<table><tr><th>hour</th><th>level</th></tr><tr><td>six</td><td>high</td></tr></table>
<p>Nobody has to believe the tables, but the harbour is a better place when everybody does.</p></article></main>
<div class="comments"><p>First! I always wanted to be the first one to write something here, and now I am.</p></div>
<footer>All rights reserved by the harbour.</footer></body></html>"""


def _page(data, **settings):
    if isinstance(data, str):
        data = data.encode()
    (record,) = page_records(data, Reading(longest=0, **settings), "1")
    return record


def test_the_article_is_kept_with_its_list_code_and_table_and_the_furniture_is_left_out():
    record = _page(ARTICLE)
    assert isinstance(record, Raw)
    for kept in ("The water rises", "decide by", "    print(level(hour))", "six", "high", "Nobody has to believe"):
        assert kept in record.text
    for left_out in ("Shop", "First!", "All rights"):
        assert left_out not in record.text


def test_lists_of_short_items_inside_a_text_are_kept_and_lists_of_links_are_not():
    paragraph = "<p>" + "The water rises twice a day, and it falls twice a day, before anybody is there. " * 4 + "</p>"
    record = _page(
        f"<html><body><nav><ul><li>Start</li></ul></nav><main><h1>The tide</h1>{paragraph}<ol><li>Wait</li><li>Look"
        f"</li></ol>{paragraph}<ul><li>Rope</li><li>Lamp</li></ul>{paragraph}<ul><li><a href='/x'>Another page</a></li>"
        f"</ul>{paragraph}</main><footer><ul><li>Imprint</li></ul></footer></body></html>"
    )
    for kept in ("1. Wait", "2. Look", "Rope", "Lamp"):
        assert kept in record.text
    for left_out in ("Start", "Another page", "Imprint"):
        assert left_out not in record.text


def test_a_page_says_what_extracted_it_its_title_and_its_address():
    facts = _page(ARTICLE).facts
    name, version, way = facts["extractor"].split()
    assert (name, way) == ("resiliparse", "main")
    assert version[0].isdigit()
    assert facts["title"] == "The tide"
    assert facts["url"] == "https://example.org/tide"
    assert "encoding" not in facts


def test_the_whole_page_is_taken_where_that_is_asked_for():
    record = _page(ARTICLE, extraction="whole")
    assert "Shop" in record.text
    assert record.facts["extractor"].endswith(" whole")


def test_a_page_whose_main_content_is_not_found_is_taken_whole():
    lines = "".join(f"<p>Guest {number}: the harbour was as calm as it has been in all of the last ten years.</p>"
                    for number in range(9))  # fmt: skip
    page = f"<html><body><article><p>Words of guests.</p></article><div class='comments'>{lines}</div></body></html>"
    record = _page(page)
    assert "Guest 8" in record.text
    assert not record.facts["extractor"].endswith(" main")


@pytest.mark.parametrize(
    ("head", "encoding", "charset", "found"),
    [
        ('<meta charset="iso-8859-1">', "latin-1", "", "cp1252"),
        ("<meta http-equiv='Content-Type' content='text/html; charset=windows-1251'>", "cp1251", "", "cp1251"),
        ("", "shift_jis", "Shift_JIS", "shift_jis"),
        ('<meta charset="iso-8859-1">', "utf-8", "", "utf-8"),
        ("", "utf-16", "", "utf-16"),
        ("", "latin-1", "", "cp1252"),
    ],
)
def test_the_character_set_is_that_of_the_mark_the_bytes_the_server_or_the_page(head, encoding, charset, found):
    words = {"cp1251": "вода", "shift_jis": "水の音"}.get(encoding, "été à Noël")
    page = f"<html><head>{head}</head><body><p>{words}</p></body></html>"
    text, name = decoded(page.encode(encoding), charset)
    assert name == found
    assert words in text


def test_a_bomb_of_nested_elements_is_set_aside_without_parsing_it():
    bomb = "<div>" * 200_000 + "deep" + "</div>" * 200_000
    assert _page(bomb) == Unreadable("1", "nested too deeply", f"over {MOST_DEPTH} elements inside each other")
    assert not too_deep("<p>never closed<br>" * 50_000)
    assert not too_deep("<b>x</b>" * 50_000 + "<div>" * 100)
    assert not too_deep("<script>" + "document.write('<div>');" * 2000 + "</script>")


@pytest.mark.parametrize(
    ("data", "reason"),
    [(b"", "empty file"), (b"  \n", "empty file"), (bytes(900), "binary data"), (b"<html><body></body></html>", "no text"),
     (b"%PDF-1.4" + bytes(range(256)) * 4, "binary data")],
)  # fmt: skip
def test_what_is_no_page_is_set_aside(data, reason):
    assert _page(data).reason == reason


def test_an_extractor_that_is_not_installed_is_explained(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "trafilatura", None)
    monkeypatch.setattr("pilotlight.corpus.extraction.find_spec", lambda name: None)
    (tmp_path / "a.html").write_text(ARTICLE, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"pip install 'pilotlight\[articles\]'"):
        Source.choose({"kind": "html", "path": tmp_path, "extraction": "trafilatura"}).files()


def test_a_panic_of_a_library_is_a_broken_record_and_an_interrupt_is_not(monkeypatch):
    class Panic(BaseException):
        pass

    assert guarded(Panic("index out of bounds")) == "Panic: index out of bounds"
    with pytest.raises(KeyboardInterrupt):
        guarded(KeyboardInterrupt())

    def panics(page, extraction):
        raise Panic("index out of bounds")

    monkeypatch.setattr("pilotlight.corpus.extraction.extract", panics)
    assert _page(ARTICLE) == Unreadable("1", "no HTML that can be parsed", "Panic: index out of bounds")


def _pages():
    for parent in Path(__file__).parents:
        for folder in (parent / "data", parent / "shared" / "data"):
            if (found := folder / "corpora" / "web_html" / "pages.jsonl.gz").is_file():
                return found
    return None


@pytest.mark.skipif(_pages() is None, reason="the pages with known content are not on this machine")
def test_real_pages_keep_what_they_must_and_lose_more_of_the_rest_than_the_heuristics_alone():
    listed = _pages()
    kept = unwanted = all_wanted = all_unwanted = 0
    for line in gzip.decompress(listed.read_bytes()).splitlines():
        row = json.loads(line)
        page, _ = decoded(gzip.decompress((listed.parent / row["file"]).read_bytes()))
        text = " ".join(extract(page, "main")[0].split())
        kept += sum(" ".join(part.split()) in text for part in row["must_contain"])
        unwanted += sum(" ".join(part.split()) in text for part in row["must_not_contain"])
        all_wanted, all_unwanted = all_wanted + len(row["must_contain"]), all_unwanted + len(row["must_not_contain"])
    assert kept / all_wanted >= 0.96
    assert unwanted / all_unwanted <= 0.12
