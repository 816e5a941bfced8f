"""What a benchmark would score at a predicted loss: the second step of a forecast from loss to task, or no answer.

The first step is the loss (predict.py). The second follows Bhagia et al. 2024: over the runs and checkpoints there
are, the score of a task is a sigmoid of the loss, from chance to a ceiling.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from pilotlight.errors import EvidenceError
from pilotlight.record.forecast import Predictive
from pilotlight.spec import Record
from pilotlight.stats.estimate import Estimate
from pilotlight.stats.student import critical

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

FEWEST = 6
"""Points that a task needs: the sigmoid has four numbers."""
LEAST_SIGNAL = 4.0
"""Range of the sigmoid over the points, in standard deviations of a point about it, below which is abstained."""
LEAST_RISE = 2.0
"""The same for what the best point lies above chance: a task that has not begun to move says nothing of when it will."""
STEEPNESS = (2.5, 0.8)
"""Prior of steepness times the range of the losses: centre, and standard deviation of its log."""
CEILING = (0.9, 0.15)
"""Prior of the ceiling of an accuracy: centre and standard deviation."""
NEAR = 0.25
"""Share of the range of the losses within which points count in full: what is far from the best says little."""
SCALES = ("loss", "log loss")
"""Scales on which the sigmoid is tried; which of them is straight differs between tasks."""
HELD = (1.0 / 3.0, 1.0 / 6.0)
"""Shares of the points, those of the lowest losses, that are held out."""
WORTH = 2.0
"""What a hold-out counts for beside ``BEYOND_DF``."""
BEYOND_DF = 3.0
"""How many hold-outs it is worth that the sigmoid was believed to miss by the noise of a point."""
NODES = 15
"""Quantiles of the loss over which the forecast is averaged."""


@final
@dataclass(frozen=True, slots=True)
class ScorePoint:
    """A run or checkpoint: its loss and its score; points of one ``run`` are its checkpoints."""

    loss: float
    score: float
    run: str = ""


class NoForecast(Record):
    """Why a task's score is not foretold, and the range of its scores in units of their noise where it is known."""

    why: str
    signal_to_noise: float | None = None


@final
@dataclass(frozen=True, slots=True)
class Sigmoid:
    """Score against loss: settings of the curve [settings] with weights; ``noise`` of a point about it, and its df."""

    chance: Floats
    ceiling: Floats
    steepness: Floats
    middle: Floats
    weights: Floats
    noise: float
    df: float

    def at(self, losses: Floats) -> tuple[Floats, Floats]:
        """Return the scores at ``losses`` and their standard deviations from what the points leave open."""
        import numpy as np

        values = _values(self.chance, self.ceiling, self.steepness, self.middle, losses)
        mean = self.weights @ values
        return mean, np.sqrt(self.weights @ (values - mean) ** 2)


def forecast_scores(
    points: Sequence[ScorePoint], target: Predictive, *, chance: float | None = None, level: float = 0.95,
    unit: str = "share",
) -> Estimate | NoForecast:  # fmt: skip
    """Return the score of a task at the loss ``target``, or why none can be told.

    The interval joins the noise of a point, what the points leave open about the sigmoid, the spread of the loss, and
    what the sigmoid missed when the third of the points with the lowest losses was held out.

    Args:
        points: runs and checkpoints with loss and score, scores from 0 to 1.
        target: predictive distribution of the loss of the run that is asked for.
        chance: score of guessing; found from the points where it is None.
        level: of the interval.
        unit: of the score.

    Raises:
        EvidenceError: a loss is not above 0, a score not within 0 and 1, or the chance not below the best score.
    """
    import numpy as np

    _check(points, chance)
    losses, scores = _columns(points)
    if len(points) < FEWEST or len(set(losses.tolist())) < FEWEST - 1:
        return NoForecast(why=f"{len(points)} points with loss and score, of which {FEWEST} are needed")
    tried = [_Scale.of(scale, losses, scores, chance) for scale in SCALES]
    told = [one.noisy(chance) for one in tried]
    if all(told):
        return max((one for one in told if one), key=lambda one: one.signal_to_noise or 0.0)
    usable = [one for one, no in zip(tried, told, strict=True) if no is None]
    shares = np.array([1.0 / one.error**2 for one in usable])
    shares = shares / shares.sum()
    parts = [one.forecast(target) for one in usable]
    value = float(shares @ np.array([mean for mean, _ in parts]))
    variance = float(shares @ np.array([spread**2 + (mean - value) ** 2 for mean, spread in parts]))
    half = critical(level, min(one.df for one in usable)) * math.sqrt(variance)
    low, high = max(value - half, 0.0), min(value + half, 1.0)
    return Estimate(
        value=value, low=min(low, value), high=max(high, value), level=level, unit=unit,
        n=len({point.run for point in points if point.run}) or len(points),
        method="sigmoid of the predicted loss, its error from a hold-out of the lowest losses",
        cautions=_cautions(losses, target, points),
    )  # fmt: skip


@final
@dataclass(frozen=True, slots=True)
class _Scale:
    """The sigmoid on one scale of the loss: ``missed`` is what it erred beyond its claim ``reach`` away on hold-outs."""

    scale: str
    places: Floats
    curve: Sigmoid
    missed: float
    reach: float
    df: float

    @classmethod
    def of(cls, scale: str, losses: Floats, scores: Floats, chance: float | None) -> _Scale:
        places = _placed(scale, losses)
        curve = fit_sigmoid(places, scores, chance)
        missed, reach, tries = _missed(places, scores, chance, curve.noise)
        return cls(scale, places, curve, missed, reach, min(curve.df, BEYOND_DF + tries))

    @property
    def error(self) -> float:
        return math.hypot(self.missed, self.curve.noise)

    def noisy(self, chance: float | None) -> NoForecast | None:
        return _noisy(self.curve, self.places, chance)

    def forecast(self, target: Predictive) -> tuple[float, float]:
        """Return the score at the loss ``target`` and its standard deviation, all parts together."""
        import numpy as np
        from scipy.special import stdtrit  # pyright: ignore[reportMissingTypeStubs]

        shares = (np.arange(NODES) + 0.5) / NODES
        quantiles = np.asarray(stdtrit(max(target.df, 2.1), shares), dtype=np.float64)
        mean, spread = self.curve.at(_placed(self.scale, np.exp(target.centre + target.scale * quantiles)))
        here = float(_placed(self.scale, np.exp(np.array([target.centre])))[0])
        # an error that was made some way below the lowest loss grows with the way
        far = max((float(self.places.min()) - here) / self.reach, 1.0)
        variance = float((spread**2).mean() + mean.var()) + self.curve.noise**2 + (self.missed * far) ** 2
        return float(mean.mean()), math.sqrt(variance)


def _placed(scale: str, losses: Floats) -> Floats:
    import numpy as np

    return losses if scale == "loss" else np.log(losses)


def fit_sigmoid(losses: Floats, scores: Floats, chance: float | None = None) -> Sigmoid:
    """Return the sigmoid of ``scores`` against ``losses``, averaged over a grid of its numbers by how well they fit."""
    import numpy as np

    span = max(float(np.ptp(losses)), 1e-9)
    lowest, highest = float(scores.min()), float(scores.max())
    chances = np.array([chance]) if chance is not None else np.linspace(0.0, 1.0, 5) * lowest
    ceilings = np.unique(np.clip(np.r_[np.linspace(highest * 0.97, 1.0, 7), 1.0], 1e-6, 1.0))
    scaled = np.exp(math.log(STEEPNESS[0]) + STEEPNESS[1] * np.linspace(-2.5, 2.5, 21))
    middles: Floats = np.linspace(losses.min() - 1.5 * span, losses.max() + 0.5 * span, 41, dtype=np.float64)
    grid = np.stack(np.meshgrid(chances, ceilings, scaled, middles, indexing="ij")).reshape(4, -1)
    floor, top, steep, middle = grid
    steepness = steep / span * 2.0
    near = 1.0 / (1.0 + ((losses - losses.min()) / (NEAR * span)) ** 2)
    squares = ((_values(floor, top, steepness, middle, losses) - scores) ** 2) @ near
    df = max(float(near.sum()) - 3.0, 1.0)
    # no point is measured to better than a part in a thousand
    squares = squares + df * 1e-6
    prior = ((np.log(steep) - math.log(STEEPNESS[0])) / STEEPNESS[1]) ** 2 + ((top - CEILING[0]) / CEILING[1]) ** 2
    score = -0.5 * (df + 1) * np.log(squares) - 0.5 * prior
    weights = np.where(top > floor, np.exp(score - score.max()), 0.0)
    weights = weights / weights.sum()
    keep = weights > 1e-9 * weights.max()
    noise = math.sqrt(float(squares[weights.argmax()]) / df)
    share = weights[keep] / weights[keep].sum()
    return Sigmoid(floor[keep], top[keep], steepness[keep], middle[keep], share, noise, df)


def _values(chance: Floats, ceiling: Floats, steepness: Floats, middle: Floats, losses: Floats) -> Floats:
    """Return the scores of every setting at every loss [settings, losses]."""
    import numpy as np

    place = steepness[:, None] * (losses[None, :] - middle[:, None])
    return chance[:, None] + (ceiling - chance)[:, None] / (1.0 + np.exp(np.clip(place, -60, 60)))


def _check(points: Sequence[ScorePoint], chance: float | None) -> None:
    for point in points:
        if not (math.isfinite(point.loss) and point.loss > 0 and 0 <= point.score <= 1):
            raise EvidenceError(
                f"a point has the loss {point.loss!r} and the score {point.score!r}; expected a loss above 0 and a "
                "score from 0 to 1, such as an accuracy"
            )
    if chance is not None and not 0 <= chance < 1:
        raise EvidenceError(f"the chance is {chance!r}; expected what guessing scores, from 0 to below 1")


def _columns(points: Sequence[ScorePoint]) -> tuple[Floats, Floats]:
    import numpy as np

    return np.array([point.loss for point in points]), np.array([point.score for point in points])


def _noisy(found: Sigmoid, losses: Floats, chance: float | None) -> NoForecast | None:
    """Return why the task cannot be foretold, if its scores move too little against their noise."""
    import numpy as np

    values, _ = found.at(losses)
    signal = float(np.ptp(values)) / found.noise
    if signal < LEAST_SIGNAL:
        return NoForecast(
            why=f"the scores move by {signal:.1f} times their noise over all runs; {LEAST_SIGNAL:g} times are needed",
            signal_to_noise=signal,
        )
    rise = (float(values.max()) - chance) / found.noise if chance is not None else LEAST_RISE
    if rise < LEAST_RISE:
        return NoForecast(
            why=f"the best run scores {rise:.1f} times the noise above chance; when the task begins to move is open",
            signal_to_noise=signal,
        )
    return None


def _missed(places: Floats, scores: Floats, chance: float | None, noise: float) -> tuple[float, float, int]:
    """Return what the sigmoid erred beyond its claim on held-out low losses, how far below the others they are, and df.

    Neighbouring points err alike, so a hold-out counts as one, however many points it has.
    """
    import numpy as np

    order = np.argsort(places)
    total, tries = BEYOND_DF * noise**2, 0
    ways: list[float] = []
    for share in HELD:
        held = max(1, round(share * len(order)))
        low, rest = order[:held], order[held:]
        if len(rest) < FEWEST - 1 or np.ptp(places[rest]) <= 0:
            continue
        again = fit_sigmoid(places[rest], scores[rest], chance)
        mean, spread = again.at(places[low])
        total += max(float(((mean - scores[low]) ** 2 - spread**2 - again.noise**2).mean()), 0.0) * WORTH
        ways.append(float(places[rest].min() - places[low].mean()))
        tries += 1
    reach = max(ways, default=0.0) or float(np.ptp(places))
    return math.sqrt(total / (BEYOND_DF + WORTH * tries)), reach, round(WORTH * tries)


def _cautions(losses: Floats, target: Predictive, points: Sequence[ScorePoint]) -> tuple[str, ...]:
    found: list[str] = []
    loss, best = math.exp(target.centre), float(losses.min())
    if best - loss > 0.5 * (float(losses.max()) - best):
        found.append(f"the loss {loss:.4g} is far below the lowest that was scored, {best:.4g}")
    if len({point.run for point in points if point.run}) == 1:
        found.append("all points are checkpoints of one run: another run may score otherwise at the same loss")
    return tuple(found)
