"""What other thresholds would keep and drop, from what was measured: no text is read, no step runs again."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from typing import Any, final

from pydantic import Field

from pilotlight.corpus.build import named
from pilotlight.corpus.corpus import Corpus
from pilotlight.corpus.duplicate import Duplicates
from pilotlight.corpus.edit import in_scope
from pilotlight.corpus.facts import Amount
from pilotlight.corpus.filter import Filter
from pilotlight.corpus.recipe import Recipe
from pilotlight.corpus.run_of_steps import NOT_JUDGED
from pilotlight.corpus.selection import Select
from pilotlight.errors import ConfigError, nearest
from pilotlight.plan_file import validated
from pilotlight.spec import Record, plain

_MOST_EXAMPLES = 10


class Change(Record):
    """Documents of one source whose fate would change."""

    source: str
    gained: Amount = Field(default_factory=Amount)
    """Dropped by a filter now, and by none then."""
    lost: Amount = Field(default_factory=Amount)
    """Trained on now, and dropped then."""


class WhatIf(Record):
    """What a corpus would be with other thresholds. Bytes are those read."""

    settings: dict[str, dict[str, Any]]
    """The changed settings, by step."""
    let_loose: list[str] = []
    """Filters that only annotate in the recipe, and are tried as if they dropped."""
    before: Amount
    after: Amount
    sources: list[Change]
    reasons: dict[str, dict[str, Amount]]
    """What filters would drop, by step and reason."""
    unsure: Amount
    """Part of ``after``: documents that a later comparing step has not seen yet, and might drop."""
    gained: list[str]
    """ids of some documents that would come in."""
    lost: list[str]
    """ids of some documents that would go."""


def changed_steps(recipe: Recipe, changes: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, Any]]:
    """Return the named steps of ``recipe`` with the fields in ``changes`` (by step) set anew.

    Raises:
        ConfigError: there is no such filter, or a field or a value is wrong.
    """
    steps = named(recipe.steps)
    filters = [name for name, step in steps if isinstance(step, Filter)]
    for name in changes:
        if name not in filters:
            raise ConfigError(
                f"the recipe has no filter {name!r}; it has {', '.join(filters) or 'none'}.{nearest(name, filters)} "
                "Only thresholds of filters can be tried without building again."
            )
    # A threshold is tried for what it drops, so a filter that only annotates drops here, unless that itself is set.
    return [
        (name, validated(type(step), {**plain(step), "only_annotate": False, **changes[name]}, f"set {name}"))
        if name in changes
        else (name, step)
        for name, step in steps
    ]


def what_if(corpus: Corpus, changes: Mapping[str, Mapping[str, Any]]) -> WhatIf:
    """Return what would be trained on and dropped with other settings of the filters.

    A filter that only annotates is tried as if it dropped, unless ``only_annotate`` is among its changes.
    Documents that a filter drops now had been measured by the filters of the same run of steps, but have not been
    compared by steps after it (near duplicates, say): those that come in are counted as ``unsure`` where the recipe
    has such steps.

    Args:
        corpus: a finished corpus.
        changes: new values of settings, by the name of the step.

    Raises:
        ConfigError: there is no such filter.
    """
    recipe = Recipe.model_validate(corpus.manifest.settings)
    judge = _Judge(changed_steps(recipe, changes))
    for row in _measured(corpus):
        judge.take(row)
    given = {name: dict(fields) for name, fields in changes.items()}
    quiet = [name for name, step in named(recipe.steps) if isinstance(step, Filter) and step.only_annotate]
    return judge.result(given, [name for name in quiet if name in given and "only_annotate" not in given[name]])


def _measured(corpus: Corpus) -> Iterator[dict[str, Any]]:
    """Yield the rows of documents that went through the steps, one file after another."""
    parquet: Any = importlib.import_module("pyarrow.parquet")  # it has no types
    for path in corpus.tables():
        for batch in parquet.ParquetFile(path).iter_batches(2000):
            rows: list[dict[str, Any]] = batch.to_pylist()
            for row in rows:
                if row["fate"] in ("train", "dropped"):
                    yield row


@final
class _Judge:
    def __init__(self, steps: list[tuple[str, Any]]) -> None:
        self._filters = [(name, step) for name, step in steps if isinstance(step, Filter)]
        names = [name for name, _ in steps]
        self._after = {
            name: any(isinstance(step, Duplicates | Select) for _, step in steps[at + 1 :])
            for at, name in enumerate(names)
        }
        self._counts: dict[str, list[int]] = {"before": [0, 0], "after": [0, 0], "unsure": [0, 0]}
        self._sources: dict[str, dict[str, list[int]]] = {}
        self._reasons: dict[str, dict[str, list[int]]] = {}
        self._examples: dict[str, list[str]] = {"gained": [], "lost": []}

    def take(self, row: dict[str, Any]) -> None:
        """Judge one document again."""
        kept = row["fate"] == "train"
        if kept:
            _count(self._counts["before"], row)
        elif row["step"] not in dict(self._filters) or row["reason"].startswith(NOT_JUDGED):
            return  # compared, emptied, like held-out text, or not measured: no threshold brings it back
        found = self._first_reason(row)
        if found is not None:
            _count(self._reasons.setdefault(found[0], {}).setdefault(found[1].partition(":")[0], [0, 0]), row)
        else:
            _count(self._counts["after"], row)
        if kept != (found is None):
            self._change("lost" if kept else "gained", row)
            if not kept and self._after[row["step"]]:
                _count(self._counts["unsure"], row)

    def _first_reason(self, row: dict[str, Any]) -> tuple[str, str] | None:
        for name, step in self._filters:
            measured = {column: row.get(f"{name}.{column}") for column in step.columns}
            values = {column: value for column, value in measured.items() if value is not None}
            if step.only_annotate or not in_scope(step.applies_to, row["content"]) or len(values) < len(measured):
                continue
            reason = step.reason_to_drop(values, row["source"])
            if reason is not None:
                return name, reason
        return None

    def _change(self, way: str, row: dict[str, Any]) -> None:
        _count(self._sources.setdefault(row["source"], {}).setdefault(way, [0, 0]), row)
        if len(self._examples[way]) < _MOST_EXAMPLES:
            self._examples[way].append(row["id"])

    def result(self, settings: dict[str, dict[str, Any]], let_loose: list[str]) -> WhatIf:
        """Return the counts."""
        counts = {name: _amount(count) for name, count in self._counts.items()}
        sources = [
            Change(source=name, **{way: _amount(count) for way, count in ways.items()})
            for name, ways in sorted(self._sources.items())
        ]
        reasons = {
            step: {reason: _amount(count) for reason, count in sorted(found.items())}
            for step, found in sorted(self._reasons.items())
        }
        return WhatIf(
            settings=settings, let_loose=let_loose, **counts, sources=sources, reasons=reasons,
            gained=self._examples["gained"], lost=self._examples["lost"],
        )  # fmt: skip


def _count(count: list[int], row: dict[str, Any]) -> None:
    count[0] += 1
    count[1] += row["read"]


def _amount(count: list[int]) -> Amount:
    return Amount(documents=count[0], bytes=count[1])


def read_changes(given: list[str]) -> dict[str, dict[str, Any]]:
    """Return ``{step: {field: value}}`` from texts such as ``letters.least=0.3``.

    Raises:
        ConfigError: a text is none of that form.
    """
    import yaml

    found: dict[str, dict[str, Any]] = {}
    for text in given:
        path, equals, value = text.partition("=")
        step, dot, name = path.strip().partition(".")
        if not (equals and dot and step and name):
            raise ConfigError(f"{text!r} sets nothing. Expected step.field=value, such as letters.least=0.3.")
        found.setdefault(step, {})[name] = yaml.safe_load(value)
    return found
