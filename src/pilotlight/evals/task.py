"""The extension point of tasks: what a row of a file asks of a model, and which metrics answer it."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, final

from pilotlight.errors import nearest
from pilotlight.evals.item import Item
from pilotlight.evals.measure import Measure
from pilotlight.record.scores import RefusedRow
from pilotlight.spec import Part

Row = Mapping[str, Any]


@final
class BadRow(Exception):
    """The row cannot be used: a reason that many rows can share, and what is wrong with this one."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail


@final
@dataclass(frozen=True, slots=True)
class Line:
    """One row of a file with its line number from 1."""

    number: int
    row: Row

    @property
    def id(self) -> str:
        """The line number: unique in the file, which an ``id`` field may not be."""
        return str(self.number)


class Task(Part):
    """Settings of one kind of task."""

    folder: ClassVar[str] = "pilotlight.evals.tasks"
    expects: ClassVar[str]
    """The fields a row needs, in words."""

    @abstractmethod
    def fits(self, row: Row) -> bool:
        """Return whether the row has the fields of this kind; their values may still be wrong."""

    @abstractmethod
    def items(self, lines: Sequence[Line]) -> tuple[list[Item], list[RefusedRow]]:
        """Return the items, and the rows that cannot be used; together they are all of ``lines``.

        Raises:
            ConfigError: a setting does not fit the file.
        """

    @abstractmethod
    def measures(self, items: Sequence[Item]) -> tuple[Measure, ...]:
        """Return the metrics of these items, the most telling first."""


def filled(template: str, fields: Mapping[str, str]) -> str:
    """Return ``template`` with every ``{field}`` replaced by its text; nothing in a text is replaced again.

    Raises:
        BadRow: the template names a field that the row does not have.
    """

    def put(found: re.Match[str]) -> str:
        name = found[1]
        if name not in fields:
            known = ", ".join(fields) or "no text"
            raise BadRow(f"the prompt asks for {{{name}}}", f"the row has {known}.{nearest(name, fields)}")
        return fields[name]

    return re.sub(r"\{(\w+)\}", put, template)


def texts_of(row: Row) -> dict[str, str]:
    """Return the fields of a row that hold text."""
    return {name: value for name, value in row.items() if isinstance(value, str)}
