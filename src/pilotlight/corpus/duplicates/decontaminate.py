"""Documents that hold items of benchmarks: a model that reads them is measured on what it has seen."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, final

from pydantic import Field, field_validator

from pilotlight.corpus.duplicate import Duplicates
from pilotlight.corpus.matching import matching_files
from pilotlight.corpus.pile import Pile
from pilotlight.corpus.reading import chunks, walk
from pilotlight.corpus.source import Input

Share = Annotated[float, Field(gt=0.0, le=1.0)]


@final
class Decontaminate(Duplicates):
    """Drops documents that hold a good part of a benchmark item, or cuts the item out of them.

    Words are compared without case, accents, punctuation and line breaks. Long texts of an item are looked for by all
    their 13-grams, those below 26 words by 8-grams, those below 8 words as a whole together with the answer; texts
    below 5 words are not looked for. The set of n-grams is exact. N-grams of many documents are common forms of words
    and count only where nearly the whole item stands in the document (Brown et al. 2020, "Language Models are Few-Shot
    Learners", appendix C, has 13-grams and the limit of 10 documents; the shares are ours).
    """

    columns: ClassVar[Mapping[str, str]] = {
        "document_share": "share of the words of the document that stand in n-grams of benchmarks",
        "item_share": "share of the words of a benchmark item that the document holds, for the item it holds most of",
        "item": "that item, as file#number",
    }
    same: ClassVar[tuple[tuple[str, str], ...]] = ()
    different: ClassVar[tuple[tuple[str, str], ...]] = (
        ("Which of the following is true?", "Which of the following is true?"),
    )

    benchmarks: tuple[Path, ...] = Field(default=(), validate_default=True)
    """Files, patterns or folders: JSON, JSON lines, CSV, TSV, Parquet, text (an item per line), packed or in archives."""
    fields: tuple[str, ...] = ()
    """Names of the fields with the text of an item; none: found by their names, such as question, choices, answer."""
    item_share: Share = 0.5
    """A document goes that holds this share of a text of an item (13-grams)."""
    short_item_share: Share = 0.8
    """The same for texts of 8 to 25 words (8-grams)."""
    least_words: Annotated[int, Field(ge=5)] = 6
    """A text of an item with fewer words is only reported, even where it stands in a document as a whole."""
    document_share: Share = 0.5
    """A document goes when this share of its words stands in n-grams of benchmarks."""
    common_documents: Annotated[int, Field(ge=0)] = 10
    """N-grams of more documents than this are common forms of words."""
    action: Literal["drop", "cut"] = "drop"
    """What to do with a document that holds an item: drop it, or cut the sentences of the item out of it."""
    least_left: Annotated[int, Field(ge=0)] = 200
    """Characters; a document that would keep fewer after the cuts is dropped."""

    @field_validator("benchmarks")
    @classmethod
    def _some_benchmarks(cls, benchmarks: tuple[Path, ...]) -> tuple[Path, ...]:
        if not benchmarks:
            raise ValueError(
                "no benchmarks are given, so nothing could be found; expected files or folders with their items, such "
                "as {kind: decontaminate, benchmarks: [benchmarks/]}"
            )
        return benchmarks

    def decide(self, pile: Pile) -> list[Path]:
        """Return the decisions: the twin of a document is the item it holds most of, as ``file#number``.

        Raises:
            DataError: a benchmark file is missing or cannot be read.
        """
        module = "pilotlight.corpus.contamination"
        index = self._index(pile)
        counted = pile.run("hits", f"{module}:count", [((split, index), {}) for split in pile.splits])
        limit = {"common_documents": self.common_documents}
        (common,) = pile.run("common", f"{module}:common", [((index, *counted), limit)])
        settings = self.model_dump(mode="json", exclude={"kind", "benchmarks", "fields", "common_documents"})
        tasks = [((split, hits, common, index), settings) for split, hits in zip(pile.splits, counted, strict=True)]
        return pile.run("decisions", f"{module}:decide", tasks)

    def report(self, pile: Pile, decided: list[Path]) -> dict[str, Any]:
        """Return how much of each benchmark the corpus holds: see ``contamination_report``."""
        from pilotlight.corpus.contamination import contamination_report

        return contamination_report(self.item_report(pile, decided))

    def item_report(self, pile: Pile, decided: list[Path]) -> Path:
        """Return the folder of the finished unit with the report on every item of the benchmarks."""
        tasks: list[tuple[tuple[Path, ...], dict[str, Any]]] = [((self._index(pile), *decided), {})]
        return pile.run("report", "pilotlight.corpus.contamination:summarize", tasks)[0]

    def _index(self, pile: Pile) -> Path:
        import xxhash

        files: list[tuple[str, str, str]] = []
        for path in self.benchmarks:
            for found in _files(path):
                digest = xxhash.xxh3_128()
                for chunk in chunks(found.path):
                    digest.update(chunk)
                files.append((str(found.path), found.relative, digest.hexdigest()))
        settings = {"files": files, "fields": list(self.fields)}
        return pile.run("index", "pilotlight.corpus.contamination:index", [((), settings)])[0]


def _files(path: Path) -> list[Input]:
    from pilotlight.corpus.benchmark_items import readable

    if path.is_dir():
        return [found for found in walk(path) if readable(found.relative)]
    return matching_files(path, "a benchmark file")
