"""Text of web pages: the character set found, the main content taken, what took it recorded."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any, Literal

from pilotlight.corpus.encodings import guess, is_binary, is_utf8, marked, web_encoding
from pilotlight.corpus.formats import Reading, pieces_of, too_long
from pilotlight.corpus.reading import LONGEST_RECORD, BrokenFile, chunks
from pilotlight.corpus.source import Input, Raw, Unreadable
from pilotlight.errors import ConfigError, PilotlightError

HTML_ENDINGS = (".html", ".htm", ".xhtml")
Extraction = Literal["main", "whole", "trafilatura"]

MOST_DEPTH = 512
"""Elements inside each other that are parsed, the depth at which browsers stop too: time grows with its square."""
_SHORT = 0.3  # main content with less of the sentences of the page than this is not believed
_LITTLE = 200  # characters of sentences, fewer than which comments are looked at too
_MOST_TITLE = 300
_GAP = 40  # lines between two lines of main content that may belong to it
_WORDS = 12  # of a line that is a sentence, and not a link or a label
_ENDS = ".!?:;\"'”»)…。！？।"
_MOST_REPLACED = 1000  # one character in so many may be damaged

_FURNITURE = (
    "nav", "footer", "form", "button", "select", "[role=navigation]", "[role=banner]", "[role=contentinfo]",
    "[role=complementary]", ".sidebar", ".widget", ".breadcrumb", ".breadcrumbs", ".post-navigation", ".nav-links",
    ".related-posts", ".share-buttons", ".social-share", ".cookie-notice", ".noprint",
)  # fmt: skip
_COMMENTS = ("aside", "#comments", ".comments", "#comment", ".comment", ".comment-list", ".comment-respond", "#respond")
_HIDDEN = ("[hidden]", "[aria-hidden=true]")

_DECLARED = re.compile(
    rb"""<meta[^>]{0,300}?charset\s*=\s*["']?\s*([\w.:-]+)|^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([\w.:-]+)""",
    re.IGNORECASE,
)
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
_NOT_NESTED = frozenset({
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr",
    "p", "li", "dt", "dd", "tr", "td", "th", "thead", "tbody", "tfoot", "option", "optgroup", "html", "head", "body",
})  # fmt: skip
_ITEM = re.compile(r"\s+(?:•|[0-9]{1,3}\.)\s+")  # as the library writes one
_OPAQUE = re.compile(r"<(script|style)\b.*?</\1\s*>|<!--.*?-->", re.IGNORECASE | re.DOTALL)


def check_extraction(extraction: str) -> None:
    """Return if the extractor is installed.

    Raises:
        ConfigError: it is not; says how to get it.
    """
    if extraction == "trafilatura" and find_spec("trafilatura") is None:
        raise ConfigError(
            "extraction: trafilatura needs a package that is not installed. Install it with: pip install 'pilotlight[articles]'; "
            "or leave extraction out for the one that is (main)."
        )


def guarded(error: BaseException) -> str:
    """Return what went wrong in a library, a panic of one written in Rust included, in a line.

    Raises:
        BaseException: ``error`` itself, where it says that the process has to end.
    """
    if isinstance(error, KeyboardInterrupt | SystemExit | GeneratorExit | MemoryError | PilotlightError):
        raise error
    return f"{type(error).__name__}: {error}"[:200]


def read_html(file: Input, how: Reading) -> Iterator[Raw | Unreadable]:
    """Return the text of a page; the record is ``1``, or ``1.1``, ``1.2`` ... where it is cut.

    The facts are the extractor with its version, and where known the title, the address, and an encoding other than
    UTF-8.
    """
    yield from html_records(chunks(file.path), how)


def html_records(parts: Iterator[bytes], how: Reading, record: str = "1") -> Iterator[Raw | Unreadable]:
    """Return the records of the bytes of one page, see ``read_html``."""
    held = bytearray()
    try:
        for part in parts:
            held += part
            if len(held) > LONGEST_RECORD:
                yield too_long(record, len(held))
                return
    except BrokenFile as error:
        yield Unreadable(record, "damaged file", str(error))
        return
    yield from page_records(bytes(held), how, record)


def page_records(
    data: bytes, how: Reading, record: str, charset: str = "", url: str = ""
) -> Iterator[Raw | Unreadable]:
    """Return the records of one page.

    Args:
        data: the page as it was served, unpacked.
        how: what to extract, and how long a record may be.
        record: its name.
        charset: what the server said it is; empty where unknown.
        url: its address where known.
    """
    if not data.strip():
        yield Unreadable(record, "empty file", "it has no text")
        return
    if is_binary(data[:4096]) and not marked(data):
        yield Unreadable(record, "binary data", "it is no page of text")
        return
    page, encoding = decoded(data, charset)
    if page is None:
        yield Unreadable(record, f"not {encoding.upper()}", "too many bytes do not fit the encoding of the page")
        return
    if too_deep(page):
        yield Unreadable(record, "nested too deeply", f"over {MOST_DEPTH} elements inside each other")
        return
    try:
        text, facts = extract(page, how.extraction)
    except BaseException as error:
        yield Unreadable(record, "no HTML that can be parsed", guarded(error))
        return
    if not text.strip():
        yield Unreadable(record, "no text", f"{facts['extractor']} found none in {len(data)} bytes")
        return
    facts |= {"url": url} if url else {}
    facts |= {} if encoding in ("utf-8", "ascii") else {"encoding": encoding}
    yield from pieces_of(Raw(text, record, how.content, facts=facts), how.longest)


def decoded(data: bytes, charset: str = "") -> tuple[str | None, str]:
    """Return the text of a page and its encoding: by its mark, its bytes, the server, the page, or a guess.

    Bytes that are UTF-8 beyond ASCII are read as such whatever was declared: by chance they hardly ever are. Of other
    pages one character in a thousand may be damaged; the text is None where more are.
    """
    if name := marked(data):
        return data.decode(name, "replace").removeprefix("\ufeff"), name
    if is_utf8(data):
        return data.decode("utf-8", "replace"), "utf-8"
    inside = _DECLARED.search(data[:4096])
    label = charset or (bytes(inside[1] or inside[2]).decode("ascii", "replace") if inside else "")
    name = web_encoding(label) if label else ""
    if not name or name.startswith("utf-16"):
        name = guess(data[: 1 << 18])
        name = "cp1252" if name == "utf-8" and not label else name  # what browsers take where nothing is said
    try:
        text = data.decode(name, "replace")
    except LookupError:
        return None, name
    return (None if text.count("\ufffd") * _MOST_REPLACED > len(text) + _MOST_REPLACED else text), name


def too_deep(page: str) -> bool:
    """Return whether elements lie so deep inside each other that parsing would take minutes."""
    depth = at = 0
    for at in range(0, len(page), 1 << 14):  # a bound that costs nothing settles nearly every page
        end = at + (1 << 14)
        ends = page.count("</", at, end)
        depth = max(0, depth + page.count("<", at, end) - 2 * ends)
        if depth + ends > MOST_DEPTH:
            break
    else:
        return False
    depth = 0
    for match in _TAG.finditer(_OPAQUE.sub(" ", page)):
        if match[2].lower() not in _NOT_NESTED:
            depth = max(0, depth - 1) if match[1] else depth + 1
            if depth > MOST_DEPTH:
                return True
    return False


@cache
def _named(package: str) -> str:
    return f"{package} {version(package)}"


def extract(page: str, extraction: str) -> tuple[str, dict[str, Any]]:
    """Return the text of a page and its facts: the extractor, and the title and address where it has them.

    Raises:
        BaseException: whatever the libraries raise, see ``guarded``.
    """
    from resiliparse.parse.html import HTMLTree

    tree = HTMLTree.parse(page)
    facts = _described(tree)
    if extraction == "trafilatura":
        trafilatura: Any = import_module("trafilatura")
        return trafilatura.extract(page, include_comments=False) or "", {"extractor": _named("trafilatura"), **facts}
    if extraction == "whole":
        return _plain(tree, ()), {"extractor": f"{_named('resiliparse')} whole", **facts}
    text, way = _main(tree)
    return text, {"extractor": f"{_named('resiliparse')} {way}", **facts}


def _described(tree: Any) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    if title := " ".join((tree.title or "").split()):
        facts["title"] = title[:_MOST_TITLE]
    link = tree.document.query_selector("link[rel=canonical]") if tree.document else None
    address = (link.getattr("href") or "").strip() if link else ""
    if address.startswith(("http://", "https://")):
        facts["url"] = address
    return facts


def _plain(tree: Any, skip: tuple[str, ...], **options: Any) -> str:
    from resiliparse.extract.html2text import extract_plain_text

    return extract_plain_text(tree, preserve_formatting=True, skip_elements=list(skip) or None, **options)


def _main(tree: Any) -> tuple[str, str]:
    """Return the main content and the way it was found: ``main``, or ``whole`` where too little of the page is left.

    The heuristics leave out lists of short items, and lists and paragraphs with many links, in the middle of a text:
    sentences and items of lists without a link are put back between two lines of the main content.
    """
    main = _plain(tree, _FURNITURE, main_content=True, comments=False)
    found = sum(len(line) for line in main.split("\n") if _is_sentence(line))
    others = _COMMENTS if found >= _LITTLE else ()  # in a forum what looks like comments is the content
    page = _plain(tree, (*_FURNITURE, *_HIDDEN, *others))
    whole = [line.rstrip() for line in page.split("\n") if line.strip()]
    sentences = sum(len(line) for line in whole if _is_sentence(line))
    if page.strip() and (found < _SHORT * sentences or not main.strip()):
        return page, "whole"
    return _restored(main, whole, lambda: _items(tree)), "main"


def _items(tree: Any) -> frozenset[str]:
    """Return the items of lists that hold no link, as lines of the page."""
    page = _plain(tree, (*_FURNITURE, *_HIDDEN, "li:has(a)"))
    return frozenset(line.rstrip() for line in page.split("\n") if _ITEM.match(line))


def _is_sentence(line: str) -> bool:
    text = line.strip()
    return text[-1:] in _ENDS and (len(text.split(None, _WORDS)) > _WORDS - 1 or (len(text) > 60 and " " not in text))


def _restored(main: str, whole: list[str], items: Callable[[], frozenset[str]]) -> str:
    listed: frozenset[str] | None = None  # looked for where there is a gap with an item in it
    places: defaultdict[str, list[int]] = defaultdict(list)
    for number, line in enumerate(whole):
        places[" ".join(line.split())].append(number)
    kept: list[str] = []
    at = -1
    for line in main.split("\n"):
        known = places.get(" ".join(line.split()), ())
        following = bisect_right(known, at)
        if following < len(known):
            place = known[following]
            if at >= 0 and place - at - 1 <= _GAP:
                between = whole[at + 1 : place]
                if listed is None and any(_ITEM.match(one) for one in between):
                    listed = items()
                kept += [one for one in between if _is_sentence(one) or (listed and one in listed)]
            at = place
        kept.append(line)
    return "\n".join(kept)
