"""Runs sorted by variant, scale and seed, as relative (logarithmic) values."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import final

from pydantic import Field

from pilotlight.errors import EvidenceError, nearest
from pilotlight.spec import Record

SAMPLE = "sample"
"""Name with which repeats begin whose training text was drawn again: they differ by more than a seed."""


class Observation(Record):
    """The metric of one finished run."""

    variant: str
    scale: str
    """Name of the rung of the ladder."""

    size: float = Field(gt=0.0, allow_inf_nan=False)
    """Parameters, FLOPs or any other measure of the rung that orders the ladder."""

    seed: int
    value: float = Field(gt=0.0, allow_inf_nan=False)
    repeat: str = ""
    """Name of an A/A repeat: the baseline again with one random stream reseeded; empty for ordinary runs."""


@final
@dataclass(frozen=True, slots=True)
class Arms:
    """Logarithms of the metric, by variant, scale and seed."""

    baseline: str
    sizes: Mapping[str, float]
    """Scales from small to large."""

    logs: Mapping[str, Mapping[str, Mapping[int, float]]]
    repeats: tuple[float, ...]
    """Logarithmic difference of each A/A repeat from the baseline's run of the same scale and seed."""
    samples: tuple[float, ...] = ()
    """The same of the runs on training text drawn again (``SAMPLE``)."""

    @property
    def variants(self) -> tuple[str, ...]:
        """Names of the variants in order of appearance, without the baseline."""
        return tuple(name for name in self.logs if name != self.baseline)

    def runs(self, variant: str, scale: str) -> Mapping[int, float]:
        """Return log values by seed; empty where nothing ran."""
        return self.logs.get(variant, {}).get(scale, {})

    def shared(self, variant: str, scale: str) -> tuple[list[float], list[float]]:
        """Return the log values of variant and baseline for the seeds that both have."""
        new, old = self.runs(variant, scale), self.runs(self.baseline, scale)
        seeds = sorted(seed for seed in new if seed in old)
        return [new[seed] for seed in seeds], [old[seed] for seed in seeds]

    def compared(self, variant: str) -> list[str]:
        """Return the scales, small to large, at which both the variant and the baseline ran."""
        return [scale for scale in self.sizes if self.runs(variant, scale) and self.runs(self.baseline, scale)]


def arrange(observations: Iterable[Observation], baseline: str) -> Arms:
    """Return the observations as arms.

    Raises:
        EvidenceError: the baseline is missing, a run is given twice, a scale has two sizes, or a repeat is not of the
            baseline.
    """
    given = list(observations)
    names = list(dict.fromkeys(item.variant for item in given))
    if baseline not in names:
        known = f"runs of {', '.join(names)}" if names else "no runs at all"
        raise EvidenceError(f"no run is of the baseline {baseline!r}; there are {known}.{nearest(baseline, names)}")
    logs: dict[str, dict[str, dict[int, float]]] = {name: {} for name in names}
    for item in given:
        if not item.repeat:
            runs = logs[item.variant].setdefault(item.scale, {})
            if item.seed in runs:
                raise EvidenceError(f"two runs are {item.variant!r} at {item.scale} with seed {item.seed}; keep one.")
            runs[item.seed] = math.log(item.value)
    drawn = [item for item in given if item.repeat.startswith(SAMPLE)]
    other = [item for item in given if not item.repeat.startswith(SAMPLE)]
    runs = logs[baseline]
    return Arms(baseline, _sizes(given), logs, _repeats(other, baseline, runs), _repeats(drawn, baseline, runs))


def _sizes(given: Sequence[Observation]) -> dict[str, float]:
    sizes: dict[str, float] = {}
    for item in given:
        if sizes.setdefault(item.scale, item.size) != item.size:
            raise EvidenceError(f"scale {item.scale} has sizes {sizes[item.scale]:g} and {item.size:g}; give it one.")
    return dict(sorted(sizes.items(), key=lambda pair: pair[1]))


def _repeats(given: Sequence[Observation], baseline: str, runs: Mapping[str, Mapping[int, float]]) -> tuple[float, ...]:
    gaps: list[float] = []
    for item in sorted((item for item in given if item.repeat), key=lambda item: (item.size, item.seed, item.repeat)):
        if item.variant != baseline:
            raise EvidenceError(f"{item.variant!r} has the repeat {item.repeat!r}; only the baseline is run as A/A.")
        partner = runs.get(item.scale, {}).get(item.seed)
        if partner is not None:
            gaps.append(math.log(item.value) - partner)
    return tuple(gaps)
