"""The run-to-run noise of a campaign: per arm, per difference, pooled, and how surely it is known."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

from pilotlight.errors import EvidenceError
from pilotlight.spec import Record
from pilotlight.stats.arms import Arms
from pilotlight.stats.estimate import Estimate
from pilotlight.stats.ladder import Growth, carried, filled, growth
from pilotlight.stats.student import UNKNOWN, Spread, bartlett, critical, pool, products, welch

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

    text: Estimate | None = None
    """Relative standard deviation over samples of the training text: documents drawn again with replacement, at the smallest
    rung, all else kept. None where no such run was made."""


@final
@dataclass(frozen=True, slots=True)
class Noise:
    """Variances of log values; those of differences are of one run minus one run that share a seed."""

    scales: Mapping[str, Spread]
    """Over all arms, by scale from small to large; degrees of freedom discounted like those of ``arm_pool``."""

    growth: Growth
    arms: Mapping[str, Mapping[str, Spread]]
    """By variant and scale."""

    arm_pool: Spread
    """Over all arms; degrees of freedom discounted because arms that share seeds repeat each other."""

    differences: Mapping[str, Mapping[str, Spread]]
    """By variant and scale."""

    correlation: float
    pairs: int

    def of_difference(self, variant: str, scale: str) -> Spread:
        """Return the variance of one difference within a seed, with other rungs and, if need be, other variants."""
        found = self._carried(self.differences, scale)
        own = found.pop(variant)
        return filled(own, list(found.values()), overlap(self.correlation, self.pairs))

    def of_means(self, runs: Mapping[str, int], scale: str) -> Spread:
        """Return the variance of the difference of the means of two arms, given with their runs at the scale, unpaired.

        The two enter by their own spread (Welch), other arms if need be. An arm that lends its spread to the other would
        count twice in the degrees of freedom: intervals covered 89 % so.
        """
        found = self._carried(self.arms, scale)
        (left, right), (first, second) = [found.pop(name) for name in runs], runs.values()
        both = 1.0 / first + 1.0 / second
        if left.degrees > 0.0 and right.degrees > 0.0:
            own = welch(left, first, right, second)
        else:
            known = pool([left, right])
            own = Spread(known.variance * both, known.degrees)
        others = [Spread(spread.variance * both, spread.degrees) for spread in found.values()]
        # Variances of arms with correlation c correlate by c squared.
        return filled(own, others, self.correlation**2)

    def _carried(self, cells: Mapping[str, Mapping[str, Spread]], scale: str) -> dict[str, Spread]:
        places = {name: place for place, name in enumerate(self.scales)}
        return {
            name: carried({places[where]: spread for where, spread in rungs.items()}, places[scale], self.growth)
            for name, rungs in cells.items()
        }


def overlap(correlation: float, pairs: int) -> float:
    """Return the squared correlation of two differences that share the baseline, from the correlation over seeds.

    Runs that correlate by c with the baseline, and through nothing else with each other, have differences that
    correlate by (1 - c) / 2. The measured c is drawn towards 0.3, as sure as four pairs.
    """
    drawn = (pairs * correlation + 4.0 * 0.3) / (pairs + 4.0)
    return ((1.0 - drawn) / 2.0) ** 2


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
    correlation, pairs = _correlation(arms)
    replicated = sum(spread.degrees > 0.0 for spread in by_arm)
    repeated = 1.0 + (replicated - 1) * correlation**2
    by_scale = {scale: pool([cells[name].get(scale, UNKNOWN) for name in cells]) for scale in arms.sizes}
    scales = {scale: Spread(spread.variance, spread.degrees / repeated) for scale, spread in by_scale.items()}
    return Noise(
        scales=scales,
        growth=growth(list(scales.values())),
        arms=cells,
        arm_pool=Spread(whole.variance, whole.degrees / repeated),
        differences={name: {scale: _gap(arms, name, scale) for scale in arms.compared(name)} for name in arms.variants},
        correlation=correlation,
        pairs=pairs,
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
        text=_text(arms.samples, level),
    )


def _text(gaps: Sequence[float], level: float) -> Estimate | None:
    """Return the spread over samples of the text; both runs of a pair share their seed, so their difference is the text's.

    A bootstrap of the documents: its spread about the run on all of them is that of the run about the truth (Efron 1979).
    """
    from scipy.special import chdtri  # pyright: ignore[reportMissingTypeStubs]

    count, squares = len(gaps), math.fsum(gap**2 for gap in gaps)
    if count < 2 or squares == 0.0:
        return None
    low, high = (math.sqrt(squares / float(chdtri(count, tail))) for tail in ((1 - level) / 2, (1 + level) / 2))
    return Estimate(
        value=math.sqrt(squares / count), low=low, high=high, level=level, unit="relative", n=count,
        method="bootstrap of the training documents, chi-square",
    )  # fmt: skip


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
