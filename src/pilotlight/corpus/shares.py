"""Shares of text: mixture weights for training, and tables that match declared margins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np

from pilotlight.errors import ConfigError, nearest
from pilotlight.units import show_bytes, show_count

if TYPE_CHECKING:
    from jaxtyping import Float

_ROUNDS = 10_000
_CLOSE = 1e-9


@final
@dataclass(frozen=True, slots=True)
class Weight:
    """How much of a training comes from one source."""

    source: str
    share: float
    """Share of the training tokens (or bytes), from 0 to 1."""
    epochs: float
    """How often the source is seen in the whole training."""


def mixture(
    sizes: Mapping[str, float], training: float, *, temperature: float | None = None,
    declared: Mapping[str, float] | None = None, most_epochs: float | None = None, unit: str = "",
) -> list[Weight]:  # fmt: skip
    """Return the weight of every source, sorted by name, with the epochs each implies.

    With ``temperature`` T shares go with size^(1/T): 1 is in proportion, more is flatter (Devlin et al. 2019 write
    1/T as an exponent). With ``declared`` they are in proportion to what is declared, source by source. With neither,
    they are as uniform as ``most_epochs`` allows: UniMax (Chung et al. 2023), in which what a small source may not
    repeat goes to the larger ones. ``most_epochs`` caps the other two in the same way, keeping proportions among the
    sources that are not capped. ``sizes`` and ``training`` have the same ``unit``, such as tokens or bytes.

    Raises:
        ConfigError: two ways are asked for, a name is unknown, or even all sources capped are too little text.
    """

    def show(amount: float) -> str:
        return show_bytes(amount) if unit == "bytes" else f"{show_count(amount)} {unit}".rstrip()

    names = sorted(sizes)
    if not names or min(sizes.values()) <= 0 or training <= 0:
        raise ConfigError(f"a mixture needs sources with text and a training, got {dict(sizes)} and {show(training)}.")
    if temperature is not None and declared is not None:
        raise ConfigError("a mixture has a temperature or declared shares, not both; leave one of them out.")
    wanted = _wanted(names, sizes, temperature, declared)
    size = np.array([float(sizes[name]) for name in names])
    share = wanted / wanted.sum()
    if most_epochs is not None:
        share = _capped(share, size * most_epochs / training)
        if share is None:
            raise ConfigError(
                f"{show(training)} of training need more than {most_epochs:g} epochs of all {show(float(size.sum()))} of "
                f"text: at most {show(float(size[wanted > 0].sum()) * most_epochs)} can be drawn. Train less, raise the cap, "
                "or add text."
            )
    return [
        Weight(name, float(part), float(part * training / whole))
        for name, part, whole in zip(names, share, size, strict=True)
    ]


def _wanted(
    names: Sequence[str], sizes: Mapping[str, float], temperature: float | None, declared: Mapping[str, float] | None
) -> Float[np.ndarray, " sources"]:
    if temperature is not None:
        if not temperature > 0:
            raise ConfigError(f"temperature is {temperature:g}; expected more than 0, where 1 keeps the proportions.")
        logs = np.log([float(sizes[name]) for name in names]) / temperature
        return np.exp(logs - logs.max())
    if declared is None:
        return np.ones(len(names))
    unknown = sorted(set(declared) - set(names))
    if unknown:
        raise ConfigError(
            f"shares are declared for {unknown[0]!r}, which is no source; there are {', '.join(names)}."
            f"{nearest(unknown[0], names)}"
        )
    found = np.array([float(declared.get(name, 0.0)) for name in names])
    if found.min() < 0 or not found.sum() > 0:
        raise ConfigError(f"declared shares are {dict(declared)}; expected numbers of at least 0, one above it.")
    return found


def _capped(
    share: Float[np.ndarray, " sources"], most: Float[np.ndarray, " sources"]
) -> Float[np.ndarray, " sources"] | None:
    """Return shares that sum to 1, none above ``most``, in proportion to ``share`` where below; None if impossible."""
    found = share.copy()
    capped = np.zeros(len(share), bool)
    while True:
        free = ~capped & (share > 0)
        rest = 1.0 - most[capped].sum()
        if rest <= _CLOSE:
            return None if rest < -_CLOSE else np.where(capped, most, 0.0)
        if not free.any():
            return None
        found = np.where(capped, most, np.where(free, share / share[free].sum() * rest, 0.0))
        over = free & (found > most + 1e-15)
        if not over.any():
            return found
        capped |= over


def margin_targets(axis: str, present: Mapping[str, float], declared: Mapping[str, float]) -> dict[str, float]:
    """Return the share of every value of an axis: as declared, and the rest in proportion to ``present``.

    Raises:
        ConfigError: a value is declared that no document has, the shares are more than the whole, or nothing is
            left for values that are not declared while they are not declared as 0, or too little is declared.
    """
    unknown = sorted(name for name, share in declared.items() if share > 0 and not present.get(name))
    if unknown:
        raise ConfigError(
            f"shares of {axis}: no document is {unknown[0]!r}; there are {', '.join(sorted(present))}."
            f"{nearest(unknown[0], present)}"
        )
    total = sum(declared.values())
    others = {name: size for name, size in present.items() if name not in declared}
    if total > 1 + 1e-9:
        raise ConfigError(f"shares of {axis} add up to {100 * total:.4g} %; expected at most 100 %.")
    if not others and total < 1 - 1e-6:
        raise ConfigError(
            f"shares of {axis} add up to {100 * total:.4g} % and every value is declared; expected 100 %."
        )
    rest = max(0.0, 1.0 - total)
    whole = sum(others.values())
    found = {name: rest * size / whole for name, size in others.items()} if whole else {}
    return {name: share for name, share in sorted((found | dict(declared)).items()) if name in present}


def fit_margins(
    cells: Mapping[tuple[str, ...], float], margins: Sequence[Mapping[str, float]]
) -> dict[tuple[str, ...], float]:
    """Return the share of every cell so that each axis has the shares it is to have (iterative proportional fitting).

    A cell is one value on each axis. The result is the table with these margins that is nearest to ``cells``, in
    relative entropy (Deming and Stephan 1940; Ireland and Kullback 1968). Shares are within 1e-9 of the margins.

    Raises:
        ConfigError: no table over the cells that hold text has these margins.
    """
    keys = sorted(cells)
    table = np.array([float(cells[key]) for key in keys])
    table /= table.sum()
    values = [sorted(margin) for margin in margins]
    place = [
        np.array([{name: number for number, name in enumerate(names)}[key[axis]] for key in keys])
        for axis, names in enumerate(values)
    ]
    wanted = [np.array([margin[name] for name in names]) for margin, names in zip(margins, values, strict=True)]
    worst = np.inf
    for _ in range(_ROUNDS):
        for axis, target in enumerate(wanted):
            have = np.bincount(place[axis], weights=table, minlength=len(target))
            table = table * np.divide(target, have, out=np.zeros(len(target)), where=have > 0)[place[axis]]
        worst = max(
            float(np.abs(np.bincount(place[axis], weights=table, minlength=len(target)) - target).max())
            for axis, target in enumerate(wanted)
        )
        if worst < _CLOSE:
            return dict(zip(keys, table.tolist(), strict=True))
    raise ConfigError(
        f"no choice of documents has all the declared shares at once: an axis stays off by {100 * worst:.2g} %. The text "
        "there is does not combine the values so (for example, a source is in one language only). Loosen one axis."
    )
