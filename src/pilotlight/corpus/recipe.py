"""Settings of a corpus: where its text comes from, what is done to it, what is held out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Any, cast

from pydantic import BeforeValidator, Field, field_validator

from pilotlight.corpus.duplicate import Duplicates
from pilotlight.corpus.edit import Edit
from pilotlight.corpus.filter import Filter
from pilotlight.corpus.selection import Select
from pilotlight.corpus.side_files import without_folders
from pilotlight.corpus.source import Source
from pilotlight.errors import nearest
from pilotlight.spec import Spec, discover, plain
from pilotlight.units import Count, Share

_FAMILIES = (Edit, Duplicates, Filter, Select)


def _find_step(value: Any) -> Any:
    """Return the edit, duplicates, filter or select step that ``value`` asks for: their folders share one set of names."""
    if isinstance(value, _FAMILIES):
        return value
    kind = str(cast("Mapping[str, Any]", value).get("kind") if isinstance(value, Mapping) else value)
    family = next((family for family in _FAMILIES if kind in discover(family.folder)), None)
    if family is None:
        known = [name for family in _FAMILIES for name in discover(family.folder)]
        raise ValueError(f"no step is called {kind!r}; expected one of {', '.join(known)}.{nearest(kind, known)}")
    return family.choose(value)


Step = Annotated[Edit | Duplicates | Filter | Select, BeforeValidator(_find_step)]


def default_sources() -> tuple[Source, ...]:
    """Return the text that every machine has: code and documentation of the Python that runs."""
    return (Source.choose("python_library"), Source.choose("python_docs"))


def default_steps() -> tuple[Step, ...]:
    """Return the steps that suit prose in any language and source code."""
    drop = ("unicode", "exact", "language", "length", "letters", "unbroken", "repetition", "boilerplate")
    # The rules of the web corpora drop sound text where it is no web page (docs/filters.md): they only annotate.
    tell = ("gopher", "gopher_repetition", "c4", "fineweb", "toxicity")
    annotated = [{"kind": kind, "only_annotate": True} for kind in tell]
    return tuple(_find_step(step) for step in (*drop, *annotated, "near", "pii"))


class Recipe(Spec):
    """How a corpus is made from text."""

    sources: tuple[Source, ...] = Field(default_factory=default_sources)
    """Where text is read; by default the running Python's own library and documentation."""
    steps: tuple[Step, ...] = Field(default_factory=default_steps)
    """What is done to text for training, in this order: edits, filters, ways to find duplicates and to choose, by kind."""
    held_out: Annotated[Share, Field(le=0.5)] = 0.01
    """Share of the documents kept out of training to measure the loss on; chosen by the hash of their ids."""
    held_out_bytes: Annotated[Count, Field(gt=0)] = 1e6
    """Most bytes to hold out; what is beyond is trained on."""
    held_out_start: Annotated[Share, Field(lt=1)] = 0.0
    """Where in the order of the hashes holding out begins, and goes on from the front behind the end. Other documents are held
    out with another start: what cross-validation varies (``folds`` of a pilot)."""

    @field_validator("sources", mode="before")
    @classmethod
    def _sources_in_full(cls, given: Any) -> Any:
        """Return the sources; a bare path, or one source that is no list, is refused with the way to write it."""
        items = cast("list[Any]", given if isinstance(given, list | tuple) else [given])
        for item in items:
            if isinstance(item, str) and item not in discover(Source.folder) and set(item) & set("/\\.*~"):
                raise ValueError(f"{item!r} is a path; write a source, such as {{kind: folder, path: {item}}}")
        if isinstance(given, str | Mapping):
            raise ValueError("expected a list of sources, such as [{kind: folder, path: texts/}]")
        return cast("Any", given)

    @field_validator("sources")
    @classmethod
    def _distinct_names(cls, sources: tuple[Source, ...]) -> tuple[Source, ...]:
        if not sources:
            raise ValueError("there is no source; name at least one, or leave sources out for Python's own library")
        twice = [name for name, count in Counter(source.title for source in sources).items() if count > 1]
        if twice:
            raise ValueError(f"two sources are called {twice[0]!r}; set the field 'name' of one of them")
        return sources

    def by_title(self) -> list[Source]:
        """Return the sources in the order of their names: the order in a plan does not matter."""
        return sorted(self.sources, key=lambda source: source.title)

    def identity(self) -> dict[str, Any]:
        """Return the settings that decide what is in the corpus: files may move, their names and content count."""
        sources = [{**plain(source), "name": source.title} for source in self.by_title()]
        settings = plain(self)
        if not self.held_out_start:  # as it was before there was a choice
            del settings["held_out_start"]
        return settings | {
            "sources": [{key: item for key, item in source.items() if key != "path"} for source in sources],
            "steps": [without_folders(step) for step in self.steps],
        }
