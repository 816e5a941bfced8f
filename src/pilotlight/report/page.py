"""The page of a pilot: one HTML file that needs nothing else, and the PNGs of its charts."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import metadata, resources
from pathlib import Path
from typing import Any, final

from markupsafe import Markup

from pilotlight.errors import ResourceError
from pilotlight.events import Progress, Watcher, silent
from pilotlight.manifest import write_atomic
from pilotlight.report.block import Block, Headline
from pilotlight.report.plotly_chart import figure
from pilotlight.report.png_chart import picture
from pilotlight.report.section import sections
from pilotlight.report.study import Study
from pilotlight.report.text import clean

NAME = "report.html"
PICTURES = "report"


@final
@dataclass(frozen=True, slots=True)
class Part:
    """One section as it stands on the page."""

    name: str
    title: str
    slot: int
    block: Block


@final
@dataclass(frozen=True, slots=True)
class Head:
    """What stands above the sections of a page."""

    brand: str
    """What kind of page it is."""
    title: str
    answer: str
    """The answer in a word, for the title of the window."""
    beside: str = PICTURES
    """Name of the folder with the charts as PNG."""


@final
@dataclass(frozen=True, slots=True)
class Picture:
    """A PNG for the page: its bytes as an address, and its size in pixels."""

    source: str
    width: int
    height: int


def write_report(out: Path, *, watch: Watcher = silent) -> Path:
    """Return the path of ``report.html``, written anew from the records in ``out``; PNGs go into ``out/report``.

    The same records give the same bytes. A pilot that is still going gets a page without a decision; one whose
    records were changed gets a page that says VOID and why.

    Raises:
        RecordError: the folder holds no pilot.
        ResourceError: the disk is full or the folder may not be written.
    """
    study = Study.read(out)
    parts = compose(study)
    write_atomic(out / NAME, render(study, parts, draw_charts(parts, out / PICTURES, watch)))
    return out / NAME


def draw_charts(parts: Iterable[Part], folder: Path, watch: Watcher) -> dict[str, bytes]:
    """Return the PNG of every chart by its name, written into ``folder`` in place of those of an older page.

    Raises:
        ResourceError: the disk is full or the folder may not be written.
    """
    charts = [chart for part in parts for chart in part.block.charts()]
    pictures: dict[str, bytes] = {}
    for done, chart in enumerate(charts):
        watch(Progress("report", done, len(charts) + 1, "charts"))
        pictures[chart.name] = picture(chart)
    _write_pictures(folder, pictures)
    watch(Progress("report", len(charts) + 1, len(charts) + 1, "charts"))
    return pictures


def compose(study: Study) -> tuple[Part, ...]:
    """Return the sections that have something to say about ``study``, in the order of the page."""
    written = ((section, section.write(study)) for section in sections())
    return tuple(
        Part(section.kind, section.title, int(section.slot), block) for section, block in written if block is not None
    )


def render(study: Study, parts: Iterable[Part], pictures: dict[str, bytes]) -> str:
    """Return the page of a pilot as HTML; every text in it is cleaned and escaped by the template."""
    parts = tuple(parts)
    question = str(study.setting("question", "A pilot without a readable plan"))
    return html(Head("pilot report", question, _answer(parts)), parts, pictures)


def html(head: Head, parts: Iterable[Part], pictures: dict[str, bytes], *, more_css: str = "") -> str:
    """Return a page as HTML; every text in it is cleaned and escaped by the template.

    ``more_css`` is the name of a style sheet of the package that is added to that of all pages.
    """
    from jinja2 import Environment, StrictUndefined
    from plotly.offline import get_plotlyjs  # pyright: ignore[reportMissingTypeStubs]

    parts = tuple(parts)
    plotly, css, js = get_plotlyjs(), _source("page.css"), _source("page.js")
    css += _source(more_css) if more_css else ""
    environment = Environment(autoescape=True, undefined=StrictUndefined, finalize=_cleaned, trim_blocks=False)
    return (
        environment.from_string(_source("page.html"))
        .render(
            brand=head.brand,
            beside=head.beside,
            question=head.title,
            answer=head.answer,
            parts=parts,
            pictures={name: _inlined(content) for name, content in pictures.items()},
            charts=_data({chart.name: figure(chart) for part in parts for chart in part.block.charts()}),
            policy=_policy(scripts=(plotly, js), styles=(css, "")),
            css=Markup(css),
            js=Markup(js),
            plotly=Markup(plotly),
            version=metadata.version("pilotlight"),
        )
        .lstrip()
    )


def _answer(parts: Iterable[Part]) -> str:
    pieces = [piece for part in parts for piece in part.block.pieces]
    return next((piece.word for piece in pieces if isinstance(piece, Headline)), "Pilot")


def _source(name: str) -> str:
    return resources.files("pilotlight.report").joinpath(name).read_text(encoding="utf-8")


def _cleaned(value: Any) -> Any:
    """Return what the template may print: own markup as it is, every other text without control characters."""
    return value if isinstance(value, Markup) or not isinstance(value, str) else clean(value)


def _data(value: Any) -> Markup:
    """Return JSON that cannot end the script element it stands in."""
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))


def _policy(scripts: Iterable[str], styles: Iterable[str]) -> Markup:
    """Return a policy under which only the page's own scripts and styles run, and nothing is fetched."""

    def hashes(sources: Iterable[str]) -> str:
        return " ".join(
            f"'sha256-{base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()}'" for source in sources
        )

    # Markup: made of constants and hashes alone; the apostrophes have to stay.
    return Markup(
        f"default-src 'none'; script-src {hashes(scripts)}; style-src {hashes(styles)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _inlined(content: bytes) -> Picture:
    # The header of a PNG holds its width and height from byte 16 on.
    width, height = (int.from_bytes(content[start : start + 4], "big") for start in (16, 20))
    return Picture(f"data:image/png;base64,{base64.b64encode(content).decode()}", width, height)


def _write_pictures(folder: Path, pictures: dict[str, bytes]) -> None:
    for left_over in folder.glob("*.png"):
        if left_over.stem not in pictures:
            try:
                left_over.unlink()
            except OSError as error:
                raise ResourceError(f"{left_over} cannot be removed ({error.strerror}). Remove it yourself.") from error
    for name, content in pictures.items():
        write_atomic(folder / f"{name}.png", content)
