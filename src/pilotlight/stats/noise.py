"""The run-to-run noise of a campaign: per arm, per difference, pooled, and how surely it is known."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

from pilotlight.errors import EvidenceError
from pilotlight.spec import Record
from pilotlight.stats.arms import Arms
from pilotlight.stats.estimate import Estimate
from pilotlight.stats.student import UNKNOWN, Spread, bartlett, borrow, critical, pool, products

_SUSPICIOUS = 0.05


class NoiseFloor(Record):
    """How far two runs of the same set-up lie apart."""

    sd: Estimate
    """Relative standard deviation over seeds, pooled over arms and scales."""

    a_a: tuple[float, ...]
    """Relative difference of each A/A repeat from its partner."""

    pairs: int
    false_alarms: int
    """A/A pairs that two single runs with this noise would have been called different by."""


@final
@dataclass(frozen=True, slots=True)
class Noise:
    """Variances of log values; those of differences are of one run minus one run that share a seed."""

    arms: Mapping[str, Mapping[str, Spread]]
    """By variant and scale."""

    arm_pool: Spread
    """Over all arms; degrees of freedom discounted because arms that share seeds repeat each other."""

    differences: Mapping[str, Mapping[str, Spread]]
    """By variant and scale."""

    difference_pool: Spread
    """Over all variants; degrees of freedom discounted because they share the baseline."""

    correlation: float
    pairs: int
    scales: Mapping[str, Spread]

    def of_arm(self, variant: str, scale: str) -> Spread:
        """Return the variance of one run of an arm, see ``nearest``."""
        return nearest(self.arms[variant], scale, self.arm_pool)

    def of_difference(self, variant: str, scale: str) -> Spread:
        """Return the variance of one difference within a seed, see ``nearest``."""
        return nearest(self.differences[variant], scale, self.difference_pool)


def nearest(cells: Mapping[str, Spread], scale: str, everything: Spread) -> Spread:
    """Return the variance of a cell, strengthened first by the other rungs, then by the other arms.

    Each of the two is worth at most two degrees of freedom: noise that changes along the ladder or between arms is
    followed where there are runs to see it.
    """
    return borrow(borrow(cells.get(scale, UNKNOWN), pool(list(cells.values()))), everything)


def measure(arms: Arms) -> Noise:
    """Return the noise of all arms.

    Raises:
        EvidenceError: no arm has two seeds at one scale, or no two runs differ.
    """
    cells = {
        name: {scale: _spread(list(runs.values())) for scale, runs in rungs.items()}
        for name, rungs in arms.logs.items()
    }
    by_arm = [pool(list(found.values())) for found in cells.values()]
    whole = pool(by_arm)
    if whole.degrees == 0.0:
        raise EvidenceError("no arm has two seeds at one scale, so the noise is unknown; train at least 2 seeds.")
    if whole.variance == 0.0:
        raise EvidenceError("runs with different seeds gave exactly the same value; check that the seed is used.")
    gaps = {name: {scale: _gap(arms, name, scale) for scale in arms.compared(name)} for name in arms.variants}
    by_variant = [pool(list(found.values())) for found in gaps.values()]
    known = sum(spread.degrees > 0.0 for spread in by_variant)
    gap_pool = pool(by_variant)
    correlation, pairs = _correlation(arms)
    replicated = sum(spread.degrees > 0.0 for spread in by_arm)
    # Variances of arms with correlation c correlate by c squared.
    repeated = 1.0 + (replicated - 1) * correlation**2
    by_scale = {scale: pool([cells[name].get(scale, UNKNOWN) for name in cells]) for scale in arms.sizes}
    return Noise(
        arms=cells,
        arm_pool=Spread(whole.variance, whole.degrees / repeated),
        differences=gaps,
        # Differences that share a baseline correlate by about a half, by more where pairing hurts: squared, by 0.5.
        difference_pool=Spread(gap_pool.variance, gap_pool.degrees / (1.0 + max(0, known - 1) * 0.5)),
        correlation=correlation,
        pairs=pairs,
        scales={scale: Spread(spread.variance, spread.degrees / repeated) for scale, spread in by_scale.items()},
    )


def _spread(values: list[float]) -> Spread:
    if len(values) < 2:
        return UNKNOWN
    return Spread(products(values, values) / (len(values) - 1), len(values) - 1)


def _gap(arms: Arms, variant: str, scale: str) -> Spread:
    return _spread([a - b for a, b in zip(*arms.shared(variant, scale), strict=True)])


def _correlation(arms: Arms) -> tuple[float, int]:
    together = 0.0
    size = 0.0
    pairs = 0
    for variant in arms.variants:
        cells = [arms.shared(variant, scale) for scale in arms.compared(variant)]
        cells = [(new, old) for new, old in cells if len(new) > 1]
        together += math.fsum(products(new, old) for new, old in cells)
        size += math.sqrt(
            math.fsum(products(new, new) for new, _ in cells) * math.fsum(products(old, old) for _, old in cells)
        )
        pairs += sum(len(new) for new, _ in cells)
    return (max(-1.0, min(1.0, together / size)) if size > 0.0 else 0.0), pairs


def floor(arms: Arms, noise: Noise, level: float) -> NoiseFloor:
    """Return the noise floor: standard deviation with its chi-square interval, and the A/A repeats tested with it."""
    from scipy.special import chdtri  # pyright: ignore[reportMissingTypeStubs]

    degrees, sd = noise.arm_pool.degrees, math.sqrt(noise.arm_pool.variance)
    low, high = (sd * math.sqrt(degrees / float(chdtri(degrees, tail))) for tail in ((1 - level) / 2, (1 + level) / 2))
    reach = critical(level, degrees) * sd * math.sqrt(2.0)
    runs = sum(len(found) for cells in arms.logs.values() for found in cells.values() if len(found) > 1)
    estimate = Estimate(
        value=sd, low=min(low, sd), high=max(high, sd), level=level, unit="relative", n=runs, method="chi-square",
        cautions=tuple(uneven(arms, noise)),
    )  # fmt: skip
    return NoiseFloor(
        sd=estimate,
        a_a=tuple(math.expm1(gap) for gap in arms.repeats),
        pairs=len(arms.repeats),
        false_alarms=sum(abs(gap) > reach for gap in arms.repeats),
    )


def uneven(arms: Arms, noise: Noise) -> list[str]:
    """Return a caution for each way in which the noise is not the same everywhere, so that pooling it is in doubt."""
    cautions: list[str] = []
    by_arm = {name: pool(list(cells.values())) for name, cells in noise.arms.items()}
    by_variant = {name: pool(list(cells.values())) for name, cells in noise.differences.items()}
    for what, spreads in (("arms", by_arm), ("scales", noise.scales), ("paired differences", by_variant)):
        known = {name: spread.variance for name, spread in spreads.items() if spread.degrees > 0.0}
        if bartlett(list(spreads.values())) < _SUSPICIOUS:
            least, most = min(known, key=known.__getitem__), max(known, key=known.__getitem__)
            ratio = math.sqrt(known[most] / known[least])
            cautions.append(f"noise differs between {what}: {ratio:.1f} times larger for {most} than for {least}")
    return cautions
