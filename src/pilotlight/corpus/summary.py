"""A finished corpus as it is summed up for people: its recipe, its counts and its side table, ready to be asked."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any, final

from pilotlight.corpus.build import named
from pilotlight.corpus.corpus import Corpus
from pilotlight.corpus.duplicate import Duplicates
from pilotlight.corpus.edit import Edit
from pilotlight.corpus.explain import connect
from pilotlight.corpus.facts import CorpusFacts
from pilotlight.corpus.filter import Filter
from pilotlight.corpus.recipe import Recipe
from pilotlight.corpus.records_table import BASE

HELD_OUT = "held_out"
"""The step that drops training text which repeats held-out text; it is part of every build and of no recipe."""
_MOST_MEMORY = "1GB"


def quoted(name: str) -> str:
    """Return the name of a column as SQL reads it."""
    return '"' + name.replace('"', '""') + '"'


@final
class Summary:
    """What sections of a report ask: a corpus with a connection to its table ``records``."""

    def __init__(self, corpus: Corpus) -> None:
        self.corpus = corpus
        self.connection = connect(corpus)
        self.connection.execute(f"SET memory_limit = '{_MOST_MEMORY}'")

    @classmethod
    def open(cls, folder: Path) -> Summary:
        """Return the summary of the corpus in ``folder``.

        Raises:
            RecordError: the folder is unfinished, is no corpus, or was damaged.
        """
        return cls(Corpus.open(folder))

    @property
    def facts(self) -> CorpusFacts:
        """The counts of the build."""
        return self.corpus.facts

    @cached_property
    def recipe(self) -> Recipe:
        """The recipe, every default filled in."""
        return Recipe.model_validate(self.corpus.manifest.settings)

    @cached_property
    def steps(self) -> dict[str, Any]:
        """The steps of the recipe by name, in order."""
        return dict(named(self.recipe.steps))

    @cached_property
    def columns(self) -> dict[str, str]:
        """What was measured: ``<step>.<column>``, and whether it is ``text`` or ``number``."""
        rows = self.ask("DESCRIBE records")
        known = {*BASE, "filename"}
        return {row[0]: "text" if row[1] == "VARCHAR" else "number" for row in rows if row[0] not in known}

    def ask(self, query: str, **values: Any) -> list[tuple[Any, ...]]:
        """Return the rows that answer ``query``; ``values`` are its parameters."""
        return self.connection.execute(query, values or None).fetchall()

    def meaning(self, column: str) -> str:
        """Return in words what ``<step>.<column>`` holds; empty if the step does not tell."""
        step, _, name = column.partition(".")
        return str(getattr(self.steps.get(step), "columns", {}).get(name, ""))

    def measured(self, step: str, kind: str = "number") -> list[str]:
        """Return the columns that a step measured, in the order in which it names them."""
        own = [f"{step}.{name}" for name in getattr(self.steps.get(step), "columns", {})]
        return [name for name in own if self.columns.get(name) == kind]

    def of_kind(self, kind: str) -> list[str]:
        """Return the names of the steps of a kind, in order."""
        return [name for name, step in self.steps.items() if step.kind == kind]

    def column_of(self, kind: str, name: str) -> str:
        """Return the column that the last step of a kind measured; empty if there is none."""
        found = [f"{step}.{name}" for step in self.of_kind(kind)]
        return next((column for column in reversed(found) if column in self.columns), "")

    def family(self, step: str) -> str:
        """Return what kind of step it is: edit, filter, duplicates, select, or held out."""
        found = self.steps.get(step)
        if found is None:
            return "held out"
        families = ((Edit, "edit"), (Filter, "filter"), (Duplicates, "duplicates"))
        return next((name for kind, name in families if isinstance(found, kind)), "select")

    def order(self) -> list[str]:
        """Return the names of everything that may drop a document, in the order in which it is asked."""
        return [HELD_OUT, *self.steps]
