"""Values with the names of the units they were measured on."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

from pilotlight.errors import DataError, EvidenceError


@final
@dataclass(frozen=True, slots=True)
class Column:
    """One finite value per key: a seed, or an item.

    Raises:
        DataError: lengths differ, a key appears twice, or a value is not finite.
    """

    values: tuple[float, ...]
    keys: tuple[str, ...]
    unit: str

    def __post_init__(self) -> None:
        if len(self.values) != len(self.keys):
            raise DataError(f"{len(self.values)} values came with {len(self.keys)} keys; expected one key per value.")
        if len(set(self.keys)) != len(self.keys):
            twice = next(key for key in self.keys if self.keys.count(key) > 1)
            raise DataError(f"the key {twice!r} appears twice; give every run or item a name of its own.")
        wrong = next((pair for pair in zip(self.keys, self.values, strict=True) if not math.isfinite(pair[1])), None)
        if wrong is not None:
            raise DataError(f"the value of {wrong[0]!r} is {wrong[1]}, expected a finite number; leave it out.")

    def __len__(self) -> int:
        return len(self.values)


def align(first: Column, second: Column) -> tuple[Column, Column]:
    """Return both columns on the keys they share, in the order of the first.

    Raises:
        EvidenceError: the units differ, or no key is in both.
    """
    if first.unit != second.unit:
        raise EvidenceError(f"values in {first.unit} cannot be compared with values in {second.unit}.")
    left, right = (dict(zip(column.keys, column.values, strict=True)) for column in (first, second))
    shared = tuple(key for key in first.keys if key in right)
    if not shared:
        examples = ", ".join(repr(keys[0]) if keys else "nothing" for keys in (first.keys, second.keys))
        raise EvidenceError(f"the columns share no key (they begin with {examples}); measure both on the same ones.")
    return (
        Column(tuple(left[key] for key in shared), shared, first.unit),
        Column(tuple(right[key] for key in shared), shared, first.unit),
    )
