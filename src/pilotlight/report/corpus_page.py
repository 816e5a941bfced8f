"""The page of a corpus: one HTML file that needs nothing else, and the PNGs of its charts."""

from __future__ import annotations

from pathlib import Path

from pilotlight.events import Progress, Watcher, silent
from pilotlight.manifest import write_atomic
from pilotlight.report.corpus_section import corpus_sections
from pilotlight.report.corpus_study import CorpusStudy
from pilotlight.report.page import NAME, PICTURES, Head, Part, draw_charts, html
from pilotlight.units import show_bytes

_STYLE = "corpus_page.css"


def write_corpus_report(
    folder: Path, *, before: Path | None = None, out: Path | None = None, watch: Watcher = silent
) -> Path:
    """Return the path of the page of the corpus in ``folder``; PNGs of its charts go into a folder beside the page.

    The same corpus gives the same bytes. By default the page is ``report.html`` in the folder of the corpus.

    Args:
        folder: a finished corpus.
        before: another corpus that it is set beside.
        out: file for the page.
        watch: sees progress.

    Raises:
        RecordError: a folder is unfinished, holds no corpus, or was damaged.
        ResourceError: the disk is full or the folder may not be written.
    """
    page = out or folder / NAME
    study = CorpusStudy.open(folder, before)
    parts = compose_corpus(study, watch)
    beside = PICTURES if page.name == NAME else page.stem
    pictures = draw_charts(parts, page.parent / beside, watch)
    train = study.summary.facts.train
    head = Head("corpus report", _title(study), f"{show_bytes(train.bytes)} of text", beside)
    write_atomic(page, html(head, parts, pictures, more_css=_STYLE))
    return page


def compose_corpus(study: CorpusStudy, watch: Watcher = silent) -> tuple[Part, ...]:
    """Return the sections that have something to say about the corpus, in the order of the page."""
    found: list[Part] = []
    sections = corpus_sections()
    for done, section in enumerate(sections):
        watch(Progress("summary", done, len(sections), "sections"))
        block = section.write(study)
        if block is not None:
            found.append(Part(section.kind, section.title, int(section.slot), block))
    watch(Progress("summary", len(sections), len(sections), "sections"))
    return tuple(found)


def _title(study: CorpusStudy) -> str:
    names = list(study.summary.facts.sources)
    shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    return f"What became of {shown}"
