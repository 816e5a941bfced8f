"""How likely a comparison is to see an effect, and how many seeds that takes."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pilotlight.errors import EvidenceError
from pilotlight.spec import Record
from pilotlight.stats.ladder import Growth, carried, doubt, filled
from pilotlight.stats.noise import overlap
from pilotlight.stats.pairing import Pairing
from pilotlight.stats.rule import Rule
from pilotlight.stats.student import Spread, critical, welch
from pilotlight.units import show_seconds, show_share

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST = 1000
"""Numbers of seeds beyond this are not told apart."""


class PowerPlan(Record):
    """What a number of seeds can see, before they are trained."""

    seeds: int
    """Per arm and scale; never more than the rule allows."""

    needed: int
    """Seeds that the declared power takes; 1000 stands for that many or more."""

    power: float
    detectable: float
    """Smallest relative effect that is seen with the rule's power."""

    sentence: str


@lru_cache(maxsize=1)
def _rule_of_gauss() -> tuple[NDArray[Any], NDArray[Any]]:
    from numpy.polynomial.legendre import leggauss

    points, weights = leggauss(48)
    return (1.0 - points) / 2.0, weights / 2.0


@lru_cache(maxsize=1024)
def _chi_nodes(degrees: float) -> NDArray[Any]:
    from scipy.special import chdtri  # pyright: ignore[reportMissingTypeStubs]

    return (chdtri(degrees, _rule_of_gauss()[0]) / degrees) ** 0.5


def power(effect: float, error: float, degrees: float, level: float) -> float:
    """Return the chance that a two-sided t-test at ``level`` calls ``effect`` different from zero.

    ``error`` is the standard error of the effect, in the same unit. The noncentral t-distribution is integrated over
    the estimated spread, which stays accurate where closed forms of it underflow.
    """
    if error == 0.0:
        return 1.0 if effect != 0.0 else 1.0 - level
    return _rejection(abs(effect) / error, degrees, critical(level, degrees))


def _rejection(noncentrality: float, degrees: float, bound: float) -> float:
    from scipy.special import ndtr  # pyright: ignore[reportMissingTypeStubs]

    reach = bound * _chi_nodes(degrees)
    seen = ndtr(noncentrality - reach) + ndtr(-noncentrality - reach)
    return min(1.0, max(0.0, float(seen @ _rule_of_gauss()[1])))


def detectable(error: float, degrees: float, level: float, wanted: float) -> float:
    """Return the smallest effect, in the unit of ``error``, that is seen with the chance ``wanted``."""
    return error * _noncentrality(degrees, level, wanted)


@lru_cache(maxsize=4096)
def _noncentrality(degrees: float, level: float, wanted: float) -> float:
    bound = critical(level, degrees)
    low, high = 0.0, bound
    while _rejection(high, degrees, bound) < wanted:
        high *= 2.0
    for _ in range(24):
        middle = (low + high) / 2.0
        low, high = (middle, high) if _rejection(middle, degrees, bound) < wanted else (low, middle)
    return high


def expected(sd: float, seeds: int, pairing: Pairing, *, variants: int = 1, scales: int = 1) -> Spread:
    """Return the squared standard error of an effect and its degrees of freedom, as ``compare`` will find them.

    ``sd`` is the relative run-to-run standard deviation of one arm; ``scales`` counts the rungs with that many seeds.
    """
    own, correlation = float(seeds - 1), pairing.correlation
    arms = variants + 1
    seen = [own * arms / (1.0 + (arms - 1) * correlation**2)] * scales
    change = Growth(0.0, doubt(range(scales), seen))
    if pairing.used == "paired":
        variance = 2.0 * sd**2 * (1.0 - correlation)
        cell = carried({place: Spread(variance, own) for place in range(scales)}, scales - 1, change)
        spread = filled(cell, [cell] * (variants - 1), overlap(correlation, seeds * variants * scales))
        return Spread(spread.variance / seeds, spread.degrees)
    cell = carried({place: Spread(sd**2, own) for place in range(scales)}, scales - 1, change)
    two = welch(cell, seeds, cell, seeds)
    spread = filled(two, [Spread(two.variance, cell.degrees)] * (arms - 2), correlation**2)
    return Spread(spread.variance * (1.0 - min(0.0, correlation)), spread.degrees)


def seeds_needed(sd: float, worth: float, rule: Rule, pairing: Pairing, *, variants: int = 1, scales: int = 1) -> int:
    """Return the seeds per arm that see a relative effect of ``worth`` with the rule's power; at most 1000.

    Several variants share the accepted errors, so the first of them has to pass at a stricter level.

    Raises:
        EvidenceError: ``sd`` is not positive.
    """
    _check(sd)
    level = 1.0 - (1.0 - rule.level) / variants

    def sees(seeds: int) -> bool:
        spread = expected(sd, seeds, pairing, variants=variants, scales=scales)
        return power(math.log1p(worth), math.sqrt(spread.variance), spread.degrees, level) >= rule.power

    return fewest(sees)


def fewest(sees: Callable[[int], bool], least: int = 2) -> int:
    """Return the smallest number of seeds from ``least`` on for which ``sees`` holds; 1000 where none below does."""
    low, high = least - 1, least
    while high < MOST and not sees(high):
        low, high = high, min(MOST, high * 2)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if sees(middle) else (middle, high)
    return high


def plan(
    sd: float,
    rule: Rule,
    pairing: Pairing,
    *,
    variants: int = 1,
    scales: int = 1,
    seconds_per_seed: float | None = None,
) -> PowerPlan:
    """Return the seeds that the rule's power takes, and a sentence that says so.

    ``seconds_per_seed`` is the time of one more seed of every arm and scale together.

    Raises:
        EvidenceError: ``sd`` is not positive.
    """
    needed = seeds_needed(sd, rule.worth, rule, pairing, variants=variants, scales=scales)
    seeds = min(needed, rule.most_seeds)
    level = 1.0 - (1.0 - rule.level) / variants
    spread = expected(sd, seeds, pairing, variants=variants, scales=scales)
    error = math.sqrt(spread.variance)
    smallest = math.expm1(detectable(error, spread.degrees, level, rule.power))
    time = "" if seconds_per_seed is None else f", {show_seconds(needed * seconds_per_seed)}"
    count = f"{MOST} seeds or more" if needed >= MOST else f"{needed} seeds"
    sentence = f"To see {show_share(rule.worth)} with {100 * rule.power:.0f} % power you need {count}{time}."
    if needed > rule.most_seeds:
        sentence += f" The {seeds} seeds that the rule allows see {show_share(smallest)}."
    return PowerPlan(
        seeds=seeds,
        needed=needed,
        power=power(math.log1p(rule.worth), error, spread.degrees, level),
        detectable=smallest,
        sentence=sentence,
    )


def _check(sd: float) -> None:
    if not 0.0 < sd < math.inf:
        raise EvidenceError(f"the noise is {sd}, expected a positive relative standard deviation; train two seeds.")
